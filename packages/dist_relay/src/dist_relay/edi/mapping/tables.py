"""Code tables: the codes of a standard ↔ our words, from ``mapping/<standard>/tables.txt``.

::

    table party open
    BY          buyer
    SU,SE,VN    supplier          # the first code is the one that is written
    -           mutual            # "-": the element is absent
    SRV         gtin @00B         # written from this version on

An ``open`` table keeps an unknown code as ``x12:ZZ``. In the word of two fields they are joined by ``/``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from ..errors import GrammarError
from .notation import HERE


@dataclass
class Table:
    """One table, both ways."""

    name: str
    open: bool = False
    words: dict[str, str] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    later: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Word → version and the code that is written from it on."""

    def add(self, codes: str, word: str, since: str = "") -> None:
        """Add a line; what was said first stands."""
        for code in codes.split(","):
            code = "" if code == "-" else code
            self.words.setdefault(code, word)
            if since:
                self.later.setdefault(word, (since, code))
            else:
                self.codes.setdefault(word, code)


@lru_cache(maxsize=4)
def load(standard: str) -> Mapping[str, Table]:
    """All tables of a standard.

    :raises GrammarError: a line that is no pair, or a table that is there twice.
    """
    tables: dict[str, Table] = {}
    table: Table | None = None
    file = HERE / standard / "tables.txt"
    for number, raw in enumerate(file.read_text("utf-8").splitlines(), 1):
        words = raw.partition("#")[0].split()
        if not words:
            continue
        if words[0] == "table" and words[1] not in tables:
            table = tables[words[1]] = Table(words[1], "open" in words[2:])
        elif table is None or len(words) not in (2, 3):
            raise GrammarError(f"{standard}/tables.txt, line {number}: a line has codes and a word")
        else:
            table.add(words[0], words[1], words[2][1:] if len(words) == 3 else "")
    return tables
