"""Versions of both standards, and their order."""

from __future__ import annotations

import re

X12_RELEASES = frozenset(
    str(number)
    for first, last in ((3010, 3072), (4010, 4062), (5010, 5053), (6010, 6053), (7010, 7063), (8010, 8063))
    for number in range(first, last + 1)
    if number % 10 < 4
)
"""Releases of X12 and their addenda. Marks such as ``@4030`` say what a grammar for 4010 and 5010 is in them."""

_DIRECTORY = re.compile(r"(\d\d)([A-D])$")


def x12(text: str) -> str:
    """``004010VICS`` (GS08), ``00401`` (ISA12) → ``4010``; "" when it is none."""
    digits = re.match(r"\d*", text.strip())
    number = digits.group() if digits else ""
    if len(number) == 6:
        return str(int(number[:5])) + number[5] if int(number) else ""
    if len(number) == 5:
        return f"{int(number)}0" if int(number) else ""
    if len(number) == 4 and int(number):
        return number
    return ""


def directory(version: str, release: str) -> str:
    """``D``, ``96A`` → ``96A``; ``1``, ``911`` → ``91A``-like old ones stay as they are."""
    return release.strip().upper() or version.strip().upper()


def order(standard: str, version: str) -> int:
    """A number by which versions of one standard are sorted; 0 for what is unknown.

    X12: 4010 → 4010. EDIFACT directories: by year and letter, 93A < 96A < 01B.
    """
    if standard == "x12":
        return int(version) if version.isdigit() else 0
    found = _DIRECTORY.search(version)
    if not found:
        return 0
    year = int(found.group(1))
    return (year + (1900 if year >= 60 else 2000)) * 10 + ord(found.group(2)) - ord("A")
