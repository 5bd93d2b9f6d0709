# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Whose turn it is. Pure.

Lanes share working time by weight; inside a lane companies share it, inside a company its connections, inside a
connection its handlers. Each has a virtual clock that advances by (seconds worked / weight); who is behind is served.
Who was idle starts a batch's time before the one that is furthest behind: it does not save up time, but it is next. So
somebody with little to do waits for the batch in hand, not for a round through all who have much.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any

DEFAULT_WEIGHTS = {"high": 8.0, "orders": 4.0, "reserve": 4.0, "default": 2.0, "low": 1.0}
OTHER_WEIGHT = 2.0
FAIR_EVERY = 4
"""Every so many turns of a lane the priority is not looked at, so that nothing of it waits for ever."""
LEAST_SECONDS = 0.0005
"""Charged for an empty claim."""
AHEAD_SECONDS = 0.2
"""About one batch: work worth less than that waits for nobody's round."""


def usual_weight(lane: str) -> float:
    """The weight of a lane for which nothing is set."""
    return DEFAULT_WEIGHTS.get(lane, OTHER_WEIGHT)


class Shares:
    """Working time shared among names.

    :param ahead: seconds by which somebody who was idle comes before the others. It is given once, not each time: who
        has used it up waits until the others have got as much

    >>> shares = Shares()
    >>> for name in shares.arrive(["busy", "busier"]):
    ...     shares.charge(name, 10.0)
    >>> shares.behind(shares.arrive(["busy", "busier", "new"]))
    'new'
    """

    def __init__(self, weight: Callable[[Any], float] = lambda name: 1.0, ahead: float = LEAST_SECONDS) -> None:
        self._weight, self._ahead = weight, ahead
        self._clock: dict[Hashable, float] = {}
        self._active: set[Hashable] = set()

    def arrive(self, names: Iterable[Hashable]) -> set[Hashable]:
        """These have work now, the others have none."""
        present = set(names)
        floor = min((self._clock[name] for name in present if name in self._active), default=self._ahead) - self._ahead
        # what an absent one used beyond the floor is remembered: going away for a moment clears no debt
        kept = {name: clock for name, clock in self._clock.items() if name in present or clock > floor}
        self._clock = kept | {name: max(kept.get(name, floor), floor) for name in present if name not in self._active}
        self._active = present
        return present

    def behind(self, names: Iterable[Any]) -> Any:
        """Who got least; of equals the heavier, then the first by name."""
        return min(names, key=lambda name: (self._clock.get(name, 0.0), -self._weight(name), name))

    def charge(self, name: Hashable, seconds: float) -> None:
        self._clock[name] = self._clock.get(name, 0.0) + max(seconds, LEAST_SECONDS) / self._weight(name)


class Tree:
    """Shares inside shares: a path of names from the company to the handler.

    >>> tree, paths = Tree(), [(1, "a"), (1, "b"), (2, "c")]
    >>> served = []
    >>> for _ in range(8):
    ...     tree.arrive(paths)
    ...     served.append(tree.behind(paths))
    ...     tree.charge(served[-1], 1.0)
    >>> "".join(name for _company, name in served)
    'acbcacbc'
    """

    def __init__(self) -> None:
        self._shares = Shares(ahead=AHEAD_SECONDS)
        self._below: dict[Hashable, Tree] = {}

    def arrive(self, paths: Iterable[tuple]) -> None:
        tails: dict[Hashable, list[tuple]] = {}
        for head, *tail in paths:
            tails.setdefault(head, []).append(tuple(tail))
        self._shares.arrive(tails)
        self._below = {head: self._below.get(head) or Tree() for head in tails if tails[head][0]}
        for head, tree in self._below.items():
            tree.arrive(tails[head])

    def behind(self, paths: list[tuple]) -> tuple:
        head = self._shares.behind({path[0] for path in paths})
        tails = [path[1:] for path in paths if path[0] == head]
        return (head, *(self._below[head].behind(tails) if tails[0] else ()))

    def charge(self, path: tuple, seconds: float) -> None:
        if path:
            self._shares.charge(path[0], seconds)
            if path[0] in self._below:
                self._below[path[0]].charge(path[1:], seconds)


class Turns:
    """Chooses the next group of work.

    >>> from collections import namedtuple
    >>> G = namedtuple("G", "handler connection source priority company")
    >>> turns = Turns({"a": 3.0, "b": 1.0})
    >>> groups = [G("a", 1, "loose", 5, 1), G("b", 1, "loose", 5, 1)]
    >>> served = []
    >>> for _ in range(8):
    ...     group = turns.choose(groups, lambda g: g.handler)
    ...     served.append(group.handler)
    ...     turns.charge(group.handler, group, 1.0)
    >>> "".join(served)
    'abaaabaa'
    >>> noisy = [G("a", 1, "loose", 5, 1), G("a", 2, "loose", 5, 1)]
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
        self._lanes = Shares(self.weight)
        self._inside: dict[str, Tree] = {}
        self._turn: dict[str, int] = {}

    def weight(self, lane: str) -> float:
        return self.weights.get(lane) or usual_weight(lane)

    def choose(self, groups: Iterable[Any], lane_of: Callable[[Any], str]) -> Any | None:
        """The group to serve now, or None."""
        lanes: dict[str, list[Any]] = {}
        for group in groups:
            lanes.setdefault(lane_of(group), []).append(group)
        self._lanes.arrive(lanes)
        self._inside = {lane: self._inside.get(lane) or Tree() for lane in lanes}
        if not lanes:
            return None
        lane = self._lanes.behind(lanes)
        self._turn[lane] = self._turn.get(lane, 0) + 1
        tree, paths = self._inside[lane], {path_of(group): group for group in lanes[lane]}
        tree.arrive(paths)
        candidates = paths
        if self._turn[lane] % FAIR_EVERY:
            best = min(group.priority for group in lanes[lane])
            candidates = {path: group for path, group in paths.items() if group.priority == best}
        return candidates[tree.behind(list(candidates))]

    def charge(self, lane: str, group: Any, seconds: float) -> None:
        """Time spent on a group; an empty claim costs a little as well."""
        self._lanes.charge(lane, seconds)
        if lane in self._inside:
            self._inside[lane].charge(path_of(group), seconds)


def path_of(group: Any) -> tuple[int, int, tuple[str, str]]:
    """From the company to the handler."""
    return group.company, group.connection, (group.handler, group.source)
