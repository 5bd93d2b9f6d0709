# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
# ruff: noqa: S608 - the statements are put together from constants of this file; values are parameters
"""What keeps the queue going beside running jobs. Each function is a few short statements, meant for a connection that
commits by itself (READ COMMITTED); rows that are locked are skipped and met again next time.
"""

from __future__ import annotations

import random
from contextlib import nullcontext
from typing import Any

from . import schedules
from .parking import park_followers, release_followers
from .release import deciding, release

CHUNK = 1000
THOROUGH_SHARE = 0.02
"""How many of the sweeps look at every job behind a dead one. By chance, so that nothing has to be remembered or agreed
upon: a job that is missed at first is shown as pending for some seconds, and is held back nevertheless."""


def wake_due(cr: Any, until: Any = None) -> int:
    """Jobs and marks whose time has come become ready. ``until``: naive UTC, default now."""
    woken = 0
    # not clock_timestamp(): no index can be searched for it, so that all that wait would be read
    for table, extra in (("dist_job", " AND state = 'pending'"), ("dist_dirty_mark", "")):
        cr.execute(
            f"""UPDATE {table} SET eta = NULL WHERE id IN (
                    SELECT id FROM {table}
                     WHERE eta <= COALESCE(%s, statement_timestamp() AT TIME ZONE 'UTC'){extra}
                     ORDER BY eta LIMIT {CHUNK} FOR NO KEY UPDATE SKIP LOCKED)""",
            (until,),
        )
        woken += cr.rowcount
    return woken


_NOW = "statement_timestamp() AT TIME ZONE 'UTC'"
_NEXT = " UNION ALL ".join(
    f"(SELECT eta FROM {waiting} AND eta {side} ({_NOW}) ORDER BY eta LIMIT 1)"
    for waiting in ("dist_job WHERE state = 'pending'", "dist_dirty_mark WHERE true")
    for side in ("<=", ">")
)
_NEXT_DUE = f"""
SELECT COALESCE(bool_or(eta <= ({_NOW})), false),
       extract(epoch FROM min(eta) FILTER (WHERE eta > ({_NOW})) - ({_NOW}))
  FROM ({_NEXT}) w
"""


def next_due(cr: Any) -> tuple[bool, float | None]:
    """Whether a job or a mark is due already, and the seconds until the next one, or a schedule, will be.

    None where nothing waits for its time. What is due right after a sweep was locked, or was one too many for it.
    """
    cr.execute(_NEXT_DUE)
    late, seconds = cr.fetchone()
    found = [seconds, schedules.seconds_to_next(cr)]
    return late, min((float(seconds) for seconds in found if seconds is not None), default=None)


_APPLY = {
    "requeue": (
        "('dead', 'parked', 'cancelled', 'pending')",
        # in a graph it is looked at first whether the jobs before it have ended
        "state = CASE WHEN j.graph IS NULL OR j.state = 'pending' THEN 'pending' ELSE 'waiting' END, eta = NULL,"
        " done_at = NULL, merged_into = NULL,"
        " release = CASE WHEN j.graph IS NOT NULL AND j.state <> 'pending' THEN true END,"
        " attempts = CASE WHEN j.state = 'dead' THEN 0 ELSE j.attempts END",
    ),
    "cancel": (
        "('pending', 'waiting', 'parked', 'dead')",
        "state = 'cancelled', eta = NULL, done_at = clock_timestamp() AT TIME ZONE 'UTC',"
        " release = CASE WHEN j.graph IS NOT NULL THEN true END",
    ),
    "priority": ("('pending', 'waiting', 'parked')", "priority = greatest(0, least(9, r.value))"),
}


_REFUSAL = """
    CASE WHEN r.action = 'requeue' AND r.stopped_by IS NOT NULL
              THEN 'It follows job ' || r.stopped_by || ', which did not succeed: run that one again.'
         WHEN r.action = 'requeue' AND r.undone THEN 'What its graph had done was taken back: make a new one.'
         ELSE 'The job was ' || r.was || '.' END"""


