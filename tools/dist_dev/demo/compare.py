"""Does Odoo say the same as the store? Pure: two snapshots in, the list of differences out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True)
class Line:
    """Quantities of one order line in pieces: what is to be delivered at all, and what was."""

    ordered: Decimal
    shipped: Decimal


@dataclass(frozen=True)
class OrderView:
    """One order as one side sees it. ``copies`` counts the records that stand for it (exactly one is right)."""

    cancelled: bool
    lines: Mapping[str, Line]
    tracking: tuple[str, ...] = ()
    copies: int = 1


@dataclass(frozen=True)
class Side:
    """One side's word: orders by the channel's order id, and availability in pieces by ``(sku, location)``."""

    orders: Mapping[str, OrderView]
    stock: Mapping[tuple[str, str], Decimal] = field(default_factory=dict)


def differences(store: Side, odoo: Side) -> list[str]:
    """Every difference between the two sides, one sentence each; an empty list means they agree."""
    return [*_orders(store.orders, odoo.orders), *_stock(store.stock, odoo.stock)]


def _orders(store: Mapping[str, OrderView], odoo: Mapping[str, OrderView]) -> Iterable[str]:
    for key in sorted(store.keys() - odoo.keys()):
        yield f"order {key}: in the store, not in Odoo"
    for key in sorted(odoo.keys() - store.keys()):
        yield f"order {key}: in Odoo, not in the store"
    for key in sorted(store.keys() & odoo.keys()):
        yield from (f"order {key}: {text}" for text in _order(store[key], odoo[key]))


def _order(store: OrderView, odoo: OrderView) -> Iterable[str]:
    if odoo.copies != 1:
        yield f"stands {odoo.copies} times in Odoo"
    if store.cancelled != odoo.cancelled:
        yield f"cancelled is {store.cancelled} in the store and {odoo.cancelled} in Odoo"
        return
    if store.cancelled:
        return
    for line in sorted(store.lines.keys() | odoo.lines.keys()):
        left, right = store.lines.get(line, _NOTHING), odoo.lines.get(line, _NOTHING)
        if left.ordered != right.ordered:
            yield f"line {line}: {left.ordered} ordered in the store, {right.ordered} in Odoo"
        if left.shipped != right.shipped:
            yield f"line {line}: {left.shipped} fulfilled in the store, {right.shipped} delivered in Odoo"
    yield from _tracking(store.tracking, odoo.tracking)


def _tracking(store: tuple[str, ...], odoo: tuple[str, ...]) -> Iterable[str]:
    for number, times in sorted(Counter(store).items()):
        if times > 1:
            yield f"tracking number {number} was confirmed {times} times"
    for number in sorted(set(odoo) - set(store)):
        yield f"tracking number {number} never reached the store"
    for number in sorted(set(store) - set(odoo)):
        yield f"tracking number {number} is unknown in Odoo"


def _stock(store: Mapping[tuple[str, str], Decimal], odoo: Mapping[tuple[str, str], Decimal]) -> Iterable[str]:
    for sku, location in sorted(store.keys() | odoo.keys()):
        left, right = store.get((sku, location)), odoo.get((sku, location))
        if left != right:
            yield f"stock of {sku} at {location}: the store offers {left}, Odoo has {right}"


_NOTHING = Line(Decimal(0), Decimal(0))
