# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Run claimed jobs of one handler in the current transaction and write down what became of them.

Nothing here commits. What must not be handled item by item goes up to the caller, who rolls everything back:
serialization failures and deadlocks (run the batch again, no attempt counts), schema errors (an upgrade is under way),
a lost connection.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from odoo import SUPERUSER_ID, api

from ..api import Item
from ..errors import JobCancelled, Permanent
from .cause import cause_of
from .claim import Row
from .faults import fatal
from .graph import Result
from .hand import Hand, Unguarded
from .handlers import Handler
from .isolate import Failed, isolate
from .schedules import found_by
from .settle import settle_cancelled, settle_done, settle_failed

MAX_RESULT_BYTES = 1_000_000
"""Most a method may return where its result is kept."""
SIMILAR_DEPTHS = 10
"""Jobs, or keys, share a call where about as many made each other before them: 0 to 9, 10 to 19 and so on."""

# Row by row along the indexes whatever the tables' size: OFFSET 0 leaves no other plan. A job that takes another back
# waits for what failed as well, and asks only for what it takes back.
_RESULTS = """
SELECT a.id, p.id, p.state, p.result, p.error_message
  FROM unnest(%(ids)s) AS a (id)
 CROSS JOIN LATERAL (SELECT undo_of FROM dist_job WHERE id = a.id OFFSET 0) j
 CROSS JOIN LATERAL (
        SELECT parent_id FROM dist_job_edge WHERE child_id = a.id AND j.undo_of IS NULL
        UNION ALL SELECT j.undo_of WHERE j.undo_of IS NOT NULL) b
 CROSS JOIN LATERAL (SELECT id, state, result, error_message FROM dist_job WHERE id = b.parent_id OFFSET 0) p
 ORDER BY p.id
"""


@dataclass
class Report:
    """What one batch did."""

    done: list[Row] = field(default_factory=list)
    retried: list[Row] = field(default_factory=list)
    dead: list[Row] = field(default_factory=list)
    cancelled: list[Row] = field(default_factory=list)
    left: list[Row] = field(default_factory=list)
    replaced: int = 0
    """Requests whose place a newer one took that waits for its time."""
    seconds: float = 0.0
    full: list[str] = field(default_factory=list)
    """Names of the limits whose seats are all taken; nothing was claimed."""

    @property
    def touched(self) -> int:
        return len(self.done) + len(self.retried) + len(self.dead) + len(self.cancelled) + self.replaced

    @property
    def graph_ids(self) -> list[int]:
        """Jobs that may have ended others' waiting."""
        return [row.id for row in (*self.done, *self.dead, *self.cancelled) if getattr(row, "graph", None)]


def run(
    env: api.Environment,
    handler: Handler,
    rows: Sequence[Row],
    budget: float = 0.2,
    guard: Hand | Unguarded | None = None,
) -> Report:
    """Run ``rows`` (all of ``handler``) and settle them. ``budget``: seconds after which the rest is left as it is."""
    started = time.monotonic()
    work = Work(env, handler, started + budget, guard)
    work.results = results_for(env.cr, rows)
    outcome = isolate(rows, work.attempt, key=lambda row: row.order_key, out_of_time=work.out_of_time)
    report = Report(done=outcome.done, left=outcome.left)
    report.seconds = time.monotonic() - started
    settle_done(env.cr, handler, outcome.done, report.seconds, work.returned)
    for row, error in outcome.failed:
        seconds = work.spent.get(id(row), 0.0)
        if isinstance(error, JobCancelled):
            settle_cancelled(env.cr, handler, row, seconds)
            report.cancelled.append(row)
            continue
        dead = settle_failed(env, handler, row, cause_of(env, handler, row, error), seconds)
        (report.dead if dead else report.retried).append(row)
    return report


