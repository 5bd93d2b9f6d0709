"""Looks at one segment element by element and says what is wrong: the slow path behind ``patterns``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date

from .delimiters import Delimiters
from .finding import Level, shown
from .grammar.model import Composite, Condition, Element, SegmentType, Use
from .limits import DEFAULT
from .segment import Repeats, Value, ends_released, split

_INTEGER = re.compile(r"-?[0-9]+")
_DECIMAL_X12 = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
_DECIMAL_EDIFACT = re.compile(r"-?(?:[0-9]+[.,]?[0-9]*|[.,][0-9]+)")
_TIME = re.compile(r"(?:[01][0-9]|2[0-3])[0-5][0-9](?:[0-5][0-9](?:[0-9]{1,2})?)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

_KINDS = {
    "P": ("condition.paired", "all or none of {all} must be there"),
    "R": ("condition.required", "at least one of {all} must be there"),
    "E": ("condition.exclusive", "only one of {all} may be there"),
    "C": ("condition.conditional", "with {first} also {others} must be there"),
    "L": ("condition.list", "with {first} at least one of {others} must be there"),
}


@dataclass(frozen=True)
class Flaw:
    """What is wrong inside a segment; the validator adds the place in the message."""

    level: Level
    rule: str
    text: str
    expected: str = ""
    value: str = ""
    element: str = ""
    index: int = 0
    component: int = 0
    repeat: int = 0
    reference: str = ""


@dataclass(frozen=True)
class Place:
    """Where in a segment: the names for people and the numbers for acknowledgements."""

    name: str
    index: int
    component: int = 0
    repeat: int = 0


class Explainer:
    """Explains segments of one interchange's delimiters. ``listed_codes``: partial code lists count as whole."""

    def __init__(
        self, standard: str, delimiters: Delimiters, *, listed_codes: bool = False, most: int = DEFAULT.elements
    ) -> None:
        """``most``: a segment with more elements and components is not looked at more closely."""
        self._x12 = standard == "x12"
        self._delimiters = delimiters
        self._listed_codes = listed_codes
        self._most = most
        self._decimal = _DECIMAL_X12 if self._x12 else _DECIMAL_EDIFACT

    def flaws(self, raw: str, kind: SegmentType) -> list[Flaw]:
        """All that is wrong with a raw segment; empty when the fast path was only too careful."""
        marks = (self._delimiters.element, self._delimiters.component, self._delimiters.repetition)
        values = sum(raw.count(each) for each in marks if each)
        if values > self._most:
            text = f"it has {values} elements and components"
            return [Flaw("element", "element.extra", text, f"at most {self._most}")]
        segment = split(raw, self._delimiters)
        found: list[Flaw] = []
        if segment.tag != kind.tag:
            return [Flaw("grammar", "segment.tag", f"the tag {shown(segment.tag)} is not known", kind.tag)]
        for index, use in enumerate(kind.uses, 1):
            value = segment.elements[index - 1] if index <= len(segment.elements) else ""
            self._use(value, use, Place(self._name(kind.tag, index, use.of), index), found)
        extra = segment.elements[len(kind.uses) :]
        if any(_present(each) for each in extra):
            at = len(kind.uses) + 1
            text = f"{len(extra)} element(s) more than the segment has"
            name = f"{kind.tag}{at:02d}"
            found.append(Flaw("element", "element.extra", text, f"at most {len(kind.uses)}", "", name, at))
        elif self._ends_with_separator(raw) or extra:
            found.append(Flaw("element", "element.trailing", "separators without elements at the end of the segment"))
        present = {index for index, value in enumerate(segment.elements, 1) if _present(value)}
        names = {index: self._name(kind.tag, index, use.of) for index, use in enumerate(kind.uses, 1)}
        self._conditions(kind.conditions, present, names, 0, found)
        return found

    def _ends_with_separator(self, raw: str) -> bool:
        release = self._delimiters.release
        if not raw.endswith((self._delimiters.element, self._delimiters.component)):
            return False
        return not (release and ends_released(raw[:-1], release))

    def _name(self, tag: str, index: int, of: Element | Composite | None) -> str:
        return f"{tag}{index:02d}" if self._x12 or of is None else of.id

    def _use(self, value: Value, use: Use, place: Place, found: list[Flaw]) -> None:
        if not _present(value):
            if use.required and not use.forbidden and use.of is not None:
                text = f"{use.of.name or place.name} is missing"
                found.append(_flaw("element.missing", text, use.of, place, "", "a value"))
            return
        if use.forbidden:
            found.append(_flaw("element.forbidden", "this element may not be used here", use.of, place, _text(value)))
            return
        if use.of is None:
            return
        repeats = value if isinstance(value, Repeats) else [value]
        if len(repeats) > use.repeat:
            text = f"{len(repeats)} repeats"
            found.append(_flaw("element.repeats", text, use.of, place, "", f"at most {use.repeat}"))
        for number, each in enumerate(repeats, 1):
            spot = replace(place, repeat=number) if len(repeats) > 1 else place
            if isinstance(use.of, Composite):
                self._composite(each, use.of, spot, found)
            elif isinstance(each, str):
                self._element(each, use.of, use.codes, spot, found)
            else:
                text = "components where the element has none"
                found.append(_flaw("element.components", text, use.of, spot, _text(each), "one value"))

    def _composite(self, value: str | list[str], of: Composite, place: Place, found: list[Flaw]) -> None:
        parts = [value] if isinstance(value, str) else value
        names = {}
        for number, use in enumerate(of.uses, 1):
            name = (
                f"{place.name}-{number:02d}" if self._x12 else f"{of.id}.{use.of.id}" if use.of else f"{of.id}.{number}"
            )
            names[number] = name
            spot = Place(name, place.index, number, place.repeat)
            self._use(parts[number - 1] if number <= len(parts) else "", use, spot, found)
        if any(parts[len(of.uses) :]):
            text = f"{len(parts)} components"
            found.append(_flaw("element.extra", text, of, place, _text(value), f"at most {len(of.uses)}"))
        elif len(parts) > 1 and not parts[-1]:
            found.append(_flaw("element.trailing", "separators without components at the end of it", of, place))
        present = {number for number, part in enumerate(parts, 1) if part}
        self._conditions(of.conditions, present, names, place.index, found)

    def _element(
        self, value: str, of: Element, narrowed: frozenset[str] | None, place: Place, found: list[Flaw]
    ) -> None:
        size = self._size(value, of)
        if size > of.max:
            found.append(
                _flaw("element.long", f"{shown(value)} has {size} characters", of, place, value, f"at most {of.max}")
            )
        elif size < of.min:
            found.append(
                _flaw("element.short", f"{shown(value)} has {size} characters", of, place, value, f"at least {of.min}")
            )
        if wrong := _CONTROL.search(value):
            text = f"{shown(value)} has the control character \\x{ord(wrong.group()):02x}"
            found.append(_flaw("element.charset", text, of, place, value, "printable characters"))
        elif not self._is_of_kind(value, of):
            rule, expected = _EXPECTED.get(of.kind[0] if of.kind[0] == "N" else of.kind, ("element.type", "text"))
            found.append(_flaw(rule, f"{shown(value)} is wrong", of, place, value, expected))
        elif size <= of.max:
            self._code(value, of, narrowed, place, found)

    def _size(self, value: str, of: Element) -> int:
        if of.kind in ("R", "n") or of.kind[0] == "N":
            return len(value) - value.count("-") - value.count(".") - (value.count(",") if of.kind == "n" else 0)
        return len(value)

    def _is_of_kind(self, value: str, of: Element) -> bool:
        test = self._TESTS.get(of.kind[0] if of.kind[0] == "N" else of.kind)
        return test is None or test(self, value)

    def _is_decimal(self, value: str) -> bool:
        return bool(self._decimal.fullmatch(value))

    _TESTS: dict[str, Callable[[Explainer, str], bool]] = {
        "N": lambda self, value: bool(_INTEGER.fullmatch(value)),
        "R": lambda self, value: self._is_decimal(value),
        "n": lambda self, value: self._is_decimal(value),
        "DT": lambda self, value: is_date(value),
        "TM": lambda self, value: bool(_TIME.fullmatch(value)),
        "a": lambda self, value: not any("0" <= each <= "9" for each in value),
    }

    def _code(self, value: str, of: Element, narrowed: frozenset[str] | None, place: Place, found: list[Flaw]) -> None:
        if narrowed is not None:
            if value not in narrowed:
                expected = f"one of {_listed(narrowed)}"
                found.append(
                    _flaw("code.narrowed", f"the code {shown(value)} is not used here", of, place, value, expected)
                )
        elif of.codes and value not in of.codes:
            if of.closed:
                found.append(
                    _flaw(
                        "code.unknown",
                        f"the code {shown(value)} is not known",
                        of,
                        place,
                        value,
                        f"one of {_listed(of.codes)}",
                    )
                )
            elif self._listed_codes:
                found.append(_flaw("code.unlisted", f"the code {shown(value)} is not listed", of, place, value))

    def _conditions(
        self, conditions: tuple[Condition, ...], present: set[int], names: dict[int, str], index: int, found: list[Flaw]
    ) -> None:
        for condition in conditions:
            if condition.holds(present):
                continue
            rule, text = _KINDS[condition.kind]
            of = [names[each] for each in condition.positions]
            missing = next((each for each in condition.positions if each not in present), condition.positions[-1])
            blamed = condition.positions[-1] if condition.kind == "E" else missing
            text = text.format(all=", ".join(of), first=of[0], others=", ".join(of[1:]))
            place = (index, blamed) if index else (blamed, 0)
            found.append(Flaw("condition", rule, text, "", "", names[blamed], *place))


