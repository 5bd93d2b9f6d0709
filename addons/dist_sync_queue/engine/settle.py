# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Write down what became of jobs, in the transaction that ran them."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from psycopg2.errors import LockNotAvailable

from odoo import api
from odoo.exceptions import LockError

from ..errors import Permanent, RetryLater, Snooze
from . import attempts as tries
from .backoff import full_jitter
from .claim import Row
from .faults import fatal
from .handlers import Handler

_logger = logging.getLogger(__name__)

TRACE_CHARS = 6000
MESSAGE_CHARS = 2000
LOCKED_SECONDS, LOCKED_MOST_SECONDS = 0.25, 60.0
"""Longest wait after the first lock that was met, doubled each time, and the longest of all."""
LONGEST_SECONDS = 10 * 365 * 86400.0
"""Longest wait a handler may ask for: ten years. Dates end, and what is put off for longer was not meant."""
LOCKS = (LockNotAvailable, LockError)
"""What PostgreSQL raises, and what ``lock_for_update()`` of Odoo does, which asks it to skip what is locked."""


class Locked(Snooze):
    """What an item wanted at once is locked; shown under the name PostgreSQL's error has."""

    error_type = LockNotAvailable.__name__


def settle_done(
    cr: Any, handler: Handler, rows: Sequence[Row], seconds: float, returned: Mapping[int, str] | None = None
) -> None:
    """One statement for the whole batch; ``run_seconds`` is each job's share. ``returned``: job id → result as JSON."""
    if rows:
        ids = [row.id for row in rows]
        cr.execute(
            """UPDATE dist_job SET state = 'done', done_at = clock_timestamp() AT TIME ZONE 'UTC',
                      attempts = attempts + 1, run_seconds = %s, lane = COALESCE(lane, %s),
                      release = CASE WHEN graph IS NOT NULL THEN true END
                WHERE id = ANY(%s)""",
            (seconds / len(rows), handler.lane, ids),
        )
        if results := {id_: returned[id_] for id_ in ids if id_ in returned} if returned else {}:
            cr.execute(
                """UPDATE dist_job j SET result = r.result::jsonb
                     FROM unnest(%s, %s) AS r (id, result) WHERE j.id = r.id""",
                (list(results), list(results.values())),
            )
        tries.succeeded(cr, rows, seconds / len(rows))
        if any(row.crashes for row in rows):
            cr.execute("DELETE FROM dist_job_crash WHERE job_id = ANY(%s)", ([row.id for row in rows],))


def settle_failed(
    env: api.Environment, handler: Handler | None, row: Row, error: BaseException, seconds: float = 0.0
) -> bool:
    """Write down a failure, which came after ``seconds``, and what follows from it.

    :return: whether the job is dead now
    """
    spec = handler.spec if handler else None
    if isinstance(error, LOCKS):
        env.cr.execute("SELECT count(*) FROM dist_job_attempt WHERE job_id = %s AND outcome = 'snooze'", (row.id,))
        error = locked(error, env.cr.fetchone()[0] + 1)
    counted = not isinstance(error, Snooze)
    attempts = row.attempts + counted
    most = row.max_attempts or (spec.max_attempts if spec else 1)
    dead = isinstance(error, Permanent) or (counted and attempts >= most)
    if dead:
        wait = None
    elif (asked := seconds_asked(error)) is not None:
        wait = asked
    else:
        wait = full_jitter(attempts, spec.backoff, spec.backoff_max) if spec else 60.0
    env.cr.execute(
        f"""WITH failed AS (
                UPDATE dist_job
                   SET state = %(state)s, attempts = %(attempts)s, error_type = %(type)s, error_message = %(message)s,
                       error_trace = %(trace)s, lane = COALESCE(lane, %(lane)s),
                       eta = CASE WHEN NOT %(dead)s THEN (clock_timestamp() AT TIME ZONE 'UTC') + %(wait)s END,
                       done_at = CASE WHEN %(dead)s THEN clock_timestamp() AT TIME ZONE 'UTC' END,
                       release = CASE WHEN %(dead)s AND graph IS NOT NULL THEN true END
                 WHERE id = %(id)s RETURNING id
            ), forgotten AS (
                {tries.FORGET_SNOOZES})
            INSERT INTO dist_job_attempt ({tries.COLUMNS})
            SELECT id, %(number)s, (clock_timestamp() AT TIME ZONE 'UTC') - make_interval(secs => %(seconds)s),
                   %(seconds)s, %(outcome)s, %(type)s, %(message)s, %(trace)s, %(worker)s
              FROM failed""",  # noqa: S608 - a constant list of columns
        {
            "id": row.id,
            "state": "dead" if dead else "pending",
            "attempts": attempts,
            "number": row.attempts + 1,
            "type": storable(str(getattr(error, "error_type", type(error).__name__))),
            "message": message_of(error)[:MESSAGE_CHARS],
            "trace": trace_of(error),
            "lane": handler.lane if handler else None,
            "dead": dead,
            "wait": timedelta(seconds=wait or 0),
            "seconds": seconds,
            "outcome": "dead" if dead else "retry" if counted else "snooze",
            "worker": tries.worker_name(),
        },
    )
    if dead:
        name = handler.name if handler else "of an unknown handler"
        _logger.warning("Job %s %s is dead after %s attempts: %s", row.id, name, attempts, type(error).__name__)
        report_dead(env, row.id, row.correlation_id)
    return dead


