# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Whose turn it is: lanes share working time by weight, connections of a lane take turns. Pure.

Each lane has a virtual clock that advances by (seconds worked / weight); the lane that is behind is served. A lane that
was idle starts at the clock of the others: it does not save up time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

DEFAULT_WEIGHTS = {"high": 8.0, "orders": 4.0, "reserve": 4.0, "default": 2.0, "low": 1.0}
FAIR_EVERY = 4
"""Every so many turns of a lane the priority is not looked at, so that nothing of it waits for ever."""


class Turns:
    """Chooses the next group of work.

    >>> from collections import namedtuple
    >>> G = namedtuple("G", "handler connection source priority")
    >>> turns = Turns({"a": 3.0, "b": 1.0})
    >>> groups = [G("a", 1, "loose", 5), G("b", 1, "loose", 5)]
    >>> served = []
    >>> for _ in range(8):
    ...     group = turns.choose(groups, lambda g: g.handler)
    ...     served.append(group.handler)
    ...     turns.charge(group.handler, group, 1.0)
    >>> "".join(served)
    'abaaabaa'
    >>> noisy = [G("a", 1, "loose", 5), G("a", 2, "loose", 5)]
    >>> turns = Turns()
    >>> order = []
    >>> for _ in range(4):
    ...     group = turns.choose(noisy, lambda g: "x")
    ...     order.append(group.connection)
    ...     turns.charge("x", group, 0.1)
    >>> order
    [1, 2, 1, 2]
    """

    def __init__(self, weights: dict[str, float] | None = None) -> None:
        self.weights = dict(weights or {})
        self._clock: dict[str, float] = {}
        self._active: set[str] = set()
        self._served: dict[Any, int] = {}
        self._turn: dict[str, int] = {}
        self._count = count(1)

    def weight(self, lane: str) -> float:
        return self.weights.get(lane) or DEFAULT_WEIGHTS.get(lane, 2.0)

    def choose(self, groups: Iterable[Any], lane_of: Callable[[Any], str]) -> Any | None:
        """The group to serve now, or None."""
        lanes: dict[str, list[Any]] = {}
        for group in groups:
            lanes.setdefault(lane_of(group), []).append(group)
        if not lanes:
            self._active = set()
            return None
        floor = min((self._clock[lane] for lane in lanes if lane in self._active), default=0.0)
        for lane in lanes:
            if lane not in self._active:
                self._clock[lane] = max(self._clock.get(lane, 0.0), floor)
        self._active = set(lanes)
        lane = min(lanes, key=lambda name: (self._clock[name], -self.weight(name), name))
        self._turn[lane] = self._turn.get(lane, 0) + 1
        by_priority = self._turn[lane] % FAIR_EVERY != 0
        return min(
            lanes[lane],
            key=lambda g: (
                g.priority if by_priority else 0,
                self._served.get(("c", g.connection), 0),
                self._served.get(g[:3], 0),
            ),
        )

    def charge(self, lane: str, group: Any, seconds: float) -> None:
        """Time spent on a group; an empty claim costs a little as well."""
        self._clock[lane] = self._clock.get(lane, 0.0) + max(seconds, 0.0005) / self.weight(lane)
        turn = next(self._count)
        self._served["c", group.connection] = turn
        self._served[group[:3]] = turn
