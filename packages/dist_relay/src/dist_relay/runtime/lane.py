"""What the two lanes of a connection share: reading entries safely, poison, lapsed leases, writing results.

A lane is served by one thread at a time. It reads in this order: its own unfinished entries after a failure, entries of
dead workers now and then, else new ones.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any, TypeVar

from redis.exceptions import OutOfMemoryError

from dist_relay import crash, metrics
from dist_relay.http.session import HttpLimits
from dist_relay.logging import get
from dist_relay.ports import Adapter, Clock
from dist_relay.settings import Settings

from . import scripts
from .breaker import Breaker
from .budgets import Budgets, TooEarly
from .connection import Config, Flows
from .keys import F_CONFIG, F_LAPSES, WORKERS_GROUP, Keys
from .keys import config as config_key
from .redis_client import RedisClient, RedisError
from .streams import Consumer, Entry
from .throttle import RedisThrottle

T = TypeVar("T")

READ_COUNT = 100
BREAKER_LOOK_SECONDS = 2.0
"""How often a lane without work looks at a breaker it saw open."""


@dataclass(frozen=True)
class Deps:
    """What every lane of a worker is built from."""

    client: RedisClient
    settings: Settings
    clock: Clock
    adapters: dict[str, Adapter]
    private_key: str | None
    stop: Event
    name: str
    limits: HttpLimits


class Lane:
    """One stream of one connection at work. Subclasses fill :meth:`handle`."""

    stream_name = ""

    def __init__(self, deps: Deps, database: str, config: Config) -> None:
        self.deps, self.database, self.config = deps, database, config
        self.keys = Keys(database, config.connection)
        self.log = get(connection=config.name)
        stream = {"out": self.keys.out, "pull": self.keys.pull}[self.stream_name]
        self.consumer = Consumer(deps.client, stream, WORKERS_GROUP, deps.name)
        settings = deps.settings
        self.breaker = Breaker(
            deps.client,
            self.keys.breaker,
            settings.breaker_failures,
            settings.breaker_seconds,
            settings.call_seconds,
            self._health,
            self._show_breaker,
        )
        self.flows = Flows(database, deps.clock, deps.private_key, deps.limits, self.breaker.judge)
        self._report = deps.client.register_script(scripts.REPORT)
        self._budgets = Budgets(deps.client, self.keys)
        self._operations: set[str] = set()
        self._untold = False
        self.took = 0.0
        self._recover = False
        self._last_take_over = float("-inf")
        self._last_tidy = self._last_look = float("-inf")
        self.in_hand: set[str] = set()
        self.closed = False
        self.called(config.name)

    @property
    def adapter(self) -> Adapter | None:
        """The connection's adapter, when this worker has it."""
        return self.deps.adapters.get(self.config.adapter)

    def step(self, block_ms: int | None) -> bool:
        """Handle some entries; True when there were any. After an error the next step looks at what is in hand."""
        try:
            entries = self._next(block_ms)
            if entries:
                self.in_hand = {entry.id for entry in entries}
                crash.point("worker.read")
                self._use_config()
                self._untold = True
                began = self.deps.clock.monotonic()
                self.handle(self._sift(entries))
                self.took = self.deps.clock.monotonic() - began
            if self._untold:
                self._tell_budgets()
            if not entries:
                self._follow_breaker()
            return bool(entries)
        except BaseException:
            self._recover = True
            raise

    def handle(self, entries: list[Entry]) -> None:
        """Work on entries and finish each; entries left unfinished come back."""
        raise NotImplementedError

    def poison(self, entry: Entry) -> list[dict[str, Any]]:
        """The result items that tell that an entry was given up."""
        raise NotImplementedError

    def counts(self, entry: Entry) -> Sequence[str]:
        """The keys of what was counted about an entry, and ends with it."""
        del entry
        return ()

    def give_up(self, entry: Entry) -> None:
        """Tell that an entry was begun too often without a result."""
        metrics.QUARANTINED.labels(self.config.name).inc()
        self.log.error("entry given up", entry=entry.id, begun=entry.begun)
        self.finish_texts([entry.id], [dump(item) for item in self.poison(entry)], self.counts(entry))

    def close(self) -> None:
        """Release what is built; entries in hand that were not begun go to others at once."""
        if self.closed:
            return
        self.closed = True
        self.flows.close()
        try:
            self.consumer.release(sorted(self.in_hand))
            self.consumer.leave()
        except RedisError as error:
            self.log.info("could not give entries back; others take them over later", error=str(error))

    def called(self, name: str | None) -> None:
        """Show the connection's state under this name; ``None``: nowhere, it is gone. With work or without."""
        self.label = name
        if name:
            # a series that begins with what it counts first shows no increase by it
            metrics.QUARANTINED.labels(name)
            if self.breaker.state != "closed":
                self._show_breaker(self.breaker.state)

    def finish(self, ids: Sequence[str], items: Sequence[dict[str, Any]]) -> None:
        """Write results and forget entries; see :meth:`finish_texts`."""
        self.finish_texts(ids, [dump(item) for item in items])

    def finish_texts(self, ids: Sequence[str], texts: Sequence[str], counts: Sequence[str] = ()) -> None:
        """:meth:`finish` of items that are JSON already; insists while Redis is away, for the work is done."""
        self.insist(lambda: self.consumer.finish(self.keys.results, ids, texts, counts), len(texts))
        self.in_hand.difference_update(ids)
        if ids:
            crash.point("worker.finished")

    def insist(self, tell: Callable[[], T], results: int) -> T:
        """Call ``tell`` until Redis answers, for the time of a lease."""
        wait = 0.05
        until = self.deps.clock.monotonic() + self.deps.settings.lease_seconds
        while True:
            try:
                return tell()
            except RedisError as error:
                if self.deps.clock.monotonic() > until:
                    raise
                self.log.warning("results wait for Redis", results=results, error=str(error))
                if self.deps.stop.is_set():
                    until = min(until, self.deps.clock.monotonic() + self.deps.settings.stop_seconds / 2)
                time.sleep(wait)  # also while stopping: the work is done, only its result is not told
                wait = min(wait * 2, 2.0)

    def forget(self, ids: Sequence[str]) -> None:
        """Drop entries without a result: late, overtaken, or not ours."""
        self.consumer.forget(ids)
        self.in_hand.difference_update(ids)

    def _next(self, block_ms: int | None) -> list[Entry]:
        if self._recover:
            if entries := self.consumer.own(READ_COUNT):
                return entries
            self._recover = False
        now = self.deps.clock.monotonic()
        idle = self.deps.settings.claim_idle_seconds
        if now - self._last_take_over > min(idle / 4, 5.0):
            self._last_take_over = now
            if entries := self.consumer.take_over(int(idle * 1000), READ_COUNT):
                self.log.info("took over entries of a worker that is gone", entries=len(entries))
                return entries
            if now - self._last_tidy > 600:
                self._last_tidy = now
                self.consumer.tidy()
        return self.consumer.read(READ_COUNT, block_ms)

    def _sift(self, entries: list[Entry]) -> list[Entry]:
        """Take out poison; the rest goes on."""
        good = []
        for entry in entries:
            if entry.begun >= self.deps.settings.max_deliveries:
                self.give_up(entry)
            else:
                good.append(entry)
        return good

    def _use_config(self) -> None:
        self._read_config()
        limits = self.adapter.manifest.rate_limits if self.adapter else ()
        throttle = RedisThrottle(
            self.deps.client,
            self.keys,
            limits,
            self.deps.clock,
            self.deps.settings.throttle_wait_seconds,
            self._operations,
        )
        self.flows.use(self.config, self.adapter, throttle, self.log)

    def _read_config(self) -> None:
        """The pump writes the configuration before what was emitted under it: read it before that is handled."""
        text: Any = self.deps.client.hget(config_key(self.database), self.config.connection)
        if not text:
            return
        try:
            self.config = Config.read(text)
        except ValueError as error:
            self.log.warning("unreadable configuration", error=str(error))

    def lapses(self, entry: Entry) -> int | None:
        """When the lease of an entry is over, ms on Redis' clock."""
        text = entry.fields.get(F_LAPSES)
        return int(text) if text and text.isdigit() else None

    def needs_config(self, entry: Entry) -> int:
        """The version of the configuration an entry may not be handled without; 0 where an older pump does not say."""
        text = entry.fields.get(F_CONFIG)
        return int(text) if text and text.isdigit() else 0

    def _tell_budgets(self) -> None:
        """After work, what is left of the budgets; when another lane told a moment ago, with one of the next steps."""
        limits = self.adapter.manifest.rate_limits if self.adapter else ()
        try:
            found = self._budgets.changed(limits, self._operations)
        except TooEarly:
            return
        self._untold = False
        if found is None:
            return
        breaker, budgets = found
        item = {
            "kind": "health",
            "connection": self.config.connection,
            "breaker": breaker,
            "budgets": budgets,
            "at": self.deps.clock.now().isoformat(),
        }
        try:
            self.deps.client.xadd(self.keys.results, {"i": dump(item)})
        except OutOfMemoryError:  # figures for people can wait until there is room
            self._budgets.forget()
            self._untold = True

    def _show_breaker(self, state: str) -> None:
        if self.label:
            metrics.BREAKER.labels(self.label).set(metrics.BREAKER_VALUES.get(state, 0))

    def _follow_breaker(self) -> None:
        """Another worker may close what this one saw open: without work of its own it looks now and then."""
        now = self.deps.clock.monotonic()
        if self.breaker.state != "closed" and now - self._last_look >= BREAKER_LOOK_SECONDS:
            self._last_look = now
            self.breaker.look()

    def _health(self, state: str, message: str) -> None:
        self.log.warning("breaker changed", state=state, reason=message)
        item = {
            "kind": "health",
            "connection": self.config.connection,
            "breaker": state,
            "message": message[:500],
            "at": self.deps.clock.now().isoformat(),
        }
        self._report(keys=[self.keys.results], args=[dump(item)])


def dump(item: dict[str, Any]) -> str:
    """An intake item as JSON that PostgreSQL's jsonb takes: neither NUL nor half a surrogate pair."""
    text = json.dumps(item, ensure_ascii=True, separators=(",", ":"), default=str)
    if "\\u0000" in text or "\\ud" in text.lower():
        text = json.dumps(_clean(item), ensure_ascii=True, separators=(",", ":"), default=str)
    return text


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_clean(k): _clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(v) for v in value]
    return value
