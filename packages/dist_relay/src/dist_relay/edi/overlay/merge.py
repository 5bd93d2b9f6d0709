"""Merges the rules of an overlay over a grammar: a new grammar, the old one stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TypeVar

from ..delimiters import EDIFACT, X12
from ..errors import GrammarError
from ..grammar import load, patterns
from ..grammar.model import UNLIMITED, Check, Default, Grammar, LoopNode, SegmentNode, SegmentType, nodes
from ..grammar.registry import Registry
from . import elements
from .model import DocumentRules, ElementRule, Overlay, Qualifier, SegmentRule, Spot

Item = SegmentNode | LoopNode
I = TypeVar("I", SegmentNode, Item)  # noqa: E741
FIRST = {"x12": ("4010", "5010"), "edifact": ("96A", "01B")}
"""Versions that overlays are tried with first."""


class NotHere(Exception):
    """A rule does not fit the grammar of this version; the message says why."""


def merged(overlay: Overlay, registry: Registry, standard: str, type_: str, version: str) -> Grammar:
    """The grammar of a message with the overlay's rules. Rules that do not fit this version are left out."""
    rules = overlay.documents[standard, type_]
    grammar = registry.find(standard, type_, rules.version or version)
    if not grammar.known:
        return grammar
    merger = _Merger(overlay, rules, grammar, _dictionary(overlay, registry, standard))
    merger.run()
    return merger.grammar


def verify(overlay: Overlay, registry: Registry) -> None:
    """Make sure that each rule fits the grammar of at least one version.

    :raises GrammarError: one does not; names its key.
    """
    for (standard, type_), rules in overlay.documents.items():
        where = f"overlay {overlay.name or '(unnamed)'}: documents.{type_}"
        versions = registry.versions(standard, type_)
        if not versions:
            known = ", ".join(registry.types(standard))
            raise GrammarError(f"{where}: there is no grammar for {type_}; there is one for {known}")
        if rules.version and rules.version not in versions:
            raise GrammarError(
                f"{where}.version: there is no grammar of {rules.version}; there is {', '.join(versions)}"
            )
        tried = [rules.version] if rules.version else _sample(standard, versions)
        _fits(overlay, registry, standard, rules, tried, where)


def _sample(standard: str, versions: list[str]) -> list[str]:
    """Versions to try an overlay with: the usual ones, the oldest, the newest, and some between."""
    wanted = [*FIRST[standard], versions[-1], *versions[::5]]
    return list(dict.fromkeys(each for each in wanted if each in versions))


def _fits(
    overlay: Overlay, registry: Registry, standard: str, rules: DocumentRules, versions: list[str], where: str
) -> None:
    open_: dict[str, str] = {}
    for number, version in enumerate(versions):
        grammar = registry.find(standard, rules.type, version)
        merger = _Merger(overlay, rules, grammar, _dictionary(overlay, registry, standard))
        merger.run()
        if not number:
            merger.compile(where)
        open_ = {key: why for key, why in merger.failed.items() if not number or key in open_}
        if not open_:
            return
    for key, why in open_.items():
        raise GrammarError(f"{where}.{key}: {why}")


def _dictionary(overlay: Overlay, registry: Registry, standard: str) -> load.Dictionary:
    texts = {file: text for file, text in overlay.definitions.get(standard, {}).items() if text}
    dictionary = registry.dictionary(standard)
    return dictionary.extended(texts, f"overlay {overlay.name}: define.{standard}") if texts else dictionary


