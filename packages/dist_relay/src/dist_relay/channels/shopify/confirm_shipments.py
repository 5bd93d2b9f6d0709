"""``shipment.confirm``: fulfilments with tracking, one call per package and location.

The store has no idempotency for this, so what exists is read first: a fulfilment with the package's tracking number and
contents is that package. A package without tracking number can only be recognised by its contents, so a shipment that
has one ends as an unknown outcome when it fails half way: then the next attempt reads back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from dist_contracts import Envelope, Outcome, Package, Shipment, explain
from dist_relay.errors import Broken, OutcomeUnknown, Rejected, RelayError, RetryLater, delivered
from dist_relay.ports import Context

from . import fulfillment as ff
from .client import Client
from .ids import gid, short
from .reading import Node, Unmappable

TRIES = 3
LINES = 100
SKEW = timedelta(minutes=10)


class ConfirmShipments:
    """Confirms one shipment at a time; see the module."""

    def __init__(self, ctx: Context) -> None:
        self._client = Client(ctx)

    def confirm(self, event: Envelope) -> Outcome:
        """Delivered with the ids of the fulfilments, whether this call or an earlier one made them."""
        try:
            shipment, _ = Shipment.read(event.payload)
        except ValidationError as error:
            raise Broken(f"not a shipment: {explain(error)}", code="bad_payload") from error
        packages = [(package, ff.contents(package)) for package in shipment.packages]
        made: list[str] = []
        for _ in range(TRIES):
            state = self._state(event, shipment)
            again = event.read_back or event.attempt > 1 or bool(made)
            rest, claimed = ff.claim(packages, state.done, untracked=again, location=shipment.location_id)
            if not rest:
                return delivered(event, {"fulfillments": sorted({*claimed, *made}, key=int), "read_back": not made})
            try:
                refusal = self._fulfil(shipment, ff.parcels(shipment, rest, state), made)
            except RelayError as error:
                untracked = any(not package.tracking_number for package, _ in packages)
                if untracked and (made or claimed):
                    raise _after_effect(error) from error
                raise
            if refusal is None:
                return delivered(event, {"fulfillments": sorted({*claimed, *made}, key=int)})
        raise Rejected("refused", f"the store refuses the fulfilment: {refusal}", data={"fulfillments": made})

    def _fulfil(self, shipment: Shipment, parcels: list[ff.Parcel], made: list[str]) -> str | None:
        """Make the calls; the store's message when it refuses one (its state has moved: read it again)."""
        for parcel in parcels:
            data = self._client.run("Fulfil", {"fulfillment": _input(shipment, parcel)}, priority=1)
            try:
                answer = Node.of(data.get("fulfillmentCreate"), "fulfillmentCreate")
                if errors := [error.text("message") for error in answer.children("userErrors")]:
                    return "; ".join(errors)
                made.append(short(answer.child("fulfillment").text("id")))
            except Unmappable as error:
                raise OutcomeUnknown(f"the store's answer cannot be read: {error}", code="bad_answer") from error
        return None

    def _state(self, event: Envelope, shipment: Shipment) -> ff.State:
        try:
            state = self._read(gid("Order", shipment.order_id))
            wanted = {package.tracking_number for package in shipment.packages}
            for fulfilled in state.done:
                recent = fulfilled.created_at >= event.occurred_at - SKEW
                if fulfilled.numbers & wanted or (not fulfilled.numbers and None in wanted and recent):
                    fulfilled.lines = self._contents(fulfilled.id)
            return state
        except Unmappable as error:
            raise RetryLater(None, f"the order's fulfilment cannot be read: {error}", code="bad_answer") from error

    def _read(self, order_id: str) -> ff.State:
        after: str | None = None
        orders: list[ff.FulfillmentOrder] = []
        while True:
            data = self._client.run("FulfillmentState", {"id": order_id, "after": after}, priority=1)
            if data.get("order") is None:
                raise Rejected("unknown_order", f"the store has no order {short(order_id)}")
            order = Node.of(data["order"], "order")
            connection = order.child("fulfillmentOrders")
            orders.extend(self._fulfillment_order(node) for node in connection.children("nodes"))
            page = connection.child("pageInfo")
            if not page.flag("hasNextPage"):
                cancelled = order.moment("cancelledAt", optional=True) is not None
                return ff.State(cancelled, orders, list(_fulfilled(order)))
            after = page.text("endCursor")

    def _fulfillment_order(self, node: Node) -> ff.FulfillmentOrder:
        id_, status = node.text("id"), node.text("status")
        if status not in ff.USABLE | ff.WAITING | ff.GONE:
            raise Unmappable(f"{node.path}.status: unknown value {status!r}")
        place = node.child("assignedLocation").child("location", optional=True)
        lines = list(node.nodes("lineItems"))
        page = node.child("lineItems").child("pageInfo")
        while page.flag("hasNextPage"):
            more = self._more("FulfillmentOrderLines", id_, page.text("endCursor"), "lineItems")
            lines.extend(more.children("nodes"))
            page = more.child("pageInfo")
        return ff.FulfillmentOrder(
            id=id_,
            status=status,
            location=short(place.text("id")) if place else None,
            reasons="; ".join(_hold(hold) for hold in node.children("fulfillmentHolds")),
            fulfill_at=node.moment("fulfillAt", optional=True),
            lines=[
                ff.Line(line.text("id"), short(line.child("lineItem").text("id")), line.whole("remainingQuantity"))
                for line in lines
            ],
        )

    def _contents(self, fulfillment_id: str) -> Counter[str]:
        found: Counter[str] = Counter()
        after: str | None = None
        while True:
            more = self._more("FulfillmentLines", gid("Fulfillment", fulfillment_id), after, "fulfillmentLineItems")
            for line in more.children("nodes"):
                found[short(line.child("lineItem").text("id"))] += line.whole("quantity")
            page = more.child("pageInfo")
            if not page.flag("hasNextPage"):
                return found
            after = page.text("endCursor")

    def _more(self, operation: str, id_: str, after: str | None, connection: str) -> Node:
        data = self._client.run(operation, {"id": id_, "first": LINES, "after": after}, priority=1)
        return Node.of(data.get("node"), "node").child(connection)


