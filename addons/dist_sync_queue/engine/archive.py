# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
# ruff: noqa: S608 - the statements are put together from constants of this file; values are parameters
"""Finished jobs and settled events leave the hot tables for an archive, and the archive after its days.

By the moment they ended, never by the moment they were made. In chunks, each one statement, which skips what is locked:
a claim never waits for it. Called by the workers between batches and by Odoo's daily autovacuum.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from .slots import LOCK_CLASS

LOCK_ARCHIVE = 3
CHUNK = 1000
PREFIX = "dist_sync_queue."
HOT_DAYS = 7
KEPT_DAYS = 90
NOW = "(statement_timestamp() AT TIME ZONE 'UTC')"
"""Not ``clock_timestamp()``: that is another one for each row, so each look would read all rows instead of an index."""


class Kind(NamedTuple):
    """One hot table and its archive."""

    name: str
    table: str
    ended: str
    columns: str
    states: tuple[str, ...]
    hold: str = "true"
    history: str = "NULL::jsonb"

    @property
    def archive(self) -> str:
        return f"dist_{self.name}_archive"


_JOB_COLUMNS = """id, event_id, handler, payload, connection_id, company_id, lane, priority, key, identity, state,
    attempts, max_attempts, error_type, error_message, error_trace, correlation_id, occurred_at, created_at, done_at,
    run_seconds, merged_into, res_model, res_id, graph, result, stopped_by, undo_of"""
_EVENT_COLUMNS = """id, event_id, type, kind, connection_id, company_id, key, priority, payload, version, state,
    correlation_id, occurred_at, deadline, attempts, max_attempts, publication, lapses, read_back, relay_seq,
    published_at, settled_at, outcome_code, outcome_message, outcome_data, report, res_model, res_id"""

JOBS = Kind(
    "job",
    "dist_job",
    "done_at",
    _JOB_COLUMNS,
    ("cancelled", "done"),
    # jobs of a graph stay together: one of them may still be run again, and ask what the others returned. "dead" in the
    # second look keeps PostgreSQL from the index of all that has ended lately: it has to go by the graph
    f"""(t.graph IS NULL
        OR NOT EXISTS (SELECT 1 FROM dist_job o
                        WHERE o.graph = t.graph AND o.state IN ('pending', 'waiting', 'parked', 'dead'))
       AND NOT EXISTS (SELECT 1 FROM dist_job o
                        WHERE o.graph = t.graph AND o.state IN ('done', 'cancelled', 'dead')
                          AND o.done_at >= {NOW} - make_interval(days => %(longest)s)))
       AND t.release IS NOT TRUE""",
    """jsonb_strip_nulls(jsonb_build_object(
           'attempts', (SELECT jsonb_agg(to_jsonb(a) - 'id' - 'job_id' ORDER BY a.id)
                          FROM dist_job_attempt a WHERE a.job_id = t.id),
           'requests', (SELECT jsonb_agg(jsonb_build_object(
                                   'action', q.action, 'user', q.create_uid, 'at', q.create_date, 'state', q.state,
                                   'answer', q.answer) ORDER BY q.id)
                          FROM dist_job_request q WHERE q.job_id = t.id),
           'after', (SELECT jsonb_agg(e.parent_id ORDER BY e.parent_id)
                       FROM dist_job_edge e WHERE e.child_id = t.id),
           'before', (SELECT jsonb_agg(e.child_id ORDER BY e.child_id)
                        FROM dist_job_edge e WHERE e.parent_id = t.id)))""",
)
EVENTS = Kind("outbox", "dist_outbox_event", "settled_at", _EVENT_COLUMNS, ("delivered", "rejected", "cancelled"))
KINDS = (JOBS, EVENTS)


class Days(NamedTuple):
    """Days after the end: ``hot`` in the table itself, ``kept`` in all."""

    hot: int
    kept: int


def days_of(kind: Kind, state: str, parameters: Mapping[str, str]) -> Days:
    """What the system parameters say, the more particular one first; a nonsensical one says nothing.

    >>> days_of(JOBS, "done", {})
    Days(hot=7, kept=90)
    >>> days_of(JOBS, "cancelled", {"dist_sync_queue.job_hot_days_cancelled": "1"})
    Days(hot=1, kept=90)
    >>> days_of(EVENTS, "rejected", {"dist_sync_queue.outbox_retention_days": "3"})
    Days(hot=3, kept=3)
    >>> days_of(EVENTS, "rejected", {"dist_sync_queue.outbox_retention_days": "soon"})
    Days(hot=30, kept=90)
    """

    def number(what: str, default: int) -> int:
        for name in (f"{kind.name}_{what}_days_{state}", f"{kind.name}_{what}_days"):
            value = (parameters.get(PREFIX + name) or "").strip()
            if value.isdecimal():
                return int(value)
        return default

    kept = number("retention", KEPT_DAYS)
    # a rejected event is sent again from the hot table, and people take their time
    return Days(min(kept, number("hot", 30 if state == "rejected" else HOT_DAYS)), kept)


def parameters(cr: Any) -> dict[str, str]:
    """The system parameters about days."""
    cr.execute("SELECT key, value FROM ir_config_parameter WHERE key LIKE %s", (PREFIX + "%\\_days%",))
    return dict(cr.fetchall())


def move(cr: Any, kind: Kind, state: str, days: Days, longest: int, limit: int = CHUNK) -> int:
    """Take up to ``limit`` rows of one state out of the hot table; into the archive unless their days are over.

    :param longest: days any state of this kind stays hot: what belongs together stays as long as the last of it
    """
    keep = f"""
        , kept AS (
            INSERT INTO {kind.archive} ({kind.columns}{", history" if kind is JOBS else ""}, archived_at)
            SELECT {", ".join("t." + name.strip() for name in kind.columns.split(","))}
                   {", " + kind.history if kind is JOBS else ""}, clock_timestamp() AT TIME ZONE 'UTC'
              FROM {kind.table} t JOIN old ON old.id = t.id
            ON CONFLICT DO NOTHING)"""
    crashes = ", crashes AS (DELETE FROM dist_job_crash c USING old WHERE c.job_id = old.id)" if kind is JOBS else ""
    cr.execute(
        f"""WITH old AS (
                SELECT t.id FROM {kind.table} t
                 WHERE t.state = %(state)s AND {kind.hold}
                   AND t.{kind.ended} < {NOW} - make_interval(days => %(days)s)
                 ORDER BY t.{kind.ended} LIMIT %(limit)s FOR UPDATE OF t SKIP LOCKED)
            {keep if days.kept > days.hot else ""} {crashes}
            DELETE FROM {kind.table} t USING old WHERE t.id = old.id""",
        {"state": state, "days": days.hot, "longest": longest, "limit": limit},
    )
    return cr.rowcount


def forget(cr: Any, kind: Kind, state: str, days: Days, limit: int = CHUNK) -> int:
    """Delete up to ``limit`` archived rows of one state whose days are over."""
    cr.execute(
        f"""DELETE FROM {kind.archive} WHERE id IN (
                SELECT id FROM {kind.archive}
                 WHERE state = %s AND {kind.ended} < {NOW} - make_interval(days => %s)
                 ORDER BY {kind.ended} LIMIT %s FOR UPDATE SKIP LOCKED)""",
        (state, days.kept, limit),
    )
    return cr.rowcount


def steps(kind: Kind, given: Mapping[str, str]) -> Iterator[Callable[[Any, int], int]]:
    """The statements for one kind: ``step(cr, limit)`` does a chunk and says how many rows it was."""
    all_days = {state: days_of(kind, state, given) for state in kind.states}
    longest = max(days.hot for days in all_days.values())
    for state, days in all_days.items():
        yield lambda cr, limit, state=state, days=days: move(cr, kind, state, days, longest, limit)
        yield lambda cr, limit, state=state, days=days: forget(cr, kind, state, days, limit)


def run(cr: Any, kind: Kind, limit: int) -> int:
    """Move and forget up to ``limit`` rows of one kind. The number of rows."""
    done = 0
    for step in steps(kind, parameters(cr)):
        if done < limit:
            done += step(cr, limit - done)
    return done


def tick(cr: Any, seconds: float = 0.2, clock: Callable[[], float] = time.monotonic) -> bool:
    """For a connection that commits by itself: chunk after chunk for about so many seconds, by one process at a time.

    :return: whether the time was up before the work was
    """
    cr.execute("SELECT pg_try_advisory_lock(%s, %s)", (LOCK_CLASS, LOCK_ARCHIVE))
    if not cr.fetchone()[0]:
        return False
    end = clock() + seconds
    try:
        given = parameters(cr)
        for kind in KINDS:
            for step in steps(kind, given):
                while step(cr, CHUNK) == CHUNK:
                    if clock() >= end:
                        return True
    finally:
        cr.execute("SELECT pg_advisory_unlock(%s, %s)", (LOCK_CLASS, LOCK_ARCHIVE))
    return False


def restore_events(cr: Any, event_ids: list[str]) -> None:
    """Put archived events back: the same fact told again is the same event, however old."""
    cr.execute(
        f"""WITH back AS (DELETE FROM {EVENTS.archive} WHERE event_id = ANY(%s) RETURNING {EVENTS.columns})
            INSERT INTO {EVENTS.table} ({EVENTS.columns}) SELECT {EVENTS.columns} FROM back ON CONFLICT DO NOTHING""",
        (event_ids,),
    )
