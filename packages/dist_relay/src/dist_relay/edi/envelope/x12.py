"""The envelope of X12: ISA, GS, ST … SE, GE, IEA, and TA1 between ISA and GS.

Widths of ISA from ASC X12.5: the segment has 106 characters with its terminator, delimiters stand at fixed places.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..charset import Charset
from ..delimiters import Delimiters
from ..errors import UnreadableError
from ..grammar import versions
from ..grammar.model import Grammar
from ..interchange import Group, Interchange, Message
from ..segment import Segment, split
from ..tokens import Buffer
from ..validate import Report
from .common import Noter, wrong
from .session import Session, Tags

if TYPE_CHECKING:
    from ..reader import Codec

TRAILER = "SE"
TAGS = frozenset({"ISA", "GS", "ST", "SE", "GE", "IEA", "TA1"})
WIDTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)
"""Characters of ISA01 to ISA16."""

_TAGS = Tags(("ISA",), "ISA", "IEA", "GS", "GE", "ST", "SE", "transaction set", ("BIN", "BDS"))

MAX_TA1 = 1_000
"""TA1 segments kept per interchange."""


def begin(codec: Codec, buffer: Buffer, keep: bool) -> Interchange:
    """Read the ISA (or do without one) and prepare the rest."""
    buffer.need(1 << 10)
    if buffer.text[:3] != "ISA":
        return _without_isa(codec, buffer, keep)
    separator = buffer.text[3]
    wrapped = _unwrap(buffer, separator)
    parts = buffer.text[:1000].split(separator, 16)
    if len(parts) < 17 or len(parts[16]) < 2:
        raise UnreadableError(f"the ISA segment has {len(parts) - 1} elements instead of 16")
    component = parts[16][0]
    terminator, length = _terminator(parts[16][1:])
    raw = separator.join(parts[:16]) + separator + component
    buffer.text = buffer.text[len(raw) + length :]
    values = [each.strip() for each in parts[1:16]]
    repetition = parts[11] if values[11] >= "00402" and len(parts[11]) == 1 and not parts[11].isalnum() else ""
    repetition = repetition.strip() if repetition != component else ""
    report = Report(codec.profile, interchange=values[12])
    noter = Noter(report)
    if wrapped:
        noter("envelope.breaks", "line breaks inside segments were taken out")
    charset = Charset("", noter, _agreed(codec))
    shown = terminator if terminator.isascii() or len(terminator) == 1 else terminator.encode("latin-1").decode("utf-8")
    delimiters = Delimiters(separator, component, shown, repetition)
    interchange = Interchange(
        "x12",
        Segment("ISA", [*parts[1:16], component], 1),
        raw,
        delimiters,
        report,
        charset,
        sender=values[5],
        sender_qualifier=values[4],
        receiver=values[7],
        receiver_qualifier=values[6],
        control=values[12],
        version=values[11],
        date=values[8],
        time=values[9],
        test=values[14] == "T",
        acknowledgement=values[13] == "1",
        raw_terminator=terminator,
    )
    _check_isa(parts, report)
    if problem := delimiters.problem():
        wrong(report, "envelope.delimiters", problem, "ISA", 16, component)
    session = _Session(codec, buffer, interchange, terminator=terminator, keep=keep, bare=False)
    interchange.run = session.messages
    return interchange


def _unwrap(buffer: Buffer, separator: str) -> bool:
    """Take out the line breaks of an ISA that is cut into records, and say whether there were any.

    Only if its elements then have their widths: otherwise the breaks may be those between segments.
    """
    text = buffer.text[:1000]
    parts = text.split(separator, 16)
    head = separator.join(parts[:16])
    joined = head.replace("\r", "").replace("\n", "")
    if joined == head or len(parts) < 17 or separator in "\r\n":
        return False
    if tuple(map(len, joined.split(separator)[1:])) != WIDTHS[:15]:
        return False
    rest = (separator + buffer.text[len(head) + 1 :].lstrip("\r\n")) if parts[16] else separator
    if re.match(r"[\r\n]+[^A-Za-z0-9\r\n]", rest[2:12]):
        rest = rest[:2] + rest[2:].lstrip("\r\n")
    buffer.text = joined + rest
    return True


def _terminator(text: str) -> tuple[str, int]:
    """The segment terminator behind ISA16 and how many characters it takes in the buffer.

    One that is not ASCII may be several bytes of UTF-8.
    """
    first = text[0]
    if first >= "\xc2":
        size = 2 if first < "\xe0" else 3 if first < "\xf0" else 4
        try:
            text[:size].encode("latin-1").decode("utf-8")
            return text[:size], size
        except UnicodeDecodeError:
            pass
    if first == "\r" and text[1:2] == "\n":
        return "\n", 2
    return first, 1


def _check_isa(parts: list[str], report: Report) -> None:
    for index, (value, width) in enumerate(zip(parts[1:16], WIDTHS, strict=False), 1):
        if len(value) != width:
            wrong(
                report,
                "envelope.width",
                f"ISA{index:02d} has {len(value)} characters",
                "ISA",
                index,
                value,
                str(width),
                1,
            )
    if not re.fullmatch(r"[0-9]{6}", parts[9]):
        wrong(report, "envelope.date", "the date of the interchange is wrong", "ISA", 9, parts[9], "YYMMDD", 1)
    if not re.fullmatch(r"[0-9]{4}", parts[10]):
        wrong(report, "envelope.date", "the time of the interchange is wrong", "ISA", 10, parts[10], "HHMM", 1)


def _agreed(codec: Codec) -> str:
    """The character set that is agreed with the partner."""
    wire = codec.profile.wire("x12")
    return wire.charset if wire else ""


def _without_isa(codec: Codec, buffer: Buffer, keep: bool) -> Interchange:
    """A group or transaction set without an interchange round it: the delimiters are guessed from its first segment."""
    found = re.match(r"(GS|ST)([^A-Za-z0-9 \t\r\n])", buffer.text)
    tag, separator = (found.group(1), found.group(2)) if found else ("ST", "*")
    count = 8 if tag == "GS" else 2
    parts = buffer.text[:1000].split(separator, count)
    last = re.match(r"[A-Za-z0-9]*", parts[-1]) if len(parts) > count else None
    rest = parts[-1][last.end() :] if last else ""
    terminator = rest[:1] or "~"
    if terminator == "\r":
        terminator = "\n"
    report = Report(codec.profile)
    wrong(report, "envelope.missing", "the interchange header ISA is missing", "ISA", 0)
    wire = codec.profile.wire("x12")
    component = wire.delimiters.component if wire and wire.delimiters else ">"
    delimiters = Delimiters(separator, component if component not in (terminator, separator) else ":", terminator)
    charset = Charset("", Noter(report), _agreed(codec))
    interchange = Interchange("x12", Segment("ISA", [], 0), "", delimiters, report, charset)
    session = _Session(codec, buffer, interchange, terminator=terminator, keep=keep, bare=True)
    interchange.run = session.messages
    return interchange


class _Session(Session):
    tags = _TAGS

    def name(self, message: Message) -> None:
        header, group = message.header, message.group
        message.type, message.control = header.get(1).strip(), header.get(2)
        text = ((group.version if group else "") or header.get(3) or self._interchange.version).strip()
        message.version, message.association = versions.x12(text), text[6:]
        if group is not None and not self._interchange.groups[-1].messages:
            self._controls = set()  # numbers are unique in their group

    def check_message(self, message: Message, grammar: Grammar) -> None:
        group = message.group
        if group is None:
            if not self._bare:
                wrong(message.report, "envelope.missing", "the group header GS is missing", "GS", 0)
        elif grammar.group and group.type != grammar.group:
            text = f"{message.type} stands in a group of type {group.type}"
            wrong(message.report, "envelope.group", text, "GS", 1, group.type, grammar.group)

    def group(self, header: Segment, report: Report) -> Group:
        for index in (1, 2, 3, 4, 5, 6, 8):
            if not header.get(index).strip():
                wrong(report, "envelope.element", f"GS{index:02d} is missing", "GS", index, expected="a value")
        sender, receiver = header.get(2).strip(), header.get(3).strip()
        return Group(header, header.get(1), header.get(6), sender, receiver, header.get(8), report)

    def take(self, tag: str, raw: str) -> bool:
        if tag != "TA1":
            return False
        if len(self._interchange.ta1) < MAX_TA1:
            self._interchange.ta1.append(split(raw, self._delimiters))
        return True
