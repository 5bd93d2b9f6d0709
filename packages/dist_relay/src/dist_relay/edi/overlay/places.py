"""How an overlay names places: ``BEG``, ``PO1/PID``, ``/REF``, ``*/N1``, ``REF 1=DP``, ``BEG02``, ``*/N104 1=ST``."""

from __future__ import annotations

import re

from .model import Qualifier, Spot

_SEGMENT = re.compile(r"(?P<path>\*/|/|(?:[A-Z][A-Z0-9]{1,2}/)+)?(?P<tag>[A-Z][A-Z0-9]{1,2})")
_ELEMENT = re.compile(_SEGMENT.pattern + r"(?:(?P<e>\d\d)(?:-(?P<c>\d\d))?|\.(?P<n>\d{1,2})(?:\.(?P<m>\d{1,2}))?)")
_QUALIFIER = re.compile(r"(\d{1,2})(?:\.(\d{1,2}))?=([^ ]+)")
_CARDINALITY = re.compile(r"([01])\.\.(\*|\d{1,9})")


def segment(key: str) -> tuple[Spot, Qualifier] | None:
    """A segment or loop with its qualifier, None when it is not written so."""
    name, *words = key.split() or [""]
    found = _SEGMENT.fullmatch(name)
    qualifier = _qualifier(words)
    if not found or qualifier is None:
        return None
    return _spot(key, found), qualifier


def element(key: str) -> tuple[Spot, int, int, Qualifier] | None:
    """An element (component 0: the whole element) with the qualifier of its segment."""
    name, *words = key.split() or [""]
    found = _ELEMENT.fullmatch(name)
    qualifier = _qualifier(words)
    if not found or qualifier is None:
        return None
    index, component = int(found["e"] or found["n"]), int(found["c"] or found["m"] or 0)
    return (_spot(key, found), index, component, qualifier) if index else None


def cardinality(text: str) -> tuple[int, int | None] | None:
    """``0..5`` or ``1..*`` (None: no limit)."""
    found = _CARDINALITY.fullmatch(text)
    if not found or found[2] == "0":
        return None
    return int(found[1]), None if found[2] == "*" else int(found[2])


def _spot(key: str, found: re.Match[str]) -> Spot:
    path = found["path"] or ""
    if path in ("*/", "/"):
        return Spot(key, (), found["tag"], anywhere=path == "*/", rooted=path == "/")
    return Spot(key, tuple(path.split("/")[:-1]), found["tag"])


def _qualifier(words: list[str]) -> Qualifier | None:
    made = []
    for word in words:
        found = _QUALIFIER.fullmatch(word)
        if not found or not int(found[1]):
            return None
        made.append((int(found[1]), int(found[2] or 0), frozenset(found[3].split("|"))))
    return tuple(made)
