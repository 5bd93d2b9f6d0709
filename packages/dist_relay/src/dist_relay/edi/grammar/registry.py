"""Finds the grammar of a message type in a version, or the nearest one."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from ..errors import GrammarError
from . import load
from .model import Grammar, LoopNode
from .versions import X12_RELEASES, order

BUILT_IN = Path(__file__).parent.parent / "grammars"

MAX_KEPT = 1_000
"""Names and versions come from outside: no more answers than these are remembered."""

MAX_GRAMMARS = 500
"""Grammars kept; one takes about 30 kB, and there are a hundred releases of each."""

_TYPE = re.compile(r"[A-Z0-9]{2,8}\Z")


class Registry:
    """Grammars of the package, and of further folders with the same layout, which win over it."""

    def __init__(self, *folders: Path) -> None:
        self._folders = (*folders, BUILT_IN)
        self._dictionaries: dict[str, load.Dictionary] = {}
        self._grammars: dict[tuple[str, str, str], Grammar] = {}
        self._found: dict[tuple[str, str, str], Grammar] = {}

    def dictionary(self, standard: str) -> load.Dictionary:
        """Elements and segments of ``x12`` or ``edifact``."""
        if standard not in self._dictionaries:
            folders = tuple(each / standard for each in reversed(self._folders))
            self._dictionaries[standard] = load.Dictionary(standard, folders)
        return self._dictionaries[standard]

    def types(self, standard: str) -> list[str]:
        """Message types with a grammar."""
        names = {each.stem.partition("@")[0] for folder in self._folders for each in (folder / standard).glob("*.txt")}
        return sorted(names - {"elements", "composites", "segments"})

    def versions(self, standard: str, type_: str) -> list[str]:
        """The versions that the grammars of a type were written for, in their order; none where there is no grammar."""
        if not _TYPE.match(type_):
            return []
        paths = [path for folder in self._folders for path in (folder / standard).glob(f"{type_}*.txt")]
        found = {each for path in paths if path.stem.partition("@")[0] == type_ for each in _versions(path)}
        return sorted(found, key=lambda each: order(standard, each))

    def find(self, standard: str, type_: str, version: str) -> Grammar:
        """The grammar of ``type_``; an open one (``known`` false) where there is none.

        ``exact`` says whether it was written for ``version``. If not, it is the nearest one; for another release of X12
        it is read with the marks of that release: 4030 has what came with 4020, and 3040 its dates of six digits.

        :raises GrammarError: a file of it is wrong.
        """
        asked = (standard, type_, version)
        if asked not in self._found:
            if len(self._found) >= MAX_KEPT:
                self._found.clear()
            self._found[asked] = self._find(standard, type_, version)
        return self._found[asked]

    def _find(self, standard: str, type_: str, version: str) -> Grammar:
        if not (path := self._file(standard, type_, version)):
            return Grammar(standard, type_, version, "", LoopNode("", 1, 1, None, 0), exact=False, known=False)
        nearest = self._nearest(path, standard, version)
        reading = version if standard == "x12" and version in X12_RELEASES else nearest
        key = (standard, type_, reading)
        if key not in self._grammars:
            if len(self._grammars) >= MAX_GRAMMARS:
                self._grammars.clear()
            self._grammars[key] = load.message(path, self.dictionary(standard), reading)
        found = self._grammars[key]
        if nearest == version:
            return found
        return Grammar(
            found.standard, found.type, nearest, found.name, found.root, found.group, found.checks, exact=False
        )

    def _file(self, standard: str, type_: str, version: str) -> Path | None:
        if not _TYPE.match(type_):
            return None
        found = [path for folder in self._folders for path in sorted((folder / standard).glob(f"{type_}*.txt"))]
        found = [path for path in found if path.stem.partition("@")[0] == type_]
        if not found:
            return None
        wanted = order(standard, version)
        own = [path for path in found if order(standard, path.stem.partition("@")[2]) <= wanted]
        return max(own or found[:1], key=lambda path: order(standard, path.stem.partition("@")[2]))

    def _nearest(self, path: Path, standard: str, version: str) -> str:
        versions = _versions(path)
        if version in versions:
            return version
        wanted = order(standard, version)
        return min(versions, key=lambda each: (abs(order(standard, each) - wanted), order(standard, each)))


@lru_cache(maxsize=256)
def _versions(path: Path) -> tuple[str, ...]:
    for line in load.lines(path):
        words = line.text.split()
        if words[0] == "versions" and len(words) > 1:
            return tuple(words[1:])
    raise GrammarError(f"{path.name}: a line such as 'versions 4010 5010' is missing")


@lru_cache(maxsize=1)
def default() -> Registry:
    """The registry with the package's own grammars."""
    return Registry()
