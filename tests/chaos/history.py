"""What must be true afterwards, whatever happened meanwhile. Pure: rows in, violations out.

====  ==========================================================================================================
L     nothing lost: every committed intent took effect, the last value of a key is the one shown
D     nothing double: no intent took effect twice
O     order: the effects of a key came in the order of its intents, no older value was shown after a newer one
P     no phantom: nothing took effect that no committed transaction intended
B     bounded: nothing is left in the queues, no queue was ever longer than it may be
====  ==========================================================================================================
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Intent(NamedTuple):
    """One thing a committed transaction meant to happen. ``number`` orders the intents of a (lane, key)."""

    lane: str
    key: str
    number: int
    token: str


class Effect(NamedTuple):
    """One thing that happened."""

    lane: str
    key: str
    token: str


class Shown(NamedTuple):
    """One value of a key that was made known; ``version`` as the engine gave it, 0 where there is none."""

    lane: str
    key: str
    version: int
    value: int


class Violation(NamedTuple):
    """``promise`` is one of L, D, O, P, B."""

    promise: str
    what: str


@dataclass
class History:
    """Everything needed to judge. Effects and shown values stand in the order they happened.

    ``values``: (lane, key) → the value that was committed last. ``open``: what is not settled, by name.
    ``peaks``: name → (highest number seen, allowed).
    """

    intents: Sequence[Intent] = ()
    effects: Sequence[Effect] = ()
    values: Mapping[tuple[str, str], int] = field(default_factory=dict)
    shown: Sequence[Shown] = ()
    open: Mapping[str, int] = field(default_factory=dict)
    peaks: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def check(history: History) -> list[Violation]:
    """Every promise that was broken, and where; empty when all were kept."""
    found = [*_facts(history), *_values(history)]
    found += [Violation("B", f"{count} {name} left") for name, count in history.open.items() if count]
    found += [
        Violation("B", f"{name} reached {peak}, allowed are {most}")
        for name, (peak, most) in history.peaks.items()
        if peak > most
    ]
    return found


def report(violations: Sequence[Violation], first: int = 10) -> str:
    """The verdict for people: how many of each promise, and the first ones in words."""
    if not violations:
        return "every promise was kept"
    counts = Counter(violation.promise for violation in violations)
    lines = [", ".join(f"{promise}: {counts[promise]}" for promise in "LDOPB" if counts[promise])]
    lines += [f"  {violation.promise}  {violation.what}" for violation in violations[:first]]
    if len(violations) > first:
        lines.append(f"  … and {len(violations) - first} more")
    return "\n".join(lines)


def _facts(history: History) -> Iterable[Violation]:
    intended = {intent.token: intent for intent in history.intents}
    seen = Counter(effect.token for effect in history.effects)
    for intent in history.intents:
        if not seen[intent.token]:
            yield Violation("L", f"{intent.lane} {intent.number} of {intent.key} never took effect ({intent.token})")
    order: dict[tuple[str, str], int] = defaultdict(int)
    for token, count in seen.items():
        if token in intended and count > 1:
            yield Violation("D", f"{token} took effect {count} times")
    for effect in history.effects:
        intent = intended.get(effect.token)
        if intent is None:
            yield Violation("P", f"{effect.lane} of {effect.key} was never committed ({effect.token})")
            continue
        place = (effect.lane, effect.key)
        if intent.number < order[place]:
            yield Violation("O", f"{effect.lane} {intent.number} of {effect.key} came after {order[place]}")
        order[place] = max(order[place], intent.number)


def _values(history: History) -> Iterable[Violation]:
    last: dict[tuple[str, str], Shown] = {}
    for shown in history.shown:
        place = (shown.lane, shown.key)
        if place not in history.values or shown.value > history.values[place]:
            yield Violation("P", f"{shown.lane} of {shown.key} was shown as {shown.value}, which was never committed")
        before = last.get(place)
        if before and (shown.version < before.version or shown.value < before.value):
            yield Violation(
                "O",
                f"{shown.lane} of {shown.key} was shown as {shown.value} (version {shown.version}) "
                f"after {before.value} (version {before.version})",
            )
        last[place] = shown
    for place, value in history.values.items():
        shown_last = last.get(place)
        if value and (shown_last is None or shown_last.value != value):
            what = "nothing" if shown_last is None else shown_last.value
            yield Violation("L", f"{place[0]} of {place[1]} ended at {value}, shown is {what}")
