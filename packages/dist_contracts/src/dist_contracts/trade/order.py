"""Purchase orders between companies: the order, its change, and the answer line by line.

(The order of a shop's customer is :class:`dist_contracts.Order`.)
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from pydantic import Field

from ..base import Amount, Contract, Ref, Text
from ..listing import Uom
from ..money import Money
from ..order import AcknowledgementStatus, NonNegative
from .common import (
    Charge,
    Dated,
    Destination,
    ItemId,
    Line,
    Measure,
    Note,
    Pack,
    PaymentTerms,
    Price,
    Scheduled,
    TradeDocument,
    TradeTax,
    Transport,
    When,
)
from .words import LineAction, OtherCode

MAX_LINES = 100_000
"""Most lines of one document; X12 itself takes no more order lines."""


class OrderKind(str, Enum):
    """What sort of order it is (open)."""

    STANDARD = "standard"
    BLANKET = "blanket"
    RELEASE = "release"
    DROPSHIP = "dropship"
    RUSH = "rush"
    CONSIGNMENT = "consignment"
    SAMPLE = "sample"
    REPAIR = "repair"
    PROMOTION = "promotion"
    CROSS_DOCK = "cross_dock"
    STORE = "store"


class PurchaseLine(Line):
    """One product ordered. ``destinations`` split the quantity over places, ``schedule`` over dates."""

    quantity: NonNegative | None = None
    uom: Uom = "C62"
    prices: tuple[Price, ...] = ()
    amount: Money | None = None
    packs: tuple[Pack, ...] = ()
    measures: tuple[Measure, ...] = ()
    charges: tuple[Charge, ...] = ()
    taxes: tuple[TradeTax, ...] = ()
    destinations: tuple[Destination, ...] = ()
    schedule: tuple[Scheduled, ...] = ()
    components: tuple[Component, ...] = ()


class Component(Line):
    """A part of a set or assortment: how many there are in one unit of the line."""

    quantity: NonNegative | None = None
    uom: Uom = "C62"
    prices: tuple[Price, ...] = ()


class _Ordering(TradeDocument):
    """What an order, its change and the answer share."""

    kind: OrderKind | OtherCode | None = None
    release: Ref | None = None
    terms: tuple[PaymentTerms, ...] = ()
    transport: tuple[Transport, ...] = ()
    charges: tuple[Charge, ...] = ()
    taxes: tuple[TradeTax, ...] = ()
    total: Money | None = None


class PurchaseOrder(_Ordering):
    """What a buyer orders from a supplier; we are either."""

    lines: Annotated[tuple[PurchaseLine, ...], Field(max_length=MAX_LINES)] = ()


class ChangedLine(PurchaseLine):
    """A line of a change: what becomes of it, and how much is still to be delivered."""

    action: LineAction | OtherCode | None = None
    open_quantity: NonNegative | None = None


class OrderChange(_Ordering):
    """The buyer's change to his order ``number``; never applied without a look at what it differs in.

    ``change`` is the number of the change, ``ordered`` the date of the order.
    """

    change: Ref | None = None
    ordered: When | None = None
    lines: Annotated[tuple[ChangedLine, ...], Field(max_length=MAX_LINES)] = ()


class AnswerReason(str, Enum):
    """What differs from the order, or why it is refused (open)."""

    QUANTITY = "quantity"
    PRICE = "price"
    DATE = "date"
    SUBSTITUTED = "substituted"
    PARTIAL = "partial"
    CANCELLED = "cancelled"
    DELETED = "deleted"
    DISCONTINUED = "discontinued"
    OUT_OF_STOCK = "out_of_stock"
    UNKNOWN_ITEM = "unknown_item"
    WRONG_UNIT = "wrong_unit"
    WRONG_PACK = "wrong_pack"
    NOT_IN_CONTRACT = "not_in_contract"
    ON_HOLD = "on_hold"
    SHIPPED = "shipped"
    RELEASED = "released"
    FORWARDED = "forwarded"
    OTHER = "other"


class Answer(Contract):
    """The answer to (a part of) a line; ``ids`` name what comes instead."""

    status: AcknowledgementStatus
    reason: AnswerReason | OtherCode | None = None
    quantity: NonNegative | None = None
    uom: Uom = "C62"
    dates: tuple[Dated, ...] = ()
    ids: tuple[ItemId, ...] = ()
    price: Price | None = None
    reference: Text | None = None
    notes: tuple[Note, ...] = ()


class AnsweredLine(PurchaseLine):
    """A line of the order as its buyer wrote it (or as it was changed), with what becomes of it."""

    action: LineAction | OtherCode | None = None
    open_quantity: Amount | None = None
    answers: tuple[Answer, ...] = ()


class OrderAnswer(str, Enum):
    """The answer to the whole order. ``received`` says no more than that it arrived."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    CHANGED = "changed"
    REJECTED = "rejected"


class OrderAcknowledgement(_Ordering):
    """The supplier's answer to the order ``number`` of ``ordered``, or to its ``change``.

    ``acknowledgement`` is the answer's own number where it has one, ``supplier_order`` the supplier's for the order.
    """

    status: OrderAnswer | OtherCode | None = None
    acknowledgement: Ref | None = None
    supplier_order: Ref | None = None
    change: Ref | None = None
    ordered: When | None = None
    lines: Annotated[tuple[AnsweredLine, ...], Field(max_length=MAX_LINES)] = ()
