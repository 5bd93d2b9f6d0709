"""One thing the doctor looked at."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Finding(NamedTuple):
    """``what`` was found; ``hint`` says what to do about it."""

    level: Literal["ok", "note", "bad"]
    what: str
    hint: str = ""
