# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What waits for jobs that have ended is let go, cancelled, or taken back.

Why no wake-up is lost (docs/decisions/0016)
--------------------------------------------
A job's end marks its own row (``release``) in the transaction that ends it, and touches no other row. What follows is
done here, after that commit, by statements that each are a transaction of their own at READ COMMITTED. Let A and B be
the last two parents of a child. Each is looked at by a statement whose snapshot is younger than its own commit; the
younger of the two snapshots is therefore younger than both commits and sees both ended. So the child is let go, whoever
is first. The mark is taken away last: where a process dies in between, the sweep finds the mark and does it all again,
and each statement changes nothing the second time.

Rows are locked in the order of their ids, for one statement only: many parents of one child neither deadlock nor abort.

Failures are decided about by one process at a time (:func:`deciding`): a statement that cancels what follows a dead
job, or makes its undo jobs, must not work on a snapshot in which that job is dead while somebody runs it again. Else
its followers would stay cancelled though it succeeds, or what it does would be taken back meanwhile.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from .crash import point
from .slots import LOCK_CLASS

CHUNK = 1000
LOCK_FAILURES = 4
FAILED = ("dead", "cancelled")

_MARKED = """
SELECT id, state, done_at FROM dist_job WHERE release AND (%(ids)s::int[] IS NULL OR id = ANY(%(ids)s))
 ORDER BY id LIMIT %(limit)s
"""
_REVIVE = """
UPDATE dist_job SET state = 'waiting', done_at = NULL, stopped_by = NULL, error_type = NULL, error_message = NULL,
                    release = true
 WHERE id IN (SELECT id FROM dist_job
               WHERE graph IN (SELECT graph FROM dist_job WHERE id = ANY(%(ids)s))
                 AND stopped_by = ANY(%(ids)s) AND state = 'cancelled' ORDER BY id FOR NO KEY UPDATE)
RETURNING id
"""
_STOP = """
WITH RECURSIVE look AS (
    SELECT child_id AS id FROM dist_job_edge WHERE parent_id = ANY(%(ids)s) UNION SELECT unnest(%(ids)s)
), stopped (id, cause) AS (
    SELECT j.id, COALESCE(p.stopped_by, p.id)
      FROM look JOIN dist_job j ON j.id = look.id AND j.state = 'waiting'
      JOIN dist_job_edge e ON e.child_id = j.id AND e.on_failure = 'stop'
      JOIN dist_job p ON p.id = e.parent_id AND p.state IN ('dead', 'cancelled')
    UNION
    SELECT j.id, s.cause
      FROM stopped s JOIN dist_job_edge e ON e.parent_id = s.id AND e.on_failure = 'stop'
      JOIN dist_job j ON j.id = e.child_id AND j.state = 'waiting'
), locked AS (
    SELECT j.id, s.cause
      FROM (SELECT id, min(cause) AS cause FROM stopped GROUP BY id) s JOIN dist_job j ON j.id = s.id
     ORDER BY j.id FOR NO KEY UPDATE OF j
)
UPDATE dist_job c
   SET state = 'cancelled', eta = NULL, done_at = clock_timestamp() AT TIME ZONE 'UTC', stopped_by = l.cause,
       release = true, error_type = 'Stopped',
       error_message = 'Not run: job ' || l.cause || ' (' || p.handler || ') before it ' ||
           CASE p.state WHEN 'dead' THEN 'failed. Run that one again, and this one follows.' ELSE 'was cancelled.' END
  FROM locked l JOIN dist_job p ON p.id = l.cause
 WHERE c.id = l.id AND c.state = 'waiting'
RETURNING c.id, c.done_at
"""
# The newest parent that has not ended is looked for first: of many parents it is mostly one of the last.
_WAKE = """
UPDATE dist_job c SET state = 'pending', release = NULL
  FROM (SELECT j.id FROM dist_job j
         WHERE j.id IN (SELECT child_id FROM dist_job_edge WHERE parent_id = ANY(%(ids)s) UNION SELECT unnest(%(ids)s))
           AND j.state = 'waiting' AND (
               SELECT p.id FROM dist_job_edge e JOIN dist_job p ON p.id = e.parent_id
                WHERE e.child_id = j.id AND p.state <> 'done'
                  AND NOT (e.on_failure = 'continue' AND p.state IN ('dead', 'cancelled'))
                ORDER BY e.child_id DESC, e.parent_id DESC LIMIT 1) IS NULL
         ORDER BY j.id FOR NO KEY UPDATE OF j) free
 WHERE c.id = free.id AND c.state = 'waiting'
"""
# A graph has failed when all its jobs have ended and one failed that somebody after it does not put up with.
_FAILED = """
    SELECT g.graph, min(f.id) AS cause
      FROM (SELECT DISTINCT graph FROM dist_job WHERE id = ANY(%(ids)s) AND graph IS NOT NULL AND undo_of IS NULL) g
      JOIN dist_job f ON f.graph = g.graph AND f.state IN ('dead', 'cancelled') AND f.undo_of IS NULL
     WHERE EXISTS (SELECT 1 FROM dist_job u WHERE u.graph = g.graph AND u.undo IS NOT NULL)
       AND NOT EXISTS (SELECT 1 FROM dist_job o WHERE o.graph = g.graph AND o.state IN ('pending', 'waiting', 'parked'))
       AND (EXISTS (SELECT 1 FROM dist_job_edge e WHERE e.parent_id = f.id AND e.on_failure = 'stop')
            OR NOT EXISTS (SELECT 1 FROM dist_job_edge e WHERE e.parent_id = f.id))
     GROUP BY g.graph
"""
# Its undo jobs are made now, not when it was enqueued: so they stand behind everything in the order of their keys. One
# whose connection was deleted meanwhile has nowhere to go; refused by PostgreSQL, it would hold up all others for ever.
_UNDO = f"""
WITH failed AS ({_FAILED}), steps AS (
    SELECT s.*, failed.cause, row_number() OVER (PARTITION BY s.graph ORDER BY s.done_at DESC, s.id DESC) AS nth
      FROM failed JOIN dist_job s ON s.graph = failed.graph
     WHERE s.undo IS NOT NULL AND s.state = 'done'
       AND NOT EXISTS (SELECT 1 FROM dist_job u WHERE u.undo_of = s.id)
       AND (s.undo->>'connection_id' IS NULL
            OR EXISTS (SELECT 1 FROM dist_connection c WHERE c.id = (s.undo->>'connection_id')::int))
), made AS (
    INSERT INTO dist_job (handler, payload, connection_id, company_id, lane, priority, key, eta, max_attempts,
                          correlation_id, res_model, res_id, graph, undo_of, depth, state)
    SELECT r.handler, r.payload, r.connection_id, r.company_id, r.lane, COALESCE(r.priority, 5), r.key, r.eta,
           r.max_attempts, r.correlation_id, r.res_model, r.res_id, s.graph, s.id, s.depth,
           CASE s.nth WHEN 1 THEN 'pending' ELSE 'waiting' END
      FROM steps s, LATERAL jsonb_to_record(s.undo) AS r (
               handler text, payload jsonb, connection_id int, company_id int, lane text, priority int, key text,
               eta timestamp, max_attempts int, correlation_id text, res_model text, res_id int)
     ORDER BY s.graph, s.nth
    ON CONFLICT (undo_of) WHERE undo_of IS NOT NULL DO NOTHING
    RETURNING id, graph, undo_of
), ordered AS (
    SELECT m.id, s.cause, lag(m.id) OVER (PARTITION BY m.graph ORDER BY s.nth) AS before
      FROM made m JOIN steps s ON s.id = m.undo_of
), edges AS (
    INSERT INTO dist_job_edge (parent_id, child_id, on_failure)
    SELECT COALESCE(before, cause), id, 'continue' FROM ordered
)
SELECT count(*) FROM made
"""  # noqa: S608 - a constant of this file
_CLEAR = """
UPDATE dist_job SET release = NULL
 WHERE id IN (SELECT j.id FROM dist_job j JOIN unnest(%(ids)s, %(at)s::timestamp[]) AS seen (id, at) ON seen.id = j.id
               WHERE j.release AND j.done_at IS NOT DISTINCT FROM seen.at AND j.state <> 'pending'
               ORDER BY j.id FOR NO KEY UPDATE OF j SKIP LOCKED)
"""


