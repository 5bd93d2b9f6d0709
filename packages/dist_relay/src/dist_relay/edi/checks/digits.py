"""Check digits of GS1 numbers: SSCC (18 digits) and GTIN (8, 12, 13, 14 digits), weights 3 and 1 from the right.

``check sscc MAN.2 when 1=GM`` and ``check gtin LIN.3.1 when 3.2=EN|UP`` look at one element; ``check gtin PO1 pairs 6``
looks at qualifier and value in turn from element 6 on; ``check sscc GIN.2 and after when 1=BJ`` at every component from
element 2 on; ``check gtin PIA.2 and after with EN|UP`` at the first component of each composite from element 2 on whose
second is one of these codes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from .base import Context, Fault, Only, Place, Watcher, elements, only

GTIN_QUALIFIERS = frozenset({"UP", "UK", "EN", "EO", "GT", "SRV"})
"""Qualifiers of product numbers (235, 7143) whose values are GTINs with a check digit. X12's UA and UI are not among
them: their values are written without it."""

_LENGTHS = frozenset({8, 12, 13, 14})


def right(digits: str) -> bool:
    """Whether the last digit is the GS1 check digit of the others."""
    if not (digits.isascii() and digits.isdigit()):
        return False
    codes = digits.encode()  # each is 48 more than its digit
    triple, single = codes[-2::-2], codes[-1::-2]
    return (3 * (sum(triple) - 48 * len(triple)) + sum(single) - 48 * len(single)) % 10 == 0


def sscc(context: Context) -> Watcher:
    """The element is a serial shipping container code; ``(00)`` and the application identifier 00 are tolerated."""
    place, condition, pick = _parse(context)
    return Watcher((place.tag,), lambda: _Digits(place, condition, pick, frozenset({18}), "sscc"))


def gtin(context: Context) -> Watcher:
    """The element, or each value with a qualifier of :data:`GTIN_QUALIFIERS`, is a GTIN."""
    place, condition, pick = _parse(context)
    return Watcher((place.tag,), lambda: _Digits(place, condition, pick, _LENGTHS, "gtin"))


Found = tuple[str, int, int]
"""A value, its element and its component (0: the element has none)."""
Pick = Callable[[str], Iterator[Found]]
"""The values of a raw segment that are to be looked at."""


def _parse(context: Context) -> tuple[Place, Only | None, Pick]:
    words = list(context.check.words)
    if not words:
        raise context.error("a place is missing")
    tag = words[0].split(".")[0]
    condition = only(context, tag, words)
    if len(words) == 3 and words[1] == "pairs" and words[2].isdigit():
        place = context.place(f"{tag}.1")
        return place, condition, _pairs(place, int(words[2]))
    place = context.place(words[0])
    if words[1:3] == ["and", "after"] and len(words) == 3:
        return place, condition, _every_component(place)
    if words[1:4] == ["and", "after", "with"] and len(words) == 5:
        return place, condition, _qualified(place, frozenset(words[4].split("|")))
    if len(words) != 1:
        raise context.error("a line such as 'check sscc MAN.2 when 1=GM' is wanted")
    return place, condition, lambda raw: iter([(place.value(raw), place.index, place.component)])


def _pairs(place: Place, first: int) -> Pick:
    def pick(raw: str) -> Iterator[Found]:
        values = elements(raw, place.delimiters)
        for at in range(first - 1, len(values) - 1, 2):
            if values[at] in GTIN_QUALIFIERS:
                yield values[at + 1], at + 2, 0

    return pick


def _every_component(place: Place) -> Pick:
    def pick(raw: str) -> Iterator[Found]:
        for index, value in enumerate(elements(raw, place.delimiters)[place.index - 1 :], place.index):
            for component, each in enumerate(value.split(place.delimiters.component), 1):
                yield each, index, component

    return pick


def _qualified(place: Place, codes: frozenset[str]) -> Pick:
    def pick(raw: str) -> Iterator[Found]:
        for index, value in enumerate(elements(raw, place.delimiters)[place.index - 1 :], place.index):
            components = value.split(place.delimiters.component, 2)
            if len(components) > 1 and components[1] in codes:
                yield components[0], index, 1

    return pick


class _Digits:
    def __init__(self, place: Place, condition: Only | None, pick: Pick, lengths: frozenset[int], name: str) -> None:
        self._place = place
        self._condition = condition
        self._pick = pick
        self._lengths = lengths
        self._name = name
        self._faults: list[Fault] = []

    def see(self, tag: str, raw: str, position: int) -> None:
        if self._condition is not None and not self._condition.holds(raw):
            return
        for value, index, component in self._pick(raw):
            self._look(value, index, component, position)

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
