"""A consumer's view of one stream: read what is new, take over what a dead consumer left, give back what is not begun.

Groups are made when they are missed, so a Redis that was emptied (or a stream that was lost) needs no restart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import redis

from . import scripts
from .keys import given
from .redis_client import RedisClient

_EXPIRED = 3_600_000
OTHERS, LOST = -1, -2
Fields = dict[bytes, bytes]


class Entry(NamedTuple):
    """One entry and how often work on it was begun before, by whomever."""

    id: str
    fields: Fields
    begun: int = 0


class Begun(NamedTuple):
    """What became of entries about to be worked on; ``now`` is Redis' clock in ms."""

    now: int
    mine: list[bool]
    stale: list[bool]
    foreign: list[bool]
    """Published in another life of Redis."""


def ensure_group(client: RedisClient, stream: str, group: str) -> bool:
    """Make group (and stream) unless it exists; from the first entry on. True when it was made."""
    try:
        client.xgroup_create(stream, group, id="0", mkstream=True)
    except redis.ResponseError as error:
        if "BUSYGROUP" not in str(error):
            raise
        return False
    return True


def is_missing(error: redis.ResponseError) -> bool:
    """Whether the stream or its group does not exist (any more)."""
    text = str(error)
    return "NOGROUP" in text or "no such key" in text or "UNBLOCKED" in text


