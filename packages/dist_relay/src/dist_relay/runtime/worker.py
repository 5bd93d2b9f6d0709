"""The worker: finds connections, gives each its lanes, and serves lanes with a bounded number of threads.

A lane has a thread of its own while there are enough, so a slow or hanging connection holds up nobody else. With more
lanes than ``threads`` they take turns, and the bulkhead is drawn: lanes whose last turn was long share half of the
threads, and one connection never has all of them, so that the rest goes on whatever hangs.
"""

from __future__ import annotations

import heapq
import itertools
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Mapping
from threading import Event
from typing import Any

from dist_relay import __version__, metrics
from dist_relay.http.session import HttpLimits
from dist_relay.logging import get
from dist_relay.ports import Adapter, Clock
from dist_relay.settings import Settings

from . import keys, scripts
from .connection import Config
from .events import EventLane
from .lane import Deps, Lane
from .pulls import PullLane
from .redis_client import BLOCK_MS, RedisClient, RedisError, now_ms, refuse_eviction

LANES: tuple[type[Lane], ...] = (EventLane, PullLane)
DISCOVER_SECONDS = 1.0
DATABASE_FORGOTTEN_MS = 86_400_000
LONG_SECONDS = 5.0
_IDLE_TURN = 0.1
_PAUSE = 1.0

LaneId = tuple[str, str, str]


