"""Outbox → streams. One writer per connection at a time (an advisory lock); see :mod:`dist_relay.pump.streams`.

Fairness: a turn publishes one batch of every connection that has something, beginning with another one each time, so a
backlog delays others by one batch. Back-pressure: a stream that is long, or a Redis at its memory limit, leaves events
in PostgreSQL, where they can be cancelled. What could not be claimed (its key is held back, too much is under way) is
looked at again when a result or the doorbell says so, else with the poll.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Collection, Iterable
from typing import Any

from redis.exceptions import OutOfMemoryError, ResponseError

from dist_contracts import new_traceparent
from dist_relay import crash, metrics, telemetry
from dist_relay.logging import get
from dist_relay.runtime.keys import F_ENVELOPE, F_REQUEST, Keys, config, workers
from dist_relay.runtime.redis_client import RedisClient, is_cluster, now_ms
from dist_relay.settings import Settings

from .configs import tell
from .port import Claimed, ClaimedPull, PgPort, Refused, Unavailable
from .streams import Streams

PULLS_AT_ONCE = 20

LOCK_SECONDS = 1.0
"""How long a turn waits in all for other pumps that write requests; each takes a moment, unless Redis is away."""

NO_WORKER_SECONDS = 30.0
"""Publishing waits when no worker was seen for so long: what nobody takes would be published again and again, and given
up in the end."""


WORKER_SEEN_SECONDS = 1.0
"""How often it is looked whether a worker runs."""

ALONE = 5
"""Times ``claim_batch`` that are claimed at once when only one connection has any: nobody waits for the end of it."""


class Publisher:
    """Publishes for all connections in turn; used by one thread."""

    def __init__(self, client: RedisClient, pg: PgPort, settings: Settings) -> None:
        self._client, self._pg, self._settings = client, pg, settings
        self._log = get()
        self._start = 0
        self._nothing: dict[str, float] = {}
        self._told: dict[tuple[str, str], int] = {}
        self._full: set[str] = set()
        self._worker_at = time.monotonic()
        self._worker_asked = float("-inf")
        self._worker_missed = False
        self._streams = Streams(client, pg, settings.lease_seconds)
        self.names: dict[str, str] = {}

    def turn(self, database: str) -> int:
        """Publish one batch of every connection that has something; how many events went out."""
        if not self._worker_there(database) or not self._streams.takes_more(database):
            return 0
        now, pause = time.monotonic(), self._settings.poll_ms / 1000
        wanted = [c for c in self._pg.ready() if now - self._nothing.get(c, float("-inf")) >= pause]
        self._start += 1
        count = 0
        for offset in range(len(wanted)):
            connection = wanted[(offset + self._start) % len(wanted)]
            done = self._publish(database, connection, len(wanted) == 1)
            if done:
                self._nothing.pop(connection, None)
            else:
                self._nothing[connection] = now
            count += done
        return count

    def look_again(self, connections: Iterable[str] | None = None) -> None:
        """Something happened: those where nothing could be claimed (``None``: all) are not left for the poll."""
        for connection in list(self._nothing) if connections is None else connections:
            self._nothing.pop(connection, None)

    def pulls(self, database: str) -> int:
        """Publish due pulls; how many."""
        if self._worker_missed or not self._streams.takes_more(database):
            return 0
        now = now_ms(self._client)  # the time before the runs' begins in PostgreSQL
        due = self._pg.claim_pulls(PULLS_AT_ONCE)
        if not due:
            return 0
        crash.point("pump.pull_claimed")
        waiting, locked = deque(due), []
        until = time.monotonic() + LOCK_SECONDS
        try:
            self._tell_config(database)
            while waiting:
                if not self._publish_pull(database, waiting, now, until):
                    locked.append(waiting.popleft())
        finally:
            self._release(locked, "another pump was writing to this connection")
            self._release(waiting, "Redis did not take the request")
        return len(due) - len(locked)

    def _publish_pull(self, database: str, waiting: deque[ClaimedPull], now: int, until: float) -> bool:
        """Write the first of ``waiting`` and take it out; false when another pump writes to its connection too long.

        Under a lock of its own: its ``seq`` was taken before the lock, so the id may have to be a later one, and what
        is refused when it is repeated is there only if nobody else wrote meanwhile. After an error it is still in
        ``waiting`` where it certainly was not added.
        """
        pull = waiting[0]
        lock, stream = f"{pull.connection}/pull", Keys(database, pull.connection).pull
        while not self._pg.try_lock(lock):
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
        try:
            entry = (self._streams.free_id(stream, pull.seq), _request(pull))
            waiting.popleft()
            try:
                self._streams.add(stream, F_REQUEST, [entry], lapses=now + int(max(pull.seconds, 1.0) * 1000))
            except ResponseError:
                waiting.appendleft(pull)
                raise
        finally:
            self._pg.unlock(lock)
        return True

    def _release(self, pulls: Collection[ClaimedPull], why: str) -> None:
        """End runs that no worker was told of: they begin anew soon, not at the end of their time.

        None that may have arrived: a worker of an older release does not say which run its events are of, and those of
        two runs would be stored as they come.
        """
        if not pulls:
            return
        self._log.warning("pulls could not be published; they are asked for again", pulls=len(pulls), reason=why)
        try:
            self._pg.intake([_not_published(pull, why) for pull in pulls])
        except (Unavailable, Refused) as error:
            self._log.warning("pulls wait for the end of their time", pulls=len(pulls), error=str(error))

    def _publish(self, database: str, connection: str, alone: bool) -> int:
        keys = Keys(database, connection)
        room, known, now = self._look(database, connection, keys)  # the time before PostgreSQL's lease begins
        limit = min(room, self._settings.claim_batch * (ALONE if alone else 1))
        if limit <= 0 or not self._pg.try_lock(connection):
            return 0
        try:
            began = time.monotonic()
            events = self._pg.claim(connection, limit, self._settings.lease_seconds)
            if not events:
                return 0
            crash.point("pump.claimed")
            if time.monotonic() - began > self._settings.lease_seconds / 2:
                self._log.warning("held up after claiming; the lease brings these events again", events=len(events))
                return 0
            version = max(event.config_version for event in events)
            if not known or not version or self._told.get((database, connection), -1) < version:
                self._tell_config(database)
            entries = [(f"{e.seq}-0", envelope(e, database)) for e in events]
            lapses = now + self._settings.lease_seconds * 1000
            with telemetry.span("send", self.names.get(connection, connection), [e.correlation_id for e in events]):
                self._streams.add(keys.out, F_ENVELOPE, entries, lapses=lapses, config_version=version)
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
        if time.monotonic() - self._worker_asked > WORKER_SEEN_SECONDS or self._worker_missed:
            self._worker_asked = time.monotonic()
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

        All of it, for the hash may have been lost: workers take a connection that is not in it for removed. Only where
        the event's is newer than what was told or the hash is gone: what changes without an event is told by the pump's
        own loop, and an entry says which version it needs (a hash that is lost in this moment misleads nobody).
        """
        rows = self._pg.connections()
        try:
            tell(self._client, database, rows)
        except OutOfMemoryError as error:
            self._streams.full(error)
            raise
        self._told |= {(database, str(row["connection"])): int(row["config_version"]) for row in rows}

    def _look(self, database: str, connection: str, keys: Keys) -> tuple[int, bool, int]:
        """Room in the stream, whether Redis knows the connection, Redis' time. What is busy gets larger portions."""
        length: int
        if is_cluster(self._client):
            now = now_ms(self._client)
            length, known = int(self._client.xlen(keys.out)), self._client.hexists(config(database), connection)
        else:
            pipe = self._client.pipeline(transaction=False)
            pipe.time()
            pipe.xlen(keys.out)
            pipe.hexists(config(database), connection)
            (seconds, micros), length, known = pipe.execute()
            now = int(seconds) * 1000 + int(micros) // 1000
        name = self.names.get(connection, connection)
        metrics.STREAM_LENGTH.labels(name, "out").set(length)
        room = self._settings.stream_limit - length
        if room <= 0 and connection not in self._full:
            self._full.add(connection)
            self._log.warning("stream is full; publishing to it waits", connection=name, entries=length)
        elif room > 0:
            self._full.discard(connection)
        few = min(self._settings.claim_batch, self._settings.stream_limit) // 4
        return (room if room >= few or not length else 0), bool(known), now


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
    }
    if event.version is not None:
        found["version"] = event.version
    if event.deadline is not None:
        found["deadline"] = event.deadline.isoformat()
    return f'{json.dumps(found, separators=(",", ":"))[:-1]},"payload":{event.payload}}}'


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


def _not_published(pull: ClaimedPull, why: str) -> str:
    return json.dumps(
        {
            "kind": "pull_failed",
            "run_id": pull.run_id,
            "verdict": "snooze",
            "code": "not_published",
            "message": f"{why}; it is made again",
            "retry_after": 1,
        }
    )
