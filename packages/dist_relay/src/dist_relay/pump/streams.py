"""Writing entries with ids of our own, so that repeating it cannot add one twice.

An id is ``<seq>-0`` with a ``seq`` PostgreSQL committed before the XADD. When Redis refuses an id as not larger than
the stream's last one:

* the entry is there: the first XADD arrived and its reply was lost. Done.
* it is not there, and this was a repetition: it arrived and was worked on already. Its result settles the event, and if
  not, the lease does.
* it is not there, and this was the first try: the stream's last id is ahead of PostgreSQL's sequence (PostgreSQL was
  restored from a copy). The entry is added behind the last id, with ``read_back``, for an effect may exist, and the
  sequence is lifted.

The ``seq`` of a pull is taken before the lock, so another pump may have written a later one: its id is chosen under the
lock (:meth:`Streams.free_id`), and from then on the same holds.

Nothing is ever trimmed. All entries of a batch are written by one script: at Redis' memory limit it writes none.
"""

from __future__ import annotations

import json
import time
from typing import Any

import redis
from redis.exceptions import OutOfMemoryError

from dist_relay.logging import get
from dist_relay.runtime import scripts
from dist_relay.runtime.keys import F_ENVELOPE, Keys
from dist_relay.runtime.redis_client import RedisClient
from dist_relay.runtime.streams import is_missing

from .port import PgPort

Entry = tuple[str, str]
"""Id and body (an envelope or a request, as JSON)."""

_PROBE = "-"
_MOST_BYTES = 4_000_000


class Streams:
    """The streams of all connections, as the publisher writes them."""

    def __init__(self, client: RedisClient, pg: PgPort, lease_seconds: float) -> None:
        self._client, self._pg, self._lease = client, pg, lease_seconds
        self._log = get()
        self._publish = client.register_script(scripts.PUBLISH)
        self._at_limit = False

    def takes_more(self, database: str) -> bool:
        """Whether Redis has room again after it had none; claiming what it cannot take would only wear leases out."""
        if not self._at_limit:
            return True
        try:
            self._client.set(Keys(database, _PROBE).prefix + "probe", 1, px=1000)
        except OutOfMemoryError:
            return False
        self._at_limit = False
        self._log.warning("Redis has room again; publishing goes on")
        return True

    def full(self, error: OutOfMemoryError) -> None:
        """Remember that Redis refused something for its memory limit."""
        if not self._at_limit:
            self._at_limit = True
            self._log.error("Redis is at its memory limit; publishing waits", error=str(error))

    def add(self, stream: str, field: bytes, entries: list[Entry], *, lapses: int, config_version: int = 0) -> None:
        """Add all, again while Redis is away or full: repeating is harmless, waiting for the lease is slow.

        ``lapses``: ms on Redis' clock, not later than PostgreSQL's lease.

        :raises redis.ResponseError: refused: of one portion, nothing was added; other errors leave that open
        """
        until = time.monotonic() + self._lease / 3
        again, lost, pause = False, False, 0.05
        while True:
            try:
                for portion in _portions(entries):
                    self._add_once(stream, field, portion, (lapses, config_version), again)
                return
            except (redis.ConnectionError, redis.TimeoutError, redis.ResponseError) as error:
                refused, full = isinstance(error, redis.ResponseError), isinstance(error, OutOfMemoryError)
                lost = lost or not refused
                if isinstance(error, OutOfMemoryError):
                    self.full(error)
                if (refused and not full) or time.monotonic() > until:
                    if refused and lost:
                        raise redis.ConnectionError(f"no answer, then refused: {error}") from error
                    raise
                self._log.warning("publishing waits for Redis", entries=len(entries), error=str(error))
                time.sleep(pause)
                again, pause = True, min(pause * 2, 1.0)

    def free_id(self, stream: str, seq: int) -> str:
        """An id for an entry whose ``seq`` was not taken under the lock of the stream's writer, which is held now."""
        top, number = self._last(stream)
        return f"{seq}-0" if seq > top else f"{top}-{number + 1}"

    def _last(self, stream: str) -> tuple[int, int]:
        """The last id the stream gave out; zeros where there is no stream."""
        try:
            info: Any = self._client.xinfo_stream(stream)
        except redis.ResponseError as error:
            if not is_missing(error):
                raise
            return 0, 0
        last = info["last-generated-id"]
        top, _, number = (last.decode() if isinstance(last, bytes) else str(last)).partition("-")
        return int(top), int(number or 0)

    def _add_once(self, stream: str, field: bytes, entries: list[Entry], common: tuple[int, int], again: bool) -> None:
        lapses, version = common
        args: list[Any] = [lapses, version, field]
        for entry in entries:
            args += entry
        refused: Any = self._publish(keys=[stream], args=args)
        for number in refused:
            id_, body = entries[int(number) - 1]
            self._refused(stream, field, (id_, body), common, again)

    def _refused(self, stream: str, field: bytes, entry: Entry, common: tuple[int, int], again: bool) -> None:
        id_, body = entry
        if self._client.xrange(stream, min=id_, max=id_, count=1):
            return
        if again:
            self._log.info("an entry arrived before and is worked on already", entry=id_)
            return
        top, _ = self._last(stream)
        if field == F_ENVELOPE:
            body = json.dumps({**json.loads(body), "read_back": True})
        self._log.warning("Redis is ahead of PostgreSQL's sequence; adding behind its last entry", entry=id_, last=top)
        self._publish(keys=[stream], args=[*common, field, f"{top}-*", body])
        self._pg.raise_seq(top + 1)


def _portions(entries: list[Entry]) -> list[list[Entry]]:
    """At most about :data:`_MOST_BYTES` each: a script holds Redis up while it runs."""
    found: list[list[Entry]] = [[]]
    size = 0
    for entry in entries:
        if found[-1] and size + len(entry[1]) > _MOST_BYTES:
            found.append([])
            size = 0
        found[-1].append(entry)
        size += len(entry[1])
    return found
