# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
# ruff: noqa: S608 - the statements are put together from constants of this file; values are parameters
"""Which work is there, and taking some of it: the SQL of the claim.

A *group* is the ready jobs of one handler and one connection. Groups, and the keys inside a group, are enumerated with
loose index scans (a recursive CTE that jumps from one distinct value to the next), so the cost grows with the number of
distinct values, not with the number of rows behind them.

Order per key: the *head* of a key is its first row that is pending, waiting, parked or dead. Only the head is locked;
whoever holds it holds the key. A worker takes the head and the run of rows right behind it that belong to its group. A
head that is dead, parked, or waits for its time or for other jobs gives no run, so nothing overtakes it.

All statements run under REPEATABLE READ: a row that another worker settled after our snapshot raises 40001 when we try
to lock it; the caller rolls back and takes again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

READY = "state = 'pending' AND eta IS NULL"
BLOCKING = "state IN ('pending', 'waiting', 'parked', 'dead')"


class Group(NamedTuple):
    """Ready work of one handler and connection with its best priority.

    Without a connection, ``connection`` is the company's id below zero, so that companies do not wait behind each
    other; 0 where there is neither. ``seats``: how many batches of the connection may run at once, 0: any number.
    ``source``: ``loose`` jobs have no key, ``keyed`` ones are claimed by their keys, ``marks`` are dirty marks.
    """

    handler: str
    connection: int
    source: str
    priority: int
    company: int = 0
    seats: int = 0


class Row(NamedTuple):
    """One claimed job."""

    id: int
    handler: str
    payload: Any
    connection_id: int | None
    company_id: int | None
    key: str | None
    order_key: str | None
    identity: str | None
    attempts: int
    max_attempts: int | None
    correlation_id: str | None
    occurred_at: datetime | None
    created_at: datetime
    event_id: str | None
    crashes: int
    graph: str | None = None
    depth: int = 0


_COLUMNS = """j.id, j.handler, j.payload, j.connection_id, j.company_id, j.key, j.order_key, j.identity, j.attempts,
    j.max_attempts, j.correlation_id, j.occurred_at, j.created_at, j.event_id,
    COALESCE((SELECT c.crashes FROM dist_job_crash c WHERE c.job_id = j.id), 0), j.graph, COALESCE(j.depth, 0)"""


def _distinct(name: str, predicate: str) -> str:
    """Loose index scan over the distinct (handler, connection_scope) of one partial index, with the best priority."""
    columns = "handler, connection_scope, priority"
    return f"""
    {name} AS (
        (SELECT {columns} FROM dist_job WHERE {predicate} ORDER BY {columns} LIMIT 1)
        UNION ALL
        SELECT n.* FROM {name}, LATERAL (
            SELECT {columns} FROM dist_job
             WHERE {predicate} AND (handler, connection_scope) > ({name}.handler, {name}.connection_scope)
             ORDER BY {columns} LIMIT 1) n
    )"""


_GROUPS = f"""
WITH RECURSIVE {_distinct("loose", READY + " AND order_key IS NULL")},
{_distinct("keyed", READY + " AND order_key IS NOT NULL")}, marks AS (
    (SELECT type, connection_id FROM dist_dirty_mark WHERE eta IS NULL ORDER BY type, connection_id LIMIT 1)
    UNION ALL
    SELECT n.* FROM marks, LATERAL (
        SELECT type, connection_id FROM dist_dirty_mark
         WHERE eta IS NULL AND (type, connection_id) > (marks.type, marks.connection_id)
         ORDER BY type, connection_id LIMIT 1) n
), ready AS (
    SELECT handler, connection_scope, 'loose' AS source, priority FROM loose
    UNION ALL SELECT handler, connection_scope, 'keyed', priority FROM keyed
    UNION ALL SELECT type || '#dirty', connection_id, 'marks', 5 FROM marks
)
SELECT handler::text, connection_scope, source, priority, COALESCE(c.company_id, greatest(-connection_scope, 0)),
       COALESCE(c.job_capacity, 0),
       (SELECT jsonb_agg(jsonb_build_array(k.kind, k.name, k.paused, k.weight, k.capacity)) FROM dist_job_control k)
  FROM ready LEFT JOIN dist_connection c ON c.id = connection_scope
 WHERE c.state IS DISTINCT FROM 'paused'
