"""Checks of what is written into envelope segments."""

from __future__ import annotations

import re

from ..delimiters import Delimiters
from ..errors import WriteError
from ..finding import shown
from .headers import Control

_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f]*")


def field(name: str, value: str, low: int, high: int, pattern: str = "") -> str:
    """``value`` if it fits. ``name`` is the place as people write it: ``ISA06``, ``UNB 0020``.

    :raises WriteError: too short, too long, or of a wrong form.
    """
    if not isinstance(value, str):
        raise _error(name, f"is no text: {value!r}")
    if not low <= len(value) <= high:
        wanted = str(high) if low == high else f"{low} to {high}"
        raise _error(name, f"{shown(value)} has {len(value)} characters; {wanted} are wanted")
    if not _PRINTABLE.fullmatch(value) or (value and pattern and not re.fullmatch(pattern, value)):
        raise _error(name, f"{shown(value)} is not of the form that the standard wants")
    return value


def undelimited(name: str, value: str, delimiters: Delimiters) -> str:
    """``value`` if it holds no delimiter: for segments that know no release character.

    :raises WriteError: it holds one.
    """
    found = next((each for each in delimiters.all if each in value), None)
    if found is not None and value != found:
        raise _error(name, f"{shown(value)} holds {shown(found)}, which is a delimiter of this interchange")
    return value


def control(name: str, value: Control, digits: int, high: int) -> str:
    """A control number: whole numbers are filled with zeros to ``digits``, text is taken as it is."""
    if isinstance(value, str):
        return field(name, value, 1, high)
    if value < 0:
        raise _error(name, f"{value} is negative")
    return field(name, f"{int(value):0{digits}d}", 1, high)


def _error(name: str, text: str) -> WriteError:
    return WriteError(f"{name}: {text}", segment=name[:3].strip(), element=name)
