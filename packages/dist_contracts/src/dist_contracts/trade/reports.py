"""What is reported rather than ordered: stock and its adjustments, sales, prices, returns, the state of a transport."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from pydantic import Field

from ..base import Amount, Contract, Ref, Text
from ..listing import Uom
from ..money import Money
from .common import (
    Charge,
    Dated,
    Line,
    Lot,
    Measure,
    Pack,
    Party,
    PartyId,
    Price,
    Reference,
    TradeDocument,
    TradeTax,
    Transport,
    When,
)
from .order import MAX_LINES
from .words import LineAction, OtherCode, QuantityKind


class CountedQuantity(Contract):
    """One reported quantity, where it is given at one place or for one date."""

    kind: QuantityKind | OtherCode
    quantity: Amount
    uom: Uom = "C62"
    place: PartyId | None = None
    dates: tuple[Dated, ...] = ()
    references: tuple[Reference, ...] = ()
    status: OtherCode | None = None


class CountedLine(Line):
    """One product and what is counted of it. ``place`` holds for all its quantities."""

    quantities: tuple[CountedQuantity, ...] = ()
    place: PartyId | None = None
    prices: tuple[Price, ...] = ()
    amount: Money | None = None
    packs: tuple[Pack, ...] = ()
    lots: tuple[Lot, ...] = ()


class StockSnapshot(TradeDocument):
    """Stock as the sender counts it at ``as_of``; compared with ours, never taken over unseen."""

    kind: OtherCode | None = None
    as_of: When | None = None
    lines: Annotated[tuple[CountedLine, ...], Field(max_length=MAX_LINES)] = ()


class SalesReport(TradeDocument):
    """What was sold (and what is left) between ``starts`` and ``ends``, place by place."""

    kind: OtherCode | None = None
    starts: When | None = None
    ends: When | None = None
    lines: Annotated[tuple[CountedLine, ...], Field(max_length=MAX_LINES)] = ()


class StockReason(str, Enum):
    """Why stock was adjusted (open)."""

    COUNT = "count"
    DAMAGE = "damage"
    LOSS = "loss"
    FOUND = "found"
    EXPIRED = "expired"
    HOLD = "hold"
    RELEASE = "release"
    RETURN = "return"
    TRANSFER = "transfer"
    RECEIPT_CORRECTION = "receipt_correction"
    SHIPMENT_CORRECTION = "shipment_correction"
    SCRAPPED = "scrapped"
    RELABELLED = "relabelled"
    OTHER = "other"


class AdjustmentLine(Line):
    """A change of stock: ``quantity`` is signed; of a change of status it says how much moved from one to the other."""

    quantity: Amount
    uom: Uom = "C62"
    reason: StockReason | OtherCode | None = None
    from_status: OtherCode | None = None
    to_status: OtherCode | None = None
    order: Ref | None = None
    lots: tuple[Lot, ...] = ()
    place: PartyId | None = None


class Adjustment(TradeDocument):
    """A warehouse's word that its stock changed without a shipment or receipt; a person reviews it."""

    depositor_number: Ref | None = None
    lines: Annotated[tuple[AdjustmentLine, ...], Field(max_length=MAX_LINES)] = ()


class CatalogueLine(Line):
    """One product offered, with its prices."""

    action: LineAction | OtherCode | None = None
    prices: tuple[Price, ...] = ()
    packs: tuple[Pack, ...] = ()
    measures: tuple[Measure, ...] = ()
    features: tuple[Feature, ...] = ()
    minimum: Amount | None = None
    multiple: Amount | None = None
    uom: Uom = "C62"
    charges: tuple[Charge, ...] = ()
    taxes: tuple[TradeTax, ...] = ()


class Feature(Contract):
    """A described feature of a product: ``kind`` and ``code`` are the standard's, ``text`` is for people."""

    kind: OtherCode | None = None
    code: Text | None = None
    text: Text | None = None


class PriceCatalogue(TradeDocument):
    """Products and prices of a supplier; ``version`` as he counts them."""

    kind: OtherCode | None = None
    version: Text | None = None
    name: Text | None = None
    lines: Annotated[tuple[CatalogueLine, ...], Field(max_length=MAX_LINES)] = ()


class ReturnKind(str, Enum):
    """A request asks, an authorization allows, a refusal does not, a notice says that goods come back."""

    REQUEST = "request"
    AUTHORIZATION = "authorization"
    REFUSAL = "refusal"
    NOTICE = "notice"
    CANCELLATION = "cancellation"


class ReturnReason(str, Enum):
    """Why goods go back (open)."""

    DAMAGED = "damaged"
    DEFECTIVE = "defective"
    WRONG_ITEM = "wrong_item"
    OVERSHIPPED = "overshipped"
    NOT_ORDERED = "not_ordered"
    UNSOLD = "unsold"
    RECALL = "recall"
    LATE = "late"
    EXPIRED = "expired"
    UNWANTED = "unwanted"
    WARRANTY = "warranty"


class ReturnLine(Line):
    """One product to return, of the order or invoice it came with. ``disposition`` is what shall become of it."""

    order: Ref | None = None
    invoice: Ref | None = None
    quantity: Amount | None = None
    uom: Uom = "C62"
    reason: ReturnReason | OtherCode | None = None
    disposition: OtherCode | None = None
    prices: tuple[Price, ...] = ()
    amount: Money | None = None
    lots: tuple[Lot, ...] = ()


class ReturnAuthorization(TradeDocument):
    """A request to return goods, or the answer to it; ``authorization`` is the number to return them under."""

    kind: ReturnKind = ReturnKind.REQUEST
    authorization: Ref | None = None
    order: Ref | None = None
    invoice: Ref | None = None
    reason: ReturnReason | OtherCode | None = None
    disposition: OtherCode | None = None
    transport: tuple[Transport, ...] = ()
    charges: tuple[Charge, ...] = ()
    lines: Annotated[tuple[ReturnLine, ...], Field(max_length=MAX_LINES)] = ()


class TransportEvent(Contract):
    """What happened to a consignment, when and where; ``status`` and ``reason`` are the standard's codes."""

    status: OtherCode | None = None
    reason: OtherCode | None = None
    description: Text | None = None
    references: tuple[Reference, ...] = ()
    dates: tuple[Dated, ...] = ()
    parties: tuple[Party, ...] = ()
    places: tuple[Place, ...] = ()
    transport: tuple[Transport, ...] = ()


class Place(Contract):
    """A place on the way; ``kind`` is the standard's code of what happens there, ``code`` often a UN/LOCODE."""

    kind: OtherCode
    code: Ref | None = None
    name: Text | None = None


class Consignment(Contract):
    """What travels together, and what happened to it."""

    number: Ref | None = None
    sequence: Text | None = None
    places: tuple[Place, ...] = ()
    events: tuple[TransportEvent, ...] = ()


class TransportStatus(TradeDocument):
    """A carrier's word about consignments."""

    kind: OtherCode | None = None
    consignments: Annotated[tuple[Consignment, ...], Field(max_length=MAX_LINES)] = ()