@contextlib.contextmanager
def deciding(cr: Any) -> Iterator[bool]:
    """Whether this session alone decides about failures now; else somebody does, and one comes again later.

    A lock of the session, taken before the statement it is for: that statement's snapshot is younger.
    """
    cr.execute("SELECT pg_try_advisory_lock(%s, %s)", (LOCK_CLASS, LOCK_FAILURES))
    alone = cr.fetchone()[0]
    try:
        yield alone
    finally:
        if alone:
            cr.execute("SELECT pg_advisory_unlock(%s, %s)", (LOCK_CLASS, LOCK_FAILURES))


def release(cr: Any, ids: list[int] | None = None, limit: int = CHUNK) -> int:
    """Look at what waits for ended jobs. ``ids``: of these; default: of all that are marked, at most ``limit``.

    :param cr: best a cursor of a connection that commits by itself (READ COMMITTED)
    :return: how many jobs became ready
    """
    cr.execute(_MARKED, {"ids": ids, "limit": limit if ids is None else len(ids)})
    marked = cr.fetchall()
    seen = {id_: done_at for id_, state, done_at in marked if state == "done"}
    if len(seen) < len(marked):
        with deciding(cr) as alone:
            if alone:
                seen |= _follow_failures(cr, marked)
    if not seen:
        return 0
    values = {"ids": list(seen), "at": list(seen.values())}
    cr.execute(_WAKE, values)
    woken = cr.rowcount
    cr.execute(_FAILED, values)
    if cr.fetchone():
        with deciding(cr) as alone:
            if not alone:  # the marks stay, and with them the undoing
                return woken
            cr.execute(_UNDO, values)
            woken += cr.fetchone()[0]
    point("released")
    cr.execute(_CLEAR, values)
    return woken


def _follow_failures(cr: Any, marked: list[tuple[int, str, Any]]) -> dict[int, Any]:
    """What follows failed jobs is cancelled; what follows those that are run again, waits again. Id → ``done_at``."""
    seen = {id_: done_at for id_, _state, done_at in marked}
    if restarted := [id_ for id_, state, _at in marked if state not in ("done", *FAILED)]:
        cr.execute(_REVIVE, {"ids": restarted})
        seen |= {row[0]: None for row in cr.fetchall()}
    cr.execute(_STOP, {"ids": list(seen)})
    return seen | dict(cr.fetchall())
