"""What an overlay says, once it is validated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from ..delimiters import Delimiters

if TYPE_CHECKING:
    from ..mapping.context import MappingProfile

Use = Literal["", "required", "forbidden", "optional"]
Qualifier = tuple[tuple[int, int, frozenset[str]], ...]
"""Element, component and the codes of which one must stand there, for each condition."""


@dataclass(frozen=True)
class Spot:
    """A place in a message: names of loops from the root, and a tag (or the name of a loop).

    ``anywhere``: all places of the tag. ``rooted`` false and no path: the place in the message itself, or the only one.
    """

    key: str
    path: tuple[str, ...]
    tag: str
    anywhere: bool = False
    rooted: bool = False


@dataclass(frozen=True)
class SegmentRule:
    """A segment or loop: forbidden, required, or used so many times. With a qualifier: those segments only."""

    spot: Spot
    low: int | None = None
    high: int | None = None
    qualifier: Qualifier = ()


@dataclass(frozen=True)
class ElementRule:
    """An element (or component): mandatory, forbidden, codes, lengths, and what stands there if nothing does."""

    spot: Spot
    element: int
    component: int = 0
    qualifier: Qualifier = ()
    use: Use = ""
    codes: frozenset[str] | None = None
    add: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    default: str = ""
    min: int = 0
    max: int = 0


@dataclass(frozen=True)
class Extra:
    """Segments and loops that are added, in the notation of grammars: behind ``after``, or at the end of a loop."""

    key: str
    text: str
    into: tuple[str, ...] = ()
    after: Spot | None = None


@dataclass(frozen=True)
class DocumentRules:
    """All that is changed in one document type."""

    type: str
    version: str = ""
    """The version whose grammar holds, whatever documents say; "" for the one that they name."""
    segments: tuple[SegmentRule, ...] = ()
    elements: tuple[ElementRule, ...] = ()
    extras: tuple[Extra, ...] = ()


@dataclass(frozen=True)
class Address:
    """A party of an interchange: identification and its qualifier."""

    id: str
    qualifier: str = ""


@dataclass(frozen=True)
class Wire:
    """How the partner's interchanges look on the wire; empty where nothing is agreed."""

    delimiters: Delimiters | None = None
    """For writing, and for reading where an interchange does not say them itself."""
    charset: str = ""
    """The encoding, whatever the interchange declares."""
    version: str = ""
    """What is written: GS08 (``004010VICS``) or ``D:96A:UN:EAN008``."""
    interchange_version: str = ""
    """ISA12 (``00401``), or syntax identifier and version (``UNOC:3``)."""
    line_end: str = ""
    record: int = 0
    una: bool = False
    test: bool = False
    acknowledge: bool = False
    sender: Address | None = None
    receiver: Address | None = None


@dataclass(frozen=True)
class Overlay:
    """A whole overlay. ``key`` is the same for the same content."""

    name: str
    key: str
    documents: Mapping[tuple[str, str], DocumentRules] = field(default_factory=lambda: MappingProxyType({}))
    """By standard and type."""
    wires: Mapping[str, Wire] = field(default_factory=lambda: MappingProxyType({}))
    definitions: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    """By standard: text of further ``elements``, ``composites`` and ``segments``, in the notation of grammars."""
    mapping: MappingProfile | None = None
    """What mapping to canonical objects needs to know."""
