"""The decimal mark of an interchange that names another than the point (the comma, in UNA)."""

from __future__ import annotations

from ..grammar.model import Composite, Element, Grammar
from ..segment import Segment, Value


class DecimalMarks:
    """Writes the numbers of one grammar's segments with another decimal mark; text is left alone."""

    def __init__(self, grammar: Grammar, mark: str) -> None:
        self._grammar = grammar
        self._mark = mark
        self._places: dict[str, list[tuple[int, int]]] = {}

    def marked(self, segment: Segment) -> Segment:
        """The segment, or a copy of it with the mark in its numbers."""
        elements: list[Value] | None = None
        for index, component in self._numbers(segment.tag):
            text = segment.get(index + 1, component + 1)
            if "." not in text:
                continue
            elements = list(segment.elements) if elements is None else elements
            value = elements[index]
            if isinstance(value, str):
                elements[index] = text.replace(".", self._mark)
            else:
                parts = [str(each) for each in value]
                parts[component] = text.replace(".", self._mark)
                elements[index] = parts
        return segment if elements is None else Segment(segment.tag, elements, segment.position)

    def _numbers(self, tag: str) -> list[tuple[int, int]]:
        """Places (from 0) of numeric elements and components."""
        found = self._places.get(tag)
        if found is None:
            found = []
            kind = self._grammar.segment(tag)
            for index, use in enumerate(kind.uses if kind else ()):
                parts = use.of.uses if isinstance(use.of, Composite) else (use,)
                for component, part in enumerate(parts):
                    if isinstance(part.of, Element) and part.of.kind == "n":
                        found.append((index, component))
            if kind is not None:
                self._places[tag] = found
        return found
