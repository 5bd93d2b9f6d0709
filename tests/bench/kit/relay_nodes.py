# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Processes of ``outbox_throughput`` without Odoo: pump and worker with a no-op adapter, and the peer's."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Any

from dist_contracts import AdapterKind, Capability, Envelope, Manifest, Outcome
from dist_relay import logging as logs
from dist_relay.errors import delivered
from dist_relay.ports import Adapter, Context
from dist_relay.service import Service
from dist_relay.settings import load


class Noop:
    """Every outgoing port; the outside says yes at once."""

    def __init__(self, context: Context) -> None:
        """Nothing is needed."""

    def check(self) -> dict[str, Any]:
        """Fine."""
        return {}

    def confirm(self, event: Envelope) -> Outcome:
        """Fine."""
        return delivered(event, {"external_id": event.key})

    def publish(self, events: Sequence[Envelope]) -> list[Outcome]:
        """All fine."""
        return [delivered(event) for event in events]


_CAPABILITIES = (Capability.CHECK, Capability.AVAILABILITY_PUSH, Capability.SHIPMENT_CONFIRM)
ADAPTER = Adapter(
    Manifest(
        code="noop",
        label="No-op",
        kind=AdapterKind.CHANNEL,
        version="1",
        capabilities=_CAPABILITIES,
        settings_schema={"type": "object"},
        credentials_schema={"type": "object"},
        batch={"availability.changed.v1": 100},
    ),
    dict.fromkeys(_CAPABILITIES, Noop),
)

PLAIN_TABLE = """
DROP TABLE IF EXISTS dist_bench_outbox;
CREATE TABLE dist_bench_outbox (id serial PRIMARY KEY, payload jsonb, state text NOT NULL DEFAULT 'new');
CREATE INDEX ON dist_bench_outbox (id) WHERE state = 'new'
"""
_STREAM, _GROUP = "dist:bench", "bench"


def run(node: str) -> None:
    """Be a process of the run until SIGTERM."""
    if node.startswith("plain"):
        _plain(node)
        return
    settings = load()
    logs.configure(settings.log_format, settings.log_level)
    Service(settings, pump=node == "pump", worker=node == "worker", installed={"noop": ADAPTER}).run()


def _plain(node: str) -> None:
    import psycopg
    import redis

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    client = redis.Redis.from_url(os.environ["DIST_RELAY_REDIS_URL"])
    with contextlib.suppress(redis.ResponseError):  # the other process made it
        client.xgroup_create(_STREAM, _GROUP, id="0", mkstream=True)
    with psycopg.connect(os.environ["DIST_BENCH_DSN"]) as connection:
        step = _publish_one if node == "plain-publish" else _settle_one
        while not stop.is_set():
            step(client, connection, stop)


def _publish_one(client: Any, connection: Any, stop: threading.Event) -> None:
    row = connection.execute(
        "SELECT id, payload::text FROM dist_bench_outbox WHERE state = 'new' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"
    ).fetchone()
    if row is None:
        connection.rollback()
        stop.wait(0.05)
        return
    client.xadd(_STREAM, {"id": row[0], "payload": row[1]})
    connection.execute("UPDATE dist_bench_outbox SET state = 'sent' WHERE id = %s", (row[0],))
    connection.commit()


def _settle_one(client: Any, connection: Any, _stop: threading.Event) -> None:
    answer = client.xreadgroup(_GROUP, "me", {_STREAM: ">"}, count=1, block=100)
    for _stream, entries in answer or ():
        for entry, fields in entries:
            while not connection.execute(
                "UPDATE dist_bench_outbox SET state = 'done' WHERE id = %s AND state = 'sent'", (int(fields[b"id"]),)
            ).rowcount:
                connection.rollback()  # its publisher has not committed yet
            connection.commit()
            client.xack(_STREAM, _GROUP, entry)
            client.xdel(_STREAM, entry)


if __name__ == "__main__":
    run(sys.argv[1])