def apply_requests(cr: Any) -> int:
    """Do what people asked; a job in a worker's hands is locked, and its request waits until the batch has ended."""
    cr.execute("SELECT DISTINCT action FROM dist_job_request WHERE state = 'new'")
    actions = [row[0] for row in cr.fetchall()]
    applied = 0
    for action in sorted(actions):
        # what follows a failure is not decided upon while that job is run again, see release.py
        with deciding(cr) if action == "requeue" else nullcontext(True) as free:
            if free:
                applied += _apply(cr, action)
    if applied:
        release_followers(cr)
        release(cr)
    if "requeue" in actions:
        park_followers(cr, everywhere=True)
    return applied


def _apply(cr: Any, action: str) -> int:
    """Apply requests of one kind; how many got an answer."""
    states, assignment = _APPLY[action]
    cr.execute(
        f"""WITH r AS (
                SELECT r.id, r.job_id, r.value, r.action, j.state AS was, j.stopped_by,
                       j.graph IS NOT NULL AND j.undo_of IS NULL AND EXISTS (
                           SELECT 1 FROM dist_job u WHERE u.graph = j.graph AND u.undo_of IS NOT NULL) AS undone
                  FROM dist_job_request r JOIN dist_job j ON j.id = r.job_id
                 WHERE r.state = 'new' AND r.action = %s ORDER BY r.id LIMIT {CHUNK}
                   FOR NO KEY UPDATE OF r, j SKIP LOCKED
            ), changed AS (
                UPDATE dist_job j SET {assignment}
                  FROM (SELECT DISTINCT ON (job_id) * FROM r ORDER BY job_id, id DESC) r
                 WHERE j.id = r.job_id AND j.state IN {states}
                   AND (r.action <> 'requeue' OR (r.stopped_by IS NULL AND NOT r.undone))
                RETURNING j.id
            ), forgiven AS (
                DELETE FROM dist_job_crash c USING changed WHERE c.job_id = changed.id AND %s
            )
            UPDATE dist_job_request q
               SET state = CASE WHEN c.id IS NOT NULL OR r.was = %s THEN 'applied' ELSE 'refused' END,
                   answer = CASE WHEN c.id IS NULL THEN {_REFUSAL} END,
                   applied_at = clock_timestamp() AT TIME ZONE 'UTC'
              FROM r LEFT JOIN changed c ON c.id = r.job_id
             WHERE q.id = r.id""",
        (action, action == "requeue", "cancelled" if action == "cancel" else None),
    )
    return cr.rowcount


def sweep(cr: Any, recurring: bool = True) -> None:
    """Everything above, cheap when there is nothing to do. ``recurring``: schedules that are due make their jobs."""
    apply_requests(cr)
    wake_due(cr)
    if recurring:
        schedules.start_due(cr)
    # ordered, so that the index of what is held is used: where many are parked, a scan seems cheaper and is not
    cr.execute(
        "SELECT count(*) FILTER (WHERE state = 'dead'), count(*) FILTER (WHERE state = 'parked'),"
        " count(*) FILTER (WHERE state = 'release') FROM ("
        "(SELECT state FROM dist_job WHERE state = 'dead' AND order_key IS NOT NULL ORDER BY order_key LIMIT 1)"
        " UNION ALL "
        "(SELECT 'release' FROM dist_job WHERE release LIMIT 1) UNION ALL "
        "(SELECT state FROM dist_job WHERE state = 'parked' AND order_key IS NOT NULL ORDER BY order_key LIMIT 1)) s"
    )
    dead, parked, marked = cr.fetchone()
    if marked:
        release(cr)
    if dead:
        park_followers(cr, everywhere=random.random() < THOROUGH_SHARE)
    if parked:
        release_followers(cr)
