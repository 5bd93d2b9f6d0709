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

_MARK = "[^A-Za-z0-9 \\t\\r\\n]"
_BEGIN = re.compile(
    "(?<![A-Za-z0-9])"
    f"(?:ISA{_MARK}|UNA{_MARK}{{2}}|UNB{_MARK}|UNH[+]|ST{_MARK}[0-9]{{3}}{_MARK}|GS{_MARK}[A-Z]{{2}}{_MARK})"
)
_LONGEST = 16
_BLANK = " \t\r\n\x00\x1a\ufeff"


def next_interchange(
    codec: Codec, buffer: Buffer, pieces: Pieces, keep: bool, previous: Interchange | None
) -> Interchange | None:
    """The next interchange of the buffer, None when there is none any more.

    Text behind the last one is noted in ``previous``.
    """
    skipped, found = _find(buffer)
    if not found:
        if previous is not None and skipped.strip(_BLANK):
            text = f"{len(skipped)} characters behind the envelope were passed over"
            previous.report.add(Flaw("envelope", "envelope.trailing", text, value=skipped[:60]))
        return None
    begin = buffer.text[:3]
    make = x12.begin if begin == "ISA" or begin[:2] in ("ST", "GS") else edifact.begin
    interchange = make(codec, buffer, keep)
    report = interchange.report
    if skipped.strip(_BLANK):
        text = f"{len(skipped)} characters before the envelope were passed over"
        report.add(Flaw("envelope", "envelope.leading", text, value=skipped[:60]))
    if previous is None and pieces.bom:
        report.add(Flaw("envelope", "envelope.bom", f"the input begins with a byte order mark ({pieces.bom})"))
    return interchange


def _find(buffer: Buffer) -> tuple[str, bool]:
    """Drop what stands before the next envelope and give it back; false when there is no envelope any more."""
    skipped = ""
    while True:
        buffer.need(1 << 12)
        found = _BEGIN.search(buffer.text)
        if found and (found.end() + 4 < len(buffer.text) or buffer.ended):
            skipped += buffer.text[: found.start()]
            buffer.text = buffer.text[found.start() :]
            return skipped, True
        if buffer.ended and not found:
            skipped = (skipped + buffer.text)[: buffer.limits.leading + 1]
            buffer.text = ""
            return skipped, False
        cut = found.start() if found else max(0, len(buffer.text) - _LONGEST)
        skipped = (skipped + buffer.text[:cut])[: buffer.limits.leading + 1]
        buffer.text = buffer.text[cut:]
        if len(skipped) > buffer.limits.leading and skipped.strip(_BLANK):
            raise LimitError(f"no envelope in the first {buffer.limits.leading} characters")
        buffer.more()
