# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What people set while the workers run: what stands still, which lane weighs how much, how many may work on what.

A capacity is a number of batches at the same time, of all workers on all machines together: seats, each an advisory
lock of the batch's transaction. So it needs neither a counter that a crash leaves wrong nor an election, and PostgreSQL
gives a seat back at the very moment the batch's work is seen. Nothing is asked of it where no capacity is set.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from .claim import Group

_TAKE = """
SELECT l.name, EXISTS (
           SELECT 1 FROM generate_series(1, l.seats) AS seat
            WHERE pg_try_advisory_xact_lock(hashtextextended('dist.capacity/' || l.name || '/' || seat, 0)))
  FROM unnest(%s, %s) AS l (name, seats)
"""


class Limit(NamedTuple):
    """At most ``seats`` batches of ``name`` (``lane/orders``) at the same time."""

    name: str
    seats: int


class Control(NamedTuple):
    """The rows of ``dist_job_control``, by (kind, name) or by lane."""

    paused: frozenset[tuple[str, str]] = frozenset()
    weights: dict[str, float] = {}
    seats: dict[tuple[str, str], int] = {}

    def allows(self, handler: str, lane: str) -> bool:
        """Whether work of a handler may be begun."""
        return ("lane", lane) not in self.paused and ("handler", handler) not in self.paused

    def limits(self, group: Group, lane: str) -> list[Limit]:
        """What a batch of ``group`` needs a seat of.

        >>> control = Control(seats={("lane", "reserve"): 1, ("handler", "a"): 3})
        >>> [limit.name for limit in control.limits(Group("a", 7, "loose", 5, seats=2), "reserve")]
        ['lane/reserve', 'handler/a', 'connection/7']
        >>> control.limits(Group("b", 7, "loose", 5), "default")
        []
        """
        found = []
        for kind, name in (("lane", lane), ("handler", group.handler)):
            if seats := self.seats.get((kind, name)):
                found.append(Limit(f"{kind}/{name}", seats))
        if group.seats:
            found.append(Limit(f"connection/{group.connection}", group.seats))
        return found


def read(cr: Any) -> Control:
    """What is set at this moment."""
    cr.execute("SELECT kind, name, paused, weight, capacity FROM dist_job_control")
    return of(cr.fetchall())


def of(rows: Sequence[Sequence[Any]]) -> Control:
    """What rows of kind, name, paused, weight, capacity say."""
    return Control(
        frozenset((kind, name) for kind, name, paused, _weight, _seats in rows if paused),
        {name: weight for kind, name, _paused, weight, _seats in rows if kind == "lane" and weight},
        {(kind, name): seats for kind, name, _paused, _weight, seats in rows if seats},
    )


def take_seats(cr: Any, limits: list[Limit]) -> list[str]:
    """Take a seat of each, until the end of the transaction. :return: the names of those that have none left"""
    if not limits:
        return []
    cr.execute(_TAKE, ([limit.name for limit in limits], [limit.seats for limit in limits]))
    return [name for name, seated in cr.fetchall() if not seated]
