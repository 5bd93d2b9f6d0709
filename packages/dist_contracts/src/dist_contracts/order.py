"""The order as every sales channel tells it, and what we answer: acknowledgement and cancellation.

All prices are per unit before discounts; whether they include tax is said once, by ``Order.taxes_included``. Quantities
are decimals in the line's ``uom``. Identifiers are the channel's own. Prices, discounts and quantities are never
negative: money that goes back is a refund, not a negative line. Every amount is in the order's one currency.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Annotated, Any

from pydantic import Field, model_validator
from typing_extensions import Self

from .base import Amount, Contract, LongText, Ref, Text, UtcDatetime
from .listing import ListingRef, Uom
from .money import Currency, MoneyPair
from .party import Address, Buyer

PositiveAmount = Annotated[Amount, Field(gt=0)]
NonNegative = Annotated[Amount, Field(ge=0)]


class OrderStatus(str, Enum):
    """Where the order stands on the channel."""

    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class PaymentStatus(str, Enum):
    """Whether the channel holds the buyer's money."""

    PENDING = "pending"
    AUTHORIZED = "authorized"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    VOIDED = "voided"
    EXPIRED = "expired"


class HoldReason(str, Enum):
    """Why the channel asks us not to ship yet."""

    FRAUD = "fraud"
    PAYMENT = "payment"
    ADDRESS = "address"
    STOCK = "stock"
    SCHEDULED = "scheduled"
    MANUAL = "manual"
    OTHER = "other"


class Hold(Contract):
    """A hold of the channel on the order or on one of its lines."""

    reason: HoldReason
    note: Text | None = None
    line_id: Ref | None = None
    until: UtcDatetime | None = None


class Tax(Contract):
    """One tax. ``marketplace_facilitated``: the channel collects and remits it, it is neither our revenue nor our debt.

    ``rate`` is a fraction (0.0825 for 8.25 %).
    """

    title: Text
    amount: MoneyPair
    rate: Amount | None = None
    marketplace_facilitated: bool = False


class Discount(Contract):
    """A discount already allocated to where it stands (line or shipping); ``amount`` is positive."""

    title: Text
    amount: MoneyPair
    code: Text | None = None

    @model_validator(mode="after")
    def _is_positive(self) -> Self:
        _refuse_negative(f"discount {self.title!r}", "amount", self.amount)
        return self


class Fee(Contract):
    """What the channel charges us (commission, closing fee); ``amount`` is positive when we pay."""

    kind: Text
    amount: MoneyPair


class Gift(Contract):
    """Gift wish of the buyer."""

    wrap: bool = False
    message: LongText | None = None


class OrderLine(Contract):
    """One line. ``quantity`` is what stands after edits; ``ordered_quantity`` what was first ordered.

    ``location_id`` is the place the channel wants it shipped from, where it has a say in that.
    """

    external_id: Ref
    listing: ListingRef
    title: Text
    quantity: NonNegative
    ordered_quantity: PositiveAmount
    fulfillable_quantity: NonNegative | None = None
    uom: Uom = "C62"
    unit_price: MoneyPair
    discounts: tuple[Discount, ...] = ()
    taxes: tuple[Tax, ...] = ()
    fees: tuple[Fee, ...] = ()
    requires_shipping: bool = True
    gift: Gift | None = None
    location_id: Ref | None = None
    requested_ship_by: UtcDatetime | None = None
    requested_deliver_by: UtcDatetime | None = None
    properties: dict[str, str] = {}

    @model_validator(mode="after")
    def _price_is_not_negative(self) -> Self:
        _refuse_negative(f"line {self.external_id}", "unit_price", self.unit_price)
        return self


class ShippingLine(Contract):
    """A shipping charge. ``price`` is before its discounts."""

    external_id: Ref | None = None
    title: Text
    code: Text | None = None
    carrier: Text | None = None
    price: MoneyPair
    discounts: tuple[Discount, ...] = ()
    taxes: tuple[Tax, ...] = ()

    @model_validator(mode="after")
    def _price_is_not_negative(self) -> Self:
        _refuse_negative(f"shipping {self.title!r}", "price", self.price)
        return self


class OrderTotals(Contract):
    """The channel's own sums, for the check that ours are exact. ``tax`` includes what the marketplace remits."""

    lines: MoneyPair
    discount: MoneyPair
    shipping: MoneyPair
    tax: MoneyPair
    total: MoneyPair


