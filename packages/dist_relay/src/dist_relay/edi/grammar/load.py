"""Reads the notation of grammars (see docs/edi.md) from plain text files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from ..errors import GrammarError
from .model import UNLIMITED, Check, Composite, Condition, Element, Grammar, LoopNode, SegmentNode, SegmentType, Use
from .versions import X12_RELEASES, order

T = TypeVar("T")

_USE = re.compile(r"(-|[A-Z]?\d{3,4}|I\d{2}|\d{1,4})(!?)(?:\*(\d{1,5}))?$")
_CONDITION = re.compile(r"([PRECL])((?:\d\d){2,})$")
_EDIFACT_FORMAT = re.compile(r"(an|a|n)(\.\.)?([0-9]{1,7})$")
_KIND = re.compile(r"AN|B|DT|ID|N[0-9]?|R|TM")
_LENGTHS = re.compile(r"([0-9]{1,7})/([0-9]{1,7})")
_CARDINALITY = re.compile(r"([0-9]{1,9})\.\.([0-9]{1,9}|\*)$")
_MARK = re.compile(r"@(<?)([0-9A-Z]+)$")
_LATER = re.compile(r"(\d+\.\.(?:\d+|\*))@([0-9A-Z]+)$")
MAX_DEPTH = 20
MAX_MADE = 50_000
"""Elements, composites and segments kept ready: they are asked for by versions that come from outside."""


class Line(NamedTuple):
    """A line of a grammar file with its place."""

    place: str
    indent: int
    text: str

    def error(self, why: str) -> GrammarError:
        """An error that names this line."""
        return GrammarError(f"{self.place}: {why}: {self.text}")


def lines(path: Path) -> Iterator[Line]:
    """The lines of a file without comments and empty ones."""
    return lines_of(path.read_text("utf-8"), path.name)


def lines_of(content: str, name: str) -> Iterator[Line]:
    """The same of a text; ``name`` is for errors."""
    for number, raw in enumerate(content.splitlines(), 1):
        text = re.sub(r"(^|\s)#.*", "", raw).rstrip()
        if text:
            yield Line(f"{name}:{number}", len(text) - len(text.lstrip()), text.strip())


def applies(line: Line, words: list[str], standard: str, version: str) -> bool:
    """Take the version mark off ``words`` and say whether the line is for this version."""
    for word in [each for each in words if each.startswith("@")]:
        words.remove(word)
        found = _MARK.match(word)
        if not found or not order(standard, found.group(2)):
            raise line.error("a version mark is @5010 (from that version) or @<5010 (before it)")
        before = order(standard, version) < order(standard, found.group(2))
        if before != bool(found.group(1)):
            return False
    return True


@dataclass
class Dictionary:
    """Elements, composites and segments of one standard; taken apart when they are asked for.

    What a later folder names replaces that of the folders before it.
    """

    standard: str
    files: tuple[Path, ...]

    def __post_init__(self) -> None:
        self._raw: dict[str, dict[str, list[tuple[int, Line]]]] = {}
        self._made: dict[tuple[str, str, int], Any] = {}
        for file in ("elements", "composites", "segments"):
            self._raw[file] = {}
            for folder in self.files:
                if (folder / f"{file}.txt").exists():
                    self._take(file, lines(folder / f"{file}.txt"))

    def extended(self, texts: Mapping[str, str], name: str) -> Dictionary:
        """A dictionary with further ``elements``, ``composites`` and ``segments`` that win over those of this one.

        :raises GrammarError: a line cannot be read.
        """
        made = Dictionary(self.standard, ())
        made._raw = {file: dict(entries) for file, entries in self._raw.items()}
        for file, text in texts.items():
            made._take(file, lines_of(text, f"{name} {file}"))
        return made

    def element(self, name: str, version: str) -> Element | None:
        """The data element in this version."""
        return self._find("elements", name, version, self._element)

    def composite(self, name: str, version: str) -> Composite | None:
        """The composite in this version."""
        return self._find("composites", name, version, self._composite)

    def segment(self, tag: str, version: str) -> SegmentType | None:
        """The segment in this version."""
        return self._find("segments", tag, version, self._segment)

    def names(self, file: str) -> list[str]:
        """All names of ``elements``, ``composites`` or ``segments``."""
        return list(self._raw[file])

    def _take(self, file: str, content: Iterable[Line]) -> None:
        last: tuple[str, int] | None = None
        mine: set[str] = set()
        for line in content:
            if line.indent:
                if last is None:
                    raise line.error("an indented line continues the one before it")
                entries = self._raw[file][last[0]]
                entries[-1] = (last[1], entries[-1][1]._replace(text=f"{entries[-1][1].text} {line.text}"))
                continue
            name, _, since = line.text.split(None, 1)[0].partition("@")
            last = (name, order(self.standard, since) if since else 0)
            if since and not last[1]:
                raise line.error("unknown version after @")
            if name not in mine:
                mine.add(name)
                self._raw[file][name] = []
            self._raw[file][name].append((last[1], line))

    def _find(self, file: str, name: str, version: str, make: Callable[[Line, str, str, str], T]) -> T | None:
        entries = self._raw[file].get(name)
        if not entries:
            return None
        wanted = order(self.standard, version)
        since, line = max(
            (each for each in entries if each[0] <= wanted), default=min(entries), key=lambda each: each[0]
        )
        key = (file, name, since if file == "elements" else wanted)
        if key not in self._made:
            head, _, rest = line.text.partition(" ")
            if len(self._made) >= MAX_MADE:
                self._made.clear()
            self._made[key] = make(line, head.partition("@")[0], rest.strip(), version)
        found: T = self._made[key]
        return found

    def _element(self, line: Line, name: str, rest: str, version: str) -> Element:
        head, colon, codes = rest.partition(" :")
        open_list = codes.startswith("~")
        words = head.split(None, 2) if self.standard == "x12" else head.split(None, 1)
        listed: dict[str, str] = {}
        for each in (codes[1:] if open_list else codes).split(";"):
            if each.strip():
                code, _, meaning = each.strip().partition(" ")
                listed[code] = meaning.strip()
        if self.standard == "x12":
            found = _LENGTHS.fullmatch(words[1]) if len(words) > 1 and _KIND.fullmatch(words[0]) else None
            if not found:
                raise line.error("an element is written with kind and lengths, as in AN 1/35")
            kind, low, high = words[0], found.group(1), found.group(2)
            label = words[2] if len(words) > 2 else ""
        else:
            found = _EDIFACT_FORMAT.match(words[0]) if words else None
            if not found:
                raise line.error("a format is an..35, n8 or a3")
            kind, high = found.group(1), found.group(3)
            low = "1" if found.group(2) else high
            label = words[1] if len(words) > 1 else ""
        if int(low) > int(high):
            raise line.error("the most is less than the least")
        return Element(name, kind, int(low), int(high), label, listed, closed=bool(colon and not open_list))

    def _composite(self, line: Line, name: str, rest: str, version: str) -> Composite:
        label, uses, conditions = self._uses(line, rest, version, inside=True)
        return Composite(name, label, uses, conditions)

    def _segment(self, line: Line, name: str, rest: str, version: str) -> SegmentType:
        label, uses, conditions = self._uses(line, rest, version)
        return SegmentType(name, label, uses, conditions)

    def _uses(
        self, line: Line, rest: str, version: str, *, inside: bool = False
    ) -> tuple[str, tuple[Use, ...], tuple[Condition, ...]]:
        label, colon, body = rest.partition(":")
        if not colon:
            raise line.error("its elements stand behind a colon, as in 'LX Line number : 554!'")
        places, _, relations = body.partition("|")
        uses = tuple(self._use(line, word, version, inside) for word in places.split())
        conditions = []
        for word in relations.split():
            found = _CONDITION.match(word)
            if not found:
                raise line.error(f"{word} is no condition such as P0304")
            positions = tuple(int(found.group(2)[at : at + 2]) for at in range(0, len(found.group(2)), 2))
            if not 0 < min(positions) <= max(positions) <= len(uses):
                raise line.error(f"{word} names an element that is not there")
            conditions.append(Condition(found.group(1), positions))
        return label.strip(), uses, tuple(conditions)

    def _use(self, line: Line, word: str, version: str, inside: bool) -> Use:
        found = _USE.match(word)
        if not found:
            raise line.error(f"{word} is no use of an element such as 92! or C040*2")
        name, required, repeat = found.groups()
        if name == "-":
            return Use(None)
        if inside and name in self._raw["composites"]:
            raise line.error(f"{name} is a composite, and composites are made of elements only")
        of = self.composite(name, version) or self.element(name, version)
        if of is None:
            raise line.error(f"{name} is neither in elements.txt nor in composites.txt")
        return Use(of, bool(required), int(repeat or 1))


def message(path: Path, dictionary: Dictionary, version: str) -> Grammar:
    """Read a message file for ``version``.

    :raises GrammarError: the file says something impossible; names the line.
    """
    root = LoopNode("", 1, 1, None, 0)
    grammar = Grammar(dictionary.standard, "", version, "", root)
    open_loops: list[tuple[int, LoopNode]] = [(-1, root)]
    checks = []
    skipped: int | None = None
    for line in lines(path):
        words = line.text.split()
        if skipped is not None and line.indent > skipped:
            continue
        skipped = None
        if not grammar.type:
            grammar.type, grammar.name = words[0].partition("@")[0], " ".join(words[1:])
        elif words[0] == "group":
            if len(words) != 2:
                raise line.error("a line such as 'group PO' is wanted")
            grammar.group = words[1]
        elif words[0] == "versions":
            if dictionary.standard == "x12" and (wrong := set(words[1:]) - X12_RELEASES):
                raise line.error(f"{min(wrong)} is no release of X12 such as 4010")
            grammar.exact = version in words[1:]
        elif words[0] == "check":
            if len(words) < 2:
                raise line.error("a line such as 'check count CTT.1 = PO1' is wanted")
            if applies(line, words, dictionary.standard, version):
                checks.append(Check(words[1], tuple(words[2:]), line.text))
        elif not applies(line, words, dictionary.standard, version):
            skipped = line.indent
        else:
            _place(line, words, open_loops, dictionary, version)
    grammar.checks = tuple(checks)
    _no_empty_loops(path, root)
    return grammar


def fragment(content: str, name: str, dictionary: Dictionary, version: str) -> LoopNode:
    """Segments and loops in the notation of message files, for ``version``, in a root of their own.

    :raises GrammarError: names the line.
    """
    root = LoopNode("", 1, 1, None, 0)
    open_loops: list[tuple[int, LoopNode]] = [(-1, root)]
    for line in lines_of(content, name):
        words = line.text.split()
        if applies(line, words, dictionary.standard, version):
            _place(line, words, open_loops, dictionary, version)
    _no_empty_loops(Path(name), root)
    return root


def _place(
    line: Line, words: list[str], open_loops: list[tuple[int, LoopNode]], dictionary: Dictionary, version: str
) -> None:
    while open_loops[-1][0] >= line.indent:
        open_loops.pop()
    loop = open_loops[-1][1]
    is_loop = words[0] == "loop"
    if len(words) < (3 if is_loop else 2):
        raise line.error("a line such as 'ZA 0..5' or 'loop N9 0..1' is wanted")
    tag, cardinality, *rest = words[1:] if is_loop else words
    while rest and (later := _LATER.match(rest[0])):
        del rest[0]
        if order(dictionary.standard, version) >= order(dictionary.standard, later.group(2)):
            cardinality = later.group(1)
    found = _CARDINALITY.match(cardinality)
    if not found:
        raise line.error("a cardinality is 0..1 or 1..*, or 0..1 0..9@5010 where it changed")
    low = int(found.group(1))
    high = UNLIMITED if found.group(2) == "*" else int(found.group(2))
    if low > high:
        raise line.error("the most is less than the least")
    if is_loop:
        inner = LoopNode(tag, low, high, loop, len(loop.items))
        loop.items.append(inner)
        open_loops.append((line.indent, inner))
        if len(open_loops) > MAX_DEPTH:
            raise line.error(f"more than {MAX_DEPTH} loops in one another")
        return
    segment = dictionary.segment(tag, version)
    if segment is None:
        raise line.error(f"{tag} is not in segments.txt")
    loop.items.append(SegmentNode(narrowed(segment, rest, line), low, high, loop, len(loop.items)))


def narrowed(segment: SegmentType, words: list[str], line: Line) -> SegmentType:
    """A segment with the narrowing of its place: ``1=BY|ST`` these codes, ``4!`` mandatory, ``5-`` forbidden."""
    if not words:
        return segment
    uses = list(segment.uses)
    for word in words:
        found = re.match(r"(\d+)(!|-|=(.+))$", word)
        if not found or not 0 < int(found.group(1)) <= len(uses):
            raise line.error(f"{word} is no narrowing of {segment.tag} such as 1=BY|ST, 4! or 5-")
        at = int(found.group(1)) - 1
        use = uses[at]
        codes = frozenset(found.group(3).split("|")) if found.group(3) else use.codes
        uses[at] = Use(use.of, use.required or found.group(2) == "!", use.repeat, found.group(2) == "-", codes)
    return SegmentType(segment.tag, segment.name, tuple(uses), segment.conditions)


def _no_empty_loops(path: Path, loop: LoopNode) -> None:
    for each in loop.items:
        if isinstance(each, LoopNode):
            if not each.items or not isinstance(each.items[0], SegmentNode):
                raise GrammarError(f"{path.name}: the loop {each.name} does not begin with a segment")
            _no_empty_loops(path, each)
