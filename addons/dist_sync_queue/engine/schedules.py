# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
# ruff: noqa: S608 - the statements are put together from constants of this file; values are parameters
"""Recurring jobs: schedules that are due make their jobs, once, however many workers on however many machines look.

The time of the next run is computed here, in Python, and written by the one statement that makes the job: only where
the row still says what the computation began with. Whoever comes second finds it changed, or locked, and does nothing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg2 import errors as pg

from odoo.tools.safe_eval import datetime as safe_datetime
from odoo.tools.safe_eval import dateutil, safe_eval

from dist_contracts import new_traceparent

from .timing import UNITS, BadTiming, Timing, due, jitter_offset

_logger = logging.getLogger(__name__)

MOST_OPEN = 100
"""Most jobs of one schedule that wait, where every run is made up for."""
LIMIT = 50
AGAIN = timedelta(hours=1)
"""When a schedule that cannot be obeyed is looked at again, and complained about again."""

_DUE = """
SELECT s.id, s.handler, s.domain, s.arguments, s.company_id, s.lane, s.priority, s.timing, s.interval_number,
       s.interval_unit, s.cron, s.tz, s.jitter_seconds, s.catch_up, s.overlap, s.next_run_at, s.last_job,
       clock_timestamp() AT TIME ZONE 'UTC' AS now,
       (SELECT count(*) FROM dist_job j
         WHERE j.res_model = 'dist.schedule' AND j.res_id = s.id
           AND j.state IN ('pending', 'waiting', 'parked')) AS open
  FROM dist_schedule s
