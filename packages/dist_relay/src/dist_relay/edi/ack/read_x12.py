"""TA1, 997 and 999 into verdicts. Tolerant: what is missing is left empty."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from ..interchange import Message
from ..segment import Segment
from .meanings import meaning, number, reason
from .verdict import Kind, Outcome, Reason, Verdict

MAX_REASONS = 10_000
"""Reasons kept per message."""

_OUTCOMES: dict[str, Outcome] = {"A": "accepted", "E": "accepted_with_errors", "P": "partially_accepted"}
"""Letters of 715, 717 and I17; all others refuse."""


def outcome(letter: str) -> Outcome:
    """What a letter says: R, M, W, X and what is not known refuse."""
    return _OUTCOMES.get(letter, "rejected")


def ta1(segment: Segment) -> Verdict:
    """The verdict on an interchange."""
    code = segment.get(5)
    reasons = () if code in ("", "000") else (reason(meaning("x12", "I18", code), code),)
    control = segment.get(1)
    return Verdict("TA1", "interchange", outcome(segment.get(4)), control, control=control, reasons=reasons)


def functional(message: Message) -> list[Verdict]:
    """The verdict on a functional group, then those on its messages."""
    reader = _Functional(cast(Kind, message.type))
    for segment in message.segments():
        reader.take(segment)
    return reader.verdicts()


class _Functional:
    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._group = Verdict(kind, "group", "rejected")
        self._messages: list[Verdict] = []
        self._reasons: list[Reason] = []
        self._segment = Segment("", [])

    def take(self, segment: Segment) -> None:
        tag = segment.tag
        if tag == "AK1":
            control = segment.get(2)
            self._group = Verdict(
                self._kind, "group", "rejected", group_type=segment.get(1), group=control, control=control
            )
        elif tag == "AK2":
            self._messages.append(
                replace(self._group, level="message", type=segment.get(1), control=segment.get(2), reasons=())
            )
            self._reasons = []
        elif tag in ("AK3", "IK3"):
            self._take_segment(segment)
        elif tag in ("AK4", "IK4"):
            self._take_element(segment)
        elif tag in ("AK5", "IK5") and self._messages:
            self._end(segment)
        elif tag == "AK9":
            reasons = [reason(meaning("x12", "716", code), code) for code in _codes(segment, 5)]
            self._group = replace(self._group, outcome=outcome(segment.get(1)), reasons=tuple(reasons))

    def verdicts(self) -> list[Verdict]:
        """The group's first."""
        return [self._group, *self._messages]

    def _take_segment(self, segment: Segment) -> None:
        self._segment = segment
        code = segment.get(4)
        if code != "8" and len(self._reasons) < MAX_REASONS:
            what = meaning("x12", "720" if segment.tag == "AK3" else "620", code) if code else "in error"
            self._reasons.append(
                reason(what, code, segment=segment.get(1), position=number(segment.get(2)), loop=segment.get(3).strip())
            )

    def _take_element(self, segment: Segment) -> None:
        if len(self._reasons) >= MAX_REASONS:
            return
        around, code = self._segment, segment.get(3)
        self._reasons.append(
            reason(
                meaning("x12", "723" if segment.tag == "AK4" else "621", code),
                code,
                segment=around.get(1),
                position=number(around.get(2)),
                index=number(segment.get(1)),
                component=number(segment.get(1, 2)),
                repeat=number(segment.get(1, 3)),
                value=segment.get(4),
                loop=around.get(3).strip(),
            )
        )

    def _end(self, segment: Segment) -> None:
        element = "718" if segment.tag == "AK5" else "618"
        codes = [code for code in _codes(segment, 2) if code != "5" or not self._reasons]
        own = [reason(meaning("x12", element, code), code) for code in codes]
        self._messages[-1] = replace(
            self._messages[-1], outcome=outcome(segment.get(1)), reasons=(*own, *self._reasons)
        )


def _codes(segment: Segment, first: int) -> list[str]:
    return [code for code in (segment.get(index) for index in range(first, first + 5)) if code]
