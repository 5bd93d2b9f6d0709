"""TA1, 997 and 999: the segments."""

from __future__ import annotations

from typing import Literal

from ..delimiters import Delimiters
from ..grammar import versions
from ..segment import Segment, Value
from . import faults
from .assessment import Assessment, GroupSeen, MessageSeen
from .verdict import Outcome

Functional = Literal["997", "999"]
VERSION_999 = "005010X231A1"
"""The implementation guide that a 999 names in GS08 and ST03."""

_LETTERS: dict[Outcome, str] = {
    "accepted": "A",
    "accepted_with_errors": "E",
    "partially_accepted": "P",
    "rejected": "R",
}


def ta1(seen: Assessment) -> Segment:
    """The interchange acknowledgement: it is about ISA and IEA only."""
    codes, _ = faults.level("TA1", seen.findings, "interchange")
    header = seen.header
    return Segment.of(
        "TA1", header.get(13), header.get(9), header.get(10), _LETTERS[seen.own], codes[0] if codes else "000"
    )


def functional(kind: Functional, seen: Assessment, group: GroupSeen, *, explicit: bool) -> list[Segment]:
    """The body of a 997 or 999 for one group. ``explicit`` false leaves accepted messages out."""
    later = kind == "999" or versions.order("x12", versions.x12(group.version)) >= 5010
    body = [Segment.of("AK1", group.type, group.control, group.version if later else None)]
    answered = seen.answered(group)
    accepted = 0
    for message in answered:
        outcome = seen.outcome_of(message, group)
        accepted += outcome != "rejected"
        if message.control and (explicit or outcome != "accepted"):
            body += _message(kind, message, outcome, seen.delimiters, later=later)
    codes, _ = faults.level(kind, group.findings, "group")
    included = group.declared.strip() if group.declared.strip().isdigit() else str(len(group.messages))
    letter = _LETTERS[seen.outcome_of_group(group)]
    body.append(Segment.of("AK9", letter, included, len(group.messages), accepted, *codes))
    return body


def _message(
    kind: Functional, message: MessageSeen, outcome: Outcome, delimiters: Delimiters, *, later: bool
) -> list[Segment]:
    found = faults.message(kind, message.findings)
    body = [Segment.of("AK2", message.type, message.control, message.convention if later else None)]
    prefix = "AK" if kind == "997" else "IK"
    for segment in found.segments:
        if not 2 <= len(segment.tag) <= 3 or not segment.tag.isalnum() or not segment.position:
            continue
        loop = segment.loop.rpartition("/")[2] if kind == "999" else ""
        loop = loop if len(loop) <= 4 else ""
        body.append(Segment.of(f"{prefix}3", segment.tag, segment.position, loop, segment.code or "8"))
        for element in segment.elements:
            place: Value = _place(kind, element)
            if kind == "999" and element.condition:
                context = Segment.of("CTX", "SITUATIONAL TRIGGER", segment.tag, segment.position, loop, place)
                body.append(_fault(prefix, place, element, delimiters))
                body.append(context)
            else:
                body.append(_fault(prefix, place, element, delimiters))
    body.append(Segment.of(f"{prefix}5", _LETTERS[outcome], *found.codes))
    return body


def _fault(prefix: str, place: Value, element: faults.ElementFault, delimiters: Delimiters) -> Segment:
    reference = element.reference if len(element.reference) <= 4 else ""
    return Segment.of(f"{prefix}4", place, reference, element.code, copied(element.value, delimiters))


def _place(kind: Functional, element: faults.ElementFault) -> Value:
    """C030: the element, its component, and in a 999 which repeat."""
    parts = [str(element.index)]
    if element.component or (element.repeat and kind == "999"):
        parts.append(str(element.component) if element.component else "")
    if element.repeat and kind == "999":
        parts.append(str(element.repeat))
    return parts if len(parts) > 1 else parts[0]


def copied(value: str, delimiters: Delimiters) -> str:
    """The copy of a bad value, at most 99 characters; nothing where it holds what an acknowledgement cannot hold."""
    text = value[:99]
    if not text.isascii() or not text.isprintable() or any(each in text for each in delimiters.all):
        return ""
    return text
