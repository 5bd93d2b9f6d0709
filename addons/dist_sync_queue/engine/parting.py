# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Jobs of a graph are about to be deleted, with their connection or company: what waits for them must not wait in vain.

With a job go its edges, and with those all that says who waited for it. So before that, in the transaction that
deletes, its followers are treated as its failure would have treated them: ``stop`` cancels, ``continue`` does not mind.
What follows from that is decided by ``release.py``, for which they are marked.

The last step of a graph has no followers, and without it nobody would see that the graph failed: where steps before it
are to be undone for that, it stays, cancelled and without its connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_LEAVING = """
    leaving AS MATERIALIZED (
        SELECT id, state, handler, graph FROM dist_job
         WHERE graph IS NOT NULL AND (connection_id = ANY(%(connections)s) OR id = ANY(%(jobs)s)))
"""
_KEEP = """
UPDATE dist_job
   SET connection_id = NULL, state = 'cancelled', release = true, eta = NULL, stopped_by = NULL,
       done_at = clock_timestamp() AT TIME ZONE 'UTC',
       error_type = CASE state WHEN 'dead' THEN error_type ELSE 'Stopped' END,
       error_message = CASE state WHEN 'dead' THEN error_message ELSE 'Not run: its connection was deleted.' END
 WHERE id IN (SELECT j.id FROM dist_job j
               WHERE j.connection_id = ANY(%(connections)s) AND j.graph IS NOT NULL AND j.undo_of IS NULL
                 AND j.state <> 'done' AND NOT EXISTS (SELECT 1 FROM dist_job_edge e WHERE e.parent_id = j.id)
                 AND EXISTS (SELECT 1 FROM dist_job s
                              WHERE s.graph = j.graph AND s.undo IS NOT NULL
                                AND (s.connection_id = ANY(%(connections)s)) IS NOT TRUE)
               ORDER BY j.id FOR NO KEY UPDATE OF j)
RETURNING id
"""
_PART = f"""
WITH {_LEAVING}, followers AS (
    SELECT c.id, min(p.id) FILTER (WHERE e.on_failure = 'stop' AND p.state <> 'done') AS cause
      FROM leaving p JOIN dist_job_edge e ON e.parent_id = p.id
      JOIN dist_job c ON c.id = e.child_id AND c.state = 'waiting'
     WHERE c.id NOT IN (SELECT id FROM leaving)
     GROUP BY c.id
), locked AS (
    SELECT f.id, f.cause, p.handler
      FROM followers f LEFT JOIN leaving p ON p.id = f.cause JOIN dist_job c ON c.id = f.id
     ORDER BY c.id FOR NO KEY UPDATE OF c
)
UPDATE dist_job c
   SET release = true, state = CASE WHEN l.cause IS NULL THEN c.state ELSE 'cancelled' END,
       eta = CASE WHEN l.cause IS NULL THEN c.eta END,
       done_at = CASE WHEN l.cause IS NOT NULL THEN clock_timestamp() AT TIME ZONE 'UTC' END,
       error_type = CASE WHEN l.cause IS NOT NULL THEN 'Stopped' END,
       error_message = 'Not run: job ' || l.cause || ' (' || l.handler ||
           ') before it was deleted and had not succeeded.'
  FROM locked l WHERE c.id = l.id AND c.state = 'waiting'
RETURNING c.id
"""  # noqa: S608 - a constant of this file
# What a job that goes had stopped cannot be brought back by running that one again; so it may be run again by itself.
_FORGET = f"""
WITH {_LEAVING}
UPDATE dist_job SET stopped_by = NULL
 WHERE id IN (SELECT c.id FROM dist_job c
               WHERE c.graph IN (SELECT graph FROM leaving) AND c.stopped_by IN (SELECT id FROM leaving)
                 AND c.id NOT IN (SELECT id FROM leaving) ORDER BY c.id FOR NO KEY UPDATE)
"""  # noqa: S608 - a constant of this file


def part_with(cr: Any, *, connections: Sequence[int] = (), jobs: Sequence[int] = ()) -> list[int]:
    """Prepare the deletion of ``jobs`` and of all jobs of ``connections``, by ids.

    :return: jobs that were changed: those that waited for them are cancelled, or marked to be looked at again; last
        steps stay
    """
    values = {"connections": list(connections), "jobs": list(jobs)}
    cr.execute(_KEEP, values)
    changed = [row[0] for row in cr.fetchall()]
    cr.execute(_PART, values)
    changed += [row[0] for row in cr.fetchall()]
    cr.execute(_FORGET, values)
    return changed
