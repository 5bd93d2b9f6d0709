"""What holds for segments of a qualifier: ``check uses REF 1..1 when 1=DP``, ``check element N1.4 required when 1=ST``.

``uses`` counts segments of a tag whose elements have these codes in the whole message (``0..0``: none may be there).
``element`` says of such segments: ``required``, ``forbidden`` or ``codes UL 92``. Several conditions may follow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..finding import Level
from .base import Context, Fault, Only, Place, Watcher

MAX_FAULTS = 50
"""Faults kept per message and check."""


def uses(context: Context) -> Watcher:
    """Segments of a qualifier are there so often."""
    words, conditions = _conditions(context)
    found = re.fullmatch(r"(\d{1,9})\.\.(\d{1,9}|\*)", words[1]) if len(words) == 2 else None
    if not found or not conditions:
        raise context.error("a line such as 'check uses REF 1..1 when 1=DP' is wanted")
    high = None if found[2] == "*" else int(found[2])
    return Watcher((words[0],), lambda: _Uses(words[0], conditions, int(found[1]), high))


def element(context: Context) -> Watcher:
    """An element of such segments is there, is not there, or has one of some codes."""
    words, conditions = _conditions(context)
    if (
        len(words) < 2
        or words[1] not in ("required", "forbidden", "codes")
        or (words[1] == "codes") != (len(words) > 2)
    ):
        raise context.error("a line such as 'check element N1.4 required when 1=ST' is wanted")
    place = context.place(words[0])
    return Watcher((place.tag,), lambda: _Element(place, conditions, words[1], frozenset(words[2:])))


def _conditions(context: Context) -> tuple[list[str], tuple[Only, ...]]:
    words = list(context.check.words)
    at = words.index("when") if "when" in words else len(words)
    tag = words[0].partition(".")[0] if words else ""
    conditions = []
    for word in words[at + 1 :]:
        place, _, codes = word.partition("=")
        conditions.append(Only(context.place(f"{tag}.{place}"), frozenset(codes.split("|"))))
    return words[:at], tuple(conditions)


def _said(conditions: tuple[Only, ...]) -> str:
    return " and ".join(f"{each.place.name} {' or '.join(sorted(each.codes))}" for each in conditions)


class _Uses:
    def __init__(self, tag: str, conditions: tuple[Only, ...], low: int, high: int | None) -> None:
        self._tag = tag
        self._conditions = conditions
        self._low = low
        self._high = high
        self._found = 0
        self._faults: list[Fault] = []

    def see(self, tag: str, raw: str, position: int) -> None:
        if not all(each.holds(raw) for each in self._conditions):
            return
        self._found += 1
        if self._high is not None and self._found > self._high and len(self._faults) < MAX_FAULTS:
            what = f"the segment {tag} with {_said(self._conditions)}"
            place = self._conditions[0].place
            if self._high:
                self._fault("segment.max", f"{what} is there too often", f"at most {self._high}", position)
            else:
                self._fault("segment.forbidden", f"{what} is not used here", "", position, place)

    def end(self) -> Iterable[Fault]:
        if self._found < self._low:
            text = f"the mandatory segment {self._tag} with {_said(self._conditions)} is missing"
            self._fault("segment.missing", text, f"at least {self._low}" if self._low > 1 else "", 0)
        return self._faults

    def _fault(self, rule: str, text: str, expected: str, position: int, place: Place | None = None) -> None:
        where = (place.name, place.index, place.component) if place else ("", 0, 0)
        self._faults.append(Fault(rule, text, expected, self._tag, position, *where, level="grammar"))


class _Element:
    def __init__(self, place: Place, conditions: tuple[Only, ...], what: str, codes: frozenset[str]) -> None:
        self._place = place
        self._conditions = conditions
        self._what = what
        self._codes = codes
        self._faults: list[Fault] = []

    def see(self, tag: str, raw: str, position: int) -> None:
        if len(self._faults) >= MAX_FAULTS or not all(each.holds(raw) for each in self._conditions):
            return
        value = self._place.value(raw)
        where = f" where {_said(self._conditions)}" if self._conditions else ""
        if self._what == "required" and not value:
            self._fault("element.missing", f"it is missing{where}", "a value", position, value)
        elif self._what == "forbidden" and value:
            self._fault("element.forbidden", f"this element may not be used{where}", "", position, value)
        elif self._codes and value and value not in self._codes:
            listed = ", ".join(sorted(self._codes)[:12])
            self._fault(
                "code.narrowed", f"the code {value[:35]} is not used{where}", f"one of {listed}", position, value
            )

    def end(self) -> Iterable[Fault]:
        return self._faults

    def _fault(self, rule: str, text: str, expected: str, position: int, value: str) -> None:
        place = self._place
        level: Level = "code" if rule.startswith("code") else "element"
        self._faults.append(
            Fault(
                rule, text, expected, place.tag, position, place.name, place.index, place.component, value, level=level
            )
        )