class Consumer:
    """One consumer of one group on one stream."""

    def __init__(self, client: RedisClient, stream: str, group: str, name: str) -> None:
        self._client, self.stream, self.group, self.name = client, stream, group, name
        self._given = given(stream)
        self._group = client.register_script(scripts.GROUP)
        self._begin = client.register_script(scripts.BEGIN)
        self._finish = client.register_script(scripts.FINISH)
        self._page = client.register_script(scripts.PAGE)
        self._release = client.register_script(scripts.RELEASE)
        self._leave = client.register_script(scripts.LEAVE)

    def make_group(self) -> None:
        """Make the group where it is missing, from the first entry on.

        If there was one before, it was lost, and whom it gave which entries: they may be in somebody's hands.
        """
        self._group(keys=[self.stream, self._given], args=[self.group])

    def read(self, count: int, block_ms: int | None) -> list[Entry]:
        """Entries nobody has seen; waits up to ``block_ms`` for the first (``None``: does not wait)."""
        return [Entry(i, f) for i, f in self._read(">", count, block_ms)]

    def own(self, count: int, after: str | None = None) -> list[Entry]:
        """Entries this consumer was given and did not finish, oldest first; only those that follow ``after``."""
        first = f"({after}" if after else "-"
        try:
            pending: Any = self._client.xpending_range(
                self.stream, self.group, first, "+", count, consumername=self.name
            )
        except redis.ResponseError as error:
            if not is_missing(error):
                raise
            return []
        return self._fetch({_text(p["message_id"]): int(p["times_delivered"]) for p in pending})

    def take_over(self, min_idle_ms: int, count: int) -> list[Entry]:
        """Entries some consumer was given more than ``min_idle_ms`` ago and did not finish."""
        try:
            ids: Any = self._client.xautoclaim(
                self.stream, self.group, self.name, min_idle_time=min_idle_ms, start_id="0-0", count=count, justid=True
            )
        except redis.ResponseError as error:
            if not is_missing(error):
                raise
            self.make_group()
            return []
        if not ids:
            return []
        names = [_text(i) for i in ids]
        pending: Any = self._client.xpending_range(
            self.stream, self.group, names[0], names[-1], len(names) * 10, consumername=self.name
        )
        times = {_text(p["message_id"]): int(p["times_delivered"]) for p in pending}
        return self._fetch({name: times.get(name, 1) for name in names})

    def begin(
        self,
        entries: Sequence[tuple[str, str, int | None]],
        version_ttl_ms: int,
        *,
        lives: Sequence[str] = (),
        going_on: bool = False,
    ) -> Begun:
        """Ask, right before working on them, whether entries are still ours; renews their idle time.

        ``entries`` are (id, version key or "", version). A state older than one begun already is stale. ``lives`` are
        those of Redis the entries were published in ("" unknown): what comes from another one is not begun.
        ``going_on`` only renews: work was begun before, or is not begun now.
        """
        if not entries:
            return Begun(0, [], [], [])
        names = [self.stream, *(key or self.stream for _, key, _ in entries), self._given]
        ids = sorted((id_ for id_, _, _ in entries), key=_order)
        argv: list[str | int] = [self.group, self.name, version_ttl_ms, 0 if going_on else 1, ids[0], ids[-1]]
        for (id_, _, version), life in zip(entries, lives or [""] * len(entries), strict=True):
            argv += [id_, "" if version is None else version, life]
        answer: Any = self._begin(keys=names, args=argv)
        now, verdicts = int(answer[0]), [int(verdict) for verdict in answer[1:]]
        return Begun(now, [v != 2 for v in verdicts], [v == 3 for v in verdicts], [v == 4 for v in verdicts])

    def finish(self, results_stream: str, ids: Sequence[str], items: Sequence[str], counts: Sequence[str] = ()) -> None:
        """Write result items, forget the entries and delete these counts, in one step."""
        self._finish(keys=[self.stream, results_stream, *counts], args=[self.group, len(ids), *ids, *items])

    def add_page(
        self, results_stream: str, witness: str, id_: str, so_far: int, items: Sequence[str], ttl_ms: int
    ) -> int:
        """Write items of a run whose request is ``id_``, unless something of it may be lost; renews its idle time.

        :param witness: key of the run that is written with each page, and so lost with it
        :param so_far: what the call before returned, 0 for the first
        :param ttl_ms: longest time to the next call
        :return: how many entries the results stream has got in its life; :data:`OTHERS` when another consumer has the
            request, :data:`LOST` when request or results are gone
        """
        argv = [self.group, self.name, id_, so_far, ttl_ms, *items]
        return int(self._page(keys=[self.stream, results_stream, witness], args=argv))  # type: ignore[arg-type]

    def forget(self, ids: Sequence[str]) -> None:
        """Acknowledge and delete, without a result."""
        if ids:
            self._finish(keys=[self.stream, self.stream], args=[self.group, len(ids), *ids])

    def forget_later(self, pipe: Any, ids: Sequence[str]) -> None:
        """:meth:`forget` as a part of ``pipe``."""
        self._finish(keys=[self.stream, self.stream], args=[self.group, len(ids), *ids], client=pipe)

    def release(self, ids: Sequence[str]) -> None:
        """Give entries back that were not begun: any other consumer takes them over at once.

        What somebody took over already stays with him: he may be working on it.
        """
        if ids:
            self._release(keys=[self.stream], args=[self.group, self.name, _EXPIRED, *ids])

    def tidy(self, idle_ms: int = _EXPIRED) -> None:
        """Remove consumers that left long ago and left nothing behind."""
        try:
            for consumer in self._client.xinfo_consumers(self.stream, self.group):
                name = _text(consumer["name"])
                if consumer["pending"] == 0 and consumer["idle"] > idle_ms and name != self.name:
                    self._leave(keys=[self.stream], args=[self.group, name])
        except redis.ResponseError as error:
            if not is_missing(error):
                raise

    def leave(self) -> None:
        """Remove this consumer where nothing is pending for it."""
        self._leave(keys=[self.stream], args=[self.group, self.name])

    def _read(self, start: str, count: int, block_ms: int | None) -> list[tuple[str, Fields]]:
        try:
            answer: Any = self._client.xreadgroup(
                self.group, self.name, {self.stream: start}, count=count, block=block_ms or None
            )
        except redis.ResponseError as error:
            if not is_missing(error):
                raise
            self.make_group()
            return []
        return [(_text(i), f) for _, entries in answer or () for i, f in entries if f]

    def _fetch(self, times: dict[str, int]) -> list[Entry]:
        """Pending entries with their fields; what somebody deleted is acknowledged, there is nothing to do for it."""
        if not times:
            return []
        pipe = self._client.pipeline(transaction=False)
        for id_ in times:
            pipe.xrange(self.stream, min=id_, max=id_, count=1)
        found, gone = [], []
        for (id_, count), answer in zip(times.items(), pipe.execute(), strict=True):
            if answer and answer[0][1]:
                found.append(Entry(id_, answer[0][1], max(0, count - 1)))
            else:
                gone.append(id_)
        if gone:
            self._client.xack(self.stream, self.group, *gone)
        return found


def _order(id_: str) -> tuple[int, int]:
    """Redis' order of ids."""
    first, _, second = id_.partition("-")
    return int(first), int(second or 0)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
