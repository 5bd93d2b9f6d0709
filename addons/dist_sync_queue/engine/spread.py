# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Which worker process serves what. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class CannotSpread(ValueError):
    """What was asked for would leave work that nobody does."""


class Place(NamedTuple):
    """What one worker process serves; ``lanes`` is empty where the command's own ``--lanes`` holds."""

    database: str
    lanes: str = ""

    @property
    def arguments(self) -> list[str]:
        """To be added to the command's own arguments; of an option given twice the last one holds."""
        return ["-d", self.database, *(["--lanes", self.lanes] if self.lanes else [])]

    def __str__(self) -> str:
        return f"{self.database} ({self.lanes} only)" if self.lanes else self.database


def spread(databases: Sequence[str], processes: int, reserve: str = "") -> list[Place]:
    """Processes over databases, round robin, at least one each.

    :param reserve: lanes, separated by commas, which the first process of each database serves and nothing else
    :raises CannotSpread: when a database has no second process for everything else

    >>> [str(place) for place in spread(["a", "b"], 3)]
    ['a', 'b', 'a']
    >>> [str(place) for place in spread(["a"], 3, "orders,high")]
    ['a (orders,high only)', 'a', 'a']
    """
    count, least = max(processes, len(databases)), 2 * len(databases)
    if reserve and count < least:
        raise CannotSpread(
            f"--reserve {reserve} keeps one process of each database for these lanes, and another has to do the rest:"
            f" use --processes {least} or more, or leave --reserve away."
        )
    return [
        Place(databases[number % len(databases)], reserve if number < len(databases) else "") for number in range(count)
    ]
