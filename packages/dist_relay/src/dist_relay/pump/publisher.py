"""Outbox → streams. One writer per connection at a time (an advisory lock), explicit ids, nothing is ever trimmed.

An id is ``<seq>-0`` with a ``seq`` PostgreSQL committed before the XADD, so repeating an XADD cannot add an entry
twice. When Redis refuses an id as not larger than its last one:

* the entry is there: the first XADD arrived and its reply was lost. Done.
* it is not there, and this was a repetition: it arrived and was worked on already. Its result settles the event, and if
  not, the lease does.
* it is not there, and this was the first try: the stream's last id is ahead of PostgreSQL's sequence (PostgreSQL was
  restored from a copy). The entry is added behind the last id, with ``read_back``, for an effect may exist, and the
  sequence is lifted.
"""

from __future__ import annotations

import json
import time
from typing import Any

import redis

from dist_contracts import new_traceparent
from dist_relay import crash, metrics, telemetry
from dist_relay.logging import get
from dist_relay.runtime.keys import F_ENVELOPE, F_LAPSES, F_REQUEST, Keys, workers
from dist_relay.runtime.redis_client import RedisClient, RedisError, now_ms
from dist_relay.settings import Settings

from .configs import tell
from .port import Claimed, ClaimedPull, PgPort

IN_FLIGHT_SECONDS = 2.0
"""How often a connection is asked for lapsed leases when nothing else is ready."""

PULLS_AT_ONCE = 20

NO_WORKER_SECONDS = 30.0
"""Publishing waits when no worker was seen for so long: what nobody takes would be published again and again, and given
up in the end."""