class _Merger:
    def __init__(self, overlay: Overlay, rules: DocumentRules, grammar: Grammar, dictionary: load.Dictionary) -> None:
        self._rules = rules
        self._dictionary = dictionary
        self._name = overlay.name
        self._root = _copy(grammar.root, None)
        self._checks: list[Check] = []
        self._defaults: list[Default] = []
        self.failed: dict[str, str] = {}
        """Keys of rules that do not fit, and why."""
        self.grammar = replace(grammar, root=self._root)

    def run(self) -> None:
        """Apply all rules in their order: additions first, so that the others can be about them."""
        for extra in self._rules.extras:
            key = extra.key.rpartition(".")[2]
            self._try(key, partial(self._add, extra.key, extra.text, extra.into, extra.after))
        for segment in self._rules.segments:
            self._try(f"segments.{segment.spot.key}", partial(self._segment, segment))
        for element in self._rules.elements:
            self._try(f"elements.{element.spot.key}", partial(self._element, element))
        grammar = self.grammar
        grammar.checks += tuple(self._checks)
        grammar.defaults = tuple(self._defaults)

    def compile(self, where: str) -> None:
        """Make sure that the segments can be turned into expressions."""
        delimiters = X12 if self.grammar.standard == "x12" else EDIFACT
        for tag, kind in {each.tag: each.type for each in nodes(self._root)}.items():
            try:
                re.compile(patterns.segment(kind, delimiters), re.DOTALL)
            except (re.error, OverflowError, RecursionError, MemoryError) as error:
                raise GrammarError(f"{where}: the segment {tag} is too large: {error}") from None

    def _try(self, key: str, apply: partial[None]) -> None:
        try:
            apply()
        except (NotHere, elements.Unfit, GrammarError) as error:
            self.failed[key] = str(error)

    def _add(self, key: str, text: str, into: tuple[str, ...], after: Spot | None) -> None:
        added = load.fragment(text, key, self._dictionary, self.grammar.version)
        places: list[tuple[LoopNode, int]] = []
        if after is not None:
            found = self._targets(after) if not self._opens(after) else self._places(after)
            places = [(each.loop if isinstance(each, SegmentNode) else _parent(each), each.index) for each in found]
        else:
            loops: list[LoopNode] = [self._root]
            for name in into:
                loops = [
                    each for loop in loops for each in loop.items if isinstance(each, LoopNode) and each.name == name
                ]
            if not loops:
                raise NotHere(f"there is no loop {'/'.join(into)}")
            places = [(loop, len(loop.items) - 1) for loop in loops]
        for loop, index in places:
            loop.items[index + 1 : index + 1] = [_copied(each, loop) for each in added.items]
            _number(loop)

    def _opens(self, spot: Spot) -> bool:
        """Whether the place is that of a segment which opens the loop that is named: ``PO1/PO1``."""
        return bool(spot.path) and spot.path[-1] == spot.tag

    def _segment(self, rule: SegmentRule) -> None:
        if rule.qualifier:
            self._qualified(rule)
            return
        for item in self._targets(rule.spot):
            item.min = rule.low or 0
            item.max = item.max if rule.high is None else rule.high

    def _qualified(self, rule: SegmentRule) -> None:
        tag = rule.spot.tag
        kind = self.grammar.segment(tag)
        if kind is None:
            raise NotHere(f"there is no segment {tag}")
        _known(kind, rule.qualifier)
        high = "*" if rule.high is None or rule.high >= UNLIMITED else str(rule.high)
        self._checks.append(_check("uses", tag, (f"{rule.low or 0}..{high}",), rule.qualifier))

    def _element(self, rule: ElementRule) -> None:
        if rule.qualifier:
            kind = self.grammar.segment(rule.spot.tag)
            if kind is None:
                raise NotHere(f"there is no segment {rule.spot.tag}")
            _known(kind, ((rule.element, rule.component, frozenset()), *rule.qualifier))
            place = f"{rule.spot.tag}.{rule.element}" + (f".{rule.component}" if rule.component else "")
            if rule.use in ("required", "forbidden") and not rule.default:
                self._checks.append(_check("element", place, (rule.use,), rule.qualifier))
            if rule.codes is not None:
                self._checks.append(_check("element", place, ("codes", *sorted(rule.codes)), rule.qualifier))
            loops = None
        else:
            found = self._places(rule.spot)
            for node in found:
                node.type = elements.changed(node.type, rule)
            loops = None if rule.spot.anywhere else frozenset(each.loop.path() for each in found)
        if rule.default:
            self._defaults.append(
                Default(rule.spot.tag, loops, rule.element, rule.component, rule.default, rule.qualifier)
            )

    def _places(self, spot: Spot) -> list[SegmentNode]:
        """The segments that an element rule is about. One that opens a loop stands where the loop stands, too."""
        everywhere = [each for each in nodes(self._root) if each.tag == spot.tag]
        return _chosen(spot, [(each, {_place(each), *_outside(each)}) for each in everywhere])

    def _targets(self, spot: Spot) -> list[Item]:
        """The segments and loops of a name. Segments that open loops do not count: the loop does."""
        found: list[tuple[Item, set[str]]] = []
        for each in _items(self._root):
            named = each.tag if isinstance(each, SegmentNode) and not _outside(each) else getattr(each, "name", "")
            if named == spot.tag:
                found.append((each, {_place(each)}))
        return _chosen(spot, found)


def _chosen(spot: Spot, candidates: list[tuple[I, set[str]]]) -> list[I]:
    """Of places of a tag, those that the rule names."""
    if spot.anywhere:
        found = [each for each, _ in candidates]
    else:
        path = "/".join(spot.path)
        found = [each for each, places in candidates if path in places]
        if not found and not spot.path and not spot.rooted:
            found = [each for each, _ in candidates]
            paths = sorted({min(places, key=len) for _, places in candidates})
            if len(paths) > 1:
                listed = ", ".join(f"{each}/{spot.tag}" for each in paths[:8])
                raise NotHere(f"{spot.tag} stands at several places: name one of {listed}, or */{spot.tag} for all")
    if not found:
        raise NotHere(f"there is no {spot.tag} at this place")
    return found


def _outside(node: SegmentNode) -> set[str]:
    """The place of the loop that the segment opens; none if it opens none."""
    parent = node.loop.parent
    return {parent.path()} if parent is not None and node.index == 0 else set()


def _items(loop: LoopNode) -> Iterator[Item]:
    for each in loop.items:
        yield each
        if isinstance(each, LoopNode):
            yield from _items(each)


def _place(item: Item) -> str:
    """The path of the loop that the item stands in."""
    return item.loop.path() if isinstance(item, SegmentNode) else _parent(item).path()


def _parent(loop: LoopNode) -> LoopNode:
    assert loop.parent is not None
    return loop.parent


def _copy(loop: LoopNode, parent: LoopNode | None) -> LoopNode:
    made = LoopNode(loop.name, loop.min, loop.max, parent, loop.index)
    made.items = [_copied(each, made) for each in loop.items]
    return made


def _copied(item: Item, loop: LoopNode) -> Item:
    return _copy(item, loop) if isinstance(item, LoopNode) else replace(item, loop=loop)


def _number(loop: LoopNode) -> None:
    for index, each in enumerate(loop.items):
        each.index = index


def _known(kind: SegmentType, places: Qualifier) -> None:
    for element, _, _ in places:
        if element > len(kind.uses):
            raise NotHere(f"{kind.tag} has {len(kind.uses)} elements")


def _check(name: str, place: str, words: tuple[str, ...], qualifier: Qualifier) -> Check:
    when = [f"{e}{f'.{c}' if c else ''}={'|'.join(sorted(codes))}" for e, c, codes in qualifier]
    all_words = (place, *words, "when", *when)
    return Check(name, all_words, " ".join(("check", name, *all_words)))
