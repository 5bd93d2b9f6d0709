"""From the tree of JSON types of a canonical object to segments, by a mapping.

Writing takes values out of the tree as it goes, so that what is left at the end is what could not be written.
"""

from __future__ import annotations

from typing import Any

from ..segment import Loop, Segment, Value
from . import paths
from .context import Context, Problem
from .convert import CONVERTERS, PARTIAL, clean, lines_of
from .functions import FUNCTIONS
from .model import Field, Mapping, Node, Path, Place
from .paths import Tree

Elements = dict[Place, str]


class Writer:
    """Writes one document."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.whole: Tree = {}

    def document(self, mapping: Mapping, tree: Tree) -> Loop:
        """The body of the document; ``tree`` keeps what was not written."""
        self.whole = paths.copied(tree)
        root = Loop("")
        for node in mapping.nodes:
            root.items += self.node(node, tree)
        return root

    def node(self, node: Node, tree: Tree) -> list[Segment | Loop]:
        """All segments or loops of one node."""
        if node.read_only or not self.context.applies(node.since, node.before):
            return []
        if node.target == "each":
            return self.each(node, tree)
        inner = tree
        if node.target == "in":
            found = paths.take(tree, node.path)
            inner = found if isinstance(found, dict) else {}
        written: list[Segment | Loop] = []
        times = 1 if node.always or (node.loop and node.children[0].always) else node.times
        while len(written) < times and (one := self.once(node, inner)):
            written += one
        if node.target == "in" and inner:
            paths.put(tree, node.path, inner)
        return written

    def each(self, node: Node, tree: Tree) -> list[Segment | Loop]:
        """One or more for every item that this node can write; the others stay."""
        items = paths.take(tree, node.path)
        if not isinstance(items, list):
            if items is not None:
                paths.put(tree, node.path, items)
            return []
        written: list[Segment | Loop] = []
        left = []
        for item in items:
            rest = paths.copied(item)
            one = [each for part in self.parts(node, rest) for each in self.attempt(node, part)]
            if one:
                written += one
            else:
                rest = item
            if rest:
                left.append(rest)
        if left:
            paths.put(tree, node.path, left)
        return written

    def parts(self, node: Node, item: Tree) -> list[Tree]:
        """The item, or several of it where its text takes more than one segment."""
        if node.split is None:
            return [item]
        key, width, lines = node.split
        texts = lines_of(item.get(key) or "", width)
        if len(texts) <= lines:
            return [item]
        chunks = ["\n".join(texts[at : at + lines]) for at in range(0, len(texts), lines)]
        item[key] = chunks[0]
        return [item, *({**item, key: chunk} for chunk in chunks[1:])]

    def once(self, node: Node, tree: Tree) -> list[Segment | Loop]:
        """One segment or loop; nothing (and nothing taken) where it would be empty or lacks what is required."""
        kept = paths.copied(tree) if self.touches(node, tree) else None
        written = self.attempt(node, tree)
        if not written and kept is not None:
            tree.clear()
            tree.update(kept)
        return written

    def touches(self, node: Node, tree: Tree) -> bool:
        """Whether a failed attempt could have taken something: not without a value at one of the segment's paths."""
        if node.loop or node.function:
            return True
        return any(path[0].name in tree for field in node.fields for path in _targets(field))

    def attempt(self, node: Node, tree: Tree) -> list[Segment | Loop]:
        """The same, where a part may have been taken from the tree although nothing is written."""
        if node.function:
            return list(FUNCTIONS[node.function].write(node.tag, tree, self.context))
        try:
            written = self.one_loop(node, tree) if node.loop else self.one_segment(node, tree)
        except Problem:
            return []
        return [] if written is None else [written]

    def one_loop(self, node: Node, tree: Tree) -> Loop | None:
        """A loop; without its first segment it is none."""
        loop = Loop(node.tag)
        for field in node.fields:
            if field.kind == "imply" and not self.implied(field, tree):
                return None
        for child in node.children:
            loop.items += self.node(child, tree)
            if child is node.children[0] and not loop.items:
                return None
        return loop

    def one_segment(self, node: Node, tree: Tree) -> Segment | None:
        """A segment; None where nothing but constants would stand in it."""
        elements: Elements = {}
        filled = node.always
        later = []
        for field in node.fields:
            if not self.context.applies(field.since, field.before) or field.direction == "<":
                continue
            if field.kind == "imply":
                if not self.implied(field, tree):
                    return None
            elif field.kind == "count":
                filled = self.field(field, tree, elements) or filled
            elif field.needs or field.kind == "const":
                later.append(field)
            else:
                filled = self.field(field, tree, elements) or filled
        if not filled:
            return None
        for condition in node.conditions:
            elements.setdefault(condition.place, condition.values[0])
        for field in later:
            if field.needs is None or elements.get(field.needs):
                filled = self.field(field, tree, elements) or filled
        return assemble(node.tag, elements)

    def implied(self, field: Field, tree: Tree) -> bool:
        """Whether the object has the value that this place stands for; it is then said."""
        found = paths.peek(tree, field.paths[0])
        said = {"true": True, "false": False}.get(field.value, field.value)
        if found == said:
            paths.take(tree, field.paths[0])
            return True
        return False

    def field(self, field: Field, tree: Tree, elements: Elements) -> bool:
        """Write one field; whether something was written."""
        if field.kind == "const":
            elements.setdefault(field.places[0], field.value)
            return False
        if field.kind == "count":
            count = sum(_count(self.whole, path) for path in field.paths)
            elements[field.places[0]] = str(count)
            return count > 0
        if field.kind in ("pairs", "comps"):
            return self.listed(field, tree, elements)
        if field.kind == "switch":
            return self.switch(field, tree, elements)
        return field.kind == "take" and self.take(field, tree, elements)

    def take(self, field: Field, tree: Tree, elements: Elements) -> bool:
        values = [paths.peek(tree, path) for path in field.paths]
        if all(value in (None, []) for value in values):
            if field.required:
                raise Problem(f"{paths.shown(field.paths[0])} is missing")
            return False
        if any(place in elements for place in field.places):
            return False
        rest: Any = None
        if field.converter == "lines":
            found = lines_of(values[0], int(field.arguments[0]))
            room = len(field.places)
            values, rest = ["\n".join(found[:room])], "\n".join(found[room:])
        elif field.converter in PARTIAL:
            values, rest = [values[0][0]], values[0][1:]
        try:
            texts = CONVERTERS[field.converter].write(values, field.arguments, self.context)
        except Problem:
            if field.required:
                raise
            return False
        texts = [clean(text) for text in texts]
        if len(texts) > len(field.places) or not any(texts):
            if field.required:
                raise Problem(f"{paths.shown(field.paths[0])} cannot be written")
            return False
        elements.update({place: text for place, text in zip(field.places, texts, strict=False) if text})
        for path in field.paths:
            paths.take(tree, path)
        if rest:
            paths.put(tree, field.paths[0], rest)
        return any(texts)

    def listed(self, field: Field, tree: Tree, elements: Elements) -> bool:
        """Pairs of qualifier and value, as many as there is room for."""
        (first, _), (last, _) = field.places
        step = 2 if field.kind == "pairs" else 1
        slots = iter(range(first, last + 1, step))
        items = paths.take(tree, field.paths[0]) or []
        left = []
        done = False
        for item in items:
            if field.only and item["scheme"] not in field.only:
                left.append(item)
                continue
            try:
                code = self.context.qualifier(field.converter, item["scheme"], item["value"])
            except Problem:
                left.append(item)
                continue
            text = clean(item["value"])
            slot = next((each for each in slots if (each, 1) not in elements), None) if text else None
            if slot is None:
                left.append(item)
                continue
            value, scheme = field.parts
            at = ((slot + 1, 1), (slot, 1)) if field.kind == "pairs" else ((slot, value), (slot, scheme))
            elements[at[0]] = text
            if code:
                elements[at[1]] = code
            done = True
        if left:
            paths.put(tree, field.paths[0], left)
        return done

    def switch(self, field: Field, tree: Tree, elements: Elements) -> bool:
        (first, _), (last, _) = field.places
        slots = iter(range(first, last + 1, 2))
        done = False
        for code, path in field.choices:
            text = clean(paths.peek(tree, path) or "")
            if not text:
                continue
            slot = next(slots, None)
            if slot is None:
                break
            elements[slot, 1], elements[slot + 1, 1] = code, text
            paths.take(tree, path)
            done = True
        return done


def assemble(tag: str, elements: Elements) -> Segment:
    """A segment from its elements; a composite only where a component after the first is there."""
    values: list[Value] = []
    for element in range(1, max((each for each, _ in elements), default=0) + 1):
        components = {c: text for (e, c), text in elements.items() if e == element and text}
        width = max(components, default=1)
        parts = [components.get(number, "") for number in range(1, width + 1)]
        values.append(parts[0] if width == 1 else parts)
    while values and values[-1] == "":
        values.pop()
    return Segment(tag, values)


def _targets(field: Field) -> list[Path]:
    return [*field.paths, *(path for _, path in field.choices)]


def _count(tree: Tree, path: Path) -> int:
    found: Any = paths.peek(tree, path[:1])
    items = found if isinstance(found, list) else []
    return len(items) if len(path) == 1 else sum(_count(each, path[1:]) for each in items)
