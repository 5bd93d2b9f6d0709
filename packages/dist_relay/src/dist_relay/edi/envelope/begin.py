"""Finds where the next interchange begins, whatever stands around it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import LimitError
from ..explain import Flaw
from ..interchange import Interchange
from ..source import Pieces
from ..tokens import Buffer
from . import edifact, x12

if TYPE_CHECKING:
    from ..reader import Codec

_BEGIN = re.compile(
    r"(?<![A-Za-z0-9])(?:ISA[^A-Za-z0-9\s]|UNA[^A-Za-z0-9\s]{2}|UNB[^A-Za-z0-9\s]|UNH\+|ST[^A-Za-z0-9\s]\d{3}[^A-Za-z0-9\s]|GS[^A-Za-z0-9\s][A-Z]{2}[^A-Za-z0-9\s])"
)
_LONGEST = 16
_BLANK = " \t\r\n\x00\x1a\ufeff"


def next_interchange(codec: Codec, buffer: Buffer, pieces: Pieces, keep: bool, *, first: bool) -> Interchange | None:
    """The next interchange of the buffer, None when there is none any more."""
    skipped = _find(buffer)
    if skipped is None:
        return None
    begin = buffer.text[:3]
    make = x12.begin if begin == "ISA" or begin[:2] in ("ST", "GS") else edifact.begin
    interchange = make(codec, buffer, keep)
    report = interchange.report
    if skipped.strip(_BLANK):
        text = f"{len(skipped)} characters before the envelope were passed over"
        report.add(Flaw("envelope", "envelope.leading", text, value=skipped[:60]))
    if first and pieces.bom:
        report.add(Flaw("envelope", "envelope.bom", f"the input begins with a byte order mark ({pieces.bom})"))
    return interchange


def _find(buffer: Buffer) -> str | None:
    """Drop what stands before the next envelope and give it back."""
    skipped = ""
    while True:
        buffer.need(1 << 12)
        found = _BEGIN.search(buffer.text)
        if found and (found.end() + 4 < len(buffer.text) or buffer.ended):
            skipped += buffer.text[: found.start()]
            buffer.text = buffer.text[found.start() :]
            return skipped
        if buffer.ended and not found:
            buffer.text = ""
            return None
        cut = found.start() if found else max(0, len(buffer.text) - _LONGEST)
        skipped = (skipped + buffer.text[:cut])[: buffer.limits.leading + 1]
        buffer.text = buffer.text[cut:]
        if len(skipped) > buffer.limits.leading and skipped.strip(_BLANK):
            raise LimitError(f"no envelope in the first {buffer.limits.leading} characters")
        buffer.more()