class Cancellation(Contract):
    """The channel's word that the order is cancelled, or the buyer's wish for it (``requested`` and not yet done)."""

    requested: bool = False
    reason: Text | None = None
    at: UtcDatetime | None = None


class Order(Contract):
    """A whole order of a channel at one moment (``updated_at``); each later state is sent whole again.

    ``buyer_reference`` is the buyer's own purchase order number. Of the four dates, ``…_from`` is the earliest and
    ``…_by`` the latest moment the buyer or the channel asks for.
    """

    external_id: Ref
    number: Ref
    status: OrderStatus
    payment_status: PaymentStatus
    placed_at: UtcDatetime
    updated_at: UtcDatetime
    currency: Currency
    presentment_currency: Currency | None = None
    taxes_included: bool = False
    buyer: Buyer | None = None
    ship_to: Address | None = None
    bill_to: Address | None = None
    lines: Annotated[tuple[OrderLine, ...], Field(max_length=1_000)]
    shipping: tuple[ShippingLine, ...] = ()
    fees: tuple[Fee, ...] = ()
    totals: OrderTotals
    holds: tuple[Hold, ...] = ()
    cancellation: Cancellation | None = None
    requested_ship_from: UtcDatetime | None = None
    requested_ship_by: UtcDatetime | None = None
    requested_deliver_from: UtcDatetime | None = None
    requested_deliver_by: UtcDatetime | None = None
    buyer_reference: Text | None = None
    gift: Gift | None = None
    source: Text | None = None
    note: LongText | None = None
    tags: tuple[Text, ...] = ()
    test: bool = False

    @model_validator(mode="after")
    def _lines_are_distinct(self) -> Self:
        seen: set[str] = set()
        for line in self.lines:
            if line.external_id in seen:
                raise ValueError(f"line {line.external_id} stands twice in the order")
            seen.add(line.external_id)
        return self

    @model_validator(mode="after")
    def _speaks_one_currency(self) -> Self:
        shown = self.presentment_currency or self.currency
        for path, pair in _pairs(self, ""):
            if pair.shop.currency != self.currency:
                raise ValueError(f"{path} is in {pair.shop.currency}, the order in {self.currency}")
            if pair.presentment and pair.presentment.currency != shown:
                raise ValueError(f"{path} was shown in {pair.presentment.currency}, the order in {shown}")
        return self


def _refuse_negative(what: str, field: str, pair: MoneyPair) -> None:
    for money in (pair.shop, pair.presentment):
        if money and money.amount < 0:
            raise ValueError(f"{what}: {field} is negative ({money})")


def _pairs(node: Any, path: str) -> Iterator[tuple[str, MoneyPair]]:
    """Every money pair in ``node`` with its path; lines and other things that have an id are named by it."""
    if isinstance(node, MoneyPair):
        yield path, node
    elif isinstance(node, Contract):
        for name in type(node).model_fields:
            yield from _pairs(getattr(node, name), f"{path}.{name}" if path else name)
    elif isinstance(node, tuple):
        for index, item in enumerate(node):
            yield from _pairs(item, f"{path}[{getattr(item, 'external_id', None) or index}]")


class AcknowledgementStatus(str, Enum):
    """Answer to one order line."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    BACKORDERED = "backordered"
    CHANGED = "changed"


class AcknowledgementLine(Contract):
    """Our answer to one line; ``quantity`` is what we accept."""

    line_id: Ref
    status: AcknowledgementStatus
    quantity: NonNegative
    reason: Text | None = None


class Acknowledgement(Contract):
    """Our answer to an order: that we have it under ``reference``, and what becomes of each line."""

    order_id: Ref
    reference: Ref
    acknowledged_at: UtcDatetime
    lines: tuple[AcknowledgementLine, ...] = ()


class CancelReason(str, Enum):
    """Why we cancel an order on the channel."""

    CUSTOMER = "customer"
    STOCK = "stock"
    FRAUD = "fraud"
    PAYMENT = "payment"
    OTHER = "other"


class OrderCancel(Contract):
    """Our wish that the channel cancels the whole order, before anything was shipped."""

    order_id: Ref
    reason: CancelReason
    note: LongText | None = None
    restock: bool = True
    refund: bool = True
    notify_buyer: bool = True
