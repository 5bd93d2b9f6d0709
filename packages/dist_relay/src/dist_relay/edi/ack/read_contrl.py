"""CONTRL into verdicts."""

from __future__ import annotations

from dataclasses import replace

from ..interchange import Message
from ..segment import Segment
from .assessment import summed
from .build_contrl import RECEIVED, REJECTED
from .meanings import meaning, number, reason
from .read_x12 import MAX_REASONS
from .verdict import Outcome, Reason, Verdict


def contrl(message: Message) -> list[Verdict]:
    """The verdict on the interchange, then those on groups and messages in their order."""
    reader = _Contrl()
    for segment in message.segments():
        reader.take(segment)
    return reader.verdicts()


class _Contrl:
    def __init__(self) -> None:
        self._interchange = Verdict("CONTRL", "interchange", "rejected")
        self._below: list[Verdict] = []
        self._reasons: list[Reason] = []
        self._group = ""
        self._position = 0

    def take(self, segment: Segment) -> None:
        tag = segment.tag
        if tag in ("UCI", "UCF", "UCM"):
            self._close()
        if tag == "UCI":
            control = segment.get(1)
            self._interchange = Verdict(
                "CONTRL",
                "interchange",
                _outcome(segment.get(4)),
                control,
                control=control,
                reasons=_service(segment, 5),
            )
        elif tag == "UCF":
            self._group = segment.get(1)
            self._below.append(
                replace(
                    self._interchange,
                    level="group",
                    outcome=_outcome(segment.get(4)),
                    group=self._group,
                    control=self._group,
                    reasons=_service(segment, 5),
                )
            )
        elif tag == "UCM":
            self._below.append(
                replace(
                    self._interchange,
                    level="message",
                    outcome=_outcome(segment.get(3)),
                    group=self._group,
                    type=segment.get(2),
                    control=segment.get(1),
                    reasons=_service(segment, 4),
                )
            )
        elif tag == "UCS":
            self._position = number(segment.get(1))
            if segment.get(2):
                self._add(reason(_said(segment.get(2)), segment.get(2), position=self._position))
        elif tag == "UCD":
            self._element(segment)

    def verdicts(self) -> list[Verdict]:
        """What is acknowledged with faults named is accepted with errors; the whole follows from its parts."""
        self._close()
        below = [_with_errors(each) for each in self._below]
        messages = [each for each in below if each.level == "message"]
        inside: dict[str, list[Outcome]] = {}
        for each in messages:
            inside.setdefault(each.group, []).append(each.outcome)
        for at, each in enumerate(below):
            if each.level == "group" and each.outcome != "rejected":
                below[at] = replace(each, outcome=_whole(inside.get(each.control, []), each.outcome))
        whole = _with_errors(self._interchange)
        if whole.outcome not in ("rejected", "received"):
            groups = [each for each in below if each.level == "group"]
            whole = replace(whole, outcome=_whole([each.outcome for each in groups or messages], whole.outcome))
        return [whole, *below]

    def _element(self, segment: Segment) -> None:
        code = segment.get(1)
        # The segment's tag has position 1, so the first element is 2.
        index = max(0, number(segment.get(2)) - 1)
        self._add(
            reason(
                _said(code),
                code,
                position=self._position,
                index=index,
                component=number(segment.get(2, 2)),
                repeat=number(segment.get(2, 3)),
            )
        )

    def _add(self, found: Reason) -> None:
        if self._below and len(self._reasons) < MAX_REASONS:
            self._reasons.append(found)

    def _close(self) -> None:
        """Give the last verdict the reasons that stood below it."""
        if self._reasons:
            last = self._below[-1]
            self._below[-1] = replace(last, reasons=(*last.reasons, *self._reasons))
            self._reasons = []


def _outcome(action: str) -> Outcome:
    """1, 2 and 5 are of older versions. What is not known refuses."""
    if action == RECEIVED:
        return "received"
    if action == REJECTED:
        return "rejected"
    return "accepted" if action in ("7", "1", "5") else "accepted_with_errors" if action == "2" else "rejected"


def _with_errors(verdict: Verdict) -> Verdict:
    if verdict.outcome == "accepted" and verdict.reasons:
        return replace(verdict, outcome="accepted_with_errors")
    return verdict


def _whole(parts: list[Outcome], own: Outcome) -> Outcome:
    """A level that is acknowledged is never refused because of what is below: accepted messages may be left out."""
    found = summed([*parts, own])
    return "partially_accepted" if found == "rejected" else found


def _service(segment: Segment, first: int) -> tuple[Reason, ...]:
    """The error that UCI, UCF or UCM names: code, service segment, element."""
    code = segment.get(first)
    if not code:
        return ()
    index = max(0, number(segment.get(first + 2)) - 1)
    component = number(segment.get(first + 2, 2))
    return (reason(_said(code), code, segment=segment.get(first + 1), index=index, component=component),)


def _said(code: str) -> str:
    return meaning("edifact", "0085", code)
