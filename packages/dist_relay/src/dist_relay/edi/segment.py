"""Segments and the tree of loops they stand in: what mappings read and the writer takes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Union

from .delimiters import Delimiters
from .values import plain


class Repeats(list["str | list[str]"]):
    """The repeats of one element, where it has more than one."""


Value = Union[str, "list[str]", Repeats]


class Segment:
    """A segment with its values, unescaped. Elements, components and repeats count from 1."""

    __slots__ = ("elements", "position", "tag")

    def __init__(self, tag: str, elements: list[Value], position: int = 0) -> None:
        self.tag = tag
        self.elements = elements
        self.position = position

    @classmethod
    def of(cls, tag: str, *elements: Value | int | Decimal | date | None) -> Segment:
        """Make one by hand: ``Segment.of("PO1", 1, Decimal("10.50"), "EA")``; None is an empty element.

        Empty elements at the end are left out, as both standards want.

        :raises TypeError: an element is neither text, list, whole number, Decimal nor day.
        """
        values: list[Value] = [
            each if isinstance(each, (str, list)) else "" if each is None else plain(each) for each in elements
        ]
        while values and not any(_flat(values[-1])):
            values.pop()
        return cls(tag, values)

    def get(self, element: int, component: int = 1, repeat: int = 1) -> str:
        """One value, "" when it is not there."""
        if not 0 < element <= len(self.elements):
            return ""
        value = self.elements[element - 1]
        if isinstance(value, Repeats):
            if repeat > len(value):
                return ""
            value = value[repeat - 1]
        elif repeat > 1:
            return ""
        if isinstance(value, str):
            return value if component == 1 else ""
        return value[component - 1] if component <= len(value) else ""

    def repeats(self, element: int) -> int:
        """How often the element is there."""
        if not 0 < element <= len(self.elements):
            return 0
        value = self.elements[element - 1]
        return len(value) if isinstance(value, Repeats) else int(any(_flat(value)))

    def matches(self, qualifiers: dict[str, str]) -> bool:
        """Whether ``e1="BY"`` and the like hold (``e1_2`` is component 2 of element 1)."""
        for key, wanted in qualifiers.items():
            element, _, component = key[1:].partition("_")
            if self.get(int(element), int(component or 1)) != wanted:
                return False
        return True

    def __repr__(self) -> str:
        return f"Segment({self.tag!r}, {self.elements!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Segment) and (self.tag, self.elements) == (other.tag, other.elements)

    __hash__ = None  # type: ignore[assignment]


class Loop:
    """A loop (segment group) of a message, or the message itself (``name`` is then empty)."""

    __slots__ = ("items", "name")

    def __init__(self, name: str = "", items: list[Segment | Loop] | None = None) -> None:
        self.name = name
        self.items: list[Segment | Loop] = [] if items is None else items

    def first(self, tag: str, **qualifiers: str) -> Segment | None:
        """The first segment of this loop itself (not of loops inside) with this tag and these qualifiers."""
        return next(self._own(tag, qualifiers), None)

    def all(self, tag: str, **qualifiers: str) -> list[Segment]:
        """All such segments."""
        return list(self._own(tag, qualifiers))

    def loops(self, name: str) -> list[Loop]:
        """The loops of this name directly inside."""
        return [each for each in self.items if isinstance(each, Loop) and each.name == name]

    def walk(self) -> Iterator[Segment]:
        """All segments in the order of the document."""
        stack = [iter(self.items)]
        while stack:
            for each in stack[-1]:
                if isinstance(each, Loop):
                    stack.append(iter(each.items))
                    break
                yield each
            else:
                stack.pop()

    def add(self, *items: Segment | Loop) -> Loop:
        """Append and return the loop, so that documents can be built in one expression."""
        self.items.extend(items)
        return self

    def _own(self, tag: str, qualifiers: dict[str, str]) -> Iterator[Segment]:
        for each in self.items:
            if isinstance(each, Segment) and each.tag == tag and each.matches(qualifiers):
                yield each

    def __repr__(self) -> str:
        return f"Loop({self.name!r}, {len(self.items)} items)"


def split(text: str, delimiters: Delimiters, *, composites: bool = True, position: int = 0) -> Segment:
    """Take a raw segment apart: elements, repeats, components; release characters are undone.

    ``composites`` false keeps the component separator as text (the ISA segment).
    """
    parts = cut(text, delimiters.element, delimiters.release)
    values: list[Value] = []
    for part in parts[1:]:
        values.append(_value(part, delimiters, composites))
    tag = parts[0]
    return Segment(tag.partition(delimiters.component)[0] if composites else tag, values, position)


def cut(text: str, separator: str, release: str) -> list[str]:
    """``text`` at the separators that are not released. The parts keep their release characters."""
    if not separator:
        return [text]
    parts = text.split(separator)
    if not release or release not in text or len(parts) == 1:
        return parts
    # Separators that are released are few among many: only the parts before them are looked at.
    marks = [at for at, part in enumerate(parts[:-1]) if part[-1:] == release and ends_released(part, release)]
    if not marks:
        return parts
    joined: list[str] = []
    done = 0
    for number, at in enumerate(marks):
        if number and marks[number - 1] == at - 1:
            continue
        last = number
        while last + 1 < len(marks) and marks[last + 1] == marks[last] + 1:
            last += 1
        joined += parts[done:at]
        done = marks[last] + 2
        joined.append(separator.join(parts[at:done]))
    return joined + parts[done:]


def ends_released(text: str, release: str) -> bool:
    """Whether the character that follows ``text`` is released: an odd number of release characters at the end."""
    return (len(text) - len(text.rstrip(release))) % 2 == 1


def unescape(text: str, release: str) -> str:
    """Undo release characters; a lone one at the end is kept."""
    if not release or release not in text:
        return text
    parts: list[str] = []
    rest = iter(range(len(text)))
    for at in rest:
        if text[at] == release and at + 1 < len(text):
            at = next(rest)
        parts.append(text[at])
    return "".join(parts)


def _value(part: str, delimiters: Delimiters, composites: bool) -> Value:
    release = delimiters.release
    if composites and delimiters.repetition and delimiters.repetition in part:
        repeats = cut(part, delimiters.repetition, release)
        if len(repeats) > 1:
            return Repeats([_components(each, delimiters) for each in repeats])
    return _components(part, delimiters) if composites else unescape(part, release)


def _components(part: str, delimiters: Delimiters) -> str | list[str]:
    release = delimiters.release
    if delimiters.component in part:
        parts = cut(part, delimiters.component, release)
        if len(parts) > 1:
            return [unescape(each, release) for each in parts]
    return unescape(part, release)


def _flat(value: Value) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [text for each in value for text in ([each] if isinstance(each, str) else each)]