"""

GROUPS_FUNCTION = f"""
DROP FUNCTION IF EXISTS dist_job_groups();
CREATE FUNCTION dist_job_groups()
RETURNS TABLE (handler text, connection_scope int, source text, priority int, company int, seats int, control jsonb)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_sort = off
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY {_GROUPS};
END $$;
COMMENT ON FUNCTION dist_job_groups() IS 'Which work of the queue is ready; asked by every worker that wakes up.';
"""
"""The question of every worker that wakes up. As a function its plan is kept by the session: making it took longer than
the answer. No plan may depend on how large the planner believed the queue to be at that time, hence the settings."""


def ready_groups(cr: Any) -> list[Group]:
    """All groups with ready work, those of paused connections excepted."""
    return ready(cr)[0]


def ready(cr: Any) -> tuple[list[Group], list[Sequence[Any]]]:
    """The groups with ready work, and the rows of ``dist_job_control`` (none where no work is ready)."""
    cr.execute("SELECT * FROM dist_job_groups()")
    rows = cr.fetchall()
    return [Group(*row[:-1]) for row in rows], (rows[0][-1] or []) if rows else []


_CLAIM_LOOSE = f"""
SELECT {_COLUMNS}
  FROM dist_job j
 WHERE handler = %(handler)s AND connection_scope = %(connection)s AND {READY} AND order_key IS NULL
 ORDER BY priority, id LIMIT %(limit)s
   FOR NO KEY UPDATE OF j SKIP LOCKED
"""

# keys: distinct (priority, order_key) from the cursor on, pulled one by one until enough heads are locked.
_CLAIM_HEADS = f"""
WITH RECURSIVE keys AS (
    (SELECT priority, order_key FROM dist_job
      WHERE handler = %(handler)s AND connection_scope = %(connection)s AND {READY} AND order_key IS NOT NULL
        AND (priority, order_key) > (%(after_priority)s, %(after_key)s)
      ORDER BY priority, order_key LIMIT 1)
    UNION ALL
    SELECT n.* FROM keys, LATERAL (
        SELECT priority, order_key FROM dist_job
         WHERE handler = %(handler)s AND connection_scope = %(connection)s AND {READY} AND order_key IS NOT NULL
           AND (priority, order_key) > (keys.priority, keys.order_key)
         ORDER BY priority, order_key LIMIT 1) n
)
SELECT j.id, keys.priority, keys.order_key
  FROM keys
 CROSS JOIN LATERAL (
        SELECT id, handler, connection_scope, state, eta FROM dist_job
         WHERE order_key = keys.order_key AND {BLOCKING} ORDER BY id LIMIT 1) h
  JOIN dist_job j ON j.id = h.id
 WHERE h.handler = %(handler)s AND h.connection_scope = %(connection)s AND h.state = 'pending' AND h.eta IS NULL
   LIMIT %(limit)s
   FOR NO KEY UPDATE OF j SKIP LOCKED
"""

_CLAIM_RUNS = f"""
SELECT {_COLUMNS}
  FROM unnest(%(keys)s) AS k (order_key) CROSS JOIN LATERAL (
        SELECT *, bool_and(handler = %(handler)s AND connection_scope = %(connection)s AND {READY})
                  OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) AS unbroken
          FROM (SELECT * FROM dist_job WHERE order_key = k.order_key AND {BLOCKING} ORDER BY id LIMIT %(depth)s) r
       ) j
 WHERE j.unbroken ORDER BY j.id LIMIT %(limit)s
"""

Cursor = tuple[int, str]
START: Cursor = (-1, "")


def claim(cr: Any, group: Group, limit: int, after: Cursor = START) -> tuple[list[Row], Cursor]:
    """Lock up to ``limit`` ready jobs of a group, in the order they have to run.

    :param after: where the last claim of this keyed group ended; keys take turns from there
    :return: the rows, and where this claim ended (:data:`START` when it reached the end of the keys)
    """
    values: dict[str, Any] = {"handler": group.handler, "connection": group.connection, "limit": limit}
    if group.source == "loose":
        cr.execute(_CLAIM_LOOSE, values, log_exceptions=False)
        return [Row(*row) for row in cr.fetchall()], START
    heads: list[tuple[int, int, str]] = []
    for start in (after, START) if after != START else (START,):
        cr.execute(_CLAIM_HEADS, {**values, "after_priority": start[0], "after_key": start[1]}, log_exceptions=False)
        heads = cr.fetchall()
        if heads:
            break
    if not heads:
        return [], START
    end = max((priority, key) for _id, priority, key in heads) if len(heads) >= limit else START
    keys = list({key: None for _id, _priority, key in heads})
    depth = max(1, -(-2 * limit // len(keys)))
    cr.execute(_CLAIM_RUNS, {**values, "keys": keys, "depth": depth})
    return [Row(*row) for row in cr.fetchall()], end
