"""What reading and writing one document need to know: versions, tables, the partner's settings, and the notes taken."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from zoneinfo import ZoneInfo

from ..grammar import versions
from ..segment import Segment
from . import tables

NO_CURRENCY = 3 * "X"
"""ISO 4217 for "no currency"."""
_CODE = re.compile(r"[!-~]{1,17}\Z")
_EMPTY: Mapping[str, Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True)
class MappingProfile:
    """What a partner's documents do not say themselves, and where he uses codes differently.

    ``codes`` are read and written before those of our tables: ``{"item": {"SK": "supplier"}}``. ``objects`` says which
    object a document is where it may be several: ``{"DESADV": "WarehouseShipment"}``.
    """

    currency: str = NO_CURRENCY
    zone: str = "UTC"
    """Zone of times that carry none, a name of the IANA database."""
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: _EMPTY)
    objects: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


DEFAULT = MappingProfile()


@dataclass(frozen=True)
class Note:
    """Something that was not understood, or not written: nothing is lost without one.

    ``rule``: ``mapping.segment``, ``mapping.element``, ``mapping.code``, ``mapping.value`` (of the document),
    ``mapping.unwritten`` (of the object; ``element`` is then the path).
    """

    rule: str
    text: str
    segment: str = ""
    position: int = 0
    element: str = ""
    value: str = ""

    def __str__(self) -> str:
        where = f"segment {self.position} {self.segment}: " if self.position else ""
        return f"{where}{self.text}"


class Problem(Exception):
    """A value that cannot be converted; the message says why. It never leaves the package."""


class Context:
    """State of one mapping run."""

    def __init__(self, standard: str, version: str, profile: MappingProfile) -> None:
        self.standard = standard
        self.version = version
        self.profile = profile
        self.currency = profile.currency
        self.tables = tables.load(standard)
        self.notes: list[Note] = []

    @cached_property
    def zone(self) -> ZoneInfo:
        """The zone of times without one."""
        return ZoneInfo(self.profile.zone)

    def applies(self, since: str, before: str) -> bool:
        """Whether a line of a mapping that is for some versions is for this one."""
        if not since and not before:
            return True
        mine = versions.order(self.standard, self.version)
        if since and mine < versions.order(self.standard, since):
            return False
        return not before or mine < versions.order(self.standard, before)

    def word(self, table: str, code: str) -> str | None:
        """Our word for a code; None for an unknown one of a closed table."""
        own = self.profile.codes.get(table, {})
        if code in own:
            return own[code]
        found = self.tables[table]
        if code in found.words:
            return found.words[code]
        return f"{self.standard}:{code}" if found.open and _CODE.match(code) else None

    def code(self, table: str, word: str) -> str:
        """The standard's code for a word.

        :raises Problem: the standard has none.
        """
        own = self.profile.codes.get(table, {})
        for code, each in own.items():
            if each == word:
                return code
        found = self.tables[table]
        if word in found.later and self.applies(found.later[word][0], ""):
            return found.later[word][1]
        if word in found.codes:
            return found.codes[word]
        standard, _, code = word.partition(":")
        if found.open and code and standard == self.standard:
            return code
        raise Problem(f"{word!r} has no code in {self.standard} ({table})")

    def qualifier(self, table: str, word: str, value: str) -> str:
        """The code of a numbering; that of a GTIN depends in X12 on how many digits it has.

        :raises Problem: the standard has none.
        """
        lengths = self.tables.get("gtin")
        if word == "gtin" and lengths and word not in self.profile.codes.get(table, {}).values():
            return lengths.codes.get(str(len(value)), lengths.codes["12"])
        return self.code(table, word)

    def note(self, rule: str, text: str, segment: Segment | None = None, element: str = "", value: str = "") -> None:
        """Take a note about a place of the document."""
        tag, position = (segment.tag, segment.position) if segment else ("", 0)
        self.notes.append(Note(rule, text, tag, position, element, value))
