"""Goods that left, with tracking."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator
from typing_extensions import Self

from .base import Contract, Ref, Text, UtcDatetime
from .listing import Uom
from .order import PositiveAmount


class PackageLine(Contract):
    """How much of one order line lies in a package, matched on the channel's line id (never on the variant).

    The same line may stand twice in a package (two lots, say); the adapter adds them up.
    """

    line_id: Ref
    quantity: PositiveAmount
    uom: Uom = "C62"


class Package(Contract):
    """One parcel or pallet. ``sscc`` is the 18-digit serial shipping container code; ``weight_kg`` is gross.

    ``more_tracking_numbers`` are those beside the first, where one unit travels in several boxes.
    """

    reference: Ref
    lines: Annotated[tuple[PackageLine, ...], Field(min_length=1)]
    carrier: Text | None = None
    service: Text | None = None
    tracking_number: Text | None = None
    more_tracking_numbers: tuple[Text, ...] = ()
    tracking_url: Text | None = None
    sscc: Annotated[str, Field(pattern=r"^[0-9]{18}$")] | None = None
    weight_kg: PositiveAmount | None = None


class Shipment(Contract):
    """A part or the whole of an order that left from one of the channel's locations.

    ``reference`` is ours (the delivery's name) and is the same in every repetition: an adapter looks it up or derives
    its idempotency key from it.
    """

    order_id: Ref
    reference: Ref
    shipped_at: UtcDatetime
    location_id: Ref | None = None
    packages: Annotated[tuple[Package, ...], Field(min_length=1, max_length=1_000)]
    notify_buyer: bool = True

    @model_validator(mode="after")
    def _packages_are_distinct(self) -> Self:
        references = [package.reference for package in self.packages]
        if twice := {reference for reference in references if references.count(reference) > 1}:
            raise ValueError(f"the package reference {min(twice)!r} is used twice")
        return self