class Work:
    """Calls a handler's methods for some rows inside a savepoint."""

    def __init__(
        self, env: api.Environment, handler: Handler, deadline: float, guard: Hand | Unguarded | None = None
    ) -> None:
        self.env, self.handler, self.deadline, self.guard = env, handler, deadline, guard or Unguarded()
        self.results: dict[int, tuple[Result, ...]] = {}
        self.returned: dict[int, str] = {}
        self.spent: dict[int, float] = {}
        """Seconds until the last failure of a row, by the identity of the row object."""

    def out_of_time(self) -> bool:
        return self.guard.enough or time.monotonic() >= self.deadline

    def attempt(self, rows: Sequence[Row]) -> int:
        """Run rows in order in one savepoint; the number done before the time was up. :raises Failed: undone"""
        cr = self.env.cr
        hooks = len(cr.postcommit)
        start, part, since = 0, rows[:1], time.monotonic()
        try:
            with cr.savepoint():
                for part in slices(rows, self.handler):
                    if start and self.out_of_time():
                        break
                    since = time.monotonic()
                    with self.guard(self.handler.spec.timeout, part):
                        self.call(part)
                        self.env.flush_all()
                    start += len(part)
        except Exception as error:
            if fatal(error) or cr.closed:
                raise
            error = self.guard.blame(error)
            # hooks of what was undone must not run after the commit of the rest
            while len(cr.postcommit) > hooks:
                cr.postcommit._funcs.pop()
            self.spent.update((id(row), time.monotonic() - since) for row in part)
            if start >= len(rows):  # the last flush failed: it may be anyone's
                raise Failed(0, len(rows)) from error
            raise Failed(start, min(start + len(part), len(rows))) from error
        return start

    def call(self, rows: Sequence[Row]) -> None:
        env = context_env(self.env, rows)
        if self.handler.kind == "job":
            first = rows[0]
            value = call_records(env, self.handler, rows, self.results.get(first.id))
            if (first.payload or {}).get("keep"):
                self.returned[first.id] = kept(value, self.handler.name)
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
    """Rows with equal values may be handled by one call.

    What a call makes is as deep as its deepest row: rows of a runaway chain do not share one with innocent ones.
    """
    if kind != "job":
        return row.company_id, row.connection_id, row.depth // SIMILAR_DEPTHS
    payload = row.payload or {}
    if payload.get("results") or payload.get("keep"):  # what goes in or comes out is this job's alone
        return row.id
    call = {name: value for name, value in payload.items() if name != "ids"}
    return row.company_id, row.connection_id, row.depth // SIMILAR_DEPTHS, json.dumps(call, sort_keys=True)


def context_env(env: api.Environment, rows: Sequence[Row]) -> api.Environment:
    """Superuser, the company of the rows, and their correlation id where they agree on one."""
    first = rows[0]
    context: dict[str, Any] = {}
    if first.company_id:
        context["allowed_company_ids"] = [first.company_id]
    correlations = {row.correlation_id for row in rows}
    if len(correlations) == 1 and first.correlation_id:
        context["dist_correlation_id"] = first.correlation_id
    context["dist_depth"] = max(row.depth for row in rows)
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


def call_records(
    env: api.Environment, handler: Handler, rows: Sequence[Row], results: tuple[Result, ...] | None = None
) -> Any:
    """Call the method on the records of ``rows``; what it returned."""
    model, _, method = handler.name.partition(":")
    payload = rows[0].payload or {}
    ids = list(dict.fromkeys(id_ for row in rows for id_ in (row.payload or {}).get("ids", ())))
    context = payload.get("context", {})
    if len(rows) > 1:
        journeys = {id_: row.correlation_id for row in rows for id_ in (row.payload or {}).get("ids", ())}
        context = {**context, "dist_correlation_ids": journeys}
    records = env[model].with_context(**context).browse(ids)
    if payload.get("domain"):  # of a schedule: on the records there are when it runs
        records = found_by(records, payload["domain"], rows[0].company_id)
    targets = [method] if isinstance(handler.targets[0], tuple) else handler.bound(env)
    kwargs = dict(payload.get("kwargs", {}))
    if results is not None:
        kwargs["results"] = results
    value = None
    for target in targets:
        call = getattr(records, target) if isinstance(target, str) else (lambda *a, t=target, **k: t(records, *a, **k))
        value = call(*payload.get("args", ()), **kwargs)
    return value


def kept(value: Any, name: str) -> str:
    """``value`` as JSON. :raises Permanent: where it cannot be kept"""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        size = len(text.encode())  # refuses halves of characters, as PostgreSQL does
    except (TypeError, ValueError) as error:
        raise Permanent(
            f"{name} returned what cannot be kept as JSON for the jobs after it ({error}). "
            "Return ids instead of records, text or numbers."
        ) from None
    if size > MAX_RESULT_BYTES or "\\u0000" in text:
        raise Permanent(
            f"{name} returned {size} bytes; at most {MAX_RESULT_BYTES}, without NUL characters, are kept for the "
            "jobs after it. Store it in a record and return its id."
        )
    return text


def results_for(cr: Any, rows: Sequence[Row]) -> dict[int, tuple[Result, ...]]:
    """What became of the jobs before those of ``rows`` whose method asks for it; one query for all."""
    asking = [row.id for row in rows if row.graph and (row.payload or {}).get("results")]
    if not asking:
        return {row.id: () for row in rows if (row.payload or {}).get("results")}
    cr.execute(_RESULTS, {"ids": asking})
    found: dict[int, list[Result]] = {id_: [] for id_ in asking}
    for id_, *result in cr.fetchall():
        found[id_].append(Result(*result))
    return {id_: tuple(results) for id_, results in found.items()}


def mark_again(cr: Any, row: Row) -> None:
    """The value is not computed here but where marks are claimed: only there a key has one writer at a time."""
    payload = row.payload or {}
    cr.execute(
        """INSERT INTO dist_dirty_mark (connection_id, type, key, attempts)
           SELECT %s, %s, key, 0 FROM unnest(%s) AS k (key)""",
        (row.connection_id, row.handler.partition("#")[0], payload.get("keys", [])),
    )
