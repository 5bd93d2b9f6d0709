"""What the codes of acknowledgements mean: taken from the code lists of the grammars' data elements."""

from __future__ import annotations

from functools import lru_cache

from ..finding import shown
from ..grammar.registry import default
from .verdict import Reason

LATEST = {"x12": "5010", "edifact": "01B"}


@lru_cache(maxsize=256)
def meaning(standard: str, element: str, code: str) -> str:
    """The meaning of a code of a data element, or words that say that it is not known."""
    found = default().dictionary(standard).element(element, LATEST[standard])
    text = found.codes.get(code, "") if found else ""
    return text or f"code {shown(code, 12)}, which is not known"


def reason(
    what: str,
    code: str,
    *,
    segment: str = "",
    position: int = 0,
    index: int = 0,
    component: int = 0,
    repeat: int = 0,
    value: str = "",
    loop: str = "",
) -> Reason:
    """A reason with its sentence: where, what, and the value that was copied."""
    where = []
    if segment or position:
        where.append(" ".join(each for each in ("segment", str(position or ""), segment) if each))
    if loop:
        where.append(f"loop {loop}")
    if index:
        spot = f"element {index}"
        if component:
            spot += f", component {component}"
        if repeat:
            spot += f", repeat {repeat}"
        where.append(spot)
    text = f"{', '.join(where)}: {what}" if where else what
    if code:
        text += f" ({code})"
    if value:
        text += f", {shown(value)}"
    return Reason(text, code, segment, position, index, component, repeat, value, loop)


def number(text: str) -> int:
    """A position as a number, 0 where there is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0
