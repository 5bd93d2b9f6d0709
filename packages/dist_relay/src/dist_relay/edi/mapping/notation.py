"""Reads mapping files. The notation is taught in ``docs/edi.md``; errors name file and line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path as File
from typing import NamedTuple

from ..errors import GrammarError
from . import paths
from .model import Condition, Field, Mapping, Node, Place

HERE = File(__file__).parent
_NODE = re.compile(r"(loop )?([A-Z][A-Z0-9]{1,2})([!<]?)(?= |\Z)(.*)")
_PLACE = re.compile(r"(\d+)(?:\.(\d+))?\Z")
_CONDITION = re.compile(r"(\d+(?:\.\d+)?)=(\S*)\Z")
_MAX_LINES = 5_000


class _Line(NamedTuple):
    number: int
    depth: int
    text: str


@lru_cache(maxsize=64)
def load(standard: str, name: str) -> Mapping:
    """The mapping in ``mapping/<standard>/<name>.txt``.

    :raises GrammarError: there is none, or it says something impossible.
    """
    file = HERE / standard / f"{name}.txt"
    if not re.fullmatch(r"[A-Za-z0-9.]+", name) or not file.is_file():
        raise GrammarError(f"there is no mapping for {standard} {name}")
    return _Reader(standard, file).mapping(name)


def available(standard: str) -> dict[str, list[str]]:
    """Names of mappings by document type; the first is the usual one."""
    found: dict[str, list[str]] = {}
    for file in sorted((HERE / standard).glob("*.txt"), key=lambda each: (each.name.count("."), each.name)):
        if file.stem[0].isupper() or file.stem[0].isdigit():
            found.setdefault(file.stem.partition(".")[0], []).append(file.stem)
    return found


class _Reader:
    def __init__(self, standard: str, file: File) -> None:
        self.standard = standard
        self.file = file
        self.at = 0

    def fail(self, text: str) -> GrammarError:
        return GrammarError(f"{self.file.parent.name}/{self.file.name}, line {self.at}: {text}")

    def lines(self, file: File) -> list[_Line]:
        found = []
        for number, raw in enumerate(file.read_text("utf-8").splitlines(), 1):
            text = re.sub(r"(^|\s+)#.*", "", raw).rstrip()
            if text:
                indent = len(text) - len(text.lstrip(" "))
                if indent % 2:
                    raise GrammarError(f"{file.name}, line {number}: indentation is in steps of two")
                found.append(_Line(number, indent // 2, text.strip()))
        if len(found) > _MAX_LINES:
            raise GrammarError(f"{file.name}: more than {_MAX_LINES} lines")
        return found

    def mapping(self, name: str) -> Mapping:
        head, *rest = self.expanded(self.lines(self.file), set())
        self.at = head.number
        type_, _, model = head.text.partition(" ")
        if type_ != name.partition(".")[0]:
            raise self.fail(f"the first line begins with {name.partition('.')[0]}")
        found = Mapping(self.standard, type_, model.strip(), name)
        while rest and rest[0].text.split(" ")[0] in ("shape", "currency"):
            word, _, value = rest.pop(0).text.partition(" ")
            if word == "shape":
                found.shape = value
            else:
                tag, _, place = value.partition(".")
                found.currency = (tag, self.place(place))
        self.children(found.nodes, [], rest)
        return found

    def expanded(self, lines: list[_Line], within: set[str]) -> list[_Line]:
        """Put the lines of included files in the place of ``include NAME``."""
        found = []
        for line in lines:
            word, _, name = line.text.partition(" ")
            if word != "include":
                found.append(line)
                continue
            file = self.file.parent / f"{name}.txt"
            if name in within or not file.is_file():
                self.at = line.number
                raise self.fail(f"{name!r} cannot be included")
            inner = self.expanded(self.lines(file), within | {name})
            found += [each._replace(depth=each.depth + line.depth) for each in inner]
        return found

    def children(self, nodes: list[Node], fields: list[Field], lines: list[_Line]) -> None:
        index = 0
        while index < len(lines):
            line = lines[index]
            end = index + 1
            while end < len(lines) and lines[end].depth > line.depth:
                end += 1
            self.at = line.number
            found = _NODE.match(line.text)
            if found:
                node = self.node(found)
                nodes.append(node)
                self.children(node.children, node.fields, lines[index + 1 : end])
                if bool(node.children) != node.loop:
                    raise self.fail(f"{node.tag}: a loop holds segments, and nothing else does")
                if node.loop:
                    first = node.children[0]
                    first.conditions = (*node.conditions, *first.conditions)
                    node.conditions = first.conditions
            else:
                fields.append(self.field(line.text))
                if end > index + 1:
                    raise self.fail("an element holds nothing")
            index = end

    def node(self, found: re.Match[str]) -> Node:
        node = Node(found[2], loop=bool(found[1]), always=found[3] == "!", read_only=found[3] == "<", line=self.at)
        words = iter(found[4].split())
        conditions = []
        for word in words:
            if condition := _CONDITION.match(word):
                conditions.append(Condition(self.place(condition[1]), tuple(condition[2].split("|"))))
            elif word in ("each", "in"):
                node.target, node.path = word, paths.parse(next(words))
            elif word == "use":
                node.function = next(words)
            elif word == "split":
                width, _, lines = (key_and_size := [next(words), next(words)])[1].partition("x")
                node.split = (key_and_size[0], int(width), int(lines or 1))
            elif word.startswith("*"):
                node.times = int(word[1:])
            elif word.startswith("@"):
                node.since, node.before = self.version(word)
            else:
                raise self.fail(f"{word!r} is not understood")
        node.conditions = tuple(conditions)
        return node

    def field(self, text: str) -> Field:
        words = text.split()
        since = before = ""
        if words[-1].startswith("@"):
            since, before = self.version(words.pop())
        needs = None
        if len(words) > 2 and words[-2] == "with":
            needs = self.place(words[-1])
            del words[-2:]
        built = self.built(words)
        return Field(**{**built, "needs": needs, "since": since, "before": before, "line": self.at})  # type: ignore[arg-type]

    def built(self, words: list[str]) -> dict[str, object]:
        first, *rest = words
        if rest[:1] == [":="]:
            return {"kind": "imply", "paths": (paths.parse(first),), "value": " ".join(rest[1:])}
        if first in ("pairs", "comps", "switch"):
            return self.several(first, rest)
        places, direction, required = self.places(first)
        if rest == ["~"]:
            return {"kind": "ignore", "places": places}
        if rest[:1] == ["="]:
            return {"kind": "const", "places": places, "value": " ".join(rest[1:]), "direction": direction}
        if rest[:1] == ["number_of"]:
            return {"kind": "count", "places": places, "paths": tuple(map(paths.parse, rest[1:]))}
        target, converter, arguments = self.converter(rest)
        return {
            "kind": "take",
            "places": places,
            "paths": tuple(paths.parse(each) for each in target[0].split(",")),
            "converter": converter,
            "arguments": arguments,
            "required": required,
            "direction": direction,
        }

    def several(self, kind: str, words: list[str]) -> dict[str, object]:
        begin, _, end = words[0].partition("-")
        places = (self.place(begin), self.place(end or begin))
        if kind == "switch":
            choices = tuple((code, paths.parse(path)) for code, _, path in (each.partition("=") for each in words[1:]))
            return {"kind": kind, "places": places, "choices": choices}
        target, converter, arguments = self.converter(words[1:])
        options = dict(each.split("=", 1) for each in target[1:])
        built: dict[str, object] = {
            "kind": kind,
            "places": places,
            "paths": (paths.parse(target[0]),),
            "converter": converter,
            "arguments": arguments,
            "only": tuple(options.get("only", "").split("|")) if "only" in options else (),
        }
        if kind == "comps":
            built["parts"] = (int(options.get("value", 1)), int(options.get("scheme", 2)))
        return built

    def converter(self, words: list[str]) -> tuple[list[str], str, tuple[str, ...]]:
        if ":" not in words:
            return words, "text", ()
        at = words.index(":")
        return words[:at], words[at + 1], tuple(words[at + 2 :])

    def places(self, text: str) -> tuple[tuple[Place, ...], str, bool]:
        required = text.endswith("!")
        text = text.rstrip("!")
        direction = text[-1] if text[-1] in "<>" else ""
        return tuple(self._ranges(text.rstrip("<>"))), direction, required

    def _ranges(self, text: str) -> Iterator[Place]:
        for part in text.split(","):
            begin, _, end = part.partition("-")
            element, component = self.place(begin)
            yield element, component
            if end:
                for number in range(component + 1, int(end) + 1):
                    yield element, number

    def place(self, text: str) -> Place:
        found = _PLACE.match(text)
        if found is None:
            raise self.fail(f"{text!r} is no element")
        return int(found[1]), int(found[2] or 1)

    def version(self, word: str) -> tuple[str, str]:
        return ("", word[2:]) if word.startswith("@<") else (word[1:], "")
