"""What a check is: it is made once per grammar and watches each message's segments of certain tags."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from ..delimiters import Delimiters
from ..errors import GrammarError
from ..finding import Level
from ..grammar.model import Check, Composite, Grammar, SegmentType
from ..segment import cut, split


@dataclass(frozen=True)
class Fault:
    """A balance that does not hold, at a segment. Position 0: at the end of the message."""

    rule: str
    text: str
    expected: str
    tag: str
    position: int
    element: str = ""
    index: int = 0
    component: int = 0
    value: str = ""
    level: Level = "balance"


class Watch(Protocol):
    """Sees one message."""

    def see(self, tag: str, raw: str, position: int) -> None:
        """A segment of one of the tags."""

    def end(self) -> Iterable[Fault]:
        """What is wrong, when the message has ended."""


class Watcher(NamedTuple):
    """A check, ready for one grammar: the tags it wants to see, and how to begin with a message."""

    tags: tuple[str, ...]
    begin: Callable[[], Watch]


class Context(NamedTuple):
    """What a check is made from."""

    check: Check
    grammar: Grammar
    delimiters: Delimiters

    def error(self, why: str) -> GrammarError:
        """An error that names the line."""
        return GrammarError(f"{self.grammar.type}: {why}: {self.check.line}")

    def place(self, word: str) -> Place:
        """``CTT.1`` or ``MOA.1.2``, taken apart."""
        tag, *numbers = word.split(".")
        if not numbers or len(numbers) > 2 or not all(each.isdigit() and int(each) for each in numbers):
            raise self.error(f"{word} is no place such as CTT.1 or MOA.1.2")
        component = int(numbers[1]) if len(numbers) > 1 else 0
        return Place(tag, int(numbers[0]), component, self.grammar.segment(tag), self.grammar.standard, self.delimiters)


@dataclass(frozen=True)
class Place:
    """An element (and component) of a segment."""

    tag: str
    index: int
    component: int
    kind: SegmentType | None
    standard: str
    delimiters: Delimiters

    value: Callable[[str], str] = field(init=False, repr=False, compare=False)
    """The value there in a raw segment, "" when it is not. A function of its own: it is called for most segments."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", _reader(self.index, self.component or 1, self.delimiters))

    @property
    def name(self) -> str:
        """For people: ``CTT01`` in X12, ``C270.6066`` in EDIFACT."""
        if self.standard == "edifact" and self.kind is not None and self.index <= len(self.kind.uses):
            of = self.kind.uses[self.index - 1].of
            if isinstance(of, Composite):
                use = of.uses[(self.component or 1) - 1] if self.component <= len(of.uses) else None
                return f"{of.id}.{use.of.id}" if use and use.of else of.id
            if of is not None:
                return of.id
        tail = f"-{self.component:02d}" if self.component else ""
        return f"{self.tag}{self.index:02d}{tail}"


def _reader(index: int, component: int, delimiters: Delimiters) -> Callable[[str], str]:
    element, inner, release = delimiters.element, delimiters.component, delimiters.release

    def value(raw: str) -> str:
        if release and release in raw:
            return split(raw, delimiters).get(index, component)
        parts = raw.split(element, index + 1)
        if len(parts) <= index:
            return ""
        found = parts[index]
        if inner in found:
            components = found.split(inner, component)
            return components[component - 1] if component <= len(components) else ""
        return found if component == 1 else ""

    return value


class Only(NamedTuple):
    """A condition on the segment: ``1=GM`` or ``1.1=2``, several codes by ``|``."""

    place: Place
    codes: frozenset[str]
    first: str = ""
    """The code that the line names first: the one to write where none stands yet."""

    def holds(self, raw: str) -> bool:
        """Whether the segment is meant."""
        return self.place.value(raw) in self.codes


def only(context: Context, tag: str, words: list[str]) -> Only | None:
    """Take ``when 1=GM`` off the words."""
    if "when" not in words:
        return None
    at = words.index("when")
    if at + 1 >= len(words):
        raise context.error("what follows 'when' is missing")
    place, _, codes = words[at + 1].partition("=")
    del words[at : at + 2]
    return Only(context.place(f"{tag}.{place}"), frozenset(codes.split("|")), codes.split("|")[0])


def guarded(place: Place, condition: Only | None) -> Callable[[str], str]:
    """A function that gives the value of ``place`` in a raw segment for which ``condition`` holds, else "".

    One expression does both where nothing is released: sums and check digits ask it for most segments of a document.
    """
    if condition is None:
        return place.value
    inside = "".join(re.escape(each) for each in (place.delimiters.element, place.delimiters.component))
    codes = f"(?:{'|'.join(re.escape(each) for each in sorted(condition.codes))})(?![^{inside}])"
    wanted = {place.index: {place.component or 1: f"([^{inside}]*)"}}
    other = condition.place
    wanted.setdefault(other.index, {})[other.component or 1] = codes
    match = re.compile(_expression(wanted, place.delimiters, inside)).match
    holds, value, release = condition.holds, place.value, place.delimiters.release

    def read(raw: str) -> str:
        if release and release in raw:
            return value(raw) if holds(raw) else ""
        found = match(raw)
        return found.group(1) if found else ""

    return read


def _expression(wanted: dict[int, dict[int, str]], delimiters: Delimiters, inside: str) -> str:
    """Skips to the wanted components of the wanted elements."""
    element, component = re.escape(delimiters.element), re.escape(delimiters.component)
    parts = [f"[^{inside}]*"]
    for index in range(1, max(wanted) + 1):
        inner = wanted.get(index)
        if inner is None:
            parts.append(f"[^{element}]*")
            continue
        found = component.join(inner.get(each, f"[^{inside}]*") for each in range(1, max(inner) + 1))
        parts.append(found if index == max(wanted) else f"{found}[^{element}]*")
    return element.join(parts)


def elements(raw: str, delimiters: Delimiters) -> list[str]:
    """Raw elements after the tag, released characters untouched."""
    return cut(raw, delimiters.element, delimiters.release)[1:]
