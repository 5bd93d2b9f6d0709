"""Wraps bodies of messages into interchanges as bytes, so that what was written is read by the real reader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dist_relay.edi import Loop, Message, Segment, read

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
    """The body written out and read again."""
    segments = list(body.walk())
    raw = x12(type_, version, segments) if standard == "x12" else edifact(type_, version, segments)
    return one(raw.encode())


def edifact(type_: str, version: str, segments: list[Segment]) -> str:
    def escape(text: str) -> str:
        return "".join(f"?{each}" if each in "?'+:" else each for each in text)

    def element(value: object) -> str:
        return ":".join(map(escape, value)) if isinstance(value, list) else escape(str(value))

    body = "".join("+".join([each.tag, *map(element, each.elements)]) + "'" for each in segments)
    head = f"UNB+UNOC:3+A:14+B:14+260131:1200+1'UNH+1+{type_}:D:{version}:UN'"
    return f"{head}{body}UNT+{len(segments) + 2}+1'UNZ+1+1'"


def x12(type_: str, version: str, segments: list[Segment]) -> str:
    def element(value: object) -> str:
        return ">".join(value) if isinstance(value, list) else str(value)

    long = f"0{int(version):05d}"
    repetition = "U" if version < "4020" else "^"
    body = "".join("*".join([each.tag, *map(element, each.elements)]) + "~" for each in segments)
    isa = f"ISA*00*{'':10}*00*{'':10}*ZZ*{'A':15}*ZZ*{'B':15}*260131*1200*{repetition}*{long[:5]}*000000001*0*P*>~"
    gs = f"GS*{GROUPS[type_]}*A*B*20260131*1200*1*X*{long}~"
    return f"{isa}{gs}ST*{type_}*0001~{body}SE*{len(segments) + 2}*0001~GE*1*1~IEA*1*000000001~"


def body_x12(type_: str, text: str, version: str = "4010") -> Message:
    """A message from its segments, one a line."""
    lines = [line.strip() for line in text.strip().splitlines()]
    return one(x12(type_, version, [Segment(*_parts(line, "*", ">")) for line in lines]).encode())


def body_edifact(type_: str, text: str, version: str = "96A") -> Message:
    lines = [line.strip() for line in text.strip().splitlines()]
    return one(edifact(type_, version, [Segment(*_parts(line, "+", ":")) for line in lines]).encode())


def _parts(line: str, element: str, component: str) -> tuple[str, list[str | list[str]]]:
    tag, *values = line.split(element)
    return tag, [value.split(component) if component in value else value for value in values]
