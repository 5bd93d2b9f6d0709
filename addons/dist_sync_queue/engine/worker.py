# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The loop of one worker process."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import random
import resource
import select
import time
from collections.abc import Callable
from typing import Any

import psycopg2

from ..doorbell import REQUEST
from . import archive, claim, control, drain, maintain
from .batch import Again, Batches, Drained, RegistryChanged, SchemaMoved
from .execute import Report
from .faults import SCHEMA
from .hand import Hand
from .lanes import Turns
from .slots import Side, Slot, reap
from .telemetry import spans
from .watch import GRACE_SECONDS, Watcher

_logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
"""Longest sleep: the net under the doorbell."""
SWEEP_SECONDS = 0.25
REST_SECONDS, REST_MOST_SECONDS = 0.5, 30.0
"""A handler whose batch could not be settled is left alone for twice the first, doubled each time, up to the second."""
HELD_SECONDS = 0.05
"""How often what is due is looked for when a sweep could not take it: somebody holds it, for minutes perhaps."""
REAP_SECONDS = 2.0
ARCHIVE_SECONDS = 20.0
"""How often a worker moves finished rows into the archive, for 0.2 s; ten times as often while there are many."""
GROUPS_SECONDS = 0.05
"""How long the list of ready groups is used before it is read again."""


MISFIT = "This code does not fit the tables of the queue (upgrade of dist_sync_queue not made yet?)"


class Recycle(Exception):
    """This process should be replaced by a fresh one."""


