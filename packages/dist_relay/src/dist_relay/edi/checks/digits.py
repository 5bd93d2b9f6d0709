"""Check digits of GS1 numbers: SSCC (18 digits) and GTIN (8, 12, 13, 14 digits), weights 3 and 1 from the right.

``check sscc MAN.2 when 1=GM`` and ``check gtin LIN.3.1 when 3.2=EN|UP`` look at one element; ``check gtin PO1 pairs 6``
looks at qualifier and value in turn from element 6 on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .base import Context, Fault, Only, Place, Watcher, elements, only

GTIN_QUALIFIERS = frozenset({"UP", "UK", "UA", "UI", "EN", "EO", "GT", "SRV", "U2"})
"""Qualifiers of product numbers (235, 7143) whose values are GTINs."""

_LENGTHS = frozenset({8, 12, 13, 14})


def right(digits: str) -> bool:
    """Whether the last digit is the GS1 check digit of the others."""
    if not (digits.isascii() and digits.isdigit()):
        return False
    return (3 * sum(map(int, digits[-2::-2])) + sum(map(int, digits[-1::-2]))) % 10 == 0


def sscc(context: Context) -> Watcher:
    """The element is a serial shipping container code; ``(00)`` and the application identifier 00 are tolerated."""
    place, condition, _ = _parse(context)
    return Watcher((place.tag,), lambda: _Digits(place, condition, None, frozenset({18}), "sscc"))


def gtin(context: Context) -> Watcher:
    """The element, or each value with a qualifier of :data:`GTIN_QUALIFIERS`, is a GTIN."""
    place, condition, pairs = _parse(context)
    return Watcher((place.tag,), lambda: _Digits(place, condition, pairs, _LENGTHS, "gtin"))


def _parse(context: Context) -> tuple[Place, Only | None, int | None]:
    words = list(context.check.words)
    if not words:
        raise context.error("a place is missing")
    tag = words[0].split(".")[0]
    condition = only(context, tag, words)
    if len(words) == 3 and words[1] == "pairs" and words[2].isdigit():
        return context.place(f"{tag}.1"), condition, int(words[2])
    if len(words) != 1:
        raise context.error("a line such as 'check sscc MAN.2 when 1=GM' is wanted")
    return context.place(words[0]), condition, None


class _Digits:
    def __init__(
        self, place: Place, condition: Only | None, pairs: int | None, lengths: frozenset[int], name: str
    ) -> None:
        self._place = place
        self._condition = condition
        self._pairs = pairs
        self._lengths = lengths
        self._name = name
        self._faults: list[Fault] = []

    def see(self, tag: str, raw: str, position: int) -> None:
        if self._condition is not None and not self._condition.holds(raw):
            return
        if self._pairs is None:
            self._look(self._place.value(raw), self._place.index, self._place.component, position)
            return
        values = elements(raw, self._place.delimiters)
        for at in range(self._pairs - 1, len(values) - 1, 2):
            if values[at] in GTIN_QUALIFIERS:
                self._look(values[at + 1], at + 2, 0, position)

    def end(self) -> Iterable[Fault]:
        return self._faults

    def _look(self, value: str, index: int, component: int, position: int) -> None:
        digits = value
        if self._name == "sscc":
            digits = value.removeprefix("(00)")
            digits = digits[2:] if len(digits) == 20 and digits.startswith("00") else digits
        if not value or (len(digits) in self._lengths and right(digits)) or len(self._faults) >= 100:
            return
        place = replace(self._place, index=index, component=component)
        lengths = " or ".join(str(each) for each in sorted(self._lengths))
        text = f"{value[:40]} is no {self._name.upper()}: wrong check digit or length"
        self._faults.append(
            Fault(
                f"balance.{self._name}",
                text,
                f"{lengths} digits with check digit",
                place.tag,
                position,
                place.name,
                index,
                component,
                value,
            )
        )
