"""What a grammar is made of, once read: elements, segments, and the tree of places in a message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

UNLIMITED = 1 << 40
"""Stands for "no limit" in repeat counts."""


@dataclass(frozen=True)
class Element:
    """A data element. ``kind``: AN ID DT TM R N0–N9 B (X12), an a n (EDIFACT). Lengths in characters."""

    id: str
    kind: str
    min: int
    max: int
    name: str = ""
    codes: Mapping[str, str] = field(default_factory=dict)
    closed: bool = False
    """Whether ``codes`` is the whole list; if not, it serves labels and profiles that ask for listed codes only."""


@dataclass(frozen=True)
class Condition:
    """A relation between elements (X12 syntax notes): P all or none, R at least one, E at most one, C if the first then
    all others, L if the first then one of the others. Positions count from 1."""

    kind: str
    positions: tuple[int, ...]

    def holds(self, present: set[int]) -> bool:
        """Whether it holds for these present positions."""
        first, *others = self.positions
        found = sum(each in present for each in self.positions)
        if self.kind == "P":
            return found in (0, len(self.positions))
        if self.kind == "R":
            return found > 0
        if self.kind == "E":
            return found < 2
        if first not in present:
            return True
        return found == len(self.positions) if self.kind == "C" else any(each in present for each in others)


@dataclass(frozen=True)
class Composite:
    """A composite data element: its components in order."""

    id: str
    name: str
    uses: tuple[Use, ...]
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Use:
    """An element or composite at its place. ``of`` None: a place that we do not use; anything may stand there."""

    of: Element | Composite | None
    required: bool = False
    repeat: int = 1
    forbidden: bool = False
    codes: frozenset[str] | None = None
    """Narrowed to these codes here, by a grammar or a partner."""


@dataclass(frozen=True)
class SegmentType:
    """A segment: name, elements in order, conditions between them."""

    tag: str
    name: str
    uses: tuple[Use, ...]
    conditions: tuple[Condition, ...] = ()


@dataclass(eq=False)
class SegmentNode:
    """A segment at one place of a message. ``max`` counts in a row at this place; 0: a partner does not use it."""

    type: SegmentType
    min: int
    max: int
    loop: LoopNode
    index: int

    @property
    def tag(self) -> str:
        """The segment's tag."""
        return self.type.tag


@dataclass(eq=False)
class LoopNode:
    """A loop (segment group), ``max`` 0 where a partner does not use it.

    Its first item is the segment that opens it; the root has no parent and no name.
    """

    name: str
    min: int
    max: int
    parent: LoopNode | None
    index: int
    items: list[SegmentNode | LoopNode] = field(default_factory=list)

    @property
    def trigger(self) -> SegmentNode:
        """The segment that opens the loop."""
        first = self.items[0]
        return first if isinstance(first, SegmentNode) else first.trigger

    @property
    def is_large(self) -> bool:
        """Whether it is a part of the document of its own (a line, a party), not just a segment with some details."""
        return len(self.items) > 3 or any(isinstance(each, LoopNode) for each in self.items)

    def path(self) -> str:
        """Names from the root: ``PO1/SLN``."""
        names: list[str] = []
        loop: LoopNode | None = self
        while loop is not None and loop.name:
            names.append(loop.name)
            loop = loop.parent
        return "/".join(reversed(names))


@dataclass(frozen=True)
class Check:
    """A balance that a grammar declares: the line after ``check``, taken apart."""

    name: str
    words: tuple[str, ...]
    line: str


@dataclass(frozen=True)
class Default:
    """What stands in an element (component 0: that has none) of a segment when nothing does. By a partner's overlay."""

    tag: str
    loops: frozenset[str] | None
    """Paths of the loops whose segments are meant; None: all."""
    element: int
    component: int
    value: str
    qualifier: tuple[tuple[int, int, frozenset[str]], ...] = ()


@dataclass(eq=False)
class Grammar:
    """One message type in one version."""

    standard: str
    type: str
    version: str
    name: str
    root: LoopNode
    group: str = ""
    checks: tuple[Check, ...] = ()
    exact: bool = True
    """Whether it was written for the version asked for; if not, it is the nearest one."""
    known: bool = True
    """False for a type without grammar: any segment may stand anywhere."""
    defaults: tuple[Default, ...] = ()

    def segment(self, tag: str) -> SegmentType | None:
        """The segment type at the first place of this tag."""
        return next((each.type for each in nodes(self.root) if each.tag == tag), None)


def nodes(loop: LoopNode) -> Iterator[SegmentNode]:
    """All places of a loop and of the loops in it, in order."""
    for item in loop.items:
        if isinstance(item, SegmentNode):
            yield item
        else:
            yield from nodes(item)
