"""What both envelopes share."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from ..explain import Flaw
from ..segment import Segment
from ..tokens import Cutter
from ..validate import Report

MAX_CONTROLS = 100_000
"""Control numbers remembered per interchange to find repeated ones."""


class Segments:
    """The raw segments of an interchange, with the possibility to put one back."""

    def __init__(self, cutter: Cutter) -> None:
        self.stream: Iterator[str] = chain.from_iterable(cutter.batches())
        """All but the one that was put back."""
        self._back: str | None = None

    def next(self) -> str | None:
        """The next segment, None at the end."""
        if self._back is not None:
            segment, self._back = self._back, None
            return segment
        return next(self.stream, None)

    def back(self, segment: str) -> None:
        """Give one back: the next call of :meth:`next` gives it again."""
        self._back = segment


class Noter:
    """Puts what cutter and charset notice into the interchange's report, each rule once."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._said: set[str] = set()

    def __call__(self, rule: str, text: str) -> None:
        if rule not in self._said:
            self._said.add(rule)
            self._report.add(Flaw("envelope", rule, text))


def wrong(
    report: Report,
    rule: str,
    text: str,
    segment: str,
    index: int,
    value: str = "",
    expected: str = "",
    position: int = 0,
) -> None:
    """Report a fault of an envelope segment's element."""
    element = f"{segment}{index:02d}" if index else ""
    report.add(Flaw("envelope", rule, text, expected, value, element, index), segment, position)


def check_count(report: Report, trailer: Segment, counted: int, what: str, position: int = 0) -> None:
    """The first element of a trailer names how many segments, messages or groups there were."""
    named = trailer.get(1)
    if whole(named) != counted:
        text = f"{trailer.tag} names {named[:20] or 'no'} {what}"
        wrong(report, "envelope.count", text, trailer.tag, 1, named, str(counted), position)


def check_reference(report: Report, trailer: Segment, wanted: str, header: str, position: int = 0) -> None:
    """The second element of a trailer repeats the control number of its header."""
    found = trailer.get(2)
    if found != wanted:
        text = f"the control number of {trailer.tag} is not that of {header}"
        wrong(report, "envelope.reference", text, trailer.tag, 2, found, wanted, position)


def whole(text: str) -> int | None:
    """A count of an envelope: a whole number, or None."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None
