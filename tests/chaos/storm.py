"""Faults at random moments while business goes on; a seed repeats the same draws."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg2
import redis

if TYPE_CHECKING:
    from house import House
    from scope import Scope

PARTS = ("pump", "worker", "engine")
SECOND = tuple(f"second-{part}" for part in PARTS)
HEAL_SECONDS = (0.2, 1.2)
HALT_SECONDS = (0.5, 2.0)
"""Shorter than the lease: a call that begins after its lease is over is a test of its own."""


class Storm:
    """Draws faults with ``seed`` and carries them out; :attr:`done` counts them by name."""

    def __init__(self, house: House, scope: Scope, seed: int) -> None:
        self._house, self._scope = house, scope
        self._dice = random.Random(seed)
        self._stop = threading.Event()
        self.done: Counter[str] = Counter()
        self.broken_off = 0
        self._parts: tuple[str, ...] = PARTS
        self._faults: dict[str, tuple[int, Callable[[], None]]] = {
            "kill": (6, self._kill),
            "halt": (2, self._halt),
            "terminate": (3, self._terminate),
            "flush": (3, lambda: self._redis("FLUSHALL")),
            "lose a group": (1, lambda: self._redis("XGROUP", "DESTROY", self._scope.streams.out, "workers")),
            "lose a stream": (1, lambda: self._redis("DEL", self._scope.streams.results)),
            "kill valkey": (2, lambda: self._house.kill("valkey")),
            "older copy": (1, self._older_copy),
            "memory limit": (2, self._memory_limit),
            "kill postgres": (1, lambda: self._house.kill("postgres")),
            "cut": (3, self._cut),
            "lose a reply": (2, self._lose_reply),
            "counterpart": (3, self._counterpart),
        }

    def double(self) -> None:
        """Let two of each part run, so that they get into each other's way."""
        for part, second in zip(PARTS, SECOND, strict=True):
            self._house.engine(second) if part == "engine" else self._house.part(part, second)
        self._parts += SECOND

    def run(self, seconds: float, pause: tuple[float, float]) -> None:
        """Business and faults for so long; afterwards everything runs again, but nothing is settled yet."""
        seeds = [self._dice.random() for _ in range(2)]
        with ThreadPoolExecutor(len(seeds)) as pool:
            writers = [pool.submit(self._business, seed) for seed in seeds]
            self._blow(seconds, pause)
        for writer in writers:
            writer.result()

    def _blow(self, seconds: float, pause: tuple[float, float]) -> None:
        try:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                self._house.supervisor.tend()
                self._one()
                time.sleep(self._dice.uniform(*pause))
        finally:
            self._stop.set()
            self._house.normal()

    def end(self) -> None:
        """Let one of each part run again."""
        for part in self._parts[len(PARTS) :]:
            self._house.stop(part)

    def _one(self) -> None:
        names = list(self._faults)
        if new := [name for name in names if not self.done[name]]:
            name = self._dice.choice(new)  # a short storm, too, has some of everything
        else:
            name = self._dice.choices(names, [self._faults[each][0] for each in names])[0]
        self.done[name] += 1
        with suppress(redis.RedisError, KeyError):
            self._faults[name][1]()

    # -- business -----------------------------------------------------------------------------------------------------

    def _business(self, seed: float) -> None:
        dice, scope = random.Random(seed), self._scope
        while not self._stop.is_set():
            name = dice.choice(scope.keys)
            makers = (scope.ship, scope.work, scope.count, scope.diamond)
            works = [make(name) for make in dice.sample(makers, dice.randint(1, 3))]
            work = scope.all_of(*works)
            try:
                if dice.random() < 0.2:
                    self._house.business.rolled_back(work)
                else:
                    self._house.business.run(work)
                if dice.random() < 0.05:
                    scope.offer(10)
            except psycopg2.Error:  # the database went away: whether this was committed, the intents know
                self.broken_off += 1
                self._stop.wait(0.2)
            self._stop.wait(dice.uniform(0, 0.04))

    # -- faults -------------------------------------------------------------------------------------------------------

    def _kill(self) -> None:
        self._house.kill(self._dice.choice(self._parts))

    def _halt(self) -> None:
        pid = self._house.supervisor.pid(self._dice.choice(self._parts))
        seconds = self._dice.uniform(*HALT_SECONDS)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            time.sleep(seconds)
            os.kill(pid, signal.SIGCONT)

    def _terminate(self) -> None:
        share = self._dice.choice((0.3, 1.0))
        rows = self._house.sql(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY 1"
        )
        for (pid,) in rows:
            if self._dice.random() < share:
                self._house.sql("SELECT pg_terminate_backend(%s)", pid)

    def _redis(self, *command: str) -> None:
        self._house.redis.execute_command(*command)

    def _older_copy(self) -> None:
        """Redis dies and comes back as it was a moment ago, as a failover to a replica that lags behind does it."""
        self._house.redis.save()
        try:
            time.sleep(self._dice.uniform(*HEAL_SECONDS))
            self._house.kill("valkey")
            self._house.until(self._house.redis.ping, "Valkey has read its old file")
        finally:
            (self._house.folder / "dump.rdb").unlink(missing_ok=True)

    def _memory_limit(self) -> None:
        """Redis refuses what would add."""
        self._house.redis.config_set("maxmemory", "1mb")
        try:
            time.sleep(self._dice.uniform(*HEAL_SECONDS))
        finally:
            self._house.redis.config_set("maxmemory", "0")

    def _cut(self) -> None:
        proxy = self._dice.choice((self._house.redis_proxy, self._house.pg_proxy, self._house.counterpart_proxy))
        seconds = self._dice.uniform(*HEAL_SECONDS)
        with proxy.severed():
            time.sleep(seconds)

    def _lose_reply(self) -> None:
        proxy, marker = self._dice.choice(
            (
                (self._house.redis_proxy, b'"read_back"'),  # publishes
                (self._house.redis_proxy, b'"verdict"'),  # tells an outcome
                (self._house.pg_proxy, b"_pg3_"),  # a prepared statement: a claim, an intake
                (self._house.pg_proxy, b"COMMIT"),
                (self._house.counterpart_proxy, b"POST /effects"),
            )
        )
        proxy.lose_reply(marker)

    def _counterpart(self) -> None:
        status = self._dice.choice((429, 500, 503, 401))
        headers = {"Retry-After": "1"} if status == 429 else {}
        times = self._dice.randint(1, 8)
        self._house.faults(
            self._dice.choice(
                (
                    {"do": "status", "status": status, "headers": headers, "times": times},
                    {"do": "effect_status", "status": 502, "times": times},
                    {"do": "lose", "times": times},
                    {"do": "late", "seconds": 3.5, "times": 1},
                )
            )
        )