def settle_cancelled(cr: Any, handler: Handler, row: Row, seconds: float = 0.0) -> None:
    """Write down a job that was stopped on request. The request says so when the engine meets it next."""
    cr.execute(
        f"""WITH stopped AS (
                UPDATE dist_job SET state = 'cancelled', done_at = clock_timestamp() AT TIME ZONE 'UTC',
                       lane = COALESCE(lane, %(lane)s), release = CASE WHEN graph IS NOT NULL THEN true END
                 WHERE id = %(id)s RETURNING id)
            INSERT INTO dist_job_attempt ({tries.COLUMNS})
            SELECT id, %(number)s, (clock_timestamp() AT TIME ZONE 'UTC') - make_interval(secs => %(seconds)s),
                   %(seconds)s, 'cancelled', NULL, NULL, NULL, %(worker)s
              FROM stopped""",  # noqa: S608 - a constant list of columns
        {
            "id": row.id,
            "lane": handler.lane,
            "number": row.attempts + 1,
            "seconds": seconds,
            "worker": tries.worker_name(),
        },
    )


def report_dead(env: api.Environment, job_id: int, correlation_id: str | None = None) -> None:
    """Put a dead job into "Needs attention". What goes wrong there does not keep the job from being dead."""
    try:
        with env.cr.savepoint():
            env["dist.job"]._report_dead(job_id, correlation_id)
    except Exception as error:
        if fatal(error):
            raise
        _logger.exception("Dead job %s could not be reported", job_id)


def locked(error: LockNotAvailable | LockError, times: int) -> Snooze:
    """What becomes of an item that met a lock for the ``times``-th time: again soon, then later and later; not counted.

    Who holds the lock may be gone in a moment, or work for minutes.
    """
    wait = max(0.01, full_jitter(times, LOCKED_SECONDS, LOCKED_MOST_SECONDS))
    return Locked(wait, f"What it needs is locked by another transaction: {message_of(error)}")


def seconds_asked(error: BaseException) -> float | None:
    """The seconds a handler asked to wait, as far as a date can hold them; None: it named no number."""
    if not isinstance(error, (RetryLater, Snooze)) or error.seconds is None:
        return None
    try:
        seconds = float(error.seconds)
    except (TypeError, ValueError):
        return None
    return min(max(seconds, 0.0), LONGEST_SECONDS) if seconds == seconds else None  # not a number: unlike itself


def storable(text: str) -> str:
    """``text`` without what PostgreSQL refuses: NUL, and halves of characters as file names and broken input have them.

    What an error says must never keep it from being written down: its handler would stand still.

    >>> storable("file \\udce9.csv"), storable("a\\x00b")
    ('file \\\\udce9.csv', 'a\\\\0b')
    """
    return text.replace("\x00", "\\0").encode("utf-8", "backslashreplace").decode()


def message_of(error: BaseException) -> str:
    """What a user reads: never empty, never with characters PostgreSQL refuses."""
    try:
        said = str(error).strip()
    except Exception:  # an error whose text cannot be made is an error all the same
        said = ""
    return storable(said or type(error).__name__)


def trace_of(error: BaseException) -> str:
    """The end of the traceback (the part that says where), bounded; nothing for errors raised on purpose."""
    if isinstance(error, (Permanent, RetryLater, Snooze)) and error.__cause__ is None:
        return ""
    text = storable("".join(traceback.format_exception(type(error), error, error.__traceback__)))
    return text if len(text) <= TRACE_CHARS else "…\n" + text[-TRACE_CHARS:]


def keep_newest(cr: Any, rows: Sequence[Row]) -> None:
    """Jobs that failed with what the newest request of their identity asked for: they are run again with that."""
    for row in rows:
        cr.execute("UPDATE dist_job SET payload = %s::jsonb WHERE id = %s", (json.dumps(row.payload), row.id))


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


def settle_replaced(cr: Any, replaced: dict[int, int]) -> None:
    """Requests whose place a newer one takes, which waits for its time.

    Since when the work waits is kept there, and how many workers died of it: else what kills them would never be found.
    """
    if replaced:
        settle_merged(cr, replaced)
        cr.execute(
            """UPDATE dist_job j SET created_at = least(j.created_at, m.since)
                 FROM (SELECT merged_into, min(created_at) AS since FROM dist_job WHERE id = ANY(%s) GROUP BY 1) m
                WHERE j.id = m.merged_into""",
            (list(replaced),),
        )
        cr.execute(
            """WITH gone AS (
                   DELETE FROM dist_job_crash c USING unnest(%s, %s) AS m (id, into_id) WHERE c.job_id = m.id
                   RETURNING m.into_id, c.crashes, c.last_at, c.worker, c.reason)
               INSERT INTO dist_job_crash AS c (job_id, crashes, last_at, worker, reason)
               SELECT DISTINCT ON (into_id) * FROM gone ORDER BY into_id, crashes DESC
                   ON CONFLICT (job_id) DO UPDATE
                  SET crashes = excluded.crashes, last_at = excluded.last_at, worker = excluded.worker,
                      reason = excluded.reason
                WHERE c.crashes < excluded.crashes""",
            (list(replaced), list(replaced.values())),
        )
