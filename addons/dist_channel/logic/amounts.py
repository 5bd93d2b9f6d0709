"""Money of a channel order: which amount counts, whether the sums are right, and how they become order lines.

All arithmetic is exact (:class:`decimal.Decimal`); the only rounding is the currency's, half up, where Odoo rounds too:
once per order line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from dist_contracts import Discount, MoneyPair, Order, OrderLine, ShippingLine, Tax

Side = Literal["shop", "presentment"]
ZERO = Decimal(0)
_PERCENT_STEP = Decimal("0.01")
"""Odoo keeps discounts with two decimals of a percent."""


def amount(pair: MoneyPair, side: Side) -> Decimal:
    """The amount on the side the channel's settings chose; a pair without presentment has only one amount."""
    return (pair.presentment if side == "presentment" and pair.presentment else pair.shop).amount


def currency(order: Order, side: Side) -> str:
    """The ISO code of the currency the chosen side of the order is in."""
    return (order.presentment_currency or order.currency) if side == "presentment" else order.currency


def rounded(value: Decimal, step: Decimal) -> Decimal:
    """Round to the currency's smallest unit, half away from zero as Odoo does.

    >>> rounded(Decimal("2.675"), Decimal("0.01")), rounded(Decimal("-2.675"), Decimal("0.01"))
    (Decimal('2.68'), Decimal('-2.68'))
    """
    return (value / step).quantize(Decimal(1), rounding=ROUND_HALF_UP) * step


def pairs(order: Order) -> Iterable[MoneyPair]:
    """Every money pair of the order that takes part in its total."""
    for line in order.lines:
        yield line.unit_price
        yield from (part.amount for part in (*line.discounts, *line.taxes))
    for ship in order.shipping:
        yield ship.price
        yield from (part.amount for part in (*ship.discounts, *ship.taxes))
    totals = order.totals
    yield from (totals.lines, totals.discount, totals.shipping, totals.tax, totals.total)


def all_taxes(order: Order) -> Iterable[Tax]:
    """Taxes of the lines that still stand, and of shipping."""
    for line in order.lines:
        if line.quantity:
            yield from line.taxes
    for ship in order.shipping:
        yield from ship.taxes


def facilitated_tax(order: Order, side: Side) -> Decimal:
    """What the marketplace collects and remits itself."""
    return sum((amount(t.amount, side) for t in all_taxes(order) if t.marketplace_facilitated), ZERO)


def detail_total(order: Order, side: Side, step: Decimal) -> Decimal:
    """The order's total, added up from its lines, discounts, shipping and taxes."""
    total = ZERO
    for line in order.lines:
        if line.quantity:
            total += rounded(amount(line.unit_price, side) * line.quantity, step)
            total -= sum((amount(d.amount, side) for d in line.discounts), ZERO)
    for ship in order.shipping:
        total += amount(ship.price, side) - sum((amount(d.amount, side) for d in ship.discounts), ZERO)
    if not order.taxes_included:
        total += sum((amount(t.amount, side) for t in all_taxes(order)), ZERO)
    return total


def expected_total(order: Order, side: Side, *, with_facilitated: bool) -> Decimal:
    """What the sales order has to come to: the channel's total, less the tax the marketplace keeps and remits."""
    total = amount(order.totals.total, side)
    return total if with_facilitated else total - facilitated_tax(order, side)


def exact_percent(gross: Decimal, discount: Decimal) -> Decimal | None:
    """The discount as a percentage Odoo can hold and that gives the same cents, or ``None``.

    >>> exact_percent(Decimal("100"), Decimal("12.5"))
    Decimal('12.50')
    >>> exact_percent(Decimal("59.97"), Decimal("10")) is None
    True
    """
    if not gross or discount > gross:
        return None
    percent = rounded(discount / gross * 100, _PERCENT_STEP)
    return percent if gross * percent / 100 == discount else None


@dataclass(frozen=True)
class PlannedLine:
    """One line of the sales order to be. ``key`` names it across edits; ``taxes`` are what the matcher found."""

    key: str
    kind: Literal["product", "discount", "shipping", "tax", "tax_offset", "facilitated"]
    title: str
    quantity: Decimal
    price_unit: Decimal
    percent: Decimal = ZERO
    taxes: tuple[int, ...] = ()
    line_id: str | None = None


