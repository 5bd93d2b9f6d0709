"""Goods on their way: despatch advice, warehouse documents, receipt. Units hold units or items, to any depth.

A pallet may hold items of several orders: each item says of which it is.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from pydantic import Field

from ..base import Amount, Contract, Ref, Text
from ..listing import Uom
from ..money import Money
from ..order import NonNegative
from .common import (
    Charge,
    Dated,
    Line,
    Lot,
    Measure,
    Pack,
    Party,
    Price,
    Reference,
    TradeDocument,
    Transport,
    When,
)
from .order import MAX_LINES, OrderKind
from .words import OtherCode

Sscc = Annotated[str, Field(pattern=r"^[0-9]{18}$")]
"""Serial shipping container code, without the application identifier 00."""


Packaging = Annotated[str, Field(pattern=r"^[A-Z0-9]{2}$")] | OtherCode
"""A UN/ECE Recommendation 21 code, or the standard's own."""


class ItemStatus(str, Enum):
    """What became of an ordered item in a shipment (open)."""

    SHIPPED = "shipped"
    PARTIAL = "partial"
    BACKORDERED = "backordered"
    SUBSTITUTED = "substituted"
    CANCELLED = "cancelled"
    OVER = "over"


class GoodsLine(Line):
    """So much of one product, of the order's line ``order_line``."""

    order: Ref | None = None
    order_line: Ref | None = None
    quantity: NonNegative
    uom: Uom = "C62"
    lots: tuple[Lot, ...] = ()
    packs: tuple[Pack, ...] = ()
    measures: tuple[Measure, ...] = ()
    prices: tuple[Price, ...] = ()


class DespatchItem(GoodsLine):
    """An item that leaves; ``difference`` is ordered less shipped where the document says it."""

    ordered_quantity: NonNegative | None = None
    ordered_uom: Uom | None = None
    difference: Amount | None = None
    status: ItemStatus | OtherCode | None = None


class UnitKind(str, Enum):
    """What holds other units or items."""

    PALLET = "pallet"
    PACKAGE = "package"


class Mark(Contract):
    """A mark on a unit other than its SSCC; ``kind`` is the standard's code."""

    kind: OtherCode
    value: Ref


class LogisticUnit(Contract):
    """A pallet or package. ``count`` is how many alike it stands for."""

    kind: UnitKind = UnitKind.PACKAGE
    sscc: Sscc | None = None
    marks: tuple[Mark, ...] = ()
    packaging: Packaging | None = None
    count: Annotated[int, Field(ge=0)] | None = None
    tracking_number: Text | None = None
    measures: tuple[Measure, ...] = ()
    references: tuple[Reference, ...] = ()
    dates: tuple[Dated, ...] = ()
    transport: tuple[Transport, ...] = ()
    items: tuple[DespatchItem, ...] = ()
    units: tuple[LogisticUnit, ...] = ()


class ShippedOrder(Contract):
    """An order of which goods are in the shipment, and how many packages of it."""

    number: Ref
    release: Ref | None = None
    issued: When | None = None
    measures: tuple[Measure, ...] = ()
    packaging: Packaging | None = None
    package_count: Annotated[int, Field(ge=0)] | None = None
    references: tuple[Reference, ...] = ()
    dates: tuple[Dated, ...] = ()
    parties: tuple[Party, ...] = ()


class _Despatch(TradeDocument):
    """What a despatch advice and the warehouse's documents of the same kind share."""

    transport: tuple[Transport, ...] = ()
    measures: tuple[Measure, ...] = ()
    packaging: Packaging | None = None
    package_count: Annotated[int, Field(ge=0)] | None = None
    charges: tuple[Charge, ...] = ()
    units: Annotated[tuple[LogisticUnit, ...], Field(max_length=MAX_LINES)] = ()
    items: Annotated[tuple[DespatchItem, ...], Field(max_length=MAX_LINES)] = ()


class Asn(_Despatch):
    """Advance ship notice: what is on its way, in which packages, for which orders. ``items`` are in no package."""

    kind: OtherCode | None = None
    orders: tuple[ShippedOrder, ...] = ()


class WarehouseShipment(_Despatch):
    """The warehouse's word that the ship order ``ship_order`` left, wholly or in part, as shipment ``number``."""

    kind: OtherCode | None = None
    ship_order: Ref | None = None
    purchase_order: Ref | None = None


class InboundAdvice(_Despatch):
    """The depositor's word to a warehouse that goods will arrive."""

    kind: OtherCode | None = None
    ship_order: Ref | None = None
    purchase_order: Ref | None = None


class ShipOrderLine(GoodsLine):
    """What the warehouse shall ship."""

    amount: Money | None = None


class ShipOrder(TradeDocument):
    """The depositor's order to a warehouse to ship; ``number`` is his, ``purchase_order`` his customer's.

    Orders with the same ``master`` belong together, in the sequence of ``link``.
    """

    kind: OrderKind | OtherCode | None = None
    purchase_order: Ref | None = None
    link: Ref | None = None
    master: Ref | None = None
    transport: tuple[Transport, ...] = ()
    measures: tuple[Measure, ...] = ()
    charges: tuple[Charge, ...] = ()
    lines: Annotated[tuple[ShipOrderLine, ...], Field(max_length=MAX_LINES)] = ()


class DiscrepancyKind(str, Enum):
    """How what arrived differs from what was announced (open)."""

    DAMAGE = "damage"
    SHORTAGE = "shortage"
    OVERAGE = "overage"
    REFUSED = "refused"
    WRONG_ITEM = "wrong_item"
    QUALITY = "quality"
    EXPIRED = "expired"
    HELD = "held"


class Discrepancy(Contract):
    """A part of a received line that is not as announced; ``quantity`` is signed as the document signs it."""

    kind: DiscrepancyKind | OtherCode
    quantity: Amount | None = None
    uom: Uom = "C62"
    reason: OtherCode | None = None
    description: Text | None = None


class ReceiptLine(GoodsLine):
    """What arrived. ``quantity`` is all that was received, damaged included; ``accepted`` what was taken as good."""

    expected: NonNegative | None = None
    accepted: NonNegative | None = None
    discrepancies: tuple[Discrepancy, ...] = ()


class ReceivedUnit(Contract):
    """A pallet or package that arrived, with its lines."""

    sscc: Sscc | None = None
    marks: tuple[Mark, ...] = ()
    packaging: Packaging | None = None
    count: Annotated[int, Field(ge=0)] | None = None
    lines: tuple[ReceiptLine, ...] = ()


class Receipt(TradeDocument):
    """The receiver's word of what arrived: ``despatch`` is the announcement, ``order`` the order it belongs to."""

    kind: OtherCode | None = None
    order: Ref | None = None
    despatch: Ref | None = None
    transport: tuple[Transport, ...] = ()
    measures: tuple[Measure, ...] = ()
    units: Annotated[tuple[ReceivedUnit, ...], Field(max_length=MAX_LINES)] = ()
    lines: Annotated[tuple[ReceiptLine, ...], Field(max_length=MAX_LINES)] = ()
