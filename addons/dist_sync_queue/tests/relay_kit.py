# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Play the relay in tests: announce an adapter, claim, answer, bring events in, through the real SQL functions.

In the test's own transaction::

    class TestMine(RelayKit, SyncCase):
        def test_it(self):
            connection = self.make_connection()
            ...
            (event,) = self.claim(connection)
            self.answer(event, "delivered")
            self.run_jobs()
"""

from __future__ import annotations

import base64
import json
from datetime import datetime, timezone
from typing import Any

from nacl.public import PrivateKey

from dist_contracts import event_id, new_traceparent

MANIFEST: dict[str, Any] = {
    "code": "testing",
    "label": "Testing",
    "kind": "channel",
    "version": "1.0",
    "capabilities": ["connection.check", "orders.pull", "listings.pull", "availability.push", "shipment.confirm"],
    "settings_schema": {
        "type": "object",
        "properties": {
            "shop_domain": {"type": "string", "title": "Shop domain", "pattern": r"^[a-z0-9-]+\.example$"},
            "overlap": {"type": "integer", "minimum": 0},
        },
        "required": ["shop_domain"],
        "additionalProperties": False,
    },
    "credentials_schema": {
        "type": "object",
        "properties": {"token": {"type": "string", "title": "Access token", "minLength": 8}},
        "required": ["token"],
        "additionalProperties": False,
    },
}
SHIPMENT: dict[str, Any] = {
    "order_id": "1001",
    "reference": "OUT/1",
    "shipped_at": "2026-01-01T00:00:00Z",
    "packages": [{"reference": "P1", "lines": [{"line_id": "1", "quantity": "2"}]}],
}
AVAILABILITY: dict[str, Any] = {
    "listing": {"sku": "A"},
    "location_id": "L",
    "quantity": "3",
    "version": 1,
    "as_of": "2026-01-01T00:00:00Z",
}


def rows(cr: Any, query: str, params: tuple = ()) -> list[dict[str, Any]]:
    """Run a query on any cursor and return its rows by column name."""
    cr.execute(query, params)
    names = [column.name for column in cr.description]
    return [dict(zip(names, row, strict=True)) for row in cr.fetchall()]


class RelayKit:
    """Mixin with the relay's calls; ``env`` is the test's."""

    env: Any

    def announce(self, *manifests: dict[str, Any], key: PrivateKey | None = None) -> PrivateKey:
        """Announce ``manifests`` and the public half of ``key``; the key is returned."""
        key = key or PrivateKey.generate()
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT dist_relay.announce(%s::jsonb, %s, '1.0')",
            (json.dumps(manifests or [MANIFEST]), base64.b64encode(bytes(key.public_key)).decode()),
        )
        self.env.invalidate_all()
        return key

    def make_connection(self, *, active: bool = True, **values: Any) -> Any:
        """A connection of the testing adapter, active unless told otherwise."""
        self.env["dist.relay"]._confirm_identity()
        adapter = self.env["dist.adapter"].search([("code", "=", "testing")])
        if not adapter or not self.env["dist.relay"].current_public_key():
            self.announce()
            adapter = self.env["dist.adapter"].search([("code", "=", "testing")])
        connection = self.env["dist.connection"].create(
            {
                "name": "Testing",
                "adapter_id": adapter.id,
                "settings": {"shop_domain": "one.example"},
                "company_id": self.env.company.id,
                **values,
            }
        )
        if active:
            connection._activate()
        return connection

    def emit_fact(self, connection: Any, key: str = "1001", *fact: Any, **options: Any) -> Any:
        """A shipment confirmation; ``fact`` tells repetitions from new ones."""
        return connection.env["dist.outbox.event"].emit(
            connection, "shipment.confirm.v1", key=key, payload=SHIPMENT, fact=fact, **options
        )

    def emit_state(self, connection: Any, key: str, version: int, **options: Any) -> Any:
        """An availability with this version."""
        return connection.env["dist.outbox.event"].emit(
            connection, "availability.changed.v1", key=key, payload=AVAILABILITY, version=version, **options
        )

    def claim(self, connection: Any, limit: int = 100, lease: int = 60) -> list[dict[str, Any]]:
        """What the pump would publish now."""
        self.env.flush_all()
        found = rows(self.env.cr, "SELECT * FROM dist_relay.claim(%s, %s, %s)", (connection.ref, limit, lease))
        self.env.invalidate_all()
        return found

    def claim_pulls(self, limit: int = 10) -> list[dict[str, Any]]:
        """The pulls that are due."""
        self.env.flush_all()
        found = rows(self.env.cr, "SELECT * FROM dist_relay.claim_pulls(%s)", (limit,))
        self.env.invalidate_all()
        return found

    def intake(self, *items: Any) -> list[str]:
        """Bring items in; the statuses in the order of the items."""
        self.env.flush_all()
        found = rows(self.env.cr, "SELECT * FROM dist_relay.intake(%s::jsonb) ORDER BY ordinal", (json.dumps(items),))
        self.env.invalidate_all()
        assert [row["ordinal"] for row in found] == list(range(1, len(items) + 1)), found
        return [row["status"] for row in found]

    def answer(self, event: dict[str, Any], verdict: str, **outcome: Any) -> str:
        """Bring the outcome of a claimed event in; its status."""
        return self.intake(self.outcome(event, verdict, **outcome))[0]

    @staticmethod
    def outcome(event: dict[str, Any], verdict: str, **outcome: Any) -> dict[str, Any]:
        """The intake item of an outcome."""
        body = {"event_id": event["event_id"], "attempt": event["attempt"], "verdict": verdict, **outcome}
        return {"kind": "outcome", "outcome": body}

    def envelope(self, connection: Any, key: str = "1001", /, *fact: Any, **values: Any) -> dict[str, Any]:
        """The intake item of an incoming order event."""
        database = self.env["dist.relay"].database_uuid()
        return {
            "kind": "event",
            "envelope": {
                "event_id": str(event_id(database, connection.ref, "order.received.v1", key, *fact)),
                "type": "order.received.v1",
                "database": database,
                "connection": connection.ref,
                "key": key,
                "occurred_at": datetime(2026, 1, 1, tzinfo=timezone.utc).isoformat(),
                "correlation_id": new_traceparent(),
                "priority": 5,
                "payload": {"id": key},
                **values,
            },
        }

    def lapse(self, *events: dict[str, Any]) -> None:
        """Let the leases of claimed events be over."""
        self.env.cr.execute(
            "UPDATE dist_outbox_event SET lease_until = lease_until - interval '1 day' WHERE event_id = ANY (%s)",
            ([event["event_id"] for event in events],),
        )

    def make_due(self) -> None:
        """Let every pause between tries be over."""
        self.env.cr.execute(
            "UPDATE dist_outbox_event SET next_try_at = next_try_at - interval '2 days' WHERE next_try_at IS NOT NULL"
        )