class Worker:
    """Serves one database until told to stop.

    :param lanes: serve these only; all when empty
    :param timeouts: stop jobs that run too long by signals, and this process in the end; needs the main thread
    :param grace: seconds after a job's timeout before this process is ended because of it
    :param memory_limit: bytes of resident memory after which the process ends between two batches to be replaced
    :param scheduled: this is a run of the scheduled action, in a process that is Odoo's
    """

    def __init__(
        self,
        registry: Any,
        lanes: list[str] | None = None,
        *,
        memory_limit: int = 0,
        budget: float = 0.2,
        timeouts: bool = True,
        grace: float = GRACE_SECONDS,
        scheduled: bool = False,
    ) -> None:
        self.registry, self.lanes, self.memory_limit = registry, set(lanes or []), memory_limit
        self.side = Side(registry.db_name, "dist_cron" if scheduled else "dist_worker")
        self.slot = Slot(self.side, lanes, scheduled=scheduled)
        self.hand = Hand(signals=timeouts)
        self.batches = Batches(registry, self.slot, budget, self.hand)
        self.watcher = Watcher(
            self.hand,
            registry,
            higher=self._goes_before,
            lane_of=self._lane,
            slot=self.slot,
            grace=grace if timeouts else None,
        )
        self.turns = Turns()
        self.stopping = False
        self.total = {"done": 0, "retried": 0, "dead": 0}
        self.batches_run = self.touched = 0
        self._wake_r, self._wake_w = os.pipe()
        self._groups: list[claim.Group] = []
        self._groups_at = self._swept_at = self._reaped_at = float("-inf")
        self._archive_at = time.monotonic() + random.uniform(0.0, ARCHIVE_SECONDS)
        self._resting: dict[str, float] = {}
        self._moved: dict[str, int] = {}
        self._misfits = 0
        self._rung = self._late = False

    def stop(self, *_signal: Any) -> None:
        """Finish the batch in hand, then leave. Safe in a signal handler."""
        self.stopping = True
        with contextlib.suppress(OSError):
            os.write(self._wake_w, b"x")

    # -- the loop ------------------------------------------------------------------------------------------------------
    def open(self) -> None:
        self.slot.open()
        reap(self.side, self.slot.id)
        self.side.listen("dist_job")
        self.batches.spans = spans(self.side)
        self.hand.install()
        self.watcher.start()

    def close(self) -> None:
        self.watcher.stop()
        self.slot.close()
        os.close(self._wake_r)
        os.close(self._wake_w)
        self._wake_w = -1
        if self.batches.spans:
            self.batches.spans.flush()

    def run(self) -> None:
        """Work until :meth:`stop`. :raises Recycle, RegistryChanged: when a fresh process has to go on"""
        while not self.stopping:
            try:
                self.open()
                break
            except SCHEMA as error:
                self._rest_all(error)
        _logger.info("Worker %s serves %s", self.slot.worker, ", ".join(sorted(self.lanes)) or "all lanes")
        pause = 0.1
        try:
            while not self.stopping:
                try:
                    if not self.turn():
                        self._heed(self.side.wait(self._sleep(), self._wake_r))
                    pause, self._misfits = 0.1, 0
                except SCHEMA as error:
                    self._rest_all(error)
                except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
                    _logger.warning("Database connection lost, again in %.1f s: %s", pause, str(error).strip())
                    time.sleep(pause)
                    pause = min(pause * 2, 10.0)
        finally:
            self.close()

    def until_empty(
        self, most: int | None = None, seconds: float = math.inf, each: Callable[[int], Any] | None = None
    ) -> dict[str, int]:
        """Work until nothing is ready (or ``most`` batches were run), then leave; what waits for its time is left.

        :param seconds: no batch is begun after so long
        :param each: called after each batch with the number of its jobs
        """
        deadline = time.monotonic() + seconds
        try:
            self.open()
            while not self.stopping and (most is None or self.batches_run < most) and time.monotonic() < deadline:
                before = self.touched
                if not self.turn():
                    self._groups_at = self._swept_at = float("-inf")
                    if not self.turn():
                        break
                if each and self.touched > before:
                    each(self.touched - before)
        except SCHEMA as error:
            _logger.warning("%s: %s", MISFIT, str(error).strip())
        finally:
            self.close()
        return self.total

    def turn(self) -> bool:
        """One batch, or the sweep. Whether there is more to do."""
        now = time.monotonic()
        rung, self._rung = self._rung, False
        if not rung:
            self._maintain(now)
        if now - self._groups_at > GROUPS_SECONDS:
            self._read_groups(now)
        group = self.turns.choose(self._groups, lambda g: self._lane(g.handler))
        if group is None:
            return rung
        started = time.monotonic()
        try:
            report = self.batches.run(group)
        except Again as error:
            _logger.debug("%s collided, taken again: %s", group.handler, error)
            # its time is spent all the same: uncharged, a light lane would be chosen again before a heavier one
            self.turns.charge(self._lane(group.handler), group, time.monotonic() - started)
            self._make_way()
            time.sleep(random.uniform(0.0, 0.02))
            return True
        except Drained:
            self._groups = []
            return drain.lift_if_upgraded(self.side)
        except SchemaMoved as error:
            self._rest(group.handler, f"does not fit the tables (upgrade under way?): {error}")
            return True
        except (RegistryChanged, psycopg2.OperationalError, psycopg2.InterfaceError):
            raise
        except Exception:
            _logger.exception("A batch of %s could not be settled", group.handler)
            self._rest(group.handler, "could not be settled")
            return True
        seconds = time.monotonic() - started
        self._make_way()
        self._moved.pop(group.handler, None)
        self.turns.charge(self._lane(group.handler), group, seconds)
        self._count(report)
        self.batches_run += 1
        if report.full:
            taken = set(report.full)
            self._groups = [g for g in self._groups if not taken & {limit.name for limit in self.batches.limits(g)}]
            return bool(self._groups)
        if not report.touched:  # others have it in hand: look elsewhere until the list is read again
            self._groups = [g for g in self._groups if g != group]
            return bool(self._groups)
        if self.memory_limit and resident_bytes() > self.memory_limit:
            raise Recycle(f"{resident_bytes() >> 20} MiB resident")
        return True

    def _make_way(self) -> None:
        """Read the groups again where the batch was told that a heavier lane has work, even if it collided."""
        if self.hand.enough:
            self.hand.enough, self._groups_at = False, float("-inf")

    def _heed(self, payloads: set[str]) -> None:
        """After a sleep: new work is served before the sweep, a request or the end of a wait needs the sweep first."""
        self._groups_at = float("-inf")
        self._rung = bool(payloads - {REQUEST})
        if self._rung:
            self._late = False  # not swept since: what is due may be what was rung for
        else:
            self._swept_at = float("-inf")

    # -- parts ---------------------------------------------------------------------------------------------------------
    def _lane(self, handler: str) -> str:
        from .handlers import UnknownHandler, resolve

        try:
            return resolve(self.registry, handler).lane
        except UnknownHandler:
            return "default"

    def _goes_before(self, lane: str, other: str) -> bool:
        """Whether a batch of ``other`` should end early for work of ``lane``. Called by the watcher's thread."""
        if (self.lanes and lane not in self.lanes) or not self.batches.control.allows("", lane):
            return False
        return self.turns.weight(lane) > self.turns.weight(other)

    def _read_groups(self, now: float) -> None:
        with self.side.cursor() as cr:
            groups, rows = claim.ready(cr)
        if groups:
            self.batches.control = control.of(rows)
        self.turns.weights = self.batches.control.weights
        self._groups = [group for group in groups if self._may(group, now)]
        self._groups_at = now

    def _may(self, group: claim.Group, now: float) -> bool:
        lane = self._lane(group.handler)
        if self.lanes and lane not in self.lanes:
            return False
        if not self.batches.control.allows(group.handler, lane):
            return False
        return self._resting.get(group.handler, 0.0) <= now

    def _maintain(self, now: float) -> None:
        if now - self._swept_at > SWEEP_SECONDS:
            self._swept_at = now
            with self.side.cursor() as cr:
                maintain.sweep(cr)
        if now - self._reaped_at > REAP_SECONDS:
            self._reaped_at = now
            self.slot.beat()
            if now > self._archive_at:
                with self.side.cursor() as cr:
                    self._archive_at = now + (ARCHIVE_SECONDS / 10 if archive.tick(cr) else ARCHIVE_SECONDS)
            if dead := reap(self.side, self.slot.id):
                _logger.warning("%s worker(s) died; their jobs are run again, alone", dead)

    def _sleep(self) -> float:
        with self.side.cursor() as cr:
            late, due = maintain.next_due(cr)
        pause = POLL_SECONDS if due is None else min(POLL_SECONDS, due + 0.001)
        if late:
            pause = min(pause, HELD_SECONDS if self._late else 0.001)
        self._late = late
        return pause

    def _rest(self, handler: str, why: str) -> None:
        """Leave a handler alone for a while, longer each time; no attempt of its jobs is spent."""
        times = self._moved[handler] = self._moved.get(handler, 0) + 1
        pause = min(REST_MOST_SECONDS, REST_SECONDS * 2**times)
        self._resting[handler] = time.monotonic() + pause
        self._groups = [group for group in self._groups if group.handler != handler]
        _logger.warning("%s %s; again in %.0f s", handler, why, pause)

    def _rest_all(self, error: Exception) -> None:
        """The queue's own tables are not what this code expects: look again later, until the upgrade was made."""
        self._misfits += 1
        pause = min(10.0, 0.5 * 2**self._misfits)
        _logger.warning("%s: %s; again in %.0f s", MISFIT, str(error).strip(), pause)
        select.select([self._wake_r], [], [], pause)

    def _count(self, report: Report) -> None:
        self.touched += report.touched
        self.slot.done += len(report.done)
        self.slot.failed += len(report.retried) + len(report.dead)
        for name in self.total:
            self.total[name] += len(getattr(report, name))


def resident_bytes() -> int:
    """Resident memory of this process."""
    try:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
