"""What an adapter announces of itself, so that Odoo can offer it without knowing it."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import Annotated

from pydantic import Field, model_validator
from typing_extensions import Self

from .base import Contract, JsonObject, Text

Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,31}$")]


class Capability(str, Enum):
    """A flow an adapter fills; the value is the name of its port."""

    CHECK = "connection.check"
    ORDERS_PULL = "orders.pull"
    LISTINGS_PULL = "listings.pull"
    AVAILABILITY_PUSH = "availability.push"
    ORDER_ACKNOWLEDGE = "order.acknowledge"
    ORDER_CANCEL = "order.cancel"
    SHIPMENT_CONFIRM = "shipment.confirm"


class AdapterKind(str, Enum):
    """Which family of outside system the adapter speaks to."""

    CHANNEL = "channel"
    WMS = "wms"
    EDI = "edi"


class RateLimit(Contract):
    """A budget shared by all workers: ``rate`` units come back each second, at most ``burst`` are saved up."""

    operation: Text
    rate: Annotated[float, Field(gt=0)]
    burst: Annotated[float, Field(gt=0)]
    unit: Text = "requests"


class Manifest(Contract):
    """An adapter's announcement.

    ``settings_schema`` and ``credentials_schema`` are JSON Schema (2020-12) objects: Odoo renders its form from them
    and validates with them. ``links`` are URL templates over the settings and the record's external ids, e.g.
    ``{"order": "https://{shop_domain}/admin/orders/{order_id}"}``. ``batch`` says how many events of a type one call
    takes.
    """

    code: Code
    label: Text
    kind: AdapterKind
    version: Text
    capabilities: tuple[Capability, ...]
    settings_schema: JsonObject
    credentials_schema: JsonObject
    api_version: Text | None = None
    api_sunset: date | None = None
    rate_limits: tuple[RateLimit, ...] = ()
    batch: dict[str, Annotated[int, Field(ge=1, le=100_000)]] = {}
    links: dict[str, str] = {}
    description: Text | None = None
    documentation: Text | None = None

    @model_validator(mode="after")
    def _capabilities_are_distinct(self) -> Self:
        if len(set(self.capabilities)) < len(self.capabilities):
            raise ValueError("a capability is named twice")
        return self