def _fulfilled(order: Node) -> Iterator[ff.Fulfilled]:
    for node in order.children("fulfillments"):
        if node.text("status") in ("CANCELLED", "ERROR", "FAILURE"):
            continue
        place = node.child("location", optional=True)
        numbers = (track.text("number", optional=True) for track in node.children("trackingInfo"))
        yield ff.Fulfilled(
            id=short(node.text("id")),
            created_at=node.moment("createdAt"),
            numbers=frozenset(number for number in numbers if number),
            location=short(place.text("id")) if place else None,
        )


def _input(shipment: Shipment, parcel: ff.Parcel) -> dict[str, Any]:
    by_order: dict[str, list[dict[str, Any]]] = {}
    for order, line, quantity in parcel.takes:
        by_order.setdefault(order.id, []).append({"id": line.id, "quantity": quantity})
    wanted: dict[str, Any] = {
        "notifyCustomer": shipment.notify_buyer,
        "lineItemsByFulfillmentOrder": [
            {"fulfillmentOrderId": id_, "fulfillmentOrderLineItems": lines} for id_, lines in by_order.items()
        ],
    }
    if tracking := _tracking(parcel.package):
        wanted["trackingInfo"] = tracking
    return wanted


def _tracking(package: Package) -> dict[str, Any]:
    known: dict[str, Any] = {"company": package.carrier, "number": package.tracking_number, "url": package.tracking_url}
    if package.more_tracking_numbers:
        known |= {"number": None, "numbers": [package.tracking_number, *package.more_tracking_numbers]}
    return {name: value for name, value in known.items() if value}


def _hold(node: Node) -> str:
    notes = node.text("reasonNotes", optional=True)
    reason = node.text("reason").lower().replace("_", " ")
    return f"{reason} ({notes})" if notes else reason


def _after_effect(error: RelayError) -> RelayError:
    """A part of the shipment is fulfilled already: whatever happened then, the next attempt reads back first."""
    if isinstance(error, Rejected):
        return error
    return OutcomeUnknown(f"a part was fulfilled, then: {error.message}", seconds=error.seconds, code=error.code)
