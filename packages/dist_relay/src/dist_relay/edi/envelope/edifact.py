"""The envelope of EDIFACT: UNA, UNB, UNG, UNH … UNT, UNE, UNZ (ISO 9735, syntax versions 1 to 4)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ..charset import BY_SYNTAX, Charset
from ..delimiters import EDIFACT, Delimiters
from ..explain import Flaw
from ..grammar import versions
from ..interchange import Group, Interchange, Message
from ..segment import Segment, split
from ..tokens import Buffer, Cutter
from ..validate import Report, run
from .common import MAX_CONTROLS, Noter, Segments, check_count, check_reference, wrong

if TYPE_CHECKING:
    from ..reader import Codec

_BLANK = " \t\r\n"

TRAILER = "UNT"
TAGS = frozenset({"UNB", "UNG", "UNH", "UNT", "UNE", "UNZ"})


def begin(codec: Codec, buffer: Buffer, keep: bool) -> Interchange:
    """Read UNA and UNB (or do without) and prepare the rest."""
    report = Report(codec.profile)
    delimiters, una = EDIFACT, ""
    if buffer.text.startswith("UNA"):
        una = buffer.text[:9]
        delimiters = _from_una(una, report)
        buffer.text = buffer.text[9:].lstrip(_BLANK)
        buffer.need(1 << 10)
    has_unb = buffer.text.startswith("UNB")
    if not una and has_unb and not buffer.text.startswith("UNB+"):
        delimiters = replace(delimiters, element=buffer.text[3])
    header, raw = _header(buffer, delimiters) if has_unb else (Segment("UNB", [], 0), "")
    if header.get(1, 2) >= "4" and not delimiters.repetition and (not una or una[7] not in " "):
        delimiters = replace(delimiters, repetition="*" if not una else una[7])
    elif header.get(1, 2) < "4" and delimiters.repetition:
        delimiters = replace(delimiters, repetition="")
    report.interchange = header.get(5)
    charset = Charset(BY_SYNTAX.get(header.get(1), ""), Noter(report))
    interchange = Interchange(
        "edifact",
        header,
        raw,
        delimiters,
        report,
        charset,
        sender=header.get(2),
        sender_qualifier=header.get(2, 2),
        receiver=header.get(3),
        receiver_qualifier=header.get(3, 2),
        control=header.get(5),
        version=f"{header.get(1)}:{header.get(1, 2)}".rstrip(":"),
        date=header.get(4),
        time=header.get(4, 2),
        test=header.get(11) == "1",
        acknowledgement=header.get(9) == "1",
        una=bool(una),
    )
    if una:
        interchange.raw_header = una + raw
    _check_header(interchange, has_unb)
    interchange.run = _Session(codec, buffer, interchange, keep, bare=not has_unb).messages
    return interchange


def _from_una(una: str, report: Report) -> Delimiters:
    if len(una) < 9:
        wrong(report, "envelope.delimiters", "UNA has fewer than six characters", "UNA", 0, una)
        return EDIFACT
    component, element, decimal, release, repetition, terminator = list(una[3:9])
    made = Delimiters(
        element,
        component,
        "\n" if terminator == "\r" else terminator,
        ""
        if repetition == " " or repetition in (component, element, release, terminator) or repetition.isalnum()
        else repetition,
        "" if release == " " else release,
        decimal,
    )
    if problem := made.problem():
        wrong(report, "envelope.delimiters", problem, "UNA", 0, una)
        return EDIFACT
    return made


def _header(buffer: Buffer, delimiters: Delimiters) -> tuple[Segment, str]:
    """Take UNB off the buffer."""
    text = buffer.text
    end = text.find(delimiters.terminator)
    while end > 0 and delimiters.release and text[end - 1] == delimiters.release:
        end = text.find(delimiters.terminator, end + 1)
    if end < 0 or end > 2_000:
        found = re.search(r"[\r\n]", text[:2_000])
        end = found.start() if found else min(len(text), 2_000)
    raw = text[:end]
    buffer.text = (
        text[end + len(delimiters.terminator) :] if text[end : end + 1] == delimiters.terminator else text[end:]
    )
    return split(raw.replace("\r", "").replace("\n", ""), delimiters, position=1), raw


def _check_header(interchange: Interchange, has_unb: bool) -> None:
    report, header = interchange.report, interchange.header
    if not has_unb:
        wrong(report, "envelope.missing", "the interchange header UNB is missing", "UNB", 0)
        return
    for index, name in (
        (1, "syntax identifier"),
        (2, "sender"),
        (3, "recipient"),
        (4, "date"),
        (5, "control reference"),
    ):
        if not header.get(index):
            wrong(report, "envelope.element", f"the {name} is missing", "UNB", index, "", "a value", 1)
    if header.get(1) and header.get(1) not in BY_SYNTAX and header.get(1) != "UNOX":
        wrong(
            report,
            "envelope.syntax",
            f"the syntax identifier {header.get(1)[:10]} is not known",
            "UNB",
            1,
            header.get(1),
            "UNOA to UNOY",
            1,
        )
    date, time = header.get(4), header.get(4, 2)
    if date and not (re.fullmatch("[0-9]{6}|[0-9]{8}", date) and re.fullmatch("[0-9]{4}", time)):
        wrong(
            report,
            "envelope.date",
            "date and time of the interchange are wrong",
            "UNB",
            4,
            f"{date}:{time}"[:20],
            "YYMMDD:HHMM",
            1,
        )


class _Session:
    """The way through one interchange."""

    def __init__(self, codec: Codec, buffer: Buffer, interchange: Interchange, keep: bool, *, bare: bool) -> None:
        self._codec = codec
        self._interchange = interchange
        self._delimiters = interchange.delimiters
        self._keep = keep
        self._bare = bare
        self._report = interchange.report
        self._group: Group | None = None
        self._references: set[str] = set()
        self._groups: set[str] = set()
        self._segments = Segments(
            Cutter(
                buffer,
                element=self._delimiters.element,
                terminator=self._delimiters.terminator,
                release=self._delimiters.release,
                openers=("UNB", "UNA"),
                closer="UNZ",
                binary=(),
                charset=interchange.charset,
                note=Noter(self._report),
            )
        )

    def messages(self, interchange: Interchange) -> Iterator[Message]:
        """The messages; the envelope is checked on the way."""
        while (raw := self._segments.next()) is not None:
            tag = raw[:3]
            if tag == "UNH":
                message = self._message(raw)
                interchange.message_count += 1
                if self._group is not None:
                    self._group.messages += 1
                yield message
            elif tag == "UNG":
                self._end_group(None)
                self._begin_group(raw)
            elif tag == "UNE":
                self._end_group(raw)
            elif tag == "UNZ":
                self._end_group(None)
                self._end(raw)
                return
            else:
                wrong(
                    self._report, "envelope.stray", f"the segment {tag} stands outside of a message", tag, 0, raw[:60]
                )
        self._end_group(None)
        if not self._bare:
            wrong(self._report, "envelope.missing", "the interchange trailer UNZ is missing", "UNZ", 0)

    def _message(self, raw: str) -> Message:
        header = split(raw, self._delimiters, position=1)
        type_, reference = header.get(2), header.get(1)
        version = versions.directory(header.get(2, 2), header.get(2, 3))
        compiled = self._codec.compiled("edifact", type_, version, self._delimiters)
        grammar = compiled.grammar
        group = self._group
        report = Report(
            self._codec.profile,
            grammar.exact,
            self._interchange.control,
            group.control if group else "",
            type_,
            reference,
        )
        message = Message(
            "edifact",
            type_,
            version,
            reference,
            header,
            self._delimiters,
            report,
            group,
            grammar.version if grammar.known else "",
            header.get(2, 5),
        )
        if not grammar.known:
            text = f"there is no grammar for {type_[:20] or 'this type'}: only the envelope is checked"
            report.add(Flaw("grammar", "grammar.unknown", text))
        elif not grammar.exact:
            text = f"there is no grammar of {version[:10] or 'this version'}: read by that of {grammar.version}"
            report.add(Flaw("grammar", "grammar.nearest", text))
        if self._keep:
            message.record = []
        position, end = run(self._segments.stream, compiled, report, 1, message.record)
        message.segment_count = position
        self._end_message(message, end, position)
        self._check_message(message)
        return message

    def _check_message(self, message: Message) -> None:
        if not message.control:
            wrong(message.report, "envelope.element", "the message has no reference number", "UNH", 1, "", "a value", 1)
        elif message.control in self._references:
            wrong(
                message.report,
                "envelope.duplicate",
                f"the reference {message.control} was used before",
                "UNH",
                1,
                message.control,
                "",
                1,
            )
        if len(self._references) < MAX_CONTROLS:
            self._references.add(message.control)
        if not message.type:
            wrong(message.report, "envelope.element", "the message has no type", "UNH", 2, "", "a value", 1)

    def _end_message(self, message: Message, end: str | None, position: int) -> None:
        report = message.report
        if end is None or end[:3] != "UNT":
            if end is not None:
                self._segments.back(end)
                message.segment_count = position - 1
            wrong(report, "envelope.missing", "the trailer UNT is missing", "UNT", 0, position=position)
            return
        trailer = message.trailer = split(end, self._delimiters, position=position)
        check_count(report, trailer, position, "segments", position)
        check_reference(report, trailer, message.control, "UNH", position)

    def _begin_group(self, raw: str) -> None:
        header = split(raw, self._delimiters)
        control = header.get(5)
        report = Report(self._codec.profile, interchange=self._interchange.control, group=control)
        version = versions.directory(header.get(7), header.get(7, 2))
        self._group = Group(header, header.get(1), control, header.get(2), header.get(3), version, report)
        self._interchange.groups.append(self._group)
        if control and control in self._groups:
            wrong(report, "envelope.duplicate", f"the group reference {control} was used before", "UNG", 5, control)
        if len(self._groups) < MAX_CONTROLS:
            self._groups.add(control)

    def _end_group(self, raw: str | None) -> None:
        group, self._group = self._group, None
        if group is None:
            if raw is not None:
                wrong(self._report, "envelope.missing", "a group trailer UNE without its header UNG", "UNG", 0)
            return
        if raw is None:
            wrong(group.report, "envelope.missing", "the group trailer UNE is missing", "UNE", 0)
            return
        trailer = group.trailer = split(raw, self._delimiters)
        group.declared = trailer.get(1)
        check_count(group.report, trailer, group.messages, "messages")
        check_reference(group.report, trailer, group.control, "UNG")

    def _end(self, raw: str) -> None:
        interchange = self._interchange
        trailer = interchange.trailer = split(raw, self._delimiters)
        if interchange.groups:
            check_count(self._report, trailer, len(interchange.groups), "groups")
        else:
            check_count(self._report, trailer, interchange.message_count, "messages")
        check_reference(self._report, trailer, interchange.control, "UNB")