_EXPECTED = {
    "N": ("element.type", "a whole number"),
    "R": ("element.type", "a decimal number"),
    "n": ("element.type", "a number"),
    "a": ("element.type", "letters, no digits"),
    "DT": ("element.date", "a date as YYYYMMDD or YYMMDD"),
    "TM": ("element.time", "a time as HHMM, HHMMSS or HHMMSSDD"),
}


def is_date(value: str) -> bool:
    """Whether it is a day of the calendar as YYYYMMDD or YYMMDD."""
    if not re.fullmatch("[0-9]{6}|[12][0-9]{7}", value):
        return False
    year = int(value[:4]) if len(value) == 8 else 2000 + int(value[:2])
    try:
        date(year, int(value[-4:-2]), int(value[-2:]))
    except ValueError:
        return False
    return True


def _flaw(
    rule: str, text: str, of: Element | Composite | None, place: Place, value: str = "", expected: str = ""
) -> Flaw:
    level: Level = "code" if rule.startswith("code.") else "element"
    if of is not None and of.name:
        text = f"{of.name}: {text}" if not text.startswith(of.name) else text
    reference = of.id if of is not None else ""
    return Flaw(level, rule, text, expected, value, place.name, place.index, place.component, place.repeat, reference)


def _listed(codes: Iterable[str], limit: int = 12) -> str:
    names = sorted(codes)
    return ", ".join(names[:limit]) + (" …" if len(names) > limit else "")


def _present(value: Value) -> bool:
    return bool(value) if isinstance(value, str) else any(_present(each) for each in value)


def _text(value: Value) -> str:
    return value if isinstance(value, str) else " ".join(_text(each) for each in value)
