"""How a channel names one sellable thing, and the availability we promise on it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator
from typing_extensions import Self

from .base import Amount, Contract, Ref, Text, UtcDatetime

Uom = Annotated[str, Field(pattern=r"^[A-Z0-9]{2,3}$")]
"""UN/ECE Recommendation 20 unit code; ``C62`` is one piece."""


class ListingRef(Contract):
    """The identifiers a channel uses for a product variant. At least one of them is set by every adapter."""

    product_id: Ref | None = None
    variant_id: Ref | None = None
    inventory_id: Ref | None = None
    sku: Ref | None = None
    barcode: Ref | None = None
    title: Text | None = None

    @model_validator(mode="after")
    def _is_identified(self) -> Self:
        if not (self.product_id or self.variant_id or self.inventory_id or self.sku or self.barcode):
            raise ValueError("at least one of product_id, variant_id, inventory_id, sku and barcode is needed")
        return self


class Availability(Contract):
    """What may be promised for one listing at one location of the channel.

    ``quantity`` is absolute (not a change) in ``uom``; ``version`` grows with every computed value of the same key, so
    a late message never overwrites a newer one.
    """

    listing: ListingRef
    location_id: Ref
    quantity: Annotated[Amount, Field(ge=0)]
    uom: Uom = "C62"
    version: Annotated[int, Field(ge=1)]
    as_of: UtcDatetime
    explanation: dict[str, Amount] = {}
