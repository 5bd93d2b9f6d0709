"""Fills in what a partner leaves out: the element defaults of an overlay."""

from __future__ import annotations

from collections.abc import Sequence

from ..grammar.model import Default
from ..segment import Loop, Segment, Value


def fill(segments: Sequence[Segment], paths: Sequence[str], defaults: Sequence[Default]) -> list[Segment]:
    """The segments of a body in a row, with the loops that they stand in; those with a default filled in are copies."""
    tags = {each.tag for each in defaults}
    return [
        _filled(each, defaults, path) if each.tag in tags else each for each, path in zip(segments, paths, strict=True)
    ]


def fill_tree(loop: Loop, defaults: Sequence[Default]) -> Loop:
    """The same for a tree, in which each default is for its own place; the tree itself is changed."""
    tags = {each.tag for each in defaults}
    work = [(loop, "")]
    while work:
        here, name = work.pop()
        for index, item in enumerate(here.items):
            if isinstance(item, Loop):
                work.append((item, f"{name}/{item.name}" if name else item.name))
            elif item.tag in tags:
                here.items[index] = _filled(item, defaults, name)
    return loop


def _filled(segment: Segment, defaults: Sequence[Default], path: str) -> Segment:
    made = segment
    for each in defaults:
        if each.tag != segment.tag or (each.loops is not None and path not in each.loops):
            continue
        if made.get(each.element, each.component or 1) or not _meant(segment, each):
            continue
        if made is segment:
            made = Segment(segment.tag, list(segment.elements), segment.position)
        _put(made.elements, each)
    return made


def _meant(segment: Segment, default: Default) -> bool:
    return all(segment.get(element, component or 1) in codes for element, component, codes in default.qualifier)


def _put(elements: list[Value], default: Default) -> None:
    elements.extend([""] * (default.element - len(elements)))
    old = elements[default.element - 1]
    if default.component < 2 and isinstance(old, str):
        elements[default.element - 1] = default.value
        return
    parts = [old] if isinstance(old, str) else [each if isinstance(each, str) else "" for each in old]
    parts.extend([""] * (default.component - len(parts)))
    parts[max(default.component, 1) - 1] = default.value
    elements[default.element - 1] = parts