"""
_START = """
WITH given AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS g (
        id int, seen timestamp, last_job int, next_run_at timestamp, skipped int, missed int)
), mine AS MATERIALIZED (
    SELECT s.id FROM dist_schedule s JOIN given g ON g.id = s.id
     WHERE s.next_run_at IS NOT DISTINCT FROM g.seen AND s.last_job IS NOT DISTINCT FROM g.last_job
       FOR NO KEY UPDATE OF s SKIP LOCKED
), made AS (
    INSERT INTO dist_job (handler, payload, company_id, lane, priority, key, correlation_id, res_model, res_id)
    SELECT r.handler, r.payload, r.company_id, r.lane, r.priority, r.key, r.correlation_id, 'dist.schedule', r.res_id
      FROM jsonb_to_recordset(%s::jsonb) AS r (
           handler text, payload jsonb, company_id int, lane text, priority int, key text, correlation_id text,
           res_id int, position int)
      JOIN mine ON mine.id = r.res_id ORDER BY r.position
    RETURNING id, res_id
), started AS (
    UPDATE dist_schedule s
       SET next_run_at = g.next_run_at, last_job = COALESCE(j.last, s.last_job),
           last_run_at = CASE WHEN j.last IS NULL THEN s.last_run_at ELSE clock_timestamp() AT TIME ZONE 'UTC' END,
           run_count = COALESCE(s.run_count, 0) + COALESCE(j.count, 0),
           skipped_count = COALESCE(s.skipped_count, 0) + g.skipped,
           missed_count = COALESCE(s.missed_count, 0) + g.missed
      FROM mine JOIN given g ON g.id = mine.id
      LEFT JOIN (SELECT res_id, max(id) AS last, count(*) AS count FROM made GROUP BY res_id) j ON j.res_id = mine.id
     WHERE s.id = mine.id
    RETURNING s.id
)
SELECT started.id, (SELECT array_agg(made.id ORDER BY made.id) FROM made WHERE made.res_id = started.id) FROM started
"""


@dataclass(frozen=True)
class Row:
    """A schedule as it stands in the table, with its open jobs."""

    id: int
    handler: str
    domain: str | None
    arguments: Any
    company_id: int | None
    lane: str | None
    priority: int | None
    timing: str
    interval_number: int
    interval_unit: str
    cron: str | None
    tz: str | None
    jitter_seconds: int | None
    catch_up: str | None
    overlap: bool | None
    next_run_at: datetime | None
    last_job: int | None
    now: datetime
    open: int


@dataclass
class Start:
    """What is to happen to one schedule: jobs for ``runs``, then the next run."""

    row: Row
    runs: list[datetime]
    next_run_at: datetime | None
    skipped: int = 0
    missed: int = 0


def timing_of(row: Any) -> Timing:
    """The timing of a schedule, a row or a record."""
    offset = jitter_offset(f"{row.handler}/{row.id}", row.jitter_seconds or 0)
    if row.timing == "cron":
        return Timing(cron=row.cron or "", tz=row.tz or "UTC", offset=offset)
    return Timing(interval=row.interval_number * UNITS[row.interval_unit], offset=offset)


def read(cr: Any, ids: Iterable[int]) -> list[Row]:
    """The schedules with these ids."""
    cr.execute(_DUE + " WHERE s.id = ANY(%s) ORDER BY s.id", (list(ids),))
    return [Row(*row) for row in cr.fetchall()]


def start_due(cr: Any) -> int:
    """Make the jobs of all schedules that are due; the number of jobs. Nothing while workers are kept out (drain)."""
    try:
        cr.execute(
            _DUE + " WHERE s.active AND s.next_run_at <= clock_timestamp() AT TIME ZONE 'UTC'"
            "   AND NOT EXISTS (SELECT 1 FROM dist_worker_drain) ORDER BY s.next_run_at LIMIT %s",
            (LIMIT,),
        )
    except (pg.UndefinedTable, pg.UndefinedColumn) as error:  # the addon is being upgraded, or not yet
        _logger.debug("Schedules wait for an upgrade: %s", error)
        return 0
    rows = [Row(*row) for row in cr.fetchall()]
    if not rows:
        return 0
    made = start(cr, [decide(row) for row in rows])
    jobs = sum(len(ids) for ids in made.values())
    if jobs:
        cr.execute("SELECT pg_notify('dist_job', '')")
    return jobs


def seconds_to_next(cr: Any) -> float | None:
    """Seconds until the next schedule is due; None where there is none.

    Never less than 0.1: one that is due and held by somebody must not keep all workers awake.
    """
    try:
        cr.execute(
            """SELECT greatest(0.1, extract(epoch FROM min(next_run_at) - (clock_timestamp() AT TIME ZONE 'UTC')))
                 FROM dist_schedule WHERE active HAVING min(next_run_at) IS NOT NULL"""
        )
    except (pg.UndefinedTable, pg.UndefinedColumn):
        return None
    row = cr.fetchone()
    return float(row[0]) if row else None


def decide(row: Row) -> Start:
    """What a due schedule has to do now. One that cannot be obeyed is logged, and looked at again after a while."""
    assert row.next_run_at is not None
    try:
        found = due(timing_of(row), row.next_run_at, row.now, row.catch_up or "once")
    except (BadTiming, KeyError, ValueError) as error:
        _logger.error("Schedule %s cannot be obeyed, looked at again in an hour: %s", row.id, error)
        return Start(row, [], row.now + AGAIN)
    runs, skipped = found.runs, 0
    if row.catch_up == "all":
        runs = runs[: max(0, MOST_OPEN - row.open)]
        skipped = len(found.runs) - len(runs)
    elif row.open and not row.overlap:
        runs, skipped = [], len(runs)
    return Start(row, runs, found.next_run_at, skipped, found.missed)


def start(cr: Any, starts: list[Start]) -> dict[int, list[int]]:
    """Make the jobs and move the schedules on, in one statement. :return: job ids of the schedules that were ours"""
    if not starts:
        return {}
    given = [
        {
            "id": each.row.id,
            "seen": _text(each.row.next_run_at),
            "last_job": each.row.last_job,
            "next_run_at": _text(each.next_run_at),
            "skipped": each.skipped,
            "missed": each.missed,
        }
        for each in starts
    ]
    jobs = [job_of(each.row, planned) for each in starts for planned in each.runs]
    for position, job in enumerate(jobs):
        job["position"] = position
    cr.execute(_START, (json.dumps(given), json.dumps(jobs)))
    return {id_: jobs or [] for id_, jobs in cr.fetchall()}


def job_of(row: Row, planned: datetime) -> dict[str, Any]:
    """Values of the job for the run planned at ``planned``.

    Where every run counts (``all``) they have a key: one after the other, in order.
    """
    payload: dict[str, Any] = {"ids": [], "context": {"dist_planned_at": _text(planned)}}
    if row.domain:
        payload["domain"] = row.domain
    if row.arguments:
        payload["kwargs"] = row.arguments
    return {
        "handler": row.handler,
        "payload": payload,
        "company_id": row.company_id,
        "lane": row.lane,
        "priority": 5 if row.priority is None else row.priority,
        "key": f"schedule:{row.id}" if row.catch_up == "all" else None,
        "correlation_id": new_traceparent(),
        "res_id": row.id,
    }


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def found_by(records: Any, domain: str, company_id: int | None) -> Any:
    """The records a schedule's job is called on. One that works for a company gets none of another's: it has all
    rights, so no rule keeps them apart.
    """
    found = records.search(eval_domain(domain))
    field = found._fields.get("company_id")
    if company_id and field is not None and field.comodel_name == "res.company":
        found = found.filtered(lambda record: record.company_id.id in (False, company_id))
    return found


def eval_domain(text: str) -> list:
    """A domain as people write it; ``datetime`` and ``relativedelta`` may be used, times are UTC.

    :raises Exception: whatever is wrong with it
    """
    names = {"datetime": safe_datetime, "relativedelta": dateutil.relativedelta.relativedelta}
    return list(safe_eval(text, names))
