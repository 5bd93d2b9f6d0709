"""Messages from fixtures, from a few lines, and from bodies that were written: always by the codec itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from dist_relay.edi import Loop, Message, Segment, read
from dist_relay.edi.writer import Document, GroupHeader, InterchangeHeader, Party, Writer

FIXTURES = Path(__file__).parents[2] / "fixtures" / "edi"
GROUPS = {
    "180": "AN", "810": "IN", "820": "RA", "832": "SC", "846": "IB", "850": "PO", "852": "PD", "855": "PR", "856": "SH",
    "860": "PC", "865": "CA", "940": "OW", "943": "AR", "944": "RE", "945": "SW", "947": "AW",
}  # fmt: skip


def messages(data: bytes) -> Iterator[Message]:
    for interchange in read(data):
        yield from interchange.messages()


def one(data: bytes) -> Message:
    (message,) = messages(data)
    return message


def again(standard: str, type_: str, version: str, body: Loop) -> Message:
    """The body written by the codec's writer, which checks it against the grammar, and read again."""
    return one(written(standard, type_, version, body))


def written(standard: str, type_: str, version: str, body: Loop) -> bytes:
    """An interchange of one message.

    :raises WriteError: the body is not as the grammar wants it.
    """
    header = InterchangeHeader(Party("A", "14"), Party("B", "14"), 1, datetime(2026, 1, 31, 12, 0))
    if standard == "edifact":
        document = Document(type_, 1, body, version=f"D:{version}:UN")
        return Writer("edifact").interchange(replace(header, version="UNOY:3"), [document])
    group = GroupHeader(GROUPS[type_], 1, f"0{int(version):05d}")
    header = replace(header, sender=Party("A", "ZZ"), receiver=Party("B", "ZZ"), version=f"0{int(version):05d}"[:5])
    return Writer("x12").interchange(header, [(group, [Document(type_, 1, body)])])


def body_x12(type_: str, text: str, version: str = "4010") -> Message:
    """A message from its segments, one a line."""
    lines = [line.strip() for line in text.strip().splitlines()]
    return again("x12", type_, version, Loop("", [Segment(*_parts(line, "*", ">")) for line in lines]))


def body_edifact(type_: str, text: str, version: str = "96A") -> Message:
    lines = [line.strip() for line in text.strip().splitlines()]
    return again("edifact", type_, version, Loop("", [Segment(*_parts(line, "+", ":")) for line in lines]))


def _parts(line: str, element: str, component: str) -> tuple[str, list[str | list[str]]]:
    tag, *values = line.split(element)
    return tag, [value.split(component) if component in value else value for value in values]
