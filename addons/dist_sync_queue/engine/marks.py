# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Dirty marks become state events.

Why an older value can never get a newer version than a newer value
-------------------------------------------------------------------
One transaction (REPEATABLE READ, snapshot S) locks a key, deletes the marks of the key it sees in S, computes the value
in S, takes ``nextval`` and writes the outbox. Let A and B be two such transactions of one key that both commit.

* The lock is an advisory *transaction* lock: PostgreSQL makes a commit visible before it gives such locks up. So the
  critical sections of A and B do not overlap, and if A held it first, version(A) < version(B).
* Suppose the snapshots were the other way round, S(B) older than S(A). B deleted at least one mark m of the key (a key
  without a deleted mark is not computed). m is in S(B), hence in S(A) as well, unless a third transaction deleted it in
  between. A deleted all marks of the key in S(A). So m was deleted, by A or the third, in a transaction that committed
  after S(B) and before B's DELETE. A DELETE that meets such a row raises 40001 under REPEATABLE READ: B rolled back and
  took again with a new snapshot. Contradiction.
* So S(A) is older than or equal to S(B): B's value is at least as new as A's, and has the greater version.

A mark inserted by a business transaction that is not yet committed is in neither snapshot; it stays and causes one more
computation after its commit. So the last change of a key is always followed by a computation that sees it.

Other writers of the versions of a key must follow the same rule; that is why a failed key goes back as a mark, and the
replay of a dead one only marks it again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from odoo import api

from ..errors import Permanent, Snooze
from .backoff import full_jitter
from .claim import Group
from .execute import SIMILAR_DEPTHS, Report, Work, context_env
from .hand import Hand, Unguarded
from .handlers import Handler
from .isolate import isolate
from .settle import LOCKS, locked, message_of, report_dead, seconds_asked, trace_of

_CLAIM = """
WITH RECURSIVE keys AS (
    (SELECT key FROM dist_dirty_mark
      WHERE type = %(type)s AND connection_id = %(connection)s AND eta IS NULL AND key > %(after)s
      ORDER BY key LIMIT 1)
    UNION ALL
    SELECT n.key FROM keys, LATERAL (
        SELECT key FROM dist_dirty_mark
         WHERE type = %(type)s AND connection_id = %(connection)s AND eta IS NULL AND key > keys.key
         ORDER BY key LIMIT 1) n
)
SELECT key FROM keys
 WHERE pg_try_advisory_xact_lock(hashtextextended('dist.state/' || %(type)s || '/' || %(connection)s || '/' || key, 0))
 LIMIT %(limit)s
"""
_TAKE = """
WITH taken AS (
    DELETE FROM dist_dirty_mark
     WHERE type = %(type)s AND connection_id = %(connection)s AND key = ANY(%(keys)s) AND eta IS NULL
    RETURNING key, id, attempts, correlation_id, depth
), keys AS (
    SELECT key, max(attempts) AS attempts, (array_agg(correlation_id ORDER BY id DESC))[1] AS correlation_id,
           count(*) AS marks, COALESCE(max(depth), 0) AS depth
      FROM taken GROUP BY key
)
SELECT k.key, k.attempts, k.correlation_id, k.marks,
       COALESCE((SELECT c.crashes FROM dist_mark_crash c
                  WHERE c.connection_id = %(connection)s AND c.type = %(type)s AND c.key = k.key), 0), k.depth
  FROM keys k ORDER BY k.key
"""


LOCKED_TIMES = 5
"""A key has no tries that are written down: what meets a lock waits as after so many times, up to 4 s."""


class Key(NamedTuple):
    """One key to compute; shaped enough like a claimed job for the code that runs batches."""

    order_key: str
    attempts: int
    correlation_id: str | None
    company_id: int | None
    connection_id: int
    marks: int = 1
    crashes: int = 0
    depth: int = 0


def claim(cr: Any, group: Group, limit: int, after: str = "") -> tuple[list[Key], str]:
    """Lock up to ``limit`` keys and delete the marks seen of them.

    :return: the keys, and where to go on ("" at the end)
    """
    values = {"type": group.handler.partition("#")[0], "connection": group.connection, "limit": limit}
    names: list[str] = []
    for start in (after, "") if after else ("",):
        cr.execute(_CLAIM, {**values, "after": start})
        if names := [row[0] for row in cr.fetchall()]:
            break
    if not names:
        return [], ""
    cr.execute("SELECT company_id FROM dist_connection WHERE id = %s", (group.connection,))
    if not (found := cr.fetchone()):  # marked by a transaction that had not seen its end
        cr.execute("DELETE FROM dist_dirty_mark WHERE connection_id = %s", (group.connection,))
        cr.execute("DELETE FROM dist_mark_crash WHERE connection_id = %s", (group.connection,))
        return [], ""
    company = found[0]
    cr.execute(_TAKE, {**values, "keys": names}, log_exceptions=False)
    keys = [Key(*row[:3], company, group.connection, *row[3:]) for row in cr.fetchall()]
    return keys, max(names) if len(names) >= limit else ""


