"""What can be wrong with an order of a channel, found before anything is written.

A problem is a kind and its parameters; the wording (translated) belongs to the model that reports it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from dist_contracts import Address, Order, OrderStatus

from . import amounts


@dataclass(frozen=True)
class Problem:
    """One thing somebody has to decide or to repair."""

    kind: str
    params: dict[str, Any] = field(default_factory=dict)


def is_cancelled(order: Order) -> bool:
    """Whether the channel says that the order is cancelled (a mere wish of the buyer is not)."""
    return order.status is OrderStatus.CANCELLED or bool(order.cancellation and not order.cancellation.requested)


def needs_shipping(order: Order) -> bool:
    """Whether anything of the order has to be sent to an address."""
    return any(line.requires_shipping and line.quantity for line in order.lines)


def fulfilled_elsewhere(order: Order) -> str | None:
    """``"all"`` or ``"part"`` when the channel says that lines to be shipped were shipped without us."""
    lines = [ln for ln in order.lines if ln.requires_shipping and ln.quantity and ln.fulfillable_quantity is not None]
    if not lines or all(line.fulfillable_quantity >= line.quantity for line in lines):
        return None
    return "all" if all(not line.fulfillable_quantity for line in lines) else "part"


def find(
    order: Order,
    side: amounts.Side,
    expected_currency: str,
    step: Decimal,
    tolerance: Decimal,
    countries: Collection[str],
) -> list[Problem]:
    """Everything that keeps the order from becoming a sales order, as far as the order itself tells.

    :param tolerance: how far the channel's total may be off the sum of its parts
    """
    return [
        *_currency(order, side, expected_currency),
        *_negative(order, side),
        *_address(order, countries),
        *_lines(order),
        *_total(order, side, step, tolerance),
    ]


def _currency(order: Order, side: amounts.Side, expected: str) -> list[Problem]:
    code = amounts.currency(order, side)
    if code != expected:
        return [Problem("wrong_currency", {"currency": code, "expected": expected})]
    mixed = set()
    for pair in amounts.pairs(order):
        money = pair.presentment if side == "presentment" and order.presentment_currency else pair.shop
        if money is None or money.currency != code:
            mixed.add(money.currency if money else "?")
    return [Problem("mixed_currency", {"currency": code, "others": ", ".join(sorted(mixed))})] if mixed else []


def _negative(order: Order, side: amounts.Side) -> list[Problem]:
    names: list[str] = []
    for line in order.lines:
        if amounts.amount(line.unit_price, side) < 0:
            names.append(line.title)
        parts = (*line.discounts, *line.taxes)
        if any(amounts.amount(part.amount, side) < 0 for part in parts):
            names.append(line.title)
    for ship in order.shipping:
        parts = (*ship.discounts, *ship.taxes)
        if amounts.amount(ship.price, side) < 0 or any(amounts.amount(part.amount, side) < 0 for part in parts):
            names.append(ship.title)
    if amounts.amount(order.totals.total, side) < 0 and not names:
        names.append(order.number)
    return [Problem("negative_amount", {"names": ", ".join(dict.fromkeys(names))})] if names else []


def missing_address_parts(address: Address | None) -> list[str]:
    """Which parts a parcel cannot do without."""
    if address is None:
        return ["address"]
    missing = []
    if not address.country:
        missing.append("country")
    if not (address.street or address.street2):
        missing.append("street")
    if not (address.city or address.zip):
        missing.append("city")
    if not (address.name or address.company):
        missing.append("name")
    return missing


def _address(order: Order, countries: Collection[str]) -> list[Problem]:
    found = []
    if needs_shipping(order):
        missing = missing_address_parts(order.ship_to)
        if missing:
            found.append(Problem("missing_address", {"parts": missing}))
    codes = {a.country for a in (order.ship_to, order.bill_to) if a and a.country}
    unknown = sorted(codes - set(countries))
    if unknown:
        found.append(Problem("unknown_country", {"countries": ", ".join(unknown)}))
    return found


def _lines(order: Order) -> list[Problem]:
    found = []
    if not any(line.quantity for line in order.lines):
        found.append(Problem("empty_order"))
    uoms = sorted({line.uom for line in order.lines if line.quantity and line.uom != "C62"})
    if uoms:
        found.append(Problem("unknown_uom", {"uoms": ", ".join(uoms)}))
    return found


def _total(order: Order, side: amounts.Side, step: Decimal, tolerance: Decimal) -> list[Problem]:
    stated = amounts.amount(order.totals.total, side)
    summed = amounts.detail_total(order, side, step)
    if abs(stated - summed) <= tolerance:
        return []
    return [Problem("total_mismatch", {"stated": stated, "summed": summed, "difference": stated - summed})]
