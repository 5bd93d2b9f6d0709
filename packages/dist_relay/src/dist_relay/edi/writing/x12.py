"""ISA, GS, ST and their trailers."""

from __future__ import annotations

from ..delimiters import Delimiters
from ..envelope.x12 import TAGS, TRAILER, WIDTHS
from ..errors import WriteError
from ..grammar import versions
from ..values import date_text, time_text
from .encode import Encoder
from .envelope_fields import control, field, undelimited
from .headers import Document, GroupHeader, InterchangeHeader, Party

DIGITS = r"[0-9]+"
DEFAULT_VERSION = "00401"

__all__ = ["DEFAULT_VERSION", "TAGS", "TRAILER", "group", "interchange", "message", "trailer", "version_of"]


def interchange(header: InterchangeHeader, version: str, delimiters: Delimiters) -> tuple[str, str]:
    """The ISA without its terminator, and the control number for IEA02."""
    number = control("ISA13", header.control, 9, 9)
    field("ISA13", number, 9, 9, DIGITS)
    # ISA11 is the standards identifier U before version 00402, and the repetition separator from then on.
    eleventh = (delimiters.repetition or "U") if version >= "00402" else "U"
    values = (
        *header.authorization,
        *header.security,
        *_party(header.sender),
        *_party(header.receiver),
        date_text(header.at, "101"),
        time_text(header.at),
        eleventh,
        field("ISA12", version, 5, 5, DIGITS),
        number,
        "1" if header.acknowledge else "0",
        "T" if header.test else "P",
        delimiters.component,
    )
    low = (2, 0, 2, 0, 2, 1, 2, 1, 6, 4, 1, 5, 9, 1, 1, 1)
    filled = []
    for index, (value, width) in enumerate(zip(values, WIDTHS, strict=True), 1):
        name = f"ISA{index:02d}"
        undelimited(name, field(name, value, low[index - 1], width), delimiters)
        filled.append(value.ljust(width))
    return delimiters.element.join(["ISA", *filled]), number


def group(header: GroupHeader, around: InterchangeHeader, delimiters: Delimiters) -> tuple[str, str]:
    """The GS, and the control number for GE02."""
    number = field("GS06", control("GS06", header.control, 1, 9), 1, 9, DIGITS)
    at = header.at or around.at
    version = field("GS08", header.version, 1, 12)
    if not versions.x12(version):
        raise WriteError(f"GS08: {version!r} is no version such as 004010", segment="GS", element="GS08")
    values = [
        "GS",
        field("GS01", header.type, 2, 2),
        field("GS02", (header.sender or around.sender).id, 1, 15),
        field("GS03", (header.receiver or around.receiver).id, 1, 15),
        date_text(at, "102" if versions.order("x12", versions.x12(version)) >= 4010 else "101"),
        time_text(at),
        number,
        field("GS07", header.agency or "X", 1, 2),
        version,
    ]
    for index, value in enumerate(values[1:], 1):
        undelimited(f"GS{index:02d}", value, delimiters)
    return delimiters.element.join(values), number


def message(document: Document, version: str, delimiters: Delimiters, encoder: Encoder) -> tuple[str, str]:
    """The ST, and the control number for SE02."""
    number = control("ST02", document.control, 4, 9)
    field("ST02", number, 4, 9)
    values = ["ST", field("ST01", document.type, 3, 3), number]
    if document.convention:
        values.append(field("ST03", document.convention, 1, 35))
    for index, value in enumerate(values[1:], 1):
        undelimited(f"ST{index:02d}", value, delimiters)
    return delimiters.element.join(values), number


def trailer(tag: str, count: int, number: str, delimiters: Delimiters) -> str:
    """SE, GE or IEA."""
    return delimiters.element.join([tag, str(count), number])


def version_of(document: Document, group_header: GroupHeader | None) -> tuple[str, str]:
    """The message's version as grammars name it, and what narrows it.

    :raises WriteError: the message is in no group.
    """
    if group_header is None:
        raise WriteError("an X12 message is written into a group: give a GroupHeader first", segment="ST", element="")
    return versions.x12(group_header.version), group_header.version[6:]


def _party(party: Party) -> tuple[str, str]:
    return party.qualifier or "ZZ", party.id
