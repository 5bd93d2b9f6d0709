"""What the notation cannot say, segment by segment: a pair of functions each, named in mappings by ``use NAME``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ..segment import Segment
from .context import Context, Problem
from .convert import clean, number
from .paths import Tree

SDQ_PAIRS = 10


class Function(NamedTuple):
    """``read`` puts what a segment says into the tree; ``write`` takes it out as segments."""

    read: Callable[[Segment, Tree, Context], None]
    write: Callable[[str, Tree, Context], Iterator[Segment]]


def read_sdq(segment: Segment, tree: Tree, context: Context) -> None:
    """SDQ: unit, numbering of the places, then places and quantities in turn."""
    unit = context.word("uom", segment.get(1)) or "ZZ"
    scheme = context.word("party_id", segment.get(2)) or "mutual"
    for element in range(3, min(len(segment.elements), 22) + 1, 2):
        place, text = segment.get(element).strip(), segment.get(element + 1).strip()
        if not place and not text:
            continue
        try:
            quantity = number(text)
        except Problem as problem:
            context.note("mapping.value", f"SDQ{element + 1:02d}: {problem}", segment, f"SDQ{element + 1:02d}", text)
            continue
        destination = {"place": {"scheme": scheme, "value": place}, "quantity": quantity, "uom": unit}
        tree.setdefault("destinations", []).append(destination)


def write_sdq(tag: str, tree: Tree, context: Context) -> Iterator[Segment]:
    """One SDQ for each ten places of the same numbering and unit, in their order."""
    waiting = tree.pop("destinations", [])
    while waiting:
        unit, scheme = waiting[0]["uom"], waiting[0]["place"]["scheme"]
        same = [each for each in waiting if (each["uom"], each["place"]["scheme"]) == (unit, scheme)][:SDQ_PAIRS]
        waiting = [each for each in waiting if not any(each is taken for taken in same)]
        try:
            codes = [context.code("uom", unit), context.code("party_id", scheme)]
        except Problem:
            tree.setdefault("destinations", []).extend(same)
            continue
        pairs = [text for each in same for text in (clean(each["place"]["value"]), number(each["quantity"]))]
        yield Segment(tag, [*codes, *pairs])


def read_gin(segment: Segment, tree: Tree, context: Context) -> None:
    """GIN: one kind of number, in up to five places; a range is noted and its first number taken."""
    kind = segment.get(1)
    for element in range(2, min(len(segment.elements), 6) + 1):
        text, last = segment.get(element).strip(), segment.get(element, 2).strip()
        if last and last != text:
            context.note("mapping.value", "a range of numbers, of which the first is taken", segment, value=last)
        if text:
            tree.setdefault("numbers", []).append({"kind": kind, "value": text})


def write_gin(tag: str, tree: Tree, context: Context) -> Iterator[Segment]:
    """A GIN for each five numbers of a kind."""
    waiting = tree.pop("numbers", [])
    for kind in dict.fromkeys(each["kind"] for each in waiting):
        values = [clean(each["value"]) for each in waiting if each["kind"] == kind]
        for at in range(0, len(values), 5):
            yield Segment(tag, [kind, *values[at : at + 5]])


FUNCTIONS: dict[str, Function] = {
    "gin": Function(read_gin, write_gin),
    "sdq": Function(read_sdq, write_sdq),
}
