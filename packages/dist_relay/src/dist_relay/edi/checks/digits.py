"""Check digits of GS1 numbers: SSCC (18 digits) and GTIN (8, 12, 13, 14 digits), weights 3 and 1 from the right.

``check sscc MAN.2 when 1=GM`` and ``check gtin LIN.3.1 when 3.2=EN|UP`` look at one element; ``check gtin PO1 pairs 6``
looks at qualifier and value in turn from element 6 on; ``check sscc GIN.2 and after when 1=BJ`` at every component from
element 2 on; ``check gtin PIA.2 and after with EN|UP`` at the first component of each composite from element 2 on whose
second is one of these codes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from .base import Context, Fault, Only, Place, Watcher, elements, guarded, only

GTIN_QUALIFIERS = frozenset({"UP", "UK", "EN", "EO", "GT", "SRV"})
"""Qualifiers of product numbers (235, 7143) whose values are GTINs with a check digit. X12's UA and UI are not among
them: their values are written without it."""

_LENGTHS = frozenset({8, 12, 13, 14})
_ZERO = ord("0")


def right(digits: str) -> bool:
    """Whether the last digit is the GS1 check digit of the others."""
    if not (digits.isascii() and digits.isdigit()):
        return False
    codes = digits.encode()
    threefold, single = codes[-2::-2], codes[-1::-2]
    return (3 * (sum(threefold) - _ZERO * len(threefold)) + sum(single) - _ZERO * len(single)) % 10 == 0


def sscc(context: Context) -> Watcher:
    """The element is a serial shipping container code; ``(00)`` and the application identifier 00 are tolerated."""
    place, pick = _parse(context)
    return Watcher((place.tag,), lambda: _Digits(place, pick, _is_sscc, "SSCC", "18 digits"))


def _is_sscc(value: str) -> bool:
    digits = value.removeprefix("(00)")
    digits = digits[2:] if len(digits) == 20 and digits.startswith("00") else digits
    return len(digits) == 18 and right(digits)


def gtin(context: Context) -> Watcher:
    """The element, or each value with a qualifier of :data:`GTIN_QUALIFIERS`, is a GTIN."""
    place, pick = _parse(context)
    lengths = " or ".join(str(each) for each in sorted(_LENGTHS))
    return Watcher((place.tag,), lambda: _Digits(place, pick, _is_gtin, "GTIN", f"{lengths} digits"))


def _is_gtin(value: str) -> bool:
    return len(value) in _LENGTHS and right(value)


Found = tuple[str, int, int]
"""A value, its element and its component (0: the element has none)."""
Pick = Callable[[str], Iterable[Found]]
"""The values of a raw segment that are to be looked at."""


def _parse(context: Context) -> tuple[Place, Pick]:
    words = list(context.check.words)
    if not words:
        raise context.error("a place is missing")
    tag = words[0].split(".")[0]
    condition = only(context, tag, words)
    if len(words) == 3 and words[1] == "pairs" and words[2].isdigit():
        place = context.place(f"{tag}.1")
        return place, _when(condition, _pairs(place, int(words[2])))
    place = context.place(words[0])
    if words[1:3] == ["and", "after"] and len(words) == 3:
        return place, _when(condition, _every_component(place))
    if words[1:4] == ["and", "after", "with"] and len(words) == 5:
        return place, _when(condition, _qualified(place, frozenset(words[4].split("|"))))
    if len(words) != 1:
        raise context.error("a line such as 'check sscc MAN.2 when 1=GM' is wanted")
    value, index, component = guarded(place, condition), place.index, place.component
    return place, lambda raw: ((value(raw), index, component),)


def _when(condition: Only | None, pick: Pick) -> Pick:
    if condition is None:
        return pick
    value, codes = condition.place.value, condition.codes
    return lambda raw: pick(raw) if value(raw) in codes else ()


def _pairs(place: Place, first: int) -> Pick:
    def pick(raw: str) -> Iterable[Found]:
        values = elements(raw, place.delimiters)
        # Most qualifiers are of other numbers; the last value may have none before it.
        found = [at for at, each in enumerate(values[first - 1 : -1 : 2]) if each in GTIN_QUALIFIERS]
        return [(values[first + 2 * at], first + 2 * at + 1, 0) for at in found]

    return pick


def _every_component(place: Place) -> Pick:
    def pick(raw: str) -> Iterable[Found]:
        for index, value in enumerate(elements(raw, place.delimiters)[place.index - 1 :], place.index):
            for component, each in enumerate(value.split(place.delimiters.component), 1):
                yield each, index, component

    return pick


def _qualified(place: Place, codes: frozenset[str]) -> Pick:
    marks = [place.delimiters.component + code for code in codes]

    def pick(raw: str) -> Iterable[Found]:
        for mark in marks:
            if mark in raw:
                return qualified(raw)
        return ()

    def qualified(raw: str) -> Iterator[Found]:
        for index, value in enumerate(elements(raw, place.delimiters)[place.index - 1 :], place.index):
            components = value.split(place.delimiters.component, 2)
            if len(components) > 1 and components[1] in codes:
                yield components[0], index, 1

    return pick


class _Digits:
    def __init__(self, place: Place, pick: Pick, good: Callable[[str], bool], name: str, lengths: str) -> None:
        self._place = place
        self._pick = pick
        self._good = good
        self._name = name
        self._lengths = lengths
        self._faults: list[Fault] = []

    def see(self, tag: str, raw: str, position: int) -> None:
        good = self._good
        for value, index, component in self._pick(raw):
            if value and not good(value):
                self._wrong(value, index, component, position)

    def end(self) -> Iterable[Fault]:
        return self._faults

    def _wrong(self, value: str, index: int, component: int, position: int) -> None:
        if len(self._faults) >= 100:
            return
        place = replace(self._place, index=index, component=component)
        text = f"{value[:40]} is no {self._name}: wrong check digit or length"
        self._faults.append(
            Fault(
                f"balance.{self._name.lower()}",
                text,
                f"{self._lengths} with check digit",
                place.tag,
                position,
                place.name,
                index,
                component,
                value,
            )
        )
