"""Application advice into verdicts: 824 and APERAK say what the receiver's application made of a document."""

from __future__ import annotations

from dataclasses import replace

from ..interchange import Message
from ..segment import Segment
from .meanings import meaning, number, reason
from .read_x12 import MAX_REASONS
from .verdict import Outcome, Reason, Scope, Verdict

_LEVELS: dict[str, Scope] = {"T": "message", "G": "group", "B": "group", "I": "message"}
"""First letter of OTI01: transaction set, group, batch, item."""
_OUTCOMES: dict[str, Outcome] = {
    "A": "accepted",
    "C": "accepted_with_errors",
    "E": "accepted_with_errors",
    "P": "partially_accepted",
}
"""Second letter of OTI01; C is accepted with changes to the data."""

_ACCEPTING = frozenset({"AP", "AB", "AC", "AD", "29", "44"})
_CONDITIONALLY = frozenset({"CA", "34", "45"})
_REFUSING = frozenset({"RE", "NA", "27", "12"})
"""Codes of 4343 and 1225 in the BGM of an APERAK."""

_MESSAGE_QUALIFIERS = ("ACW", "AGO", "MRN")
"""RFF qualifiers that name the message itself rather than the business document."""


def advice_824(message: Message) -> list[Verdict]:
    """One verdict for each OTI."""
    found: list[Verdict] = []
    reasons: list[Reason] = []
    for segment in message.segments():
        if segment.tag == "OTI":
            _close(found, reasons)
            found.append(_oti(segment))
        elif segment.tag == "TED" and found and len(reasons) < MAX_REASONS:
            reasons.append(_ted(segment, message.version))
        elif segment.tag in ("NTE", "RED") and reasons:
            text = segment.get(2) if segment.tag == "NTE" else segment.get(1)
            if text:
                reasons[-1] = replace(reasons[-1], text=f"{reasons[-1].text}; {text}"[:1000])
    _close(found, reasons)
    return found


def _close(found: list[Verdict], reasons: list[Reason]) -> None:
    if found:
        found[-1] = replace(found[-1], reasons=tuple(reasons))
    reasons.clear()


def _oti(segment: Segment) -> Verdict:
    code = segment.get(1)
    scope = _LEVELS.get(code[:1], "message")
    known = len(code) == 2 and code[0] in _LEVELS
    group, control = segment.get(8), segment.get(9)
    return Verdict(
        "824",
        scope,
        _OUTCOMES.get(code[1], "rejected") if known else "rejected",
        group=group,
        type=segment.get(10),
        control=control if scope == "message" else group,
        reference=segment.get(3),
    )


def _ted(segment: Segment, version: str) -> Reason:
    code = segment.get(1)
    said = segment.get(2)
    what = meaning("x12", "647", code)
    if said:
        what = said if "not known" in what else f"{what}: {said}"
    return reason(
        what,
        code,
        segment=segment.get(3),
        position=number(segment.get(4)),
        index=number(segment.get(5)),
        component=number(segment.get(5, 2)),
        value=segment.get(7),
    )


def aperak(message: Message) -> list[Verdict]:
    """One verdict: on the message that it refers to."""
    outcome: Outcome | None = None
    control = reference = ""
    reasons: list[Reason] = []
    in_error = False
    for segment in message.segments():
        tag = segment.tag
        if tag == "BGM":
            outcome = _response(segment)
        elif tag == "RFF":
            qualifier, value = segment.get(1), segment.get(1, 2)
            if in_error and reasons:
                reasons[-1] = replace(reasons[-1], text=f"{reasons[-1].text} ({qualifier} {value})"[:1000])
            elif qualifier in _MESSAGE_QUALIFIERS:
                control = control or value
            else:
                reference = reference or value
        elif tag == "ERC":
            in_error = True
            if len(reasons) < MAX_REASONS:
                code = segment.get(1)
                reasons.append(reason("the application found an error", code))
        elif tag == "FTX" and in_error and reasons:
            text = " ".join(part for part in (segment.get(4, each) for each in range(1, 6)) if part)
            if text:
                code = reasons[-1].code
                reasons[-1] = replace(reasons[-1], text=f"{text} ({code})"[:1000])
    if outcome is None:
        outcome = "rejected" if reasons else "accepted"
    elif outcome == "accepted" and reasons:
        outcome = "accepted_with_errors"
    return [Verdict("APERAK", "message", outcome, control=control, reference=reference, reasons=tuple(reasons))]


def _response(segment: Segment) -> Outcome | None:
    """What BGM says by its response type or its message function; None where it says nothing."""
    for code in (segment.get(4), segment.get(3)):
        if code in _REFUSING:
            return "rejected"
        if code in _CONDITIONALLY:
            return "accepted_with_errors"
        if code in _ACCEPTING:
            return "accepted"
    return None
