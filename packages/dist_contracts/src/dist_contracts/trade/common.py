"""The parts trading documents are made of: parties, references, dates, products, prices, charges, terms, transport.

One part means the same in every document. Times of the document that carry no zone are read in the partner's zone and
are UTC here; where the document has a day only, it stays a day.
"""

from __future__ import annotations

import re
from datetime import date
from enum import Enum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo, model_validator
from typing_extensions import Self

from ..base import Amount, Contract, LongText, Ref, Text, UtcDatetime
from ..listing import Uom
from ..money import Currency, Money
from ..order import NonNegative
from ..party import Address
from .words import (
    ChargeKind,
    DateKind,
    ItemScheme,
    MeasureKind,
    NoteKind,
    OtherCode,
    PartyRole,
    PartyScheme,
    PriceKind,
    Purpose,
    ReferenceKind,
)

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
NO_CURRENCY = 3 * "X"
"""ISO 4217 for "no currency": the currency of amounts where neither the document nor the partner's settings say one."""


def _day(value: Any, info: ValidationInfo) -> Any:
    if info.mode == "python" or not isinstance(value, str):
        return value
    if not _DAY.fullmatch(value):
        raise ValueError("a day is written like 2026-01-31")
    return date.fromisoformat(value)


Day = Annotated[date, BeforeValidator(_day)]
"""A calendar day without time and zone."""

When = UtcDatetime | Day
"""A moment, or a day where the document has no more."""


class Reference(Contract):
    """A number by which something else is found; ``line`` is the line there."""

    kind: ReferenceKind | OtherCode
    value: Ref
    line: Ref | None = None
    description: Text | None = None
    on: When | None = None


class Dated(Contract):
    """A date of a document; a period has its end in ``until``."""

    kind: DateKind | OtherCode
    on: When
    until: When | None = None


class Note(Contract):
    """A text for people."""

    text: LongText
    kind: NoteKind | OtherCode = NoteKind.GENERAL


class PartyId(Contract):
    """A party's number, and whose numbering it is."""

    scheme: PartyScheme | OtherCode
    value: Ref


class Contact(Contract):
    """Somebody to ask; ``function`` is the standard's code of what he does."""

    function: OtherCode | None = None
    name: Text | None = None
    phone: Text | None = None
    email: Text | None = None
    fax: Text | None = None


class Party(Contract):
    """Somebody with a part in the document. Further lines of a name follow the first after a line feed.

    The address holds the place only (street, city, …); the name stands here. Street lines after the second follow it
    in ``street2`` after a line feed.
    """

    role: PartyRole | OtherCode
    ids: tuple[PartyId, ...] = ()
    name: Text | None = None
    address: Address | None = None
    contacts: tuple[Contact, ...] = ()
    references: tuple[Reference, ...] = ()


class ItemId(Contract):
    """A product's number or feature, and whose numbering it is."""

    scheme: ItemScheme | OtherCode
    value: Ref


class Measure(Contract):
    """A measured or declared value in a UN/ECE Recommendation 20 unit."""

    kind: MeasureKind | OtherCode
    value: Amount
    uom: Uom


class Price(Contract):
    """A price for ``per`` units of ``uom`` (one of the line's unit by default), from ``minimum`` units on."""

    amount: Money
    kind: PriceKind | OtherCode = PriceKind.NET
    per: NonNegative | None = None
    uom: Uom | None = None
    basis: OtherCode | None = None
    minimum: NonNegative | None = None
    minimum_uom: Uom | None = None
    starts: When | None = None
    ends: When | None = None


class Pack(Contract):
    """How a trade unit is packed: ``inner`` packs of ``units``, each holding ``size`` of ``uom``."""

    units: NonNegative | None = None
    size: NonNegative | None = None
    uom: Uom | None = None
    inner: NonNegative | None = None
    packaging: Text | None = None


class TradeTax(Contract):
    """One tax. ``rate`` is in percent, as the document says it; ``base`` is what it was computed on."""

    kind: Text
    rate: Amount | None = None
    amount: Money | None = None
    base: Money | None = None
    category: Text | None = None
    jurisdiction: Text | None = None
    number: Text | None = None


class ChargeDirection(str, Enum):
    """``allowance`` lowers what is paid, ``charge`` raises it, ``information`` does neither."""

    ALLOWANCE = "allowance"
    CHARGE = "charge"
    INFORMATION = "information"


class Charge(Contract):
    """An allowance or charge: as an amount, as ``percent`` of ``base``, or as ``rate`` for each of ``quantity``.

    Amounts are what the document says, positive in either direction. ``settlement`` is how it is paid (off the invoice,
    by a credit note), a code of the standard.
    """

    direction: ChargeDirection
    kind: ChargeKind | OtherCode | None = None
    amount: Money | None = None
    percent: Amount | None = None
    percent_of: OtherCode | None = None
    base: Money | None = None
    rate: Money | None = None
    quantity: Amount | None = None
    uom: Uom | None = None
    settlement: OtherCode | None = None
    sequence: Text | None = None
    reference: Text | None = None
    description: Text | None = None
    taxes: tuple[TradeTax, ...] = ()