class Compute(Work):
    """Calls the handler for some keys and writes what it returns."""

    def call(self, keys: Sequence[Key]) -> None:
        env = context_env(self.env, keys)
        connection = env["dist.connection"].browse(keys[0].connection_id)
        names = [key.order_key for key in keys]
        rows = []
        for method in self.handler.bound(env):
            for name, payload in (method(connection, list(names)) or {}).items():
                if payload is not None:
                    rows.append((name, payload))
        if not rows:
            return
        env.cr.execute("SELECT nextval('dist_state_version_seq') FROM generate_series(1, %s)", (len(rows),))
        versions = [row[0] for row in env.cr.fetchall()]
        correlation = {key.order_key: key.correlation_id for key in keys}
        env["dist.outbox.event"].emit_many(
            connection,
            self.handler.name.partition("#")[0],
            [
                {
                    "key": name,
                    "payload": stamped(payload, version),
                    "version": version,
                    "fact": (version,),
                    "correlation_id": correlation.get(name),
                }
                for (name, payload), version in zip(rows, versions, strict=True)
            ],
        )


def stamped(payload: Any, version: int) -> dict[str, Any]:
    """The payload as JSON, with the version the engine gave."""
    data = payload.model_dump(mode="json") if hasattr(payload, "model_dump") else dict(payload)
    return {**data, "version": version}


def run(
    env: api.Environment,
    handler: Handler,
    keys: Sequence[Key],
    budget: float = 0.2,
    guard: Hand | Unguarded | None = None,
) -> Report:
    """Compute ``keys``, write their events, and put back what failed or was left over."""
    started = time.monotonic()
    keys = sorted(keys, key=lambda key: key.depth // SIMILAR_DEPTHS)  # those that may share a call are neighbours
    work = Compute(env, handler, started + budget, guard)
    outcome = isolate(keys, work.attempt, out_of_time=work.out_of_time)
    put_back(env.cr, handler, outcome.left)
    forgive(env.cr, handler, outcome.done)
    report = Report(done=outcome.done, left=outcome.left)  # type: ignore[arg-type]
    for key, error in outcome.failed:
        (report.dead if failed(env, handler, key, error) else report.retried).append(key)  # type: ignore[arg-type]
    report.seconds = time.monotonic() - started
    return report


def put_back(cr: Any, handler: Handler, keys: Sequence[Key], wait: float | None = None, counted: int = 0) -> None:
    """Mark keys again (their marks were deleted by the claim), to be looked at after ``wait`` seconds."""
    if keys:
        cr.execute(
            """INSERT INTO dist_dirty_mark (connection_id, type, key, attempts, eta, correlation_id, depth)
               SELECT %s, %s, k.key, k.attempts, (clock_timestamp() AT TIME ZONE 'UTC') + %s, k.correlation,
                      NULLIF(k.depth, 0)
                 FROM unnest(%s, %s, %s::text[], %s) AS k (key, attempts, correlation, depth)""",
            (
                keys[0].connection_id,
                handler.name.partition("#")[0],
                None if wait is None else timedelta(seconds=wait),
                [key.order_key for key in keys],
                [key.attempts + counted for key in keys],
                [key.correlation_id for key in keys],
                [key.depth for key in keys],
            ),
        )


def forgive(cr: Any, handler: Handler, keys: Sequence[Key]) -> None:
    """Forget crashes of keys that are settled."""
    if names := [key.order_key for key in keys if key.crashes]:
        cr.execute(
            "DELETE FROM dist_mark_crash WHERE connection_id = %s AND type = %s AND key = ANY(%s)",
            (keys[0].connection_id, handler.name.partition("#")[0], names),
        )


def failed(env: api.Environment, handler: Handler, key: Key, error: BaseException) -> bool:
    """Put a failed key back for later, or make a dead letter of it. :return: whether it is dead"""
    spec = handler.spec
    if isinstance(error, LOCKS):
        error = locked(error, LOCKED_TIMES)
    counted = not isinstance(error, Snooze)
    attempts = key.attempts + counted
    if not isinstance(error, Permanent) and attempts < spec.max_attempts:
        wait = seconds_asked(error)
        if wait is None:
            wait = full_jitter(attempts, spec.backoff, spec.backoff_max)
        put_back(env.cr, handler, [key], wait, int(counted))
        return False
    env.cr.execute(
        """INSERT INTO dist_job (handler, payload, connection_id, company_id, lane, key, state, attempts, error_type,
                                 error_message, error_trace, correlation_id, done_at)
           VALUES (%s, %s, %s, %s, %s, NULL, 'dead', %s, %s, %s, %s, %s, clock_timestamp() AT TIME ZONE 'UTC')
           RETURNING id""",
        (
            handler.name,
            json.dumps({"keys": [key.order_key]}),
            key.connection_id,
            key.company_id,
            handler.lane,
            attempts,
            getattr(error, "error_type", type(error).__name__),
            message_of(error)[:2000],
            trace_of(error),
            key.correlation_id,
        ),
    )
    report_dead(env, env.cr.fetchone()[0], key.correlation_id)
    forgive(env.cr, handler, [key])
    return True


def unknown(env: api.Environment, group: Group, error: Permanent) -> Report:
    """Marks nobody computes: one dead letter for their keys; its replay marks them again."""
    keys, _after = claim(env.cr, group, 10_000)
    if not keys:
        return Report()
    env.cr.execute(
        """INSERT INTO dist_job (handler, payload, connection_id, company_id, state, error_type, error_message, done_at)
           VALUES (%s, %s, %s, %s, 'dead', %s, %s, clock_timestamp() AT TIME ZONE 'UTC') RETURNING id""",
        (
            group.handler,
            json.dumps({"keys": [key.order_key for key in keys]}),
            group.connection,
            keys[0].company_id,
            type(error).__name__,
            message_of(error),
        ),
    )
    report_dead(env, env.cr.fetchone()[0])
    return Report(dead=keys)  # type: ignore[arg-type]
