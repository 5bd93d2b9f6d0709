"""Findings, ordered as acknowledgements report them: by level, then by segment, then by element."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..finding import Finding
from .rules import Where, code

MAX_SEGMENTS = 999
"""Segments reported per message (CONTRL has no more room)."""
MAX_ELEMENTS = 99
"""Elements reported per segment."""
MAX_CODES = 5
"""Codes of a message or group that 997 and 999 have room for."""


@dataclass(frozen=True)
class ElementFault:
    """AK4, IK4 or UCD. Elements count from 1."""

    code: str
    index: int
    component: int = 0
    repeat: int = 0
    reference: str = ""
    value: str = ""
    condition: bool = False
    """Whether it is a relation between elements: 999 then names the situation (CTX)."""


@dataclass(frozen=True)
class SegmentFault:
    """AK3, IK3 or UCS with what is below. ``code`` is that of the segment itself, "" where only elements are wrong."""

    code: str
    tag: str
    position: int
    loop: str = ""
    elements: tuple[ElementFault, ...] = ()
    missing: bool = False


@dataclass(frozen=True)
class Faults:
    """All of one message."""

    codes: tuple[str, ...] = ()
    """Of the message itself, most important first."""
    place: Finding | None = None
    """The finding behind the first code: CONTRL names its place."""
    segments: tuple[SegmentFault, ...] = ()


def where(finding: Finding) -> Where:
    """The place of a message's finding."""
    if finding.level == "envelope" or not finding.segment:
        return "message"
    return "element" if finding.index else "segment"


def level(kind: str, findings: Iterable[Finding], place: Where) -> tuple[tuple[str, ...], Finding | None]:
    """The codes of an interchange or group, refusing ones first, and the finding behind the first."""
    ordered = sorted(findings, key=lambda each: each.severity != "reject")
    codes = [code(kind, each.rule, place, each.element, each.segment) for each in ordered]
    return tuple(dict.fromkeys(codes))[:MAX_CODES], ordered[0] if ordered else None


def message(kind: str, findings: Iterable[Finding]) -> Faults:
    """What an acknowledgement of ``kind`` reports of a message's findings."""
    own: list[Finding] = []
    segments: list[SegmentFault] = []
    open_elements: dict[tuple[int, str], list[ElementFault]] = {}
    for finding in sorted(findings, key=lambda each: each.position):
        place = where(finding)
        if place == "message":
            own.append(finding)
        elif place == "segment":
            found = code(kind, finding.rule, place)
            missing = finding.rule == "segment.missing"
            segments.append(SegmentFault(found, finding.segment, finding.position, finding.loop, missing=missing))
        else:
            key = (finding.position, finding.segment)
            if key not in open_elements:
                open_elements[key] = []
                segments.append(SegmentFault("", finding.segment, finding.position, finding.loop))
            if len(open_elements[key]) < MAX_ELEMENTS:
                open_elements[key].append(_element(kind, finding))
    codes, first = level(kind, own, "message")
    if segments and kind in ("997", "999"):
        codes = tuple(dict.fromkeys((*codes[: MAX_CODES - 1], "5")))
    filled = [
        each
        if each.code
        else SegmentFault("", each.tag, each.position, each.loop, tuple(open_elements[each.position, each.tag]))
        for each in segments[:MAX_SEGMENTS]
    ]
    return Faults(codes, first, tuple(filled))


def _element(kind: str, finding: Finding) -> ElementFault:
    return ElementFault(
        code(kind, finding.rule, "element", finding.element),
        finding.index,
        finding.component,
        finding.repeat,
        finding.reference if finding.reference.isdigit() else "",
        finding.value,
        finding.level == "condition",
    )
