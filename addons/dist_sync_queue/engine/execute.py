# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Run claimed jobs of one handler in the current transaction and write down what became of them.

Nothing here commits. What must not be handled item by item goes up to the caller, who rolls everything back:
serialization failures and deadlocks (run the batch again, no attempt counts), schema errors (an upgrade is under way),
a lost connection.
"""

from __future__ import annotations

import json
import logging
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from typing import Any

import psycopg2
from psycopg2 import errors as pg

from odoo import SUPERUSER_ID, api
from odoo.exceptions import ConcurrencyError, MissingError

from ..api import Item
from ..errors import Permanent, RetryLater, Snooze
from .backoff import full_jitter
from .claim import Row
from .handlers import Handler
from .isolate import Failed, isolate

_logger = logging.getLogger(__name__)

AGAIN = (pg.SerializationFailure, pg.DeadlockDetected, pg.LockNotAvailable, ConcurrencyError)
SCHEMA = (pg.UndefinedColumn, pg.UndefinedTable, pg.UndefinedFunction, pg.UndefinedObject)
LOST = (psycopg2.InterfaceError, pg.AdminShutdown, pg.CrashShutdown, pg.CannotConnectNow)
TRACE_CHARS = 6000
MESSAGE_CHARS = 2000

Guard = Callable[[float], AbstractContextManager[None]]


@dataclass
class Report:
    """What one batch did."""

    done: list[Row] = field(default_factory=list)
    retried: list[Row] = field(default_factory=list)
    dead: list[Row] = field(default_factory=list)
    left: list[Row] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def touched(self) -> int:
        return len(self.done) + len(self.retried) + len(self.dead)


def fatal(error: BaseException) -> bool:
    """Whether an error belongs to the whole batch rather than to one item."""
    if isinstance(error, AGAIN + SCHEMA + LOST):
        return True
    # a lost connection comes as a bare OperationalError without a code
    return isinstance(error, psycopg2.OperationalError) and error.pgcode is None


def run(
    env: api.Environment,
    handler: Handler,
    rows: Sequence[Row],
    budget: float = 0.2,
    guard: Guard = lambda seconds: nullcontext(),
) -> Report:
    """Run ``rows`` (all of ``handler``) and settle them. ``budget``: seconds after which the rest is left as it is."""
    started = time.monotonic()
    work = Work(env, handler, started + budget, guard)
    outcome = isolate(rows, work.attempt, key=lambda row: row.order_key, out_of_time=work.out_of_time)
    report = Report(done=outcome.done, left=outcome.left)
    report.seconds = time.monotonic() - started
    settle_done(env.cr, handler, outcome.done, report.seconds)
    for row, error in outcome.failed:
        (report.dead if settle_failed(env, handler, row, error) else report.retried).append(row)
    return report


class Work:
    """Calls a handler's methods for some rows inside a savepoint."""

    def __init__(self, env: api.Environment, handler: Handler, deadline: float, guard: Guard) -> None:
        self.env, self.handler, self.deadline, self.guard = env, handler, deadline, guard

    def out_of_time(self) -> bool:
        return time.monotonic() >= self.deadline

    def attempt(self, rows: Sequence[Row]) -> int:
        """Run rows in order in one savepoint; the number done before the time was up. :raises Failed: undone"""
        cr = self.env.cr
        hooks = len(cr.postcommit)
        start, part = 0, rows[:1]
        try:
            with cr.savepoint():
                for part in slices(rows, self.handler):
                    if start and self.out_of_time():
                        break
                    with self.guard(self.handler.spec.timeout):
                        self.call(part)
                        self.env.flush_all()
                    start += len(part)
        except Exception as error:
            if fatal(error) or cr.closed:
                raise
            # hooks of what was undone must not run after the commit of the rest
            while len(cr.postcommit) > hooks:
                cr.postcommit._funcs.pop()
            if start >= len(rows):  # the last flush failed: it may be anyone's
                raise Failed(0, len(rows)) from error
            raise Failed(start, min(start + len(part), len(rows))) from error
        return start

    def call(self, rows: Sequence[Row]) -> None:
        env = context_env(self.env, rows)
        if self.handler.kind == "job":
            call_records(env, self.handler, rows)
        elif self.handler.kind == "dirty":  # a dead letter of a mark that is replayed: mark it again
            for row in rows:
                mark_again(env.cr, row)
        else:
            items = [as_item(env, row) for row in rows]
            for method in self.handler.bound(env):
                method(items)


def slices(rows: Sequence[Row], handler: Handler):
    """The calls to make: neighbouring rows that may share a call, at most ``batch`` of them."""
    size = handler.spec.batch
    if size == 1:
        for row in rows:
            yield [row]
        return
    for _same, group in groupby(rows, key=lambda row: sharing(row, handler.kind)):
        members = list(group)
        for at in range(0, len(members), size):
            yield members[at : at + size]


def sharing(row: Row, kind: str) -> Any:
    """Rows with equal values may be handled by one call."""
    if kind != "job":
        return row.company_id, row.connection_id
    call = {name: value for name, value in (row.payload or {}).items() if name != "ids"}
    return row.company_id, row.connection_id, json.dumps(call, sort_keys=True)


def context_env(env: api.Environment, rows: Sequence[Row]) -> api.Environment:
    """Superuser, the company of the rows, and their correlation id where they agree on one."""
    first = rows[0]
    context: dict[str, Any] = {}
    if first.company_id:
        context["allowed_company_ids"] = [first.company_id]
    correlations = {row.correlation_id for row in rows}
    if len(correlations) == 1 and first.correlation_id:
        context["dist_correlation_id"] = first.correlation_id
    return api.Environment(env.cr, SUPERUSER_ID, context)


