"""Results → PostgreSQL, in batches: stored in one transaction, then acknowledged and deleted in Redis.

Storing twice is harmless (PostgreSQL knows event ids and attempts), so a crash in between only repeats. An item that
PostgreSQL refuses is found by halving the batch and sent again as a dead letter; it holds up nothing.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

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
DEFER_SECONDS = 60.0
"""Longest time something is held back; more than it takes to take over what a dead pump had in hand."""
MAX_BYTES = 8_000_000
RAW_LIMIT = 4_000
NAMELESS: Mapping[str, str] = {}
_DEAD = frozenset({"invalid", "dead"})
"""What becomes of an item that nobody takes further by itself: it could not be read, or its event is given up."""
_ORDERED = (b'"kind":"event"', b'"kind":"pull_done"')


class Intake:
    """Reads the results of all connections; used by one thread."""

    def __init__(
        self,
        client: RedisClient,
        pg: PgPort,
        settings: Settings,
        name: str,
        settled: Callable[[set[str]], None] = lambda connections: None,
    ) -> None:
        """``settled`` is told the connections whose results were stored."""
        self._client, self._pg, self._settings, self._name = client, pg, settings, name
        self._settled = settled
        self._names = NAMELESS
        self._log = get()
        self._consumers: dict[str, Consumer] = {}
        self._connections: dict[str, str] = {}
        self._recover: dict[str, str | None] = {}
        self._deferred: dict[str, dict[str, tuple[Entry, float]]] = {}
        self._last_take_over = time.monotonic()

    def use(self, database: str, connections: Iterable[str], names: Mapping[str, str] = NAMELESS) -> None:
        """Read the results of these connections from now on. ``names``: what people call them."""
        self._names = names
        self._connections = {Keys(database, connection).results: connection for connection in connections}
        streams = set(self._connections)
        for stream in streams - set(self._consumers):
            self._consumers[stream] = Consumer(self._client, stream, PUMP_GROUP, self._name)
            self._recover[stream] = None
        for stream in set(self._consumers) - streams:
            del self._consumers[stream]

    def reset(self) -> None:
        """After a failure: what was read and not acknowledged is read again first, all of it."""
        self._recover = dict.fromkeys(self._consumers)
        self._deferred.clear()

    def turn(self, block_ms: int) -> int:
        """Store what has come; how many items."""
        held = [(s, self._hold_back(s, entries)) for s, entries in self._read(block_ms)]
        found = [(stream, entry) for stream, entries in held for entry in entries]
        if found:
            crash.point("pump.results_read")
        found += [(s, entry) for s, held in self._deferred.items() if held for entry in self._not_held_back(s)]
        found.sort(key=lambda one: _position(one[1].id))  # what was taken over stands before what was read
        self._store(found)
        return len(found)

    def _read(self, block_ms: int) -> list[tuple[str, list[Entry]]]:
        found: list[tuple[str, list[Entry]]] = []
        for stream, after in sorted(self._recover.items()):
            consumer = self._consumers.get(stream)
            if entries := consumer.own(self._settings.intake_batch, after) if consumer else []:
                self._recover[stream] = entries[-1].id
                found.append((stream, self._not_held(stream, entries)))
            else:
                del self._recover[stream]
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
        """Keep what has an order back while another pump has earlier results of the connection in hand.

        Stored now, an event would overtake those before it of its key, which a slow pump still holds or a dead one
        left; and for ``pull_done`` PostgreSQL would find the announced events missing and ask for the whole pull again.
        Outcomes have no order among each other: of a key there is one under way.
        """
        held = self._deferred.get(stream, {})
        ordered = [entry for entry in entries if any(kind in entry.fields.get(F_ITEM, b"") for kind in _ORDERED)]
        if not ordered:
            return entries
        behind = [_position(id_) for id_ in held]
        if (theirs := self._first_of_others(stream)) is not None:
            behind.append(theirs)
        late = [entry for entry in ordered if behind and _position(entry.id) > min(behind)]
        if not late:
            return entries
        held = self._deferred.setdefault(stream, {})
        for entry in late:
            held.setdefault(entry.id, (entry, time.monotonic()))
        return [entry for entry in entries if entry.id not in held]

    def _not_held_back(self, stream: str) -> list[Entry]:
        """What was held back and need not be any more. It is stored now or, after a failure, read again."""
        if stream not in self._consumers:
            return []
        held, theirs = self._deferred[stream], self._first_of_others(stream)
        ready = [
            entry
            for entry, since in held.values()
            if theirs is None or _position(entry.id) < theirs or time.monotonic() - since > DEFER_SECONDS
        ]
        for entry in ready:
            held.pop(entry.id)
        return sorted(ready, key=lambda entry: _position(entry.id))

    def _first_of_others(self, stream: str) -> tuple[int, ...] | None:
        """Where the first entry stands that another pump has in hand."""
        try:
            summary: Any = self._client.xpending(stream, PUMP_GROUP)
            names = [row["name"] for row in summary["consumers"] if row["name"].decode() != self._name]
            found: list[Any] = [
                row
                for name in names
                for row in self._client.xpending_range(stream, PUMP_GROUP, "-", "+", 1, consumername=name)
            ]
            return min((_position(row["message_id"].decode()) for row in found), default=None)
        except redis.ResponseError:
            return None

    def _store(self, found: list[tuple[str, Entry]]) -> None:
        """Results of all connections together, so that many with little to say cost no more than one with much."""
        for chunk in _chunks(found, self._settings.intake_batch):
            items = [_item(entry) for _, entry in chunk]
            with telemetry.span("settle", "results", messaging__batch__message_count=len(items)):
                statuses = self._intake([item.text for item in items])
            crash.point("pump.intake_done")
            ids: dict[str, list[str]] = {}
            for stream, entry in chunk:
                ids.setdefault(stream, []).append(entry.id)
            self._forget(ids)
            self._settled({self._connections[stream] for stream in ids})
            self._count(items, statuses, [self._connections[stream] for stream, _entry in chunk])

    def _forget(self, ids: dict[str, list[str]]) -> None:
        if len(ids) == 1 or is_cluster(self._client):
            for stream, some in ids.items():
                self._consumers[stream].forget(some)
            return
        pipe = self._client.pipeline(transaction=False)
        for stream, some in ids.items():
            self._consumers[stream].forget_later(pipe, some)
        pipe.execute()

    def _intake(self, texts: list[str]) -> list[str]:
        try:
            return self._pg.intake(texts)
        except Refused as error:
            if len(texts) > 1:
                middle = len(texts) // 2
                return self._intake(texts[:middle]) + self._intake(texts[middle:])
            self._log.error("PostgreSQL refuses an item; it becomes a dead letter", error=str(error))
            if texts[0].startswith(_INVALID):
                self._log.error("even the dead letter is refused; dropped", item=texts[0][:RAW_LIMIT])
                return ["dropped"]
            return self._intake([_invalid(texts[0], str(error), _place(texts[0]))])

    def _count(self, items: list[Item], statuses: list[str], connections: list[str]) -> None:
        told = Counter((item.kind, status) for item, status in zip(items, statuses, strict=False))
        for (kind, status), times in told.items():
            metrics.INTAKE.labels(kind, status).inc(times)
        for status, connection in zip(statuses, connections, strict=False):
            if status in _DEAD:
                metrics.DEAD_LETTERS.labels(self._names.get(connection, connection)).inc()
        if late := sum(status == "out_of_turn" for status in statuses):
            self._log.warning("events before these are missing; their pull is asked for again", events=late)
        for item, status in zip(items, statuses, strict=False):
            if status in ("invalid", "incomplete", "dropped"):
                self._log.warning(
                    "item not stored as it was meant", kind=item.kind, status=status, item=item.text[:500]
                )


class Item(NamedTuple):
    """A result on its way to PostgreSQL."""

    kind: str
    text: str


def _position(id_: str) -> tuple[int, ...]:
    """The id of an entry as numbers, which compare as entries follow each other."""
    return tuple(map(int, id_.split("-")))


def _item(entry: Entry) -> Item:
    """An entry's item as JSON PostgreSQL accepts; what is no JSON object becomes a dead letter."""
    raw = entry.fields.get(F_ITEM, b"")
    try:
        item = json.loads(raw)
        if isinstance(item, dict):
            # without an escape there is neither NUL nor half a surrogate in it: as it is
            return Item(str(item.get("kind")), raw.decode() if b"\\u" not in raw else dump(item))
        why = "the item is not an object"
    except (ValueError, RecursionError) as error:
        why = f"the item is not JSON: {error}"
    return Item("invalid", _invalid(raw.decode("utf-8", "replace"), why))


def _invalid(raw: str, why: str, place: dict[str, Any] | None = None) -> str:
    return dump({"kind": "invalid", "message": why[:2_000], "raw": raw[:RAW_LIMIT], **(place or {})})


def _place(text: str) -> dict[str, Any]:
    """Where an item stands in its pull: those that follow it are not held up by its end as a dead letter."""
    item = json.loads(text)
    return {name: item[name] for name in ("run_id", "reading", "nth") if name in item}


_INVALID = '{"kind":"invalid"'


def _chunks(found: list[tuple[str, Entry]], most: int) -> Iterable[list[tuple[str, Entry]]]:
    """At most ``most`` entries and about :data:`MAX_BYTES` each."""
    chunk: list[tuple[str, Entry]] = []
    size = 0
    for one in found:
        length = len(one[1].fields.get(F_ITEM, b""))
        if chunk and (len(chunk) >= most or size + length > MAX_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(one)
        size += length
    if chunk:
        yield chunk
