"""UNA, UNB, UNG, UNH and their trailers."""

from __future__ import annotations

from ..delimiters import EDIFACT, EDIFACT_4, Delimiters
from ..envelope.edifact import TAGS, TRAILER
from ..errors import WriteError
from ..grammar import versions
from ..segment import Segment
from ..values import date_text, time_text
from .encode import Encoder
from .envelope_fields import control, field
from .headers import Document, GroupHeader, InterchangeHeader, Party

DEFAULT_VERSION = "UNOC:3"

__all__ = ["DEFAULT_VERSION", "TAGS", "TRAILER", "group", "interchange", "message", "service_string", "trailer"]


def service_string(delimiters: Delimiters, version: str, *, always: bool = False) -> str:
    """The UNA with its terminator, or nothing where the delimiters are those that hold without it."""
    if not always and delimiters in (EDIFACT_4 if _syntax(version) >= "4" else EDIFACT,):
        return ""
    return (
        f"UNA{delimiters.component}{delimiters.element}{delimiters.decimal}{delimiters.release or ' '}"
        f"{delimiters.repetition or ' '}{delimiters.terminator}"
    )


def interchange(header: InterchangeHeader, version: str, encoder: Encoder) -> tuple[str, str]:
    """The UNB, and the reference for UNZ."""
    number = control("UNB 0020", header.control, 1, 14)
    identifier, _, syntax = version.partition(":")
    field("UNB 0001", identifier, 4, 4, "UNO[A-Z]")
    field("UNB 0002", syntax, 1, 1, "[1-4]")
    application = field("UNB 0026", header.application, 0, 14)
    password, qualifier = header.password
    segment = Segment.of(
        "UNB",
        [identifier, syntax],
        _party(header.sender, "UNB 0004", "UNB 0008"),
        _party(header.receiver, "UNB 0010", "UNB 0014"),
        [date_text(header.at, "102" if syntax == "4" else "101"), time_text(header.at)],
        number,
        [field("UNB 0022", password, 0, 14), field("UNB 0025", qualifier, 0, 2)] if password else "",
        application,
        field("UNB 0029", header.priority, 0, 1),
        "1" if header.acknowledge else "",
        field("UNB 0032", header.agreement, 0, 35),
        "1" if header.test else "",
    )
    return encoder.raw(segment), number


def group(header: GroupHeader, around: InterchangeHeader, syntax_version: str, encoder: Encoder) -> tuple[str, str]:
    """The UNG, and the reference for UNE."""
    number = control("UNG 0048", header.control, 1, 14)
    at = header.at or around.at
    parts = header.version.split(":")
    if not 2 <= len(parts) <= 3:
        raise WriteError(f"UNG S008: {header.version!r} is no version such as D:96A", segment="UNG", element="S008")
    segment = Segment.of(
        "UNG",
        field("UNG 0038", header.type, 1, 6),
        _application(header.sender or around.sender, "UNG 0040"),
        _application(header.receiver or around.receiver, "UNG 0044"),
        [date_text(at, "102" if _syntax(syntax_version) >= "4" else "101"), time_text(at)],
        number,
        field("UNG 0051", header.agency or "UN", 1, 3),
        [field(f"UNG {name}", part, 1, high) for name, part, high in zip(_S008, parts, (3, 3, 6), strict=False)],
    )
    return encoder.raw(segment), number


_S008 = ("0052", "0054", "0057")


def message(document: Document, encoder: Encoder) -> tuple[str, str]:
    """The UNH, and the reference for UNT."""
    number = control("UNH 0062", document.control, 1, 14)
    parts = _version(document)
    names = (("0052", 3), ("0054", 3), ("0051", 3), ("0057", 6))
    identifier = [field("UNH 0065", document.type, 1, 6)]
    for (name, high), part in zip(names, parts, strict=False):
        identifier.append(field(f"UNH {name}", part, 0 if name == "0057" else 1, high))
    reference = field("UNH 0068", document.reference, 0, 35)
    return encoder.raw(Segment.of("UNH", number, identifier, reference)), number


def trailer(tag: str, count: int, number: str, encoder: Encoder) -> str:
    """UNT, UNE or UNZ."""
    return encoder.raw(Segment.of(tag, count, number))


def version_of(document: Document) -> tuple[str, str]:
    """The message's version as grammars name it (``96A``), and the association's code (``EAN008``)."""
    parts = _version(document)
    return versions.directory(parts[0], parts[1]), parts[3] if len(parts) > 3 else ""


def _version(document: Document) -> list[str]:
    parts = document.version.split(":")
    if not 3 <= len(parts) <= 4:
        text = f"UNH S009: {document.version!r} is no version such as D:96A:UN or D:96A:UN:EAN008"
        raise WriteError(text, segment="UNH", element="S009")
    return parts


def _party(party: Party, name: str, internal: str) -> list[str]:
    return [
        field(name, party.id, 1, 35),
        field(f"{name[:3]} 0007", party.qualifier, 0, 4),
        field(internal, party.internal, 0, 35),
    ]


def _application(party: Party, name: str) -> list[str]:
    return [field(name, party.id, 1, 35), field("UNG 0007", party.qualifier, 0, 4)]


def _syntax(version: str) -> str:
    return version.partition(":")[2]
