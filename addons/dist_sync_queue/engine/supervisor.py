# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Keep N worker processes alive; end them with us."""

from __future__ import annotations

import logging
import os
import select
import signal
import subprocess
import time
from collections.abc import Sequence
from typing import Any

from .spread import Place

_logger = logging.getLogger(__name__)

HEALTHY_SECONDS = 10.0
"""A child that lived so long starts with a clean record."""
LONGEST_PAUSE = 30.0


class Child:
    """One place in the row: a process, or the time its next one may start."""

    def __init__(self, number: int, place: Place) -> None:
        self.number, self.place = number, place
        self.process: subprocess.Popen | None = None
        self.started = 0.0
        self.not_before = 0.0
        self.failures = 0

    def pause(self, now: float) -> float:
        """After a death: how long to wait before the next start. The first replacement comes at once."""
        self.failures = 1 if now - self.started > HEALTHY_SECONDS else self.failures + 1
        wait = 0.0 if self.failures == 1 else min(LONGEST_PAUSE, 0.5 * 2 ** (self.failures - 2))
        self.not_before = now + wait
        return wait


class Supervisor:
    """Starts a process of ``command`` for each of ``places``, replaces those that die, passes on the end.

    No orphan is left: each child asks the kernel for a signal when its parent dies, and we wait for all of them.
    """

    def __init__(self, command: list[str], places: Sequence[Place], stop_timeout: float = 60.0) -> None:
        self.command, self.stop_timeout = command, stop_timeout
        self.children = [Child(number, place) for number, place in enumerate(places)]
        self._stops = 0
        self._wake_r, self._wake_w = os.pipe()
        os.set_blocking(self._wake_w, False)

    def run(self) -> int:
        """Until SIGTERM or SIGINT and the end of all children; 1 when one had to be killed."""
        signal.set_wakeup_fd(self._wake_w, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGCHLD, lambda *_args: None)
        while not self._stops:
            now = time.monotonic()
            for child in self.children:
                self._watch(child, now)
            due = [child.not_before - now for child in self.children if child.process is None]
            self._sleep(max(0.01, min(due)) if due else 5.0)
        return self._end()

    def _stop(self, *_args: Any) -> None:
        self._stops += 1

    def _sleep(self, seconds: float) -> None:
        if select.select([self._wake_r], [], [], seconds)[0]:
            os.read(self._wake_r, 4096)

    def _watch(self, child: Child, now: float) -> None:
        if child.process is not None:
            code = child.process.poll()
            if code is None:
                return
            wait = child.pause(now)
            _logger.warning(
                "Worker %s (pid %s) ended with %s, next in %.1f s", child.number, child.process.pid, code, wait
            )
            child.process = None
        if now >= child.not_before:
            child.started = now
            child.process = subprocess.Popen(
                [*self.command, *child.place.arguments], env={**os.environ, "DIST_SUPERVISOR_PID": str(os.getpid())}
            )
            _logger.info("Worker %s for %s has pid %s", child.number, child.place, child.process.pid)

    def _end(self) -> int:
        """SIGTERM to all, then SIGKILL to those that do not end in time or when asked again."""
        alive = [child.process for child in self.children if child.process and child.process.poll() is None]
        for process in alive:
            process.terminate()
        deadline, killed = time.monotonic() + self.stop_timeout, 0
        while alive := [process for process in alive if process.poll() is None]:
            if time.monotonic() > deadline or self._stops > 1:
                for process in alive:
                    process.kill()
                    process.wait()
                killed = len(alive)
                _logger.warning("%s worker(s) killed; what they had in hand is run again", killed)
                break
            self._sleep(0.5)
        _logger.info("All workers ended")
        return 1 if killed else 0