class Publisher:
    """Publishes for all connections in turn; used by one thread."""

    def __init__(self, client: RedisClient, pg: PgPort, settings: Settings) -> None:
        self._client, self._pg, self._settings = client, pg, settings
        self._log = get()
        self._start = 0
        self._asked: dict[str, float] = {}
        self._full: set[str] = set()
        self._worker_at = time.monotonic()
        self._worker_missed = False
        self.names: dict[str, str] = {}

    def turn(self, database: str) -> int:
        """Publish one batch of every connection that has something; how many events went out."""
        pending = self._pg.pending()
        self._measure(pending)
        if not self._worker_there(database):
            return 0
        now = time.monotonic()
        wanted = [
            row.connection
            for row in pending
            if row.ready > 0 or now - self._asked.get(row.connection, 0.0) > IN_FLIGHT_SECONDS
        ]
        self._start += 1
        count = 0
        for offset in range(len(wanted)):
            connection = wanted[(offset + self._start) % len(wanted)]
            self._asked[connection] = now
            count += self._publish(database, connection)
        return count

    def pulls(self, database: str) -> int:
        """Publish due pulls; how many."""
        if self._worker_missed:
            return 0
        due = self._pg.claim_pulls(PULLS_AT_ONCE)
        if due:
            crash.point("pump.pull_claimed")
            self._tell_config(database)
        for pull in due:
            keys = Keys(database, pull.connection)
            lapses = now_ms(self._client) + int(max(pull.seconds, 1.0) * 1000)
            fields = {F_REQUEST: _request(pull), F_LAPSES: str(lapses)}
            self._add(keys.pull, [(f"{pull.seq}-0", fields)])
        return len(due)

    def _publish(self, database: str, connection: str) -> int:
        keys = Keys(database, connection)
        room = self._room(connection, keys)
        if room <= 0 or not self._pg.try_lock(connection):
            return 0
        try:
            began = time.monotonic()
            lapses = now_ms(self._client) + self._settings.lease_seconds * 1000  # before PostgreSQL's lease begins
            limit = min(room, self._settings.claim_batch)
            events = self._pg.claim(connection, limit, self._settings.lease_seconds)
            if not events:
                return 0
            crash.point("pump.claimed")
            if time.monotonic() - began > self._settings.lease_seconds / 2:
                self._log.warning("held up after claiming; the lease brings these events again", events=len(events))
                return 0
            self._tell_config(database)
            entries = [(f"{e.seq}-0", {F_ENVELOPE: envelope(e, database), F_LAPSES: str(lapses)}) for e in events]
            with telemetry.span(
                "send", self.names.get(connection, connection), [event.correlation_id for event in events]
            ):
                self._add(keys.out, entries)
            crash.point("pump.published")
        finally:
            self._pg.unlock(connection)
        name = self.names.get(connection, connection)
        metrics.PUBLISHED.labels(name).inc(len(events))
        again = sum(1 for e in events if e.read_back)
        if again:
            metrics.REPUBLISHED.labels(name).inc(again)
        self._log.debug("published", connection=name, events=len(events), again=again)
        return len(events)

    def _worker_there(self, database: str) -> bool:
        """Whether a worker told of itself lately; they do every second, and a Redis that was emptied knows of none."""
        told: Any = self._client.hvals(workers(database))
        latest = max((int(json.loads(about).get("at", 0)) for about in told), default=0)
        if latest and now_ms(self._client) - latest < NO_WORKER_SECONDS * 1000:
            self._worker_at = time.monotonic()
        missed = time.monotonic() - self._worker_at > NO_WORKER_SECONDS
        if missed != self._worker_missed:
            self._worker_missed = missed
            self._log.warning("publishing waits: no worker runs" if missed else "a worker runs; publishing goes on")
        return not missed

    def _tell_config(self, database: str) -> None:
        """Write the configuration before what was emitted under it: no event is handled with an older one.

        All of it, for the hash may have been lost: workers take a connection that is not in it for removed.
        """
        tell(self._client, database, self._pg.connections())

    def _room(self, connection: str, keys: Keys) -> int:
        length = int(self._client.xlen(keys.out))
        name = self.names.get(connection, connection)
        metrics.STREAM_LENGTH.labels(name, "out").set(length)
        room = self._settings.stream_limit - length
        if room <= 0 and connection not in self._full:
            self._full.add(connection)
            self._log.warning("stream is full; publishing to it waits", connection=name, entries=length)
        elif room > 0:
            self._full.discard(connection)
        return room

    def _add(self, stream: str, entries: list[tuple[str, dict[Any, Any]]]) -> None:
        """XADD all, again while Redis is away: repeating is harmless, waiting for the lease is slow."""
        until = time.monotonic() + self._settings.lease_seconds / 3
        again, pause = False, 0.05
        while True:
            try:
                self._add_once(stream, entries, again)
                return
            except (redis.ConnectionError, redis.TimeoutError) as error:
                if time.monotonic() > until:
                    raise
                self._log.warning("publishing waits for Redis", entries=len(entries), error=str(error))
                time.sleep(pause)
                again, pause = True, min(pause * 2, 1.0)

    def _add_once(self, stream: str, entries: list[tuple[str, dict[Any, Any]]], again: bool) -> None:
        pipe = self._client.pipeline(transaction=False)
        for id_, fields in entries:
            pipe.xadd(stream, fields, id=id_)
        answers = pipe.execute(raise_on_error=False)
        failed: RedisError | None = None
        for (id_, fields), answer in zip(entries, answers, strict=True):
            if not isinstance(answer, Exception):
                continue
            if isinstance(answer, redis.ResponseError) and "equal or smaller" in str(answer):
                self._refused(stream, id_, fields, again)
            elif isinstance(answer, RedisError):
                failed = failed or answer
            else:
                raise answer
        if failed is not None:
            raise failed

    def _refused(self, stream: str, id_: str, fields: dict[Any, Any], again: bool) -> None:
        if self._client.xrange(stream, min=id_, max=id_, count=1):
            return
        if again:
            self._log.info("an entry arrived before and is worked on already", entry=id_)
            return
        info: Any = self._client.xinfo_stream(stream)
        last = info["last-generated-id"]
        top = (last.decode() if isinstance(last, bytes) else str(last)).split("-")[0]
        if F_ENVELOPE in fields:
            event = json.loads(fields[F_ENVELOPE])
            fields = {**fields, F_ENVELOPE: json.dumps({**event, "read_back": True})}
        self._log.warning("Redis is ahead of PostgreSQL's sequence; adding behind its last entry", entry=id_, last=top)
        self._client.xadd(stream, fields, id=f"{top}-*")
        self._pg.raise_seq(int(top) + 1)

    def _measure(self, pending: list[Any]) -> None:
        seen = set()
        for row in pending:
            name = self.names.get(row.connection, row.connection)
            seen.add(name)
            metrics.OUTBOX_PENDING.labels(name).set(row.ready)
            metrics.OUTBOX_IN_FLIGHT.labels(name).set(row.in_flight)
            metrics.OUTBOX_OLDEST.labels(name).set(row.oldest_seconds)
        for name in set(self.names.values()) - seen:
            for gauge in (metrics.OUTBOX_PENDING, metrics.OUTBOX_IN_FLIGHT, metrics.OUTBOX_OLDEST):
                gauge.labels(name).set(0)


def envelope(event: Claimed, database: str) -> str:
    """The envelope of a claimed event as JSON. The worker checks it; a bad one becomes a dead letter there."""
    found: dict[str, Any] = {
        "event_id": event.event_id,
        "type": event.type,
        "database": database,
        "connection": event.connection,
        "key": event.key,
        "occurred_at": event.occurred_at.isoformat(),
        "correlation_id": event.correlation_id or new_traceparent(),
        "priority": event.priority,
        "attempt": event.attempt,
        "read_back": event.read_back,
        "payload": event.payload,
    }
    if event.version is not None:
        found["version"] = event.version
    if event.deadline is not None:
        found["deadline"] = event.deadline.isoformat()
    return json.dumps(found, separators=(",", ":"), ensure_ascii=True)


def _request(pull: ClaimedPull) -> str:
    return json.dumps(
        {
            "run_id": pull.run_id,
            "capability": pull.capability,
            "cursor": pull.cursor,
            "correlation_id": pull.correlation_id,
        },
        separators=(",", ":"),
    )
