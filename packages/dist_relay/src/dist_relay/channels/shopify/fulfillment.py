"""What the store says of an order's fulfilment, and the pure decision what to fulfil where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dist_contracts import Package, Shipment
from dist_relay.errors import Rejected, Snoozed

USABLE = {"OPEN", "IN_PROGRESS"}
WAITING = {"ON_HOLD", "SCHEDULED"}
GONE = {"CLOSED", "CANCELLED", "INCOMPLETE"}
HOLD_SECONDS = 900.0


@dataclass
class Line:
    """A line of a fulfillment order; ``left`` shrinks as it is given out."""

    id: str
    line_id: str
    left: int


@dataclass
class FulfillmentOrder:
    """Goods one location is to ship."""

    id: str
    status: str
    location: str | None
    reasons: str = ""
    fulfill_at: datetime | None = None
    lines: list[Line] = field(default_factory=list)


@dataclass
class Fulfilled:
    """A fulfilment that exists; ``lines`` are read only for those that may be ours."""

    id: str
    created_at: datetime
    numbers: frozenset[str]
    location: str | None
    lines: Counter[str] | None = None


@dataclass
class State:
    """An order as far as fulfilment goes."""

    cancelled: bool
    orders: list[FulfillmentOrder]
    done: list[Fulfilled]


@dataclass
class Parcel:
    """One call: what of one package is fulfilled at one location."""

    package: Package
    location: str | None
    takes: list[tuple[FulfillmentOrder, Line, int]] = field(default_factory=list)


def contents(package: Package) -> Counter[str]:
    """Order line → whole pieces in the package.

    :raises Rejected: when a quantity is not whole.
    """
    wanted: Counter[str] = Counter()
    for line in package.lines:
        if line.quantity != line.quantity.to_integral_value():
            raise Rejected("bad_quantity", f"the store takes whole pieces only, not {line.quantity}")
        wanted[line.line_id] += int(line.quantity)
    return wanted


def parcels(shipment: Shipment, packages: Iterable[tuple[Package, Counter[str]]], state: State) -> list[Parcel]:
    """What to fulfil for ``packages``, taking from the lines in ``state``: one parcel per package and location.

    :raises Snoozed: when goods lie in a fulfillment order that is on hold or scheduled for later.
    :raises Rejected: when less remains than is to be shipped.
    """
    found: list[Parcel] = []
    for package, wanted in packages:
        here: dict[str | None, Parcel] = {}
        for line_id, quantity in wanted.items():
            missing = quantity
            for order, line in _sources(line_id, shipment.location_id, state.orders):
                take = min(missing, line.left)
                if take:
                    parcel = here.setdefault(order.location, Parcel(package, order.location))
                    parcel.takes.append((order, line, take))
                    line.left -= take
                    missing -= take
            if missing:
                _explain_missing(line_id, quantity, missing, state)
        found.extend(here.values())
    return found


def claim(
    packages: Sequence[tuple[Package, Counter[str]]], done: list[Fulfilled], *, untracked: bool, location: str | None
) -> tuple[list[tuple[Package, Counter[str]]], list[str]]:
    """Packages (or what is left of them) that no existing fulfilment covers, and the ids of those that do.

    A fulfilment is that of a package when it has the package's tracking number and nothing but goods of it. Packages
    without tracking number are recognised by equal contents, and only where ``untracked`` says that an earlier attempt
    may have acted.
    """
    free = list(done)
    claimed: list[str] = []
    rest: list[tuple[Package, Counter[str]]] = []
    for package, wanted in packages:
        left = Counter(wanted)
        for fulfilled in list(free):
            if fulfilled.lines is None or not _covers(package, left, fulfilled, untracked, location):
                continue
            left -= fulfilled.lines
            free.remove(fulfilled)
            claimed.append(fulfilled.id)
        if left:
            rest.append((package, left))
    return rest, claimed


def _covers(package: Package, left: Counter[str], fulfilled: Fulfilled, untracked: bool, location: str | None) -> bool:
    lines = fulfilled.lines or Counter()
    if not lines or lines - left:
        return False
    if package.tracking_number:
        return package.tracking_number in fulfilled.numbers
    return untracked and not fulfilled.numbers and (lines == left or fulfilled.location != location)


def _sources(
    line_id: str, location: str | None, orders: Iterable[FulfillmentOrder]
) -> Iterable[tuple[FulfillmentOrder, Line]]:
    """Usable fulfillment orders that hold the line, those of the wanted location first."""
    usable = [order for order in orders if order.status in USABLE]
    for order in sorted(usable, key=lambda o: o.location != location):
        for line in order.lines:
            if line.line_id == line_id and line.left > 0:
                yield order, line


def _explain_missing(line_id: str, wanted: int, missing: int, state: State) -> None:
    waiting = [
        order
        for order in state.orders
        if order.status in WAITING and any(line.line_id == line_id and line.left for line in order.lines)
    ]
    for order in waiting:
        if order.status == "ON_HOLD":
            text = f"the store holds line {line_id}: {order.reasons or 'no reason given'}"
            raise Snoozed(HOLD_SECONDS, text, code="on_hold")
        when = f" for {order.fulfill_at.isoformat()}" if order.fulfill_at else ""
        raise Snoozed(HOLD_SECONDS, f"the store has scheduled line {line_id}{when}", code="scheduled")
    if state.cancelled:
        raise Rejected("order_cancelled", "the order is cancelled at the store")
    known = any(line.line_id == line_id for order in state.orders for line in order.lines)
    text = f"line {line_id}: {wanted} to be shipped, {wanted - missing} left to fulfil at the store"
    raise Rejected("nothing_left" if known else "unknown_line", text)
