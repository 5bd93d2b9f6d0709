"""Segments to raw text: separators, release characters, and the refusal of what could not be read back."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..delimiters import EDIFACT, EDIFACT_4, X12, Delimiters
from ..errors import WriteError
from ..finding import shown
from ..segment import Loop, Repeats, Segment, Value
from .headers import Body

_TAG = re.compile(r"[A-Z][A-Z0-9]{1,2}")
_BINARY = frozenset({"BIN", "BDS"})
MAX_TAGS = 1_000
"""Tags remembered as well-formed."""

_OTHERS = {
    "element": "*|!\x1d",
    "component": ">:<\x1f",
    "terminator": "~\x1c\x1e",
    "repetition": "^`\x1a",
}
"""What a delimiter may be instead, when it occurs in a value: tried in this order."""


def flat(body: Body) -> list[Segment]:
    """The segments of a body in their order."""
    if isinstance(body, Loop):
        return list(body.walk())
    found: list[Segment] = []
    for each in body:
        if isinstance(each, Loop):
            found.extend(each.walk())
        else:
            found.append(each)
    return found


class Encoder:
    """Encodes segments for one interchange. ``exact`` keeps empty elements at the end and control characters: for
    writing again what was read."""

    def __init__(self, standard: str, delimiters: Delimiters, *, exact: bool = False) -> None:
        if not exact and (problem := delimiters.problem()):
            raise WriteError(problem)
        self._x12 = standard == "x12"
        self._delimiters = delimiters
        self._exact = exact
        self._tags: set[str] = set()
        others = delimiters.terminator + delimiters.repetition + delimiters.release
        control = "" if exact else r"\x00-\x1f\x7f"
        self._special: Callable[[str], object] = re.compile(f"[{re.escape(others)}{control}]").search
        self._service = re.compile(f"[{re.escape(delimiters.all)}]")
        self._control = re.compile(r"[\x00-\x1f\x7f]")
        self._doubled = delimiters.component + delimiters.element

    def raw(self, segment: Segment, position: int = 0) -> str:
        """The segment without its terminator. ``position`` is for errors.

        :raises WriteError: a value holds what cannot be written; names the element.
        """
        if segment.tag not in self._tags:
            self._check_tag(segment, position)
        element, component = self._delimiters.element, self._delimiters.component
        parts: list[Any] = [segment.tag]
        inner = 0
        value: Any
        for value in segment.elements:
            if value.__class__ is str:
                parts.append(value)
            elif value.__class__ is list:
                try:
                    parts.append(component.join(value))
                except TypeError:
                    return self._slow(segment, position)
                inner += len(value) - 1
            else:
                return self._slow(segment, position)
        text = element.join(parts)
        if text.count(element) != len(parts) - 1 or text.count(component) != inner or self._special(text):
            return self._slow(segment, position)
        if not self._exact and (text[-1] == element or text[-1] == component or self._doubled in text):
            return self._slow(segment, position)
        return text

    def _check_tag(self, segment: Segment, position: int) -> None:
        tag = segment.tag
        if not self._exact and not (isinstance(tag, str) and _TAG.fullmatch(tag)):
            raise WriteError(f"{shown(str(tag))} is no segment tag", segment=str(tag)[:10], position=position)
        if tag in _BINARY and self._x12:
            return
        if len(self._tags) < MAX_TAGS:
            self._tags.add(tag)

    def _slow(self, segment: Segment, position: int) -> str:
        """Element by element: escapes, leaves out what is empty at the end, refuses what cannot be."""
        if segment.tag in _BINARY and self._x12:
            return self._binary(segment, position)
        parts = [segment.tag]
        for index, value in enumerate(segment.elements, 1):
            repeats = value if isinstance(value, Repeats) else [value]
            if len(repeats) > 1 and not self._delimiters.repetition:
                text = f"element {segment.tag}{index:02d} repeats, and this version has no repetition separator"
                raise self._error(text, segment, position, index)
            written = [self._one(each, segment, position, index) for each in repeats]
            parts.append(self._delimiters.repetition.join(written))
        if not self._exact:
            while len(parts) > 1 and not parts[-1]:
                parts.pop()
        return self._delimiters.element.join(parts)

    def _one(self, value: Value, segment: Segment, position: int, index: int) -> str:
        if not isinstance(value, list):
            return self._escaped(value, segment, position, index)
        parts = [self._escaped(each, segment, position, index) for each in value]
        if not self._exact:
            while parts and not parts[-1]:
                parts.pop()
        return self._delimiters.component.join(parts)

    def _escaped(self, value: object, segment: Segment, position: int, index: int) -> str:
        if not isinstance(value, str):
            raise self._error(f"element {segment.tag}{index:02d} is no text: {value!r}", segment, position, index)
        release = self._delimiters.release
        found = self._service.search(value)
        if found and not release:
            text = (
                f"element {segment.tag}{index:02d} holds {shown(found.group())}, which is a delimiter of this"
                f" interchange: {shown(value)}"
            )
            raise self._error(text, segment, position, index)
        if not self._exact and (wrong := self._control.search(value)):
            text = f"element {segment.tag}{index:02d} holds the control character \\x{ord(wrong.group()):02x}"
            raise self._error(text, segment, position, index)
        return self._service.sub(lambda each: release + each.group(), value) if found else value

    def _binary(self, segment: Segment, position: int) -> str:
        """BIN and BDS hold anything; the element before the data says how long it is."""
        component = self._delimiters.component
        values = [each if isinstance(each, str) else component.join(map(str, each)) for each in segment.elements]
        raw = self._delimiters.element.join([segment.tag, *values])
        fields = 2 if segment.tag == "BIN" else 3
        parts = raw.split(self._delimiters.element, fields)
        size = parts[-2]
        if len(parts) <= fields or not (size.isascii() and size.isdigit()) or int(size) != len(parts[-1]):
            text = f"{segment.tag} does not say how long its data is"
            raise self._error(text, segment, position, fields - 1)
        return raw

    def _error(self, text: str, segment: Segment, position: int, index: int) -> WriteError:
        place = f"segment {position} {segment.tag}" if position else segment.tag
        element = f"{segment.tag}{index:02d}"
        return WriteError(f"{place}: {text}", segment=segment.tag, position=position, element=element)


def usual(standard: str, version: str) -> Delimiters:
    """The delimiters where nothing else is asked for, by ISA12 or the syntax version of UNB."""
    if standard == "x12":
        return X12 if version >= "00402" else replace(X12, repetition="")
    return EDIFACT_4 if version.partition(":")[2] >= "4" else EDIFACT


def avoiding(delimiters: Delimiters, segments: list[Segment]) -> Delimiters:
    """Delimiters of X12 that occur in no value of the segments: the ones given, and others only where they must be.

    :raises WriteError: all that could stand for one of them occur.
    """
    used: set[str] = set()
    for segment in segments:
        for value in segment.elements:
            _characters(value, used)
    chosen = delimiters
    for name, candidates in _OTHERS.items():
        now = getattr(chosen, name)
        if not now or now not in used:
            continue
        taken = set(chosen.all) | used
        free = next((each for each in candidates if each not in taken), None)
        if free is None:
            raise WriteError(f"all characters that could be the {name} delimiter occur in values: {shown(candidates)}")
        chosen = replace(chosen, **{name: free})
    return chosen


def _characters(value: object, used: set[str]) -> None:
    if isinstance(value, str):
        used.update(value)
    elif isinstance(value, list):
        for each in value:
            _characters(each, used)