@dataclass(frozen=True)
class Rules:
    """How the channel's settings want an order written.

    ``match`` returns the id of the Odoo tax that computes the same, or ``None``. ``facilitated_as_line`` shows the
    tax the marketplace remits as a line of its own instead of leaving it out.
    """

    side: Side
    step: Decimal
    match: Callable[[Tax], int | None]
    facilitated_as_line: bool = False
    discounts_as_lines: bool = False


@dataclass
class _Extra:
    """Taxes that no Odoo tax computes, gathered over the whole order by title."""

    unmatched: dict[str, Decimal] = field(default_factory=dict)
    facilitated: Decimal = ZERO

    def split(self, taxes: Iterable[Tax], rules: Rules) -> tuple[int, ...]:
        """The ids of the matched taxes; the rest is added here."""
        found: list[int] = []
        for tax in taxes:
            value = amount(tax.amount, rules.side)
            if tax.marketplace_facilitated:
                self.facilitated += value
                continue
            tax_id = rules.match(tax)
            if tax_id is not None:
                found.append(tax_id)
            elif value:
                self.unmatched[tax.title] = self.unmatched.get(tax.title, ZERO) + value
        return tuple(found)


def plan(order: Order, rules: Rules) -> list[PlannedLine]:
    """The lines of the sales order.

    A discount becomes a percentage only where that is exact to the cent, otherwise a line of its own with the same
    taxes. Taxes without a counterpart become one line per title; where prices include them, a second line takes them
    out of the revenue, so that the total stays.
    """
    extra = _Extra()
    lines: list[PlannedLine] = []
    for line in order.lines:
        if line.quantity:
            lines += _plan_line(line, rules, extra)
    for number, ship in enumerate(order.shipping):
        lines += _plan_shipping(number, ship, rules, extra)
    return lines + _plan_extra(order.taxes_included, rules, extra)


def _plan_line(line: OrderLine, rules: Rules, extra: _Extra) -> list[PlannedLine]:
    taxes = extra.split(line.taxes, rules)
    price = amount(line.unit_price, rules.side)
    off = _off(line.discounts, rules)
    percent = None
    if off and not rules.discounts_as_lines:
        percent = exact_percent(rounded(price * line.quantity, rules.step), off)
    key = f"line:{line.external_id}"
    lines = [PlannedLine(key, "product", line.title, line.quantity, price, percent or ZERO, taxes, line.external_id)]
    if off and percent is None:
        lines.append(_discount_line(f"discount:{key}", line.discounts, off, taxes, line.external_id))
    return lines


def _plan_shipping(number: int, ship: ShippingLine, rules: Rules, extra: _Extra) -> list[PlannedLine]:
    taxes = extra.split(ship.taxes, rules)
    price = amount(ship.price, rules.side)
    off = _off(ship.discounts, rules)
    key = f"shipping:{ship.external_id or number}"
    lines = [PlannedLine(key, "shipping", ship.title, Decimal(1), price, ZERO, taxes)]
    if off:
        lines.append(_discount_line(f"discount:{key}", ship.discounts, off, taxes, None))
    return lines


def _plan_extra(included: bool, rules: Rules, extra: _Extra) -> list[PlannedLine]:
    lines = []
    for title, value in extra.unmatched.items():
        lines.append(PlannedLine(f"tax:{title}", "tax", title, Decimal(1), value))
        if included:
            lines.append(PlannedLine(f"taxoffset:{title}", "tax_offset", title, Decimal(1), -value))
    if extra.facilitated:
        if rules.facilitated_as_line:
            lines.append(PlannedLine("facilitated", "facilitated", "", Decimal(1), extra.facilitated))
        if included:
            lines.append(PlannedLine("facilitatedoffset", "tax_offset", "", Decimal(1), -extra.facilitated))
    return lines


def _off(discounts: Iterable[Discount], rules: Rules) -> Decimal:
    return sum((amount(d.amount, rules.side) for d in discounts), ZERO)


def _discount_line(key: str, discounts: Iterable[Discount], off: Decimal, taxes: tuple[int, ...], line_id: str | None):
    title = ", ".join(dict.fromkeys(d.code or d.title for d in discounts))
    return PlannedLine(key, "discount", title, Decimal(1), -off, ZERO, taxes, line_id)
