"""What both envelopes share."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from ..charset import Charset
from ..explain import Flaw
from ..tokens import Buffer, Cutter
from ..validate import Report

if TYPE_CHECKING:
    from ..reader import Codec

MAX_CONTROLS = 100_000
"""Control numbers remembered per interchange to find repeated ones."""


class Segments:
    """The raw segments of an interchange, with the possibility to put one back."""

    def __init__(self, cutter: Cutter) -> None:
        self.stream: Iterator[str] = chain.from_iterable(cutter.batches())

    def next(self) -> str | None:
        """The next segment, None at the end."""
        return next(self.stream, None)

    def back(self, segment: str) -> None:
        """Give one back."""
        self.stream = chain((segment,), self.stream)


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


def whole(text: str) -> int | None:
    """A count of an envelope: a whole number, or None."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None


def report(codec: Codec, **names: str) -> Report:
    """An empty report of this codec's profile."""
    return Report(codec.profile, **names)


__all__ = ["MAX_CONTROLS", "Buffer", "Charset", "Cutter", "Noter", "Segments", "report", "whole", "wrong"]
