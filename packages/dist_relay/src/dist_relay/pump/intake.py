"""Results → PostgreSQL, in batches: stored in one transaction, then acknowledged and deleted in Redis.

Storing twice is harmless (PostgreSQL knows event ids and attempts), so a crash in between only repeats. An item that
PostgreSQL refuses is found by halving the batch and sent again as a dead letter; it holds up nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any

import redis

from dist_relay import crash, metrics, telemetry
from dist_relay.logging import get
from dist_relay.runtime.keys import F_ITEM, PUMP_GROUP, Keys
from dist_relay.runtime.lane import dump
from dist_relay.runtime.redis_client import RedisClient, is_cluster
from dist_relay.runtime.streams import Consumer, Entry, ensure_group, is_missing
from dist_relay.settings import Settings

from .port import PgPort, Refused

TAKE_OVER_IDLE_MS = 30_000
TAKE_OVER_EVERY = 10.0
DEFER_SECONDS = 30.0
MAX_BYTES = 8_000_000
RAW_LIMIT = 4_000


class Intake:
    """Reads the results of all connections; used by one thread."""

    def __init__(self, client: RedisClient, pg: PgPort, settings: Settings, name: str) -> None:
        self._client, self._pg, self._settings, self._name = client, pg, settings, name
        self._log = get()
        self._consumers: dict[str, Consumer] = {}
        self._recover: set[str] = set()
        self._deferred: dict[str, dict[str, tuple[Entry, float]]] = {}
        self._last_take_over = time.monotonic()

    def use(self, database: str, connections: Iterable[str]) -> None:
        """Read the results of these connections from now on."""
        streams = {Keys(database, connection).results for connection in connections}
        for stream in streams - set(self._consumers):
            self._consumers[stream] = Consumer(self._client, stream, PUMP_GROUP, self._name)
            self._recover.add(stream)
        for stream in set(self._consumers) - streams:
            del self._consumers[stream]

    def reset(self) -> None:
        """After a failure: what was read and not acknowledged is read again first."""
        self._recover = set(self._consumers)
        self._deferred.clear()

    def turn(self, block_ms: int) -> int:
        """Store what has come; how many items."""
        count = 0
        for stream, entries in self._read(block_ms):
            crash.point("pump.results_read")
            count += self._store(self._consumers[stream], self._hold_back(stream, entries))
        for stream in [s for s, held in self._deferred.items() if held]:
            count += self._retry_deferred(stream)
        return count

    def _read(self, block_ms: int) -> list[tuple[str, list[Entry]]]:
        found: list[tuple[str, list[Entry]]] = []
        for stream in sorted(self._recover):
            if stream not in self._consumers:
                self._recover.discard(stream)
            elif entries := self._not_held(stream, self._consumers[stream].own(self._settings.intake_batch)):
                found.append((stream, entries))
            else:
                self._recover.discard(stream)
        now = time.monotonic()
        if now - self._last_take_over > TAKE_OVER_EVERY:
            self._last_take_over = now
            for stream, consumer in self._consumers.items():
                if entries := consumer.take_over(TAKE_OVER_IDLE_MS, self._settings.intake_batch):
                    found.append((stream, self._not_held(stream, entries)))
        return found or self._read_new(block_ms)

    def _not_held(self, stream: str, entries: list[Entry]) -> list[Entry]:
        held = self._deferred.get(stream, {})
        return [entry for entry in entries if entry.id not in held]

    def _read_new(self, block_ms: int) -> list[tuple[str, list[Entry]]]:
        if not self._consumers:
            time.sleep(block_ms / 1000)
            return []
        if is_cluster(self._client):
            return self._read_one_by_one(block_ms)
        streams: Any = dict.fromkeys(self._consumers, ">")
        try:
            answer: Any = self._client.xreadgroup(
                PUMP_GROUP, self._name, streams, count=self._settings.intake_batch, block=block_ms
            )
        except redis.ResponseError as error:
            if not is_missing(error):
                raise
            for stream in self._consumers:
                ensure_group(self._client, stream, PUMP_GROUP)
            return []
        return [(s.decode(), [Entry(i.decode(), f) for i, f in entries if f]) for s, entries in answer or ()]

    def _read_one_by_one(self, block_ms: int) -> list[tuple[str, list[Entry]]]:
        found = []
        for stream, consumer in self._consumers.items():
            if entries := consumer.read(self._settings.intake_batch, None):
                found.append((stream, entries))
        if not found:
            time.sleep(block_ms / 1000)
        return found

    def _hold_back(self, stream: str, entries: list[Entry]) -> list[Entry]:
        """Keep ``pull_done`` back while another pump has earlier results of the connection in hand.

        PostgreSQL would find the announced events missing and ask for the whole pull again.
        """
        done = [entry for entry in entries if b'"kind":"pull_done"' in entry.fields.get(F_ITEM, b"")]
        if not done or not self._others_before(stream, done[-1].id):
            return entries
        held = self._deferred.setdefault(stream, {})
        for entry in done:
            held.setdefault(entry.id, (entry, time.monotonic()))
        return [entry for entry in entries if entry.id not in held]

    def _retry_deferred(self, stream: str) -> int:
        consumer = self._consumers.get(stream)
        held = self._deferred[stream]
        ready = [
            entry
            for entry, since in held.values()
            if time.monotonic() - since > DEFER_SECONDS or not self._others_before(stream, entry.id)
        ]
        if consumer is None or not ready:
            return 0
        count = self._store(consumer, ready)
        for entry in ready:
            held.pop(entry.id, None)
        return count

    def _others_before(self, stream: str, id_: str) -> bool:
        """Whether another pump has something in hand that was written before ``id_``."""
        try:
            summary: Any = self._client.xpending(stream, PUMP_GROUP)
            names = [row["name"] for row in summary["consumers"] if row["name"].decode() != self._name]
            return any(
                self._client.xpending_range(stream, PUMP_GROUP, "-", f"({id_}", 1, consumername=name) for name in names
            )
        except redis.ResponseError:
            return False

    def _store(self, consumer: Consumer, entries: list[Entry]) -> int:
        for chunk in _chunks(entries, self._settings.intake_batch):
            texts = [_item(entry) for entry in chunk]
            with telemetry.span("settle", "results", messaging__batch__message_count=len(texts)):
                statuses = self._intake(texts)
            crash.point("pump.intake_done")
            consumer.forget([entry.id for entry in chunk])
            self._count(texts, statuses)
        return len(entries)

    def _intake(self, texts: list[str]) -> list[str]:
        try:
            return self._pg.intake(texts)
        except Refused as error:
            if len(texts) > 1:
                middle = len(texts) // 2
                return self._intake(texts[:middle]) + self._intake(texts[middle:])
            self._log.error("PostgreSQL refuses an item; it becomes a dead letter", error=str(error))
            if json.loads(texts[0]).get("kind") == "invalid":
                self._log.error("even the dead letter is refused; dropped", item=texts[0][:RAW_LIMIT])
                return ["dropped"]
            return self._intake([_invalid(texts[0], str(error))])

    def _count(self, texts: list[str], statuses: list[str]) -> None:
        for text, status in zip(texts, statuses, strict=False):
            kind = str(json.loads(text).get("kind"))
            metrics.INTAKE.labels(kind, status).inc()
            if status in ("invalid", "incomplete", "dropped"):
                self._log.warning("item not stored as it was meant", kind=kind, status=status, item=text[:500])
            if status == "invalid":
                metrics.DEAD_LETTERS.labels("").inc()


def _item(entry: Entry) -> str:
    """An entry's item as JSON PostgreSQL accepts; what is no JSON object becomes a dead letter."""
    raw = entry.fields.get(F_ITEM, b"")
    try:
        item = json.loads(raw)
        if isinstance(item, dict):
            return dump(item)
        why = "the item is not an object"
    except (ValueError, RecursionError) as error:
        why = f"the item is not JSON: {error}"
    return _invalid(raw.decode("utf-8", "replace"), why)


def _invalid(raw: str, why: str) -> str:
    return dump({"kind": "invalid", "message": why[:2_000], "raw": raw[:RAW_LIMIT]})


def _chunks(entries: list[Entry], most: int) -> Iterable[list[Entry]]:
    """At most ``most`` entries and about :data:`MAX_BYTES` each."""
    chunk: list[Entry] = []
    size = 0
    for entry in entries:
        length = len(entry.fields.get(F_ITEM, b""))
        if chunk and (len(chunk) >= most or size + length > MAX_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(entry)
        size += length
    if chunk:
        yield chunk
