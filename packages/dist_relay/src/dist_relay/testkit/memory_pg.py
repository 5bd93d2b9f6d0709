"""The SQL functions of ``dist_relay`` in memory: the same rules, small enough to read, for tests of the pump.

Facts: the head of a key only. States: the newest version only. Published rows come back when their lease is over. A
result settles a row once. A cursor advances only when every announced event was stored.
"""

from __future__ import annotations

import itertools
import json
import os
import threading
import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from dist_contracts import EVENTS, Kind, event_id, new_traceparent
from dist_relay.pump.port import API_VERSION, Claimed, ClaimedPull, Hello, Pending, Refused, Unavailable

from .memory_rows import Row, Schedule, alive

RUN_SECONDS = 6.0
SETTLED = frozenset({"delivered", "rejected", "dead", "cancelled"})
_ENDS = {"delivered": "delivered", "rejected": "rejected", "broken": "dead"}


class MemoryPg:
    """:class:`dist_relay.pump.port.PgPort`, one object for all sessions; thread-safe. ``down`` makes it unavailable."""

    def __init__(self, database: str | None = None, backoff: float = 0.2) -> None:
        self.database = database or str(uuid4())
        self.down = False
        self._backoff = backoff
        self._lock = threading.RLock()
        self._seq = itertools.count(1)
        self._ids = itertools.count(1)
        self._rows: dict[str, Row] = {}
        self._connections: dict[str, dict[str, Any]] = {}
        self._schedules: dict[tuple[str, str], Schedule] = {}
        self._jobs: dict[str, dict[str, Any]] = {}
        self._seen: set[str] = set()
        self._dead: list[dict[str, Any]] = []
        self._health: list[dict[str, Any]] = []
        self._budgets: list[dict[str, Any]] = []
        self._announced: dict[str, Any] = {}
        self._locks: dict[str, int] = {}
        self._refuse: str | None = None

    # what a test does and asks

    def connect(self, connection: str, **values: Any) -> None:
        """Add or change a connection."""
        with self._lock:
            row = self._connections.setdefault(
                connection,
                {
                    "connection": connection,
                    "adapter": "fake",
                    "name": connection,
                    "settings": {},
                    "sealed_credentials": None,
                    "config_version": 1,
                    "state": "active",
                    "max_in_flight": 1000,
                },
            )
            row.update(values)
            row["config_version"] += 1

    def emit(self, connection: str, type_: str, key: str, payload: dict[str, Any] | None = None, **values: Any) -> str:
        """Add an outbox row; its event id."""
        with self._lock:
            number = next(self._ids)
            if EVENTS[type_].kind is Kind.STATE:
                values.setdefault("version", number)
            id_ = str(event_id(self.database, connection, type_, number))
            self._rows[id_] = Row(number, id_, type_, connection, key, {**(payload or {}), "n": number}, **values)
            return id_

    def schedule(self, connection: str, capability: str, every: float = 3600.0) -> None:
        """Pull regularly, first at once."""
        self._schedules[(connection, capability)] = Schedule(connection, capability, every)

    def pull_now(self, connection: str, capability: str) -> None:
        """Make a schedule due."""
        self._schedules[(connection, capability)].next_run = 0.0

    def refuse(self, text: str | None) -> None:
        """Raise ``Refused`` for any batch that contains this text, but not for dead letters."""
        self._refuse = text

    def rows(self) -> list[Row]:
        """All outbox rows by id."""
        with self._lock:
            return sorted(self._rows.values(), key=lambda r: r.id)

    def open_rows(self) -> int:
        """Rows that are not settled."""
        with self._lock:
            return sum(1 for row in self._rows.values() if row.state not in SETTLED)

    def facts(self) -> dict[str, Any]:
        """Jobs, dead letters, health items, schedules and what was announced."""
        with self._lock:
            return {
                "jobs": dict(self._jobs),
                "dead": list(self._dead),
                "health": list(self._health),
                "budgets": list(self._budgets),
                "schedules": {f"{c}/{k}": s for (c, k), s in self._schedules.items()},
                "announced": dict(self._announced),
            }

    # the port

    def hello(self) -> Hello:
        """Uuid of the database."""
        self._up()
        return Hello(self.database, API_VERSION, "memory")

    def connections(self) -> list[dict[str, Any]]:
        """All connections."""
        self._up()
        with self._lock:
            return [dict(row) for row in self._connections.values()]

    def ready(self) -> list[str]:
        """Connections with something to claim."""
        return [row.connection for row in self.pending() if row.ready]

    def pending(self) -> list[Pending]:
        """Connections with something ready or in flight."""
        self._up()
        now = time.monotonic()
        with self._lock:
            found = {}
            for connection in {row.connection for row in self._rows.values() if row.state not in SETTLED}:
                rows = [r for r in self._rows.values() if r.connection == connection and r.state not in SETTLED]
                flying = sum(1 for r in rows if r.state != "pending")
                ready = sum(1 for r in rows if self._ready(r, now))
                found[connection] = Pending(connection, ready, flying, 0.0)
            return list(found.values())

    def claim(self, connection: str, limit: int, lease_seconds: int) -> list[Claimed]:
        """Mark rows published."""
        self._up()
        now = time.monotonic()
        with self._lock:
            state = self._connections[connection]["state"]
            if state == "paused":
                return []
            self._supersede(connection)
            flying = sum(
                1
                for r in self._rows.values()
                if r.connection == connection and r.state in ("published", "unknown") and r.lease_until > now
            )
            limit = max(0, min(limit, self._connections[connection]["max_in_flight"] - flying))
            rows = [r for r in self._rows.values() if r.connection == connection and self._ready(r, now)]
            if state == "draft":
                rows = [r for r in rows if r.type == "connection.check.v1"]
            rows.sort(key=lambda r: (r.priority, r.id))
            return [self._publish(row, now, lease_seconds) for row in rows[:limit]]

    def claim_pulls(self, limit: int) -> list[ClaimedPull]:
        """Start due pulls."""
        self._up()
        now = time.monotonic()
        found: list[ClaimedPull] = []
        with self._lock:
            for item in self._schedules.values():
                running = item.run_id is not None and item.deadline > now
                if running or item.next_run > now or len(found) >= limit:
                    continue
                item.run_id, item.deadline, item.next_run = str(uuid4()), now + RUN_SECONDS, now + item.every
                item.reading, item.stored = None, 0
                found.append(
                    ClaimedPull(
                        next(self._seq),
                        item.run_id,
                        item.connection,
                        item.capability,
                        item.cursor,
                        new_traceparent(),
                        RUN_SECONDS,
                    )
                )
        return found

    def intake(self, items: Sequence[str]) -> list[str]:
        """Store items."""
        self._up()
        with self._lock:
            parsed = [json.loads(text) for text in items]
            for text, item in zip(items, parsed, strict=True):
                if self._refuse and self._refuse in text and item.get("kind") != "invalid":
                    raise Refused("unsupported Unicode escape sequence")
            return [self._store(item) for item in parsed]

    def announce(self, manifests: Sequence[dict[str, Any]], public_key: str | None, version: str) -> None:
        """Remember what was announced."""
        self._up()
        with self._lock:
            self._announced = {"manifests": list(manifests), "public_key": public_key, "version": version}

    def replay(self, event_ids: Sequence[str]) -> int:
        """Dead and rejected rows pending again."""
        self._up()
        with self._lock:
            rows = [self._rows[i] for i in event_ids if i in self._rows]
            rows = [row for row in rows if row.state in ("dead", "rejected")]
            for row in rows:
                row.state, row.attempts, row.next_try = "pending", 0, 0.0
            return len(rows)

    def raise_seq(self, floor: int) -> None:
        """Let the sequence go on at ``floor`` or above."""
        with self._lock:
            self._seq = itertools.count(max(floor, next(self._seq)))

    def status(self) -> dict[str, Any]:
        """Counts by state."""
        with self._lock:
            states: dict[str, int] = {}
            for row in self._rows.values():
                states[row.state] = states.get(row.state, 0) + 1
            return {"outbox": states, "jobs": len(self._jobs)}

    def try_lock(self, connection: str) -> bool:
        """One process at a time; the lock of a dead process is free, as PostgreSQL's is."""
        return self.lock_for(connection, os.getpid())

    def lock_for(self, connection: str, pid: int) -> bool:
        """:meth:`try_lock` on behalf of another process."""
        with self._lock:
            holder = self._locks.get(connection)
            if holder is not None and holder != pid and alive(holder):
                return False
            self._locks[connection] = pid
            return True

    def unlock(self, connection: str) -> None:
        """Let others write."""
        with self._lock:
            self._locks.pop(connection, None)

    def wait(self, seconds: float) -> bool:
        """No doorbell here: the polling net has to do."""
        self._up()
        time.sleep(seconds)
        return False

    def close(self) -> None:
        """Nothing to end."""

    # inside

    def _up(self) -> None:
        if self.down:
            raise Unavailable("PostgreSQL is down")

    def _ready(self, row: Row, now: float) -> bool:
        if row.state == "pending":
            due = row.next_try <= now
        elif row.state in ("published", "unknown"):
            due = row.lease_until <= now
        else:
            return False
        if not due or row.version is not None:
            return due
        return not any(
            other.id < row.id and other.key == row.key and other.connection == row.connection
            for other in self._rows.values()
            if other.state not in SETTLED and other.version is None
        )

    def _supersede(self, connection: str) -> None:
        newest: dict[tuple[str, str], Row] = {}
        for row in self._rows.values():
            if row.connection == connection and row.version is not None and row.state not in SETTLED:
                older = newest.get((row.type, row.key))
                if older is not None:
                    loser = min(older, row, key=lambda r: r.version or 0)
                    loser.state = "cancelled"
                    row = max(older, row, key=lambda r: r.version or 0)
                newest[(row.type, row.key)] = row

    def _publish(self, row: Row, now: float, lease_seconds: int) -> Claimed:
        read_back = row.acted = row.acted or row.state != "pending"
        row.state, row.lease_until = "published", now + lease_seconds
        row.history.append("published")
        return Claimed(
            next(self._seq),
            row.event_id,
            row.type,
            row.connection,
            row.key,
            row.priority,
            row.version,
            row.occurred_at,
            row.correlation_id,
            None,
            row.attempts + 1,
            read_back,
            json.dumps(row.payload),
            int(self._connections[row.connection]["config_version"]),
        )

    def _store(self, item: dict[str, Any]) -> str:
        kind = item.get("kind")
        if kind == "outcome":
            return self._settle(item["outcome"], item.get("read_back") is True)
        if kind == "event":
            if not self._in_turn(item):
                return "out_of_turn"
            id_ = item["envelope"]["event_id"]
            if id_ in self._jobs or id_ in self._seen:
                return "duplicate"
            if not isinstance(item["envelope"].get("payload"), dict):
                self._seen.add(id_)
                self._dead.append(item)
                return "invalid"
            self._jobs[id_] = item["envelope"]
            return "stored"
        if kind in ("pull_done", "pull_failed"):
            return self._pulled(kind, item)
        if kind == "health":
            (self._budgets if "budgets" in item else self._health).append(item)
            return "stored"
        self._in_turn(item)
        self._dead.append(item)
        return "invalid"

    def _in_turn(self, item: dict[str, Any]) -> bool:
        """Whether the events before it in its run, as its worker read them, are stored."""
        if "run_id" not in item:
            return True
        schedule = next((s for s in self._schedules.values() if s.run_id == item["run_id"]), None)
        if schedule is None:
            return False
        if item["nth"] == 0 and item["reading"] > (schedule.reading or ""):
            schedule.reading, schedule.stored = item["reading"], 0
        if schedule.reading != item["reading"] or item["nth"] > schedule.stored:
            return False
        schedule.stored = max(schedule.stored, item["nth"] + 1)
        return True

    def _settle(self, outcome: dict[str, Any], may_have_acted: bool) -> str:
        row = self._rows.get(outcome["event_id"])
        if row is None:
            return "ignored"
        if row.state in SETTLED:
            return "stale"
        if outcome.get("attempt", 1) != row.attempts + 1 or row.state == "pending":
            return "stale"
        verdict = outcome["verdict"]
        row.outcome = outcome
        row.history.append(verdict)
        row.acted = row.acted or may_have_acted or verdict == "unknown"
        if verdict in _ENDS:
            row.state = _ENDS[verdict]
            return "dead" if row.state == "dead" else "settled"
        wait = float(outcome.get("retry_after") or self._backoff)
        row.state, row.next_try = "pending", time.monotonic() + wait
        if verdict != "snooze":
            row.attempts += 1
            if row.attempts >= row.max_attempts:
                row.state = "dead"
                return "dead"
        return "released"

    def _pulled(self, kind: str, item: dict[str, Any]) -> str:
        for schedule in self._schedules.values():
            if schedule.run_id == item["run_id"]:
                break
        else:
            return "stale"
        schedule.run_id = None
        if kind == "pull_failed":
            schedule.next_run = time.monotonic() + float(item.get("retry_after") or self._backoff)
            schedule.results.append(f"failed {item['verdict']}")
            return "released"
        if all(id_ in self._jobs or id_ in self._seen for id_ in item["event_ids"]):
            schedule.cursor = item["cursor"]
            schedule.results.append("advanced")
            if item.get("more"):
                schedule.next_run = 0.0
            return "advanced"
        schedule.next_run = 0.0
        schedule.results.append("incomplete")
        return "incomplete"
