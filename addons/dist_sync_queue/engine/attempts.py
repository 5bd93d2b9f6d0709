# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The tries of a job that did not simply succeed, for the people who look into it.

A failure is written by the statement that settles it, a crash by the one that finds the dead worker: no statement more
than before. A success is written only after failures, one statement for a whole batch. Plain successes cost nothing.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from typing import Any

from .claim import Row

COLUMNS = "job_id, number, started_at, seconds, outcome, error_type, error_message, error_trace, worker"

MOST_SNOOZES = 20
"""A job may be put off for months, every minute: of those tries only the last are kept."""

FORGET_SNOOZES = f"""
    DELETE FROM dist_job_attempt WHERE id IN (
        SELECT id FROM dist_job_attempt WHERE job_id = %(id)s AND outcome = 'snooze' AND %(outcome)s = 'snooze'
         ORDER BY id DESC OFFSET {MOST_SNOOZES - 1})
"""  # noqa: S608 - a constant number

CRASHED = """
    INSERT INTO dist_job_attempt (job_id, number, started_at, seconds, outcome, error_type, error_message, worker)
    SELECT j.id, j.attempts + 1, gone.started_at,
           extract(epoch FROM (clock_timestamp() AT TIME ZONE 'UTC') - gone.started_at), 'crash',
           COALESCE(gone.end_reason->>'type', 'WorkerDied'),
           COALESCE(gone.end_reason->>'message' || ' It could not be stopped, so its worker process was ended.',
                    'The worker ended without an answer while it had this job in hand.'), gone.worker
      FROM gone, jsonb_array_elements_text(COALESCE(gone.job_ids, '[]')) i JOIN dist_job j ON j.id = i::int
     WHERE j.state = 'pending'
"""
"""Beside ``WITH gone AS (DELETE FROM dist_worker_slot … RETURNING job_ids, started_at, worker, end_reason)``."""


def worker_name() -> str:
    """Which process this is: host and pid."""
    return f"{socket.gethostname()}-{os.getpid()}"


def succeeded(cr: Any, rows: Sequence[Row], seconds: float) -> None:
    """Write down the successes of ``rows`` that follow failures. ``seconds``: each job's share of the batch."""
    after = [row for row in rows if row.attempts or row.crashes]
    if after:
        cr.execute(
            f"""INSERT INTO dist_job_attempt ({COLUMNS})
                SELECT t.job_id, t.number, (clock_timestamp() AT TIME ZONE 'UTC') - make_interval(secs => %s), %s,
                       'done', NULL, NULL, NULL, %s
                  FROM unnest(%s, %s) AS t (job_id, number)""",  # noqa: S608 - a constant list of columns
            (seconds, seconds, worker_name(), [row.id for row in after], [row.attempts + 1 for row in after]),
        )
