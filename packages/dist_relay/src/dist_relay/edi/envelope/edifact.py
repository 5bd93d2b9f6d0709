"""The envelope of EDIFACT: UNA, UNB, UNG, UNH … UNT, UNE, UNZ (ISO 9735, syntax versions 1 to 4)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ..charset import BY_SYNTAX, Charset
from ..delimiters import EDIFACT, Delimiters
from ..grammar import versions
from ..grammar.model import Grammar
from ..interchange import Group, Interchange, Message
from ..segment import Segment, ends_released, split
from ..tokens import Buffer
from ..validate import Report
from .common import Noter, wrong
from .session import Session, Tags

if TYPE_CHECKING:
    from ..reader import Codec

_BLANK = " \t\r\n"

TRAILER = "UNT"
_TAGS = Tags(("UNB", "UNA"), "UNB", "UNZ", "UNG", "UNE", "UNH", "UNT", "message")
TAGS = frozenset({"UNB", "UNG", "UNH", "UNT", "UNE", "UNZ"})


def begin(codec: Codec, buffer: Buffer, keep: bool) -> Interchange:
    """Read UNA and UNB (or do without) and prepare the rest."""
    report = Report(codec.profile)
    wire = codec.profile.wire("edifact")
    buffer.need(1 << 12)
    delimiters, una = (wire.delimiters if wire and wire.delimiters else EDIFACT), ""
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
    charset = Charset(BY_SYNTAX.get(header.get(1), ""), Noter(report), wire.charset if wire else "")
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
    session = _Session(codec, buffer, interchange, terminator=delimiters.terminator, keep=keep, bare=not has_unb)
    interchange.run = session.messages
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
    while 0 < end <= 2_000 and delimiters.release and ends_released(text[:end], delimiters.release):
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


class _Session(Session):
    tags = _TAGS

    def name(self, message: Message) -> None:
        header = message.header
        message.control, message.type, message.association = header.get(1), header.get(2), header.get(2, 5)
        message.version = versions.directory(header.get(2, 2), header.get(2, 3))

    def check_message(self, message: Message, grammar: Grammar) -> None:
        if not message.type:
            text = "the message has no type"
            wrong(message.report, "envelope.element", text, "UNH", 2, expected="a value", position=1)

    def group(self, header: Segment, report: Report) -> Group:
        version = versions.directory(header.get(7), header.get(7, 2))
        return Group(header, header.get(1), header.get(5), header.get(2), header.get(3), version, report)
