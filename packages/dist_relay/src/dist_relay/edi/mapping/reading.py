"""From a document's tree of loops to the tree of JSON types of the canonical object, by a mapping."""

from __future__ import annotations

from typing import Any

from ..segment import Loop, Segment
from . import paths
from .context import NO_CURRENCY, Context, Problem
from .convert import CONVERTERS, PARTIAL
from .functions import FUNCTIONS
from .model import Field, Mapping, Node, Place
from .paths import Tree

MAX_DEPTH = 60
_PARTS = "charges contacts destinations lots notes parties prices references schedule taxes terms transport"
PARTS = frozenset(_PARTS.split())
"""Lists of which an item that lacks what it needs is left out, with notes. A line is never left out."""


class Reader:
    """Reads one document."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def document(self, mapping: Mapping, root: Loop) -> Tree:
        """The tree of the whole document, before its shape is changed."""
        tree: Tree = {}
        if mapping.currency:
            tag, place = mapping.currency
            found = next((s.get(*place) for s in root.walk() if s.tag == tag and s.get(*place)), "")
            if found.isalpha() and len(found) == 3 and found.isascii():
                self.context.currency = found.upper()
        if self.context.currency != NO_CURRENCY:
            tree["currency"] = self.context.currency
        self.items(mapping.nodes, root, tree, 0)
        if mapping.standard == "edifact" and "terms" in tree:
            # Discount and net terms are groups of their own there, in any order.
            tree["terms"].sort(key=lambda each: not any(key.startswith("discount") for key in each))
        return tree

    def items(self, nodes: list[Node], loop: Loop, tree: Tree, depth: int) -> None:
        """Take each segment and loop to its node; what has none is noted."""
        if depth > MAX_DEPTH:
            raise Problem("loops are nested too deeply")
        used: dict[int, int] = {}
        for item in loop.items:
            node = self.node_of(nodes, item, used)
            if node is None:
                self.unmapped(item)
                continue
            used[id(node)] = used.get(id(node), 0) + 1
            if node.loop:
                whole = item if isinstance(item, Loop) else Loop(item.tag, [item])
                self.loop(node, whole, tree, depth)
            else:
                first, *rest = item.items if isinstance(item, Loop) else [item]
                if isinstance(first, Segment):
                    self.segment(node, first, tree)
                for each in rest:
                    self.unmapped(each)

    def node_of(self, nodes: list[Node], item: Segment | Loop, used: dict[int, int]) -> Node | None:
        """The first node that takes the item: by tag, conditions, version, and how often it may be there."""
        trigger = item
        while isinstance(trigger, Loop):
            if not trigger.items:
                return None
            trigger = trigger.items[0]
        for node in nodes:
            if node.tag != trigger.tag or not self.context.applies(node.since, node.before):
                continue
            if not all(trigger.get(*each.place) in each.values for each in node.conditions):
                continue
            if node.target == "each" or node.function or used.get(id(node), 0) < node.times:
                return node
        return None

    def loop(self, node: Node, loop: Loop, tree: Tree, depth: int) -> None:
        """Read a loop into the object or item that it stands for."""
        target = self.target(node, tree)
        for field in node.fields:
            if field.kind == "imply":
                paths.put(target, field.paths[0], _literal(field.value))
        before = len(self.context.notes)
        self.items(node.children, loop, target, depth + 1)
        if node.target == "each" and node.path[-1].name in PARTS and not _complete(node, target):
            del self.context.notes[before:]
            self.unmapped(loop)
            return
        self.keep(node, tree, target)

    def segment(self, node: Node, segment: Segment, tree: Tree) -> None:
        """Read a segment; where a required element cannot be read, the whole segment is noted."""
        target = self.target(node, tree)
        if node.function:
            FUNCTIONS[node.function].read(segment, target, self.context)
            self.keep(node, tree, target)
            return
        taken: set[Place] = {each.place for each in node.conditions}
        for field in node.fields:
            if not self.context.applies(field.since, field.before) or field.direction == ">":
                continue
            if field.needs and not segment.get(*field.needs):
                continue
            taken.update(field.places)
            if not self.field(field, segment, target, taken) and field.required and node.target == "each":
                self.unmapped(segment)
                return
        self.left_over(segment, taken)
        self.keep(node, tree, target)

    def field(self, field: Field, segment: Segment, target: Tree, taken: set[Place]) -> bool:
        """Read one field; False when it is not there or not readable."""
        if field.kind == "imply":
            return paths.put(target, field.paths[0], _literal(field.value))
        if field.kind == "const":
            self.expect(field, segment)
            return True
        if field.kind in ("pairs", "comps"):
            return self.listed(field, segment, target, taken)
        if field.kind == "switch":
            return self.switch(field, segment, target, taken)
        if field.kind != "take":
            return True
        texts = [segment.get(*place) for place in field.places]
        if not any(texts) and field.converter != "word":
            return False
        before = len(self.context.notes)
        try:
            values = CONVERTERS[field.converter].read(texts, field.arguments, self.context)
        except Problem as problem:
            self.value(segment, field.places[0], texts[0], str(problem))
            return False
        self.located(before, segment, field.places[0])
        return self.put(field, values, segment, target, texts[0])

    def put(self, field: Field, values: list[Any], segment: Segment, target: Tree, text: str) -> bool:
        """Set what was converted; a second value for one place is noted, a further line of a text is appended."""
        done = False
        for path, value in zip(field.paths, values, strict=False):
            if value is None:
                continue
            first = paths.peek(target, path)
            if first and field.converter in PARTIAL:
                paths.take(target, path)
                value = f"{first}\n{value}" if isinstance(first, str) else [*first, *value]
            if paths.put(target, path, value):
                done = True
            else:
                said = f"{paths.shown(path)} is said twice; this one is not taken"
                self.value(segment, field.places[0], text, said)
        return done

    def listed(self, field: Field, segment: Segment, target: Tree, taken: set[Place]) -> bool:
        """Pairs of qualifier and value, in elements or in composites."""
        (first, _), (last, _) = field.places
        found: list[tuple[str, str, int]] = []
        if field.kind == "pairs":
            for element in range(first, min(last, len(segment.elements)) + 1, 2):
                found.append((segment.get(element), segment.get(element + 1), element))
                taken.update({(element, 1), (element + 1, 1)})
        else:
            value, scheme = field.parts
            for element in range(first, min(last, len(segment.elements)) + 1):
                found.append((segment.get(element, scheme), segment.get(element, value), element))
                taken.update({(element, value), (element, scheme)})
        for code, text, element in found:
            if not text.strip():
                if code.strip():
                    self.value(segment, (element, 1), code, "a qualifier without a value")
                continue
            word = self.context.word(field.converter, code.strip())
            if word is None:
                self.value(segment, (element, 1), f"{code} {text}", f"the qualifier {code!r} is not known")
                continue
            paths.put(target, field.paths[0], [])
            items = paths.peek(target, field.paths[0])
            items.append({"scheme": word, "value": text.strip()})
        return bool(found)

    def switch(self, field: Field, segment: Segment, target: Tree, taken: set[Place]) -> bool:
        """Pairs of which the qualifier chooses the path."""
        (first, _), (last, _) = field.places
        choices = dict(field.choices)
        done = False
        for element in range(first, min(last, len(segment.elements)) + 1, 2):
            code, text = segment.get(element), segment.get(element + 1)
            taken.update({(element, 1), (element + 1, 1)})
            if not code and not text:
                continue
            if text.strip() and code in choices and paths.put(target, choices[code], text.strip()):
                done = True
            else:
                self.value(segment, (element, 1), f"{code} {text}".strip(), f"{code!r} is not taken here")
        return done

    def target(self, node: Node, tree: Tree) -> Tree:
        """Where the node's values go: a new object for ``each`` and ``in``, else where it stands."""
        if node.target == "in":
            found = paths.peek(tree, node.path)
            return found if isinstance(found, dict) else {}
        return {} if node.target == "each" else tree

    def keep(self, node: Node, tree: Tree, target: Tree) -> None:
        """Add what was read for ``each`` and ``in`` to the tree around it."""
        if not node.target or not (target or node.path[-1].name == "lines"):
            return
        if node.target == "each":
            paths.put(tree, node.path, paths.peek(tree, node.path) or [])
            paths.peek(tree, node.path).append(target)
        else:
            paths.put(tree, node.path, target)

    def expect(self, field: Field, segment: Segment) -> None:
        text = segment.get(*field.places[0])
        if text and text != field.value and field.needs is None:
            self.value(segment, field.places[0], text, f"expected {field.value}")

    def left_over(self, segment: Segment, taken: set[Place]) -> None:
        """Note the elements that the mapping does not speak of."""
        for element in range(1, len(segment.elements) + 1):
            value = segment.elements[element - 1]
            components = len(value) if isinstance(value, list) else 1
            for component in range(1, components + 1):
                text = segment.get(element, component)
                if text and (element, component) not in taken:
                    self.value(segment, (element, component), text, "is not mapped", rule="mapping.element")
            if segment.repeats(element) > 1:
                said = "has repeats, of which the first is taken"
                self.value(segment, (element, 1), segment.get(element, 1, 2), said, rule="mapping.element")

    def value(self, segment: Segment, place: Place, text: str, why: str, rule: str = "mapping.value") -> None:
        """Note an element."""
        element, component = place
        name = f"{segment.tag}{element:02d}" if self.context.standard == "x12" else f"{segment.tag} {element}"
        value = segment.elements[element - 1] if element <= len(segment.elements) else ""
        if isinstance(value, list):
            name += f".{component}"
        self.context.note(rule, f"{name} {text!r}: {why}", segment, name, text)

    def located(self, before: int, segment: Segment, place: Place) -> None:
        """Give the notes that a converter took their place."""
        from dataclasses import replace

        notes = self.context.notes
        for index in range(before, len(notes)):
            element = f"{segment.tag}{place[0]:02d}"
            notes[index] = replace(notes[index], segment=segment.tag, position=segment.position, element=element)

    def unmapped(self, item: Segment | Loop) -> None:
        """Note a segment, or all segments of a loop."""
        for segment in [item] if isinstance(item, Segment) else item.walk():
            self.context.note("mapping.segment", "is not mapped", segment, value=as_text(segment))


def _complete(node: Node, target: Tree) -> bool:
    """Whether all that the loop's own segments require is there."""
    own = (each for each in node.children if not each.loop and each.target != "each")
    needed = (field for each in own for field in each.fields if field.required)
    return all(paths.peek(target, field.paths[0]) is not None for field in needed)


def as_text(segment: Segment) -> str:
    """The segment in one line, for notes."""
    parts = [segment.tag]
    for value in segment.elements:
        flat = value if isinstance(value, str) else ":".join(e if isinstance(e, str) else ":".join(e) for e in value)
        parts.append(flat)
    return "*".join(parts)


def _literal(text: str) -> Any:
    return {"true": True, "false": False}.get(text, text)