class PaymentTerms(Contract):
    """When is paid, and what may be deducted for paying early. Percentages as written: 2 for 2 %."""

    kind: OtherCode | None = None
    basis: OtherCode | None = None
    discount_percent: Amount | None = None
    discount_days: Annotated[int, Field(ge=0)] | None = None
    discount_due: Day | None = None
    discount_amount: Money | None = None
    net_days: Annotated[int, Field(ge=0)] | None = None
    net_due: Day | None = None
    day_of_month: Annotated[int, Field(ge=1, le=31)] | None = None
    description: Text | None = None


class FreightPayment(str, Enum):
    """Who pays the carrier."""

    PREPAID = "prepaid"
    COLLECT = "collect"
    THIRD_PARTY = "third_party"
    PREPAID_AND_CHARGED = "prepaid_and_charged"
    PICK_UP = "pick_up"


class Transport(Contract):
    """How goods travel. ``carrier`` is a SCAC or the code of ``carrier_scheme``; ``terms`` an Incoterms code."""

    mode: OtherCode | None = None
    carrier: Ref | None = None
    carrier_scheme: PartyScheme | OtherCode | None = None
    carrier_name: Text | None = None
    service: Text | None = None
    routing: Text | None = None
    payment: FreightPayment | OtherCode | None = None
    terms: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    place: Text | None = None
    vehicle: Text | None = None
    vehicle_kind: OtherCode | None = None
    seals: tuple[Ref, ...] = ()


class Lot(Contract):
    """Which lot or serial number a quantity is of; without ``quantity`` it is of the whole line."""

    lot: Ref | None = None
    serial: Ref | None = None
    quantity: NonNegative | None = None
    uom: Uom = "C62"
    expires: When | None = None
    best_before: When | None = None
    produced: When | None = None

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not (self.lot or self.serial or self.expires or self.best_before or self.produced):
            raise ValueError("a lot needs its number, a serial number or a date")
        return self


class Destination(Contract):
    """How much of a line goes to one place, named by its number."""

    place: PartyId
    quantity: NonNegative
    uom: Uom = "C62"
    dates: tuple[Dated, ...] = ()


class Scheduled(Contract):
    """How much of a line is wanted when (and where, if ``place`` is given)."""

    quantity: NonNegative | None = None
    uom: Uom = "C62"
    dates: tuple[Dated, ...] = ()
    place: PartyId | None = None


class Line(Contract):
    """What lines of every document share: ``line`` is the number the sender gave it, ``ids`` name the product."""

    line: Ref | None = None
    ids: tuple[ItemId, ...] = ()
    description: Text | None = None
    references: tuple[Reference, ...] = ()
    dates: tuple[Dated, ...] = ()
    notes: tuple[Note, ...] = ()

    def id_of(self, scheme: ItemScheme | str) -> str | None:
        """The product's number in one numbering."""
        return next((each.value for each in self.ids if each.scheme == scheme), None)


class TradeDocument(Contract):
    """What all documents share: the sender's ``number``, when it was ``issued``, and who and what it is about.

    All amounts are in ``currency``, or in :data:`NO_CURRENCY` where nobody says one.
    """

    number: Ref
    purpose: Purpose = Purpose.ORIGINAL
    issued: When | None = None
    currency: Currency | None = None
    parties: tuple[Party, ...] = ()
    references: tuple[Reference, ...] = ()
    dates: tuple[Dated, ...] = ()
    contacts: tuple[Contact, ...] = ()
    notes: tuple[Note, ...] = ()

    def party(self, role: PartyRole | str) -> Party | None:
        """The first party in a role."""
        return next((each for each in self.parties if each.role == role), None)

    def reference(self, kind: ReferenceKind | str) -> str | None:
        """The first reference of a kind."""
        return next((each.value for each in self.references if each.kind == kind), None)

    def date(self, kind: DateKind | str) -> When | None:
        """The first date of a kind; of a period its beginning."""
        return next((each.on for each in self.dates if each.kind == kind), None)

    @model_validator(mode="after")
    def _speaks_one_currency(self) -> Self:
        currency = self.currency or NO_CURRENCY
        if wrong := _other_currency(self, currency, ""):
            raise ValueError(f"{wrong}, the document in {currency}")
        return self


def _other_currency(node: Any, currency: str, path: str) -> str | None:
    """Where an amount is in another currency, as ``path is in EUR``; None when there is none."""
    if isinstance(node, Money):
        return f"{path} is in {node.currency}" if node.currency != currency else None
    if isinstance(node, Contract):
        parts = ((f"{path}.{name}" if path else name, getattr(node, name)) for name in type(node).model_fields)
    elif isinstance(node, tuple):
        parts = ((f"{path}[{index}]", item) for index, item in enumerate(node))
    else:
        return None
    return next((found for name, part in parts if (found := _other_currency(part, currency, name))), None)
