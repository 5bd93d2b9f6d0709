# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""One batch: claim, run, settle, commit, in one transaction. A crash anywhere leaves no half-done job."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg2

from odoo import SUPERUSER_ID, api
from odoo.tools import SQL

from ..doorbell import notify
from ..errors import UnknownHandler
from . import claim as claims
from . import identity, marks
from .control import Control, Limit, take_seats
from .crash import point
from .execute import Report, run
from .faults import AGAIN, SCHEMA
from .hand import Hand, Unguarded, keys_of
from .handlers import Handler, resolve
from .quarantine import suspect_key, suspects
from .release import release
from .settle import keep_newest, settle_failed, settle_merged, settle_replaced
from .slots import LOCK_CLASS, LOCK_DRAIN
from .telemetry import Spans

_logger = logging.getLogger(__name__)

MOST = 200
"""Most jobs of one batch."""


class RegistryChanged(Exception):
    """Another process installed or upgraded something: this process has to load the registry again."""


class Drained(Exception):
    """Somebody asked the workers to keep out."""


class Again(Exception):
    """The batch collided with another transaction; nothing happened, it can be taken again at once."""


class SchemaMoved(Exception):
    """The tables are not what this code expects: an upgrade is under way, or was done without a restart."""


class Batches:
    """Runs batches of one database; remembers what each handler costs and where each keyed group's turn is."""

    def __init__(
        self, registry: Any, slot: Any = None, budget: float = 0.2, hand: Hand | Unguarded | None = None
    ) -> None:
        self.control = Control()
        self.registry, self.slot, self.budget, self.hand = registry, slot, budget, hand or Unguarded()
        self.spans: Spans | None = None
        self._cost: dict[str, float] = {}
        self._cursor: dict[Any, Any] = {}
        self._shrink: dict[str, int] = {}

    def budget_of(self, name: str) -> float:
        """Seconds a batch of this handler may take: its own, or the worker's."""
        try:
            return resolve(self.registry, name).spec.budget or self.budget
        except UnknownHandler:
            return self.budget

    def size(self, name: str) -> int:
        """How many jobs to take so that they fit into the time budget, by what they cost so far."""
        cost = self._cost.get(name)
        fitting = MOST if not cost else int(self.budget_of(name) / cost) + 1
        return max(1, min(MOST, fitting) >> self._shrink.get(name, 0))

    def learn(self, name: str, report: Report) -> None:
        if report.touched:
            cost = report.seconds / report.touched
            known = self._cost.get(name, cost)
            self._cost[name] = 0.7 * known + 0.3 * cost

    def run(self, group: claims.Group) -> Report:
        """Take and run a batch of ``group`` in a transaction of its own; an empty report when others had it all.

        :raises Again, SchemaMoved, Drained, RegistryChanged: and nothing happened
        """
        cr = self.registry.cursor()
        report = None
        try:
            gate(cr, self.registry)
            report = self.run_in(cr, group)
            point("before_commit")
            cr.commit()  # pylint: disable=invalid-commit
            point("after_commit")
        except AGAIN as error:
            self._shrink[group.handler] = min(self._shrink.get(group.handler, -1) + 1, 7)
            self._abandon(cr)
            raise Again(str(error).strip()) from error
        except SCHEMA as error:
            self._abandon(cr)
            raise SchemaMoved(str(error).strip()) from error
        except BaseException:
            self._abandon(cr)
            raise
        finally:
            if not cr.closed:
                cr.close()
            self.hand.end()
            if self.slot:
                self.slot.end()
            if self.spans:
                self.spans.end(report, sys.exc_info()[1])
        self._shrink.pop(group.handler, None)
        self.registry.signal_changes()
        self._release(report)
        return report

    def _release(self, report: Report) -> None:
        """Let go at once what waited for these jobs; what fails here, or dies, is done by the next sweep."""
        ids = report.graph_ids
        if ids and self.slot:
            try:
                with self.slot.side.cursor() as cr:
                    woken = release(cr, ids)
            except psycopg2.Error as error:
                _logger.info("What waits for %s jobs is left to the sweep: %s", len(ids), str(error).strip())
                return
            if woken:
                notify(self.registry.db_name, "dist_job")

    def _abandon(self, cr: Any) -> None:
        if not cr.closed:
            cr.close()  # rolls back
        self.registry.reset_changes()

    def run_in(self, cr: Any, group: claims.Group) -> Report:
        """The same inside a given transaction; nothing is committed."""
        env = api.Environment(cr, SUPERUSER_ID, {})
        if full := take_seats(cr, self.limits(group)):
            return Report(full=full)
        if group.source == "marks":
            return self._run_marks(env, group)
        limit = self.size(group.handler)
        rows, self._cursor[group[:3]] = claims.claim(cr, group, limit, self._cursor.get(group[:3], claims.START))
        if not rows:
            return Report()
        point("claimed")
        try:
            handler = resolve(env.registry, group.handler)
        except UnknownHandler as error:
            report = Report(dead=rows)
            for row in rows:
                settle_failed(env, None, row, error)
            return report
        rows, poison = suspects(env, rows, handler)
        if poison:
            settle_failed(env, handler, *poison)
            return Report(dead=[poison[0]])
        claimed = rows
        rows, merged, replaced = identity.merge(cr, group, claimed)
        settle_replaced(cr, replaced)
        if not rows:
            return Report(replaced=len(replaced))
        self._begin(cr, handler, group, [row.id for row in rows], claimed)
        report = run(env, handler, rows, self.budget_of(group.handler), self.hand)
        # a wish to cancel one request is none to cancel the others
        undone = {row.id for row in (*report.left, *report.cancelled)}
        settle_merged(cr, {id_: into for id_, into in merged.items() if into not in undone})
        runners = set(merged.values())
        keep_newest(cr, [row for row in (*report.retried, *report.dead) if row.id in runners])
        self.learn(group.handler, report)
        report.replaced = len(replaced)
        return report

    def limits(self, group: claims.Group) -> list[Limit]:
        """What a batch of ``group`` needs a seat of."""
        if not (group.seats or self.control.seats):
            return []
        return self.control.limits(group, self.lane_of(group))

    def lane_of(self, group: claims.Group) -> str:
        """The lane of a group's handler, or of what nobody handles."""
        try:
            return resolve(self.registry, group.handler).lane
        except UnknownHandler:
            return "default"

    def _begin(self, cr: Any, handler: Handler, group: claims.Group, ids: list[int], claimed: Sequence[Any]) -> None:
        pid = cr._cnx.get_backend_pid()
        self.hand.begin(pid, handler.lane, ids)
        if self.slot:
            self.slot.begin(handler, group.connection, ids, pid, None if ids else keys_of(claimed))
        if self.spans:
            self.spans.begin(group.handler, handler.lane, max(group.connection, 0), claimed)

    def _run_marks(self, env: api.Environment, group: claims.Group) -> Report:
        try:
            handler = resolve(env.registry, group.handler)
        except UnknownHandler as error:
            return marks.unknown(env, group, error)
        limit = max(handler.spec.batch, 1) if group.handler not in self._cost else self.size(group.handler)
        keys, self._cursor[group[:3]] = marks.claim(
            env.cr, group, min(limit, handler.spec.batch), self._cursor.get(group[:3], "")
        )
        if not keys:
            return Report()
        point("claimed")
        if suspect := suspect_key(env, keys, handler):
            marks.put_back(env.cr, handler, [key for key in keys if key is not suspect[0]])
            keys = [suspect[0]]
            if suspect[1]:
                marks.failed(env, handler, *suspect)
                return Report(dead=keys)  # type: ignore[arg-type]
        self._begin(env.cr, handler, group, [], keys)
        report = marks.run(env, handler, keys, self.budget_of(group.handler), self.hand)
        self.learn(group.handler, report)
        return report


