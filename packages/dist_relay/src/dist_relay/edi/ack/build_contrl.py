"""CONTRL: the segments. UCI speaks of UNB and UNZ, UCF of UNG and UNE, UCM of UNH and UNT."""

from __future__ import annotations

from ..finding import Finding
from ..segment import Segment, Value
from . import faults
from .assessment import Assessment, GroupSeen, MessageSeen

REJECTED, ACKNOWLEDGED, RECEIVED = "4", "7", "8"
"""Action codes (0083): this level and all below refused; this level taken; the interchange has arrived."""


def contrl(seen: Assessment, *, explicit: bool) -> list[Segment]:
    """The body. What is below a refused level is not mentioned; ``explicit`` false leaves accepted messages out.

    A message that is accepted with errors is acknowledged (7) with its errors below.
    """
    repeats = seen.version.partition(":")[2] >= "4"
    codes, first = faults.level("CONTRL", seen.findings, "interchange")
    action = REJECTED if seen.own == "rejected" else ACKNOWLEDGED
    header = seen.header
    values = [header.elements[index] if index < len(header.elements) else "" for index in (1, 2)]
    body = [Segment.of("UCI", header.get(5), *values, action, *_service("UNB", codes, first))]
    if action == REJECTED:
        return body
    for group in seen.to_answer:
        if group.header is not None:
            body.append(_group(group))
            if group.own == "rejected":
                continue
        for message in seen.answered(group):
            if explicit or message.own != "accepted":
                body += _message(message, repeats)
    return body


def receipt(seen: Assessment) -> list[Segment]:
    """The body that says only that the interchange has arrived."""
    header = seen.header
    values = [header.elements[index] if index < len(header.elements) else "" for index in (1, 2)]
    return [Segment.of("UCI", header.get(5), *values, RECEIVED)]


def _group(group: GroupSeen) -> Segment:
    codes, first = faults.level("CONTRL", group.findings, "group")
    header = group.header
    values = [header.elements[index] if header and index < len(header.elements) else "" for index in (1, 2)]
    action = REJECTED if group.own == "rejected" else ACKNOWLEDGED
    return Segment.of("UCF", group.control, *values, action, *_service("UNG", codes, first))


def _message(message: MessageSeen, repeats: bool) -> list[Segment]:
    found = faults.message("CONTRL", message.findings)
    action = REJECTED if message.own == "rejected" else ACKNOWLEDGED
    body = [Segment.of("UCM", message.control, message.identifier, action, *_service("UNH", found.codes, found.place))]
    for segment in found.segments:
        # A missing segment is said to be missing behind the last one that was there.
        position = segment.position - 1 if segment.missing else segment.position
        if position < 1:
            continue
        body.append(Segment.of("UCS", position, segment.code))
        for element in segment.elements:
            body.append(
                Segment.of("UCD", element.code, _place(element.index, element.component, element.repeat, repeats))
            )
    return body


def _service(header: str, codes: tuple[str, ...], first: Finding | None) -> list[Value]:
    """The one error that there is room for: code, service segment, and the element in it."""
    if not codes or first is None:
        return []
    tag = first.segment if first.segment in _SERVICE else header
    return [codes[0], tag, _place(first.index, 0, 0, False) if first.index else ""]


_SERVICE = frozenset({"UNA", "UNB", "UNZ", "UNG", "UNE", "UNH", "UNT"})


def _place(index: int, component: int, repeat: int, repeats: bool) -> Value:
    """S011: the segment's tag is position 1, so the first element is 2."""
    parts = [str(index + 1)]
    if component or (repeat and repeats):
        parts.append(str(component) if component else "")
    if repeat and repeats:
        parts.append(str(repeat))
    return parts if len(parts) > 1 else parts[0]
