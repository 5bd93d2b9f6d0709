"""The table from our rules to the codes of acknowledgements (``rules.txt``)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

from ..errors import GrammarError

Where = Literal["interchange", "group", "message", "segment", "element"]
_COLUMNS = ("TA1", "997", "999", "CONTRL")
_PLACES = ("interchange", "group", "message", "segment", "element")
_FILE = Path(__file__).with_name("rules.txt")


@lru_cache(maxsize=1)
def table() -> dict[tuple[str, str], dict[str, str]]:
    """Codes by rule and place.

    :raises GrammarError: a line has not its six columns.
    """
    found: dict[tuple[str, str], dict[str, str]] = {}
    for number, line in enumerate(_FILE.read_text("utf-8").splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) != 6:
            raise GrammarError(f"{_FILE.name}:{number}: six columns are wanted: {line}")
        codes = dict(zip(_COLUMNS, words[2:], strict=True))
        found[words[0], words[1]] = {kind: code for kind, code in codes.items() if code != "-"}
    return found


def code(kind: str, rule: str, where: Where, element: str = "", segment: str = "") -> str:
    """The code of a rule in an acknowledgement.

    The line for the element wins, then that for the segment, then that for the place; rules without a line have the
    code of all others at that place.
    """
    codes = table()
    for key in (element, segment, where):
        found = codes.get((rule, key), {}).get(kind) if key else None
        if found:
            return found
    return codes["*", where][kind]


def places(rule: str) -> set[str]:
    """Where a rule has a line of its own."""
    return {where for name, where in table() if name == rule and where in _PLACES}
