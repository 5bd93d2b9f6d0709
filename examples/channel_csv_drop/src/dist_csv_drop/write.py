"""``availability.push`` and ``shipment.confirm``: files named after their events."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from dist_contracts import Availability, Envelope, Outcome, Shipment
from dist_relay.errors import Rejected, delivered
from dist_relay.ports import Context

from .folder import folder, write

AVAILABILITY = ("sku", "location_id", "quantity", "version", "as_of")
SHIPMENT = ("order_id", "line_id", "quantity", "package", "carrier", "tracking_number", "reference", "shipped_at")


class PushAvailability:
    """Writes the quantities of one call into one file."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def publish(self, events: Sequence[Envelope]) -> list[Outcome]:
        """A listing without a SKU is rejected; the others are written."""
        rows, outcomes = [], []
        for event in events:
            wanted, _ = Availability.read(event.payload)
            if wanted.listing.sku:
                rows.append(wanted.to_json() | {"sku": wanted.listing.sku})
                outcomes.append(delivered(event, {"quantity": str(wanted.quantity)}))
            else:
                outcomes.append(Rejected("no_sku", "the folder knows products by SKU only").outcome(event))
        if rows:
            name = hashlib.sha256(" ".join(f"{e.event_id} {e.version}" for e in events).encode()).hexdigest()[:16]
            newest = max(str(row["as_of"]) for row in rows)[:19].replace(":", "")
            path = folder(self._ctx) / "availability" / f"{newest}-{name}.csv"
            write(path, AVAILABILITY, ({key: row[key] for key in AVAILABILITY} for row in rows))
        return outcomes


class ConfirmShipment:
    """Writes one shipment into one file."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def confirm(self, event: Envelope) -> Outcome:
        """The same event writes the same file, so there is nothing to read back."""
        shipment, _ = Shipment.read(event.payload)
        rows = [
            {
                "order_id": shipment.order_id,
                "line_id": line.line_id,
                "quantity": line.quantity,
                "package": package.reference,
                "carrier": package.carrier,
                "tracking_number": package.tracking_number,
                "reference": shipment.reference,
                "shipped_at": shipment.shipped_at.isoformat(),
            }
            for package in shipment.packages
            for line in package.lines
        ]
        path = folder(self._ctx) / "shipments" / f"{event.event_id}.csv"
        write(path, SHIPMENT, rows)
        return delivered(event, {"file": path.name})
