"""The envelope of X12: ISA, GS, ST … SE, GE, IEA, and TA1 between ISA and GS.

Widths of ISA from ASC X12.5: the segment has 106 characters with its terminator, delimiters stand at fixed places.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..charset import Charset
from ..delimiters import Delimiters
from ..errors import UnreadableError
from ..explain import Flaw
from ..grammar import versions
from ..interchange import Group, Interchange, Message
from ..segment import Segment, split
from ..tokens import Buffer, Cutter
from ..validate import Report, run
from .common import MAX_CONTROLS, Noter, Segments, check_count, check_reference, wrong

if TYPE_CHECKING:
    from ..reader import Codec

TRAILER = "SE"
TAGS = frozenset({"ISA", "GS", "ST", "SE", "GE", "IEA", "TA1"})
WIDTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)
"""Characters of ISA01 to ISA16."""

_BINARY = ("BIN", "BDS")


def begin(codec: Codec, buffer: Buffer, keep: bool) -> Interchange:
    """Read the ISA (or do without one) and prepare the rest."""
    buffer.need(1 << 10)
    if buffer.text[:3] != "ISA":
        return _without_isa(codec, buffer, keep)
    separator = buffer.text[3]
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
    charset = Charset("", Noter(report))
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
    interchange.run = _Session(codec, buffer, interchange, terminator, keep).messages
    return interchange


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
    delimiters = Delimiters(separator, ">" if terminator != ">" else ":", terminator)
    interchange = Interchange("x12", Segment("ISA", [], 0), "", delimiters, report, Charset("", Noter(report)))
    session = _Session(codec, buffer, interchange, terminator, keep)
    session.bare = True
    interchange.run = session.messages
    return interchange


class _Session:
    """The way through one interchange."""

    def __init__(self, codec: Codec, buffer: Buffer, interchange: Interchange, terminator: str, keep: bool) -> None:
        self._codec = codec
        self._interchange = interchange
        self._delimiters = interchange.delimiters
        self._keep = keep
        self._report = interchange.report
        self.bare = False
        self._groups: set[str] = set()
        self._sets: set[str] = set()
        self._group: Group | None = None
        self._segments = Segments(
            Cutter(
                buffer,
                element=self._delimiters.element,
                terminator=terminator,
                release="",
                openers=("ISA",),
                closer="IEA",
                binary=_BINARY,
                charset=interchange.charset,
                note=Noter(self._report),
            )
        )

    def messages(self, interchange: Interchange) -> Iterator[Message]:
        """The transaction sets; the envelope is checked on the way."""
        element = self._delimiters.element
        while (raw := self._segments.next()) is not None:
            tag = raw.partition(element)[0]
            if tag == "ST":
                message = self._message(raw)
                interchange.message_count += 1
                yield message
            elif tag == "GS":
                self._end_group(None)
                self._begin_group(raw)
            elif tag == "GE":
                self._end_group(raw)
            elif tag == "TA1":
                if len(interchange.ta1) < 1000:
                    interchange.ta1.append(split(raw, self._delimiters))
            elif tag == "IEA":
                self._end_group(None)
                self._end(raw)
                return
            else:
                wrong(
                    self._report,
                    "envelope.stray",
                    f"the segment {tag[:10]} stands outside of a transaction set",
                    tag[:10],
                    0,
                    raw[:60],
                )
        self._end_group(None)
        if not self.bare:
            wrong(self._report, "envelope.missing", "the interchange trailer IEA is missing", "IEA", 0)

    def _message(self, raw: str) -> Message:
        header = split(raw, self._delimiters, position=1)
        type_, control = header.get(1).strip(), header.get(2)
        group = self._group
        version_text = header.get(3) or (group.version if group else "") or self._interchange.version
        if group is not None and group.version:
            version_text = group.version
        version = versions.x12(version_text)
        compiled = self._codec.compiled("x12", type_, version, self._delimiters)
        grammar = compiled.grammar
        report = Report(
            self._codec.profile,
            grammar.exact,
            self._interchange.control,
            group.control if group else "",
            type_,
            control,
        )
        message = Message(
            "x12",
            type_,
            version,
            control,
            header,
            self._delimiters,
            report,
            group,
            grammar.version if grammar.known else "",
            version_text.strip()[6:] if len(version_text.strip()) > 6 else "",
        )
        self._about_grammar(message, grammar.known, grammar.exact, grammar.version)
        if self._keep:
            message.record = []
        position, end = run(self._segments.stream, compiled, report, 1, message.record)
        message.segment_count = position
        self._end_message(message, end, position)
        self._check_header(message, grammar.group)
        return message

    def _about_grammar(self, message: Message, known: bool, exact: bool, nearest: str) -> None:
        if not known:
            text = f"there is no grammar for {message.type or 'this type'}: only the envelope is checked"
            message.report.add(Flaw("grammar", "grammar.unknown", text))
        elif not exact:
            text = f"there is no grammar of version {message.version or 'unknown'}: read by that of {nearest}"
            message.report.add(Flaw("grammar", "grammar.nearest", text))

    def _end_message(self, message: Message, end: str | None, position: int) -> None:
        report = message.report
        tag = end.partition(self._delimiters.element)[0] if end is not None else ""
        if end is None or tag != "SE":
            if end is not None:
                self._segments.back(end)
                message.segment_count = position - 1
            wrong(report, "envelope.missing", "the trailer SE is missing", "SE", 0, position=position)
            return
        trailer = message.trailer = split(end, self._delimiters, position=position)
        check_count(report, trailer, position, "segments", position)
        check_reference(report, trailer, message.control, "ST", position)

    def _check_header(self, message: Message, group_code: str) -> None:
        report, group = message.report, self._group
        if not message.control:
            wrong(
                report,
                "envelope.element",
                "the transaction set has no control number",
                "ST",
                2,
                "",
                "4 to 9 characters",
                1,
            )
        elif message.control in self._sets:
            wrong(
                report,
                "envelope.duplicate",
                f"the control number {message.control} was used before in this group",
                "ST",
                2,
                message.control,
                "",
                1,
            )
        if len(self._sets) < MAX_CONTROLS:
            self._sets.add(message.control)
        if group is None:
            if not self.bare:
                wrong(report, "envelope.missing", "the group header GS is missing", "GS", 0)
            return
        group.messages += 1
        if group_code and group.type != group_code:
            wrong(
                report,
                "envelope.group",
                f"{message.type} stands in a group of type {group.type}",
                "GS",
                1,
                group.type,
                group_code,
            )

    def _begin_group(self, raw: str) -> None:
        header = split(raw, self._delimiters)
        control = header.get(6)
        report = Report(self._codec.profile, interchange=self._interchange.control, group=control)
        self._group = Group(
            header, header.get(1), control, header.get(2).strip(), header.get(3).strip(), header.get(8), report
        )
        self._interchange.groups.append(self._group)
        self._sets = set()
        for index in (1, 2, 3, 4, 5, 6, 8):
            if not header.get(index).strip():
                wrong(report, "envelope.element", f"GS{index:02d} is missing", "GS", index, "", "a value")
        if control and control in self._groups:
            wrong(report, "envelope.duplicate", f"the group control number {control} was used before", "GS", 6, control)
        if len(self._groups) < MAX_CONTROLS:
            self._groups.add(control)

    def _end_group(self, raw: str | None) -> None:
        group, self._group = self._group, None
        if group is None:
            if raw is not None:
                wrong(self._report, "envelope.missing", "a group trailer GE without its header GS", "GS", 0)
            return
        if raw is None:
            wrong(group.report, "envelope.missing", "the group trailer GE is missing", "GE", 0)
            return
        trailer = group.trailer = split(raw, self._delimiters)
        group.declared = trailer.get(1)
        check_count(group.report, trailer, group.messages, "transaction sets")
        check_reference(group.report, trailer, group.control, "GS")

    def _end(self, raw: str) -> None:
        trailer = self._interchange.trailer = split(raw, self._delimiters)
        check_count(self._report, trailer, len(self._interchange.groups), "groups")
        check_reference(self._report, trailer, self._interchange.header.get(13), "ISA")
