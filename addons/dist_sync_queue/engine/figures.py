# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
# ruff: noqa: S608 - the statements are put together from constants of this file; values are parameters
"""The figures of the monitor, read from PostgreSQL in a few statements that stay short however full the tables are.

Every count is capped, and every statement walks a partial index of open work, or the newest rows of one by time. What a
reader may see is passed in: ids of connections and of companies; rows of no connection belong to their company, and
rows of no company to everybody.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from .claim import READY, _distinct

CAP = 10_000
"""No single figure counts further."""
BUDGET = 100_000
"""Rows all counts of ready jobs together may look at."""
NEWEST = 5_000
"""As many of the newest finished rows are looked at for the rates of the last minute."""
MINUTE = 60.0


class Scope(NamedTuple):
    """What the reader may see."""

    connections: list[int]
    companies: list[int]

    def params(self, **more: Any) -> dict[str, Any]:
        return {"connections": self.connections, "companies": self.companies, **more}


MINE = """(j.connection_id = ANY(%(connections)s)
       OR j.connection_id IS NULL AND (j.company_id IS NULL OR j.company_id = ANY(%(companies)s)))"""

_READY_GROUPS = f"""
WITH RECURSIVE {_distinct("loose", READY + " AND order_key IS NULL")},
{_distinct("keyed", READY + " AND order_key IS NOT NULL")}
SELECT handler, connection_scope, false FROM loose UNION ALL SELECT handler, connection_scope, true FROM keyed
"""


# A scope is a connection, a company (negative) or nobody (0): who may see it, may see all of it.
_COUNTED = f"""SELECT id FROM dist_job
             WHERE {{when}} AND handler = g.handler AND connection_scope = g.scope AND {READY}
               AND order_key {{key}} LIMIT %(cap)s"""
_ARMS = " UNION ALL ".join(
    f"({_COUNTED.format(when=keyed, key=key)})"
    for keyed, key in (("g.keyed", "IS NOT NULL"), ("NOT g.keyed", "IS NULL"))
)
_READY_COUNTS = f"""
SELECT g.handler, greatest(g.scope, 0), sum(f.n)::int, min(o.created_at), bool_or(f.n >= %(cap)s)
  FROM unnest(%(handlers)s, %(scopes)s, %(keyed)s) AS g (handler, scope, keyed)
 CROSS JOIN LATERAL (SELECT count(*) AS n, min(id) AS first FROM ({_ARMS}) j) f
  LEFT JOIN dist_job o ON o.id = f.first
 GROUP BY g.handler, greatest(g.scope, 0)"""


def ready(cr: Any, scope: Scope) -> list[dict[str, Any]]:
    """Ready jobs per handler and connection: ``handler``, ``connection`` (0: none), ``count``, ``oldest`` (UTC).

    A count that reaches its cap is told as ``capped``. Two statements.
    """
    cr.execute(_READY_GROUPS)
    mine = {0, *scope.connections, *(-company for company in scope.companies)}
    groups = [row for row in cr.fetchall() if row[1] in mine]
    if not groups:
        return []
    cap = min(CAP, max(500, BUDGET // len(groups)))
    cr.execute(
        _READY_COUNTS,
        {
            "handlers": [row[0] for row in groups],
            "scopes": [row[1] for row in groups],
            "keyed": [row[2] for row in groups],
            "cap": cap,
        },
    )
    names = ("handler", "connection", "count", "oldest", "capped")
    return [dict(zip(names, row, strict=True)) for row in cr.fetchall() if row[2]]


def totals(cr: Any, scope: Scope) -> dict[str, int]:
    """Capped counts of what is not ready: ``later`` (for its time), ``waiting`` (for jobs), ``parked``, ``dead``."""
    cr.execute(
        f"""SELECT
            (SELECT count(*) FROM (SELECT 1 FROM dist_job j WHERE state = 'pending' AND eta IS NOT NULL AND {MINE}
                                    LIMIT {CAP}) s),
            (SELECT count(*) FROM (SELECT 1 FROM dist_job j WHERE state = 'parked' AND {MINE} LIMIT {CAP}) s),
            (SELECT count(*) FROM (SELECT 1 FROM dist_job j WHERE state = 'dead' AND {MINE} LIMIT {CAP}) s),
            (SELECT count(*) FROM (SELECT 1 FROM dist_job j WHERE state = 'waiting' AND {MINE} LIMIT {CAP}) s)""",
        scope.params(),
    )
    return dict(zip(("later", "parked", "dead", "waiting"), cr.fetchone(), strict=True))


def _since() -> datetime:
    """A minute ago, naive UTC; as a parameter, for a condition on clock_timestamp() cannot use an index."""
    return datetime.now(timezone.utc).replace(tzinfo=None) - timedelta(seconds=MINUTE)


# The span is a value, not a table to join with: joined, the newest rows were read again for each of them.
def done_rates(cr: Any, scope: Scope) -> dict[str | None, float]:
    """Jobs done per minute and lane, over the last minute or the newest :data:`NEWEST` rows. One statement."""
    cr.execute(
        f"""WITH newest AS (
                SELECT lane, state, done_at, connection_id, company_id FROM dist_job
                 WHERE state IN ('done', 'cancelled')
                   AND done_at > %(since)s
                 ORDER BY done_at DESC LIMIT {NEWEST}
            ), span AS (
                SELECT CASE WHEN count(*) < {NEWEST} THEN {MINUTE}
                            ELSE greatest(0.1, extract(epoch FROM max(done_at) - min(done_at))) END AS seconds
                  FROM newest)
            SELECT lane, count(*) * {MINUTE} / (SELECT seconds FROM span) FROM newest j
             WHERE j.state = 'done' AND {MINE} GROUP BY lane""",
        scope.params(since=_since()),
    )
    return {lane: float(rate) for lane, rate in cr.fetchall()}


def marks(cr: Any, scope: Scope) -> list[dict[str, Any]]:
    """Keys marked dirty per event type and connection, capped, like :func:`ready`. One statement."""
    cr.execute(
        f"""WITH RECURSIVE kinds AS (
                (SELECT type, connection_id FROM dist_dirty_mark WHERE eta IS NULL ORDER BY type, connection_id LIMIT 1)
                UNION ALL
                SELECT n.* FROM kinds, LATERAL (
                    SELECT type, connection_id FROM dist_dirty_mark
                     WHERE eta IS NULL AND (type, connection_id) > (kinds.type, kinds.connection_id)
                     ORDER BY type, connection_id LIMIT 1) n)
            SELECT type || '#dirty', connection_id, n FROM kinds CROSS JOIN LATERAL (
                   SELECT count(*) AS n FROM (
                       SELECT 1 FROM dist_dirty_mark m WHERE m.eta IS NULL AND m.type = kinds.type
                          AND m.connection_id = kinds.connection_id LIMIT {CAP}) s) f
             WHERE connection_id = ANY(%(connections)s)""",
        scope.params(),
    )
    rows = cr.fetchall()
    return [
        {"handler": handler, "connection": connection, "count": count, "oldest": None, "capped": count >= CAP}
        for handler, connection, count in rows
    ]


def outbox(cr: Any, connections: list[int]) -> dict[int, dict[str, Any]]:
    """Per connection: ``waiting``, ``in_flight``, ``unknown``, ``failed`` (capped), ``oldest``, ``rate`` per minute.

    Two statements; one loose walk per connection over the partial indexes of open and of failed events.
    """
    if not connections:
        return {}
    cr.execute(
        f"""SELECT c.id, s.state, f.n, f.oldest
              FROM unnest(%(connections)s) AS c (id)
             CROSS JOIN unnest(ARRAY['pending', 'published', 'unknown', 'dead', 'rejected']) AS s (state)
             CROSS JOIN LATERAL (
                   SELECT count(*) AS n, min(occurred_at) AS oldest FROM (
                       (SELECT occurred_at FROM dist_outbox_event
                         WHERE s.state NOT IN ('dead', 'rejected') AND connection_id = c.id AND state = s.state
                           AND state IN ('pending', 'published', 'unknown') ORDER BY occurred_at LIMIT {CAP})
                       UNION ALL
                       (SELECT occurred_at FROM dist_outbox_event
                         WHERE s.state IN ('dead', 'rejected') AND connection_id = c.id AND state = s.state
                           AND state IN ('dead', 'rejected') LIMIT {CAP})) e) f
             WHERE f.n > 0""",
        {"connections": connections},
    )
    found: dict[int, dict[str, Any]] = {
        id_: {"waiting": 0, "in_flight": 0, "unknown": 0, "failed": 0, "oldest": None, "rate": 0.0}
        for id_ in connections
    }
    names = {"pending": "waiting", "published": "in_flight", "unknown": "unknown"}
    for id_, state, count, oldest in cr.fetchall():
        mine = found[id_]
        mine[names.get(state, "failed")] += count
        if state == "pending":
            mine["oldest"] = oldest
    cr.execute(
        f"""WITH newest AS (
                SELECT connection_id, state, settled_at FROM dist_outbox_event
                 WHERE settled_at > %(since)s
                 ORDER BY settled_at DESC LIMIT {NEWEST}
            ), span AS (
                SELECT CASE WHEN count(*) < {NEWEST} THEN {MINUTE}
                            ELSE greatest(0.1, extract(epoch FROM max(settled_at) - min(settled_at))) END AS seconds
                  FROM newest)
            SELECT connection_id, count(*) * {MINUTE} / (SELECT seconds FROM span) FROM newest
             WHERE state = 'delivered' AND connection_id = ANY(%(connections)s) GROUP BY connection_id""",
        {"connections": connections, "since": _since()},
    )
    for id_, rate in cr.fetchall():
        found[id_]["rate"] = float(rate)
    return found