def gate(cr: Any, registry: Any) -> None:
    """The first statement of every batch: keep out while drained, notice a changed registry, else fresh caches.

    The shared lock is held until the end of the transaction; ``dist_worker --drain`` waits for it.
    """
    caches = sorted(registry.cache_sequences)
    newest = [
        SQL("(SELECT max(id) FROM %s)", SQL.identifier(f"orm_signaling_{name}")) for name in ("registry", *caches)
    ]
    cr.execute(
        SQL(
            "SELECT pg_try_advisory_xact_lock_shared(%s, %s), EXISTS (SELECT 1 FROM dist_worker_drain), %s",
            LOCK_CLASS,
            LOCK_DRAIN,
            SQL(", ").join(newest),
        )
    )
    free, drained, sequence, *sequences = cr.fetchone()
    if sequence != registry.registry_sequence:
        raise RegistryChanged()
    if drained or not free:
        raise Drained()
    if sequences != [registry.cache_sequences[name] for name in caches]:  # else it would only ask the same again
        registry.check_signaling(cr)


def until_empty(
    groups: Callable[[], list[claims.Group]], run_group: Callable[[claims.Group], Report], seconds: float
) -> Report:
    """Run batches until nothing can be taken any more or the time is up; for the test kit."""
    total = Report()
    deadline = time.monotonic() + seconds
    idle: set[Any] = set()
    while time.monotonic() < deadline:
        ready = [group for group in groups() if group[:3] not in idle]
        if not ready:
            break
        for group in sorted(ready, key=lambda g: (g.priority, g.handler)):
            report = run_group(group)
            if not report.touched:
                idle.add(group[:3])
            else:
                idle.clear()
            total.done += report.done
            total.retried += report.retried
            total.dead += report.dead
            if time.monotonic() >= deadline:
                break
    return total
