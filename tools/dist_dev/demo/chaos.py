"""Kills processes at random moments, repeatably: the same seed makes the same choices."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass
class Chaos:
    """Decides what dies and when.

    :param targets: names of the services that may be killed.
    :param kill: kills one service by name with SIGKILL; the supervisor starts it again.
    :param kills: how many kills in all.
    :param pause: least and most seconds between two kills.
    """

    targets: Sequence[str]
    kill: Callable[[str], None]
    seed: int
    kills: int = 12
    pause: tuple[float, float] = (2.0, 6.0)
    done: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        # Every target dies at least once before any of them dies more often than the others.
        order = [name for _ in range(self.kills // len(self.targets) + 1) for name in self._shuffled()]
        self._victims = order[: self.kills]
        self._next_at: float | None = None

    def _shuffled(self) -> list[str]:
        names = list(self.targets)
        self._random.shuffle(names)
        return names

    def tick(self, now: float) -> str | None:
        """Kill the next victim if its time has come; returns its name. ``now`` is monotonic seconds."""
        if not self._victims:
            return None
        if self._next_at is None:
            self._next_at = now + self._random.uniform(*self.pause)
        if now < self._next_at:
            return None
        self._next_at = now + self._random.uniform(*self.pause)
        victim = self._victims.pop(0)
        self.kill(victim)
        self.done[victim] += 1
        return victim

    @property
    def over(self) -> bool:
        """Whether all kills are done."""
        return not self._victims
