"""``availability.push`` and ``shipment.confirm``: files named after their events; a repetition writes the same file."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from dist_contracts import Availability, Envelope, OrderStatus, Outcome, Shipment
from dist_relay.errors import Rejected, RelayError, delivered
from dist_relay.ports import Context

from .folder import folder, location, read, write
from .listings import products
from .orders import find

AVAILABILITY = ("sku", "location_id", "quantity", "version", "as_of")
SHIPMENT = ("order_id", "line_id", "quantity", "package", "carrier", "tracking_number", "reference", "shipped_at")


class PushAvailability:
    """Writes the quantities of one call into one file."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def publish(self, events: Sequence[Envelope]) -> list[Outcome]:
        """What the partner does not know is rejected; the others are written."""
        place = folder(self._ctx)
        list_ = products(place)
        known = {row.get("sku") for row in read(list_)} if list_.exists() else None
        rows, outcomes = [], []
        for event in events:
            wanted, _ = Availability.read(event.payload)
            try:
                self._check(wanted, known)
                rows.append(wanted.to_json() | {"sku": wanted.listing.sku})
                outcomes.append(delivered(event, {"quantity": str(wanted.quantity)}))
            except RelayError as error:
                outcomes.append(error.outcome(event))
        if rows:
            name = hashlib.sha256(" ".join(f"{e.event_id} {e.version}" for e in events).encode()).hexdigest()[:16]
            newest = max(str(row["as_of"]) for row in rows)[:19].replace(":", "")
            content = ({key: row[key] for key in AVAILABILITY} for row in rows)
            write(place / "availability" / f"{newest}-{name}.csv", AVAILABILITY, content)
        return outcomes

    def _check(self, wanted: Availability, known: set[str | None] | None) -> None:
        sku = wanted.listing.sku
        if not sku:
            raise Rejected("no_sku", "the folder knows products by SKU only")
        if known is not None and sku not in known:
            raise Rejected("unknown_item", f"products.csv has no {sku}")
        if wanted.location_id != location(self._ctx):
            raise Rejected("unknown_location", f"the folder has no location {wanted.location_id}")


class ConfirmShipment:
    """Writes one shipment into one file, in the folder of its order."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def confirm(self, event: Envelope) -> Outcome:
        """More than was ordered, or for an order that is not there or cancelled, is rejected."""
        place = folder(self._ctx)
        shipment, _ = Shipment.read(event.payload)
        order = find(place, shipment.order_id)
        if order is None:
            raise Rejected("unknown_order", f"no file has an order {shipment.order_id}")
        if order.status is OrderStatus.CANCELLED:
            raise Rejected("cancelled", f"order {order.number} is cancelled")
        order_folder = place / "shipments" / hashlib.sha256(shipment.order_id.encode()).hexdigest()[:16]
        path = order_folder / f"{event.event_id}.csv"
        ordered = {line.external_id: line.quantity for line in order.lines}
        shipped = _shipped(order_folder, path)
        rows = [
            {
                "order_id": shipment.order_id,
                "line_id": line.line_id,
                "quantity": line.quantity,
                "package": package.reference,
                "carrier": package.carrier,
                "tracking_number": " ".join(filter(None, (package.tracking_number, *package.more_tracking_numbers))),
                "reference": shipment.reference,
                "shipped_at": shipment.shipped_at.isoformat(),
            }
            for package in shipment.packages
            for line in package.lines
        ]
        for row in rows:
            line_id = str(row["line_id"])
            shipped[line_id] += Decimal(str(row["quantity"]))
            if shipped[line_id] > ordered.get(line_id, 0):
                raise Rejected("too_much", f"line {line_id}: more would be shipped than was ordered")
        write(path, SHIPMENT, rows)
        return delivered(event, {"file": path.name})


def _shipped(order_folder: Path, own: Path) -> defaultdict[str, Decimal]:
    """What earlier shipments of the order took of each line; ``own`` is the file of this one."""
    total: defaultdict[str, Decimal] = defaultdict(Decimal)
    for path in order_folder.glob("*.csv"):
        if path != own:
            for row in read(path):
                total[row["line_id"]] += Decimal(row["quantity"])
    return total