def as_item(env: api.Environment, row: Row) -> Item:
    return Item(
        id=row.id,
        type=row.handler.partition("#")[0],
        payload=row.payload or {},
        connection=env["dist.connection"].browse(row.connection_id),
        key=row.key,
        correlation_id=row.correlation_id,
        attempt=row.attempts + 1,
        occurred_at=row.occurred_at or row.created_at,
        event_id=row.event_id,
    )


def call_records(env: api.Environment, handler: Handler, rows: Sequence[Row]) -> None:
    model, _, method = handler.name.partition(":")
    payload = rows[0].payload or {}
    ids = list(dict.fromkeys(id_ for row in rows for id_ in (row.payload or {}).get("ids", ())))
    context = payload.get("context", {})
    if len(rows) > 1:
        journeys = {id_: row.correlation_id for row in rows for id_ in (row.payload or {}).get("ids", ())}
        context = {**context, "dist_correlation_ids": journeys}
    records = env[model].with_context(**context).browse(ids)
    targets = [method] if isinstance(handler.targets[0], tuple) else handler.bound(env)
    try:
        for target in targets:
            call = (
                getattr(records, target) if isinstance(target, str) else (lambda *a, t=target, **k: t(records, *a, **k))
            )
            call(*payload.get("args", ()), **payload.get("kwargs", {}))
    except MissingError as error:
        if ids and not records.exists():
            raise Permanent(
                f"The records of this job ({model} {ids[:10]}) were deleted before it ran. "
                "Cancel it: nothing is left to do."
            ) from error
        raise


def mark_again(cr: Any, row: Row) -> None:
    """The value is not computed here but where marks are claimed: only there a key has one writer at a time."""
    payload = row.payload or {}
    cr.execute(
        """INSERT INTO dist_dirty_mark (connection_id, type, key, attempts)
           SELECT %s, %s, key, 0 FROM unnest(%s) AS k (key)""",
        (row.connection_id, row.handler.partition("#")[0], payload.get("keys", [])),
    )


def settle_done(cr: Any, handler: Handler, rows: Sequence[Row], seconds: float) -> None:
    """One statement for the whole batch; ``run_seconds`` is each job's share."""
    if rows:
        cr.execute(
            """UPDATE dist_job SET state = 'done', done_at = clock_timestamp() AT TIME ZONE 'UTC',
                      attempts = attempts + 1, run_seconds = %s, lane = COALESCE(lane, %s)
                WHERE id = ANY(%s)""",
            (seconds / len(rows), handler.lane, [row.id for row in rows]),
        )
        if any(row.crashes for row in rows):
            cr.execute("DELETE FROM dist_job_crash WHERE job_id = ANY(%s)", ([row.id for row in rows],))


def settle_failed(env: api.Environment, handler: Handler | None, row: Row, error: BaseException) -> bool:
    """Write down a failure and what follows from it. :return: whether the job is dead now"""
    spec = handler.spec if handler else None
    counted = not isinstance(error, Snooze)
    attempts = row.attempts + counted
    most = row.max_attempts or (spec.max_attempts if spec else 1)
    dead = isinstance(error, Permanent) or (counted and attempts >= most)
    if dead:
        wait = None
    elif isinstance(error, (RetryLater, Snooze)) and error.seconds is not None:
        wait = float(error.seconds)
    else:
        wait = full_jitter(attempts, spec.backoff, spec.backoff_max) if spec else 60.0
    env.cr.execute(
        """UPDATE dist_job SET state = %s, attempts = %s, error_type = %s, error_message = %s, error_trace = %s,
                  eta = CASE WHEN %s THEN NULL ELSE (clock_timestamp() AT TIME ZONE 'UTC') + %s END,
                  done_at = CASE WHEN %s THEN clock_timestamp() AT TIME ZONE 'UTC' END, lane = COALESCE(lane, %s)
            WHERE id = %s""",
        (
            "dead" if dead else "pending",
            attempts,
            type(error).__name__,
            message_of(error)[:MESSAGE_CHARS],
            trace_of(error),
            dead,
            timedelta(seconds=wait or 0),
            dead,
            handler.lane if handler else None,
            row.id,
        ),
    )
    if dead:
        report_dead(env, row.id, row.correlation_id)
    return dead


def report_dead(env: api.Environment, job_id: int, correlation_id: str | None = None) -> None:
    """Put a dead job into "Needs attention". What goes wrong there does not keep the job from being dead."""
    try:
        with env.cr.savepoint():
            env["dist.job"]._report_dead(job_id, correlation_id)
    except Exception as error:
        if fatal(error):
            raise
        _logger.exception("Dead job %s could not be reported", job_id)


def message_of(error: BaseException) -> str:
    """What a user reads: never empty, never with characters PostgreSQL refuses."""
    return (str(error).strip() or type(error).__name__).replace("\x00", "\\0")


def trace_of(error: BaseException) -> str:
    """The end of the traceback (the part that says where), bounded; nothing for errors raised on purpose."""
    if isinstance(error, (Permanent, RetryLater, Snooze)) and error.__cause__ is None:
        return ""
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__)).replace("\x00", "\\0")
    return text if len(text) <= TRACE_CHARS else "…\n" + text[-TRACE_CHARS:]


def settle_merged(cr: Any, merged: dict[int, int]) -> None:
    """Requests whose work another job of equal identity does."""
    if merged:
        cr.execute(
            """UPDATE dist_job j SET state = 'cancelled', merged_into = m.into_id, eta = NULL,
                      done_at = clock_timestamp() AT TIME ZONE 'UTC',
                      error_message = 'Merged into job ' || m.into_id || ': same work was waiting.'
                 FROM unnest(%s, %s) AS m (id, into_id) WHERE j.id = m.id""",
            (list(merged), list(merged.values())),
        )