class Worker:
    """One worker process' share of the work; :meth:`start`, then :meth:`stop`."""

    def __init__(
        self,
        client: RedisClient,
        settings: Settings,
        adapters: Mapping[str, Adapter],
        clock: Clock,
        stop: Event,
        private_key: str | None = None,
        name: str | None = None,
    ) -> None:
        self.name = name or f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"
        limits = HttpLimits(
            connect_seconds=min(5.0, settings.call_seconds),
            total_seconds=settings.call_seconds,
            read_seconds=min(20.0, settings.call_seconds),
            plain_http_hosts=frozenset(h.strip().lower() for h in settings.plain_http_hosts.split(",") if h.strip()),
            ca_file=str(settings.ca_file) if settings.ca_file else None,
            user_agent=f"dist-relay/{__version__}",
        )
        self._deps = Deps(client, settings, clock, dict(adapters), private_key, stop, self.name, limits)
        self._client, self._settings, self._stop = client, settings, stop
        self._note = client.register_script(scripts.NOTE)
        self._log = get(worker=self.name)
        self._lanes: dict[LaneId, Lane] = {}
        self._gone: set[Lane] = set()
        self._labels: set[str] = set()
        self._turns: list[tuple[float, int, Lane]] = []
        self._count = itertools.count()
        self._ready = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._crowded = False
        self._busy: set[Lane] = set()
        self._long: set[Lane] = set()
        self.long_seconds = LONG_SECONDS
        self.alive_at = time.monotonic()

    def start(self) -> None:
        """Begin to look for connections and to serve them."""
        thread = threading.Thread(target=self._discover_loop, name="discover", daemon=True)
        thread.start()
        self._threads.append(thread)

    def join(self) -> None:
        """After ``stop`` is set: wait for work in hand, give back the rest. Threads that hang are left behind."""
        until = time.monotonic() + self._settings.stop_seconds
        with self._ready:
            self._ready.notify_all()
        for thread in list(self._threads):
            thread.join(max(0.0, until - time.monotonic()))
        hanging = [thread.name for thread in self._threads if thread.is_alive()]
        if hanging:
            self._log.warning("work did not end in time; others will take it over", threads=len(hanging))
            return
        for lane in list(self._lanes.values()):
            lane.close()

    def lanes(self) -> list[LaneId]:
        """The lanes served at present: database, connection, stream."""
        return sorted(self._lanes)

    def _discover_loop(self) -> None:
        checked = False
        while not self._stop.is_set():
            try:
                if not checked:
                    refuse_eviction(self._client)
                    checked = True
                self._discover()
                self.alive_at = time.monotonic()
            except RedisError as error:
                self._log.warning("cannot look for connections", error=str(error))
            except Exception:
                self._log.exception("cannot look for connections")
            self._stop.wait(DISCOVER_SECONDS)

    def _discover(self) -> None:
        for database in self._databases():
            rows = self._client.hgetall(keys.config(database))
            if not rows:
                continue  # emptied or not yet published: what is known stays in force
            seen = set()
            for text in rows.values():
                try:
                    config = Config.read(text)
                except ValueError as error:
                    self._log.error("unreadable connection", error=str(error))
                    continue
                seen.add(config.connection)
                self._serve(database, config)
            for id_ in [i for i in self._lanes if i[0] == database and i[1] not in seen]:
                lane = self._lanes.pop(id_)
                lane.called(None)
                self._gone.add(lane)
            about = {"version": __version__, "adapters": sorted(self._deps.adapters), "at": now_ms(self._client)}
            self._note(keys=[keys.workers(database)], args=[self.name, json.dumps(about)])
        self._forget_labels()

    def _forget_labels(self) -> None:
        """A gauge under a name that no connection has any more would show its last value for ever."""
        labels = {lane.label for lane in self._lanes.values() if lane.label}
        self._labels |= labels
        for name in self._labels - labels:  # each time: a lane may have been about to show it
            metrics.BREAKER.remove(name)

    def _databases(self) -> list[str]:
        if self._settings.database:
            return [str(self._settings.database)]
        now = now_ms(self._client)
        found: Any = self._client.hgetall(keys.DATABASES)
        return sorted(database.decode() for database, at in found.items() if now - int(at) < DATABASE_FORGOTTEN_MS)

    def _serve(self, database: str, config: Config) -> None:
        for kind in LANES:
            id_ = (database, config.connection, kind.stream_name)
            if lane := self._lanes.get(id_):
                if lane.label != config.name:
                    lane.called(config.name)
                continue  # a lane reads its configuration itself, right before it works
            self._lanes[id_] = lane = kind(self._deps, database, config)
            self._take_turn(lane, 0.0)
            self._more_threads()

    def _more_threads(self) -> None:
        serving = len(self._threads) - 1
        if serving < min(len(self._lanes), self._settings.threads):
            thread = threading.Thread(target=self._serve_loop, name=f"lane-{serving}", daemon=True)
            self._threads.append(thread)
            thread.start()
        crowded = len(self._lanes) > self._settings.threads
        if crowded and not self._crowded:
            self._log.warning("more lanes than threads: they take turns", lanes=len(self._lanes))
        self._crowded = crowded

    def _serve_loop(self) -> None:
        while not self._stop.is_set():
            lane = self._next_turn()
            if lane is None:
                continue
            if lane in self._gone:
                with self._ready:
                    self._gone.discard(lane)
                    self._busy.discard(lane)
                    self._long.discard(lane)
                lane.close()
                continue
            pause, worked = 0.0, False
            try:
                worked = lane.step(None if self._crowded else BLOCK_MS // 2)
                if not worked and self._crowded:
                    pause = _IDLE_TURN
            except RedisError as error:
                lane.log.warning("Redis is away", error=str(error))
                pause = _PAUSE
            except Exception:
                lane.log.exception("a lane failed and begins again")
                pause = _PAUSE
            self._end_turn(lane, worked)
            self._take_turn(lane, pause)

    def _end_turn(self, lane: Lane, worked: bool) -> None:
        with self._ready:
            self._busy.discard(lane)
            if worked:  # an idle turn says nothing
                (self._long.add if lane.took > self.long_seconds else self._long.discard)(lane)

    def _take_turn(self, lane: Lane, pause: float) -> None:
        with self._ready:
            heapq.heappush(self._turns, (time.monotonic() + pause, next(self._count), lane))
            self._ready.notify()

    def _next_turn(self) -> Lane | None:
        with self._ready:
            now = time.monotonic()
            passed, found = [], None
            while found is None and self._turns and self._turns[0][0] <= now:
                turn = heapq.heappop(self._turns)
                if self._has_room(turn[2]):
                    found = turn[2]
                else:
                    passed.append(turn)
            due = self._turns[0][0] - now if self._turns else 0.5
            for turn in passed:
                heapq.heappush(self._turns, turn)
            if found is None:
                self._ready.wait(min(0.5, due))
            else:
                self._busy.add(found)
            return found

    def _has_room(self, lane: Lane) -> bool:
        """The bulkhead; see the module. A single thread has none."""
        threads = self._settings.threads
        if not self._crowded or threads == 1:
            return True
        same = sum(1 for each in self._busy if each.keys == lane.keys)
        if same >= threads - 1:
            return False
        return lane not in self._long or len(self._busy & self._long) < threads // 2
