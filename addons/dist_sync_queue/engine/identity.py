# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Requests of equal identity are the same work: the newest is run, and never an older one after it.

All pending requests are looked at when one of them is claimed, also those that wait for their time: an older one (a
retry that backs off, say) must not come after the newest has run, and one that is due gives way to a newer one that is
planned for later. Jobs without identity never come here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from .claim import Group, Row

MOST_DELAYS = 10
"""A request that is due gives way to a planned one until the work has waited this many times as long as that one asks
for: requests that follow each other faster than their delay are run all the same, now and then."""


class Request(NamedTuple):
    """A pending job of an identity. ``free``: nobody else has it locked; ``here``: it may be run by this batch.

    Times are naive UTC; ``eta`` is None where the request is ready.
    """

    id: int
    payload: Any
    eta: datetime | None
    created_at: datetime
    here: bool
    free: bool


class Merged(NamedTuple):
    """``run``: the rows to run; ``into``: id of a request → id of the row in ``run`` that does its work;
    ``replaced``: id of a request → id of the newer, planned one that takes its place."""

    run: list[Row]
    into: dict[int, int]
    replaced: dict[int, int]


# Claimed rows are locked by ourselves. A row of a key is run only where its key is in hand, whatever is newer.
_REQUESTS = """
WITH mine AS (
    SELECT identity FROM unnest(%(identities)s) AS i (identity)
     WHERE pg_try_advisory_xact_lock(
               hashtextextended('dist.identity/' || %(handler)s || '/' || %(connection)s || '/' || identity, 0))
), free AS (
    SELECT j.id
      FROM mine JOIN dist_job j ON j.handler = %(handler)s AND j.connection_scope = %(connection)s
                               AND j.identity = mine.identity
     WHERE j.state = 'pending' AND j.identity IS NOT NULL
       FOR NO KEY UPDATE OF j SKIP LOCKED
)
SELECT clock_timestamp() AT TIME ZONE 'UTC', j.identity, j.id, j.payload, j.eta, j.created_at,
       j.order_key IS NULL OR j.id = ANY(%(ids)s), free.id IS NOT NULL
  FROM mine JOIN dist_job j ON j.handler = %(handler)s AND j.connection_scope = %(connection)s
                           AND j.identity = mine.identity
  LEFT JOIN free USING (id)
 WHERE j.state = 'pending' AND j.identity IS NOT NULL
 ORDER BY j.id
"""


def merge(cr: Any, group: Group, rows: list[Row]) -> Merged:
    """Coalesce requests of equal identity: the newest is run, in the place of the first claimed.

    An identity is one of the handler and of the connection (or company) it works for, as ``group`` says: what another
    one asked for is other work, however it is called.

    An advisory lock per identity keeps a second worker from running the same identity meanwhile: its rows are left out
    here and stay pending. Requests made after our snapshot are not seen and cause one further run.
    """
    identities = list({row.identity: None for row in rows if row.identity is not None})
    if not identities:
        return Merged(rows, {}, {})
    values = {"handler": group.handler, "connection": group.connection, "identities": identities}
    cr.execute(_REQUESTS, {**values, "ids": [row.id for row in rows]}, log_exceptions=False)
    asked: dict[str | None, list[Request]] = defaultdict(list)
    now = datetime.min
    for at, identity, *request in cr.fetchall():
        now = at
        asked[identity].append(Request(*request))
    return sort_out(rows, asked, now)


def sort_out(rows: Sequence[Row], asked: dict[str | None, list[Request]], now: datetime) -> Merged:
    """Which of ``rows`` run, with what. ``asked``: the requests of each identity we hold, oldest first. Pure."""
    result = Merged([], {}, {})
    seen: set[str] = set()
    held: set[str | None] = set()  # keys of rows that are left out: what follows them is left out, too
    for row in rows:
        if row.order_key is not None and row.order_key in held:
            continue
        if row.identity is None:
            result.run.append(row)
            continue
        if row.id in result.into or row.id in result.replaced:
            continue
        known = asked.get(row.identity, []) if row.identity not in seen else []
        seen.add(row.identity)
        newest = newest_ready(known)
        if newest is None or not any(request.free and request.id == row.id for request in known):
            held.add(row.order_key)
        elif planned := planned_after(known, newest, now):
            result.replaced.update((r.id, planned.id) for r in known if r.free and r.id < planned.id)
        else:
            result.run.append(row._replace(payload=newest.payload))
            result.into.update((r.id, row.id) for r in known if r.id != row.id and gives_way(r, newest))
    return result


def newest_ready(requests: Iterable[Request]) -> Request | None:
    """The request to run; None where an older one is in somebody else's hand, and would come after it."""
    taken = False
    newest = None
    for request in requests:
        if not request.free:
            taken = True
        elif request.eta is None and request.here:
            if taken:
                return None
            newest = request
    return newest


def planned_after(requests: Collection[Request], newest: Request, now: datetime) -> Request | None:
    """The planned request that takes the place of all before it; None where there is none, or the work is overdue."""
    planned = next((r for r in reversed(list(requests)) if r.eta is not None and r.free and r.id > newest.id), None)
    if planned is None or planned.eta is None:
        return None
    waited = now - min(r.created_at for r in requests if r.eta is None)
    return planned if waited <= MOST_DELAYS * (planned.eta - planned.created_at) else None


def gives_way(request: Request, newest: Request) -> bool:
    """Whether a request is done with when ``newest`` runs."""
    return request.free and request.id <= newest.id
