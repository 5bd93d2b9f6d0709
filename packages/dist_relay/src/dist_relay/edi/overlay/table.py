"""Takes data from outside apart, key by key; an error names the key, and no key is passed over in silence."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from ..errors import GrammarError
from ..finding import shown

T = TypeVar("T")

MAX_TEXT = 200
MAX_KEYS = 1_000


class Table:
    """A table of an overlay. Values are taken out of it; :meth:`done` refuses what is left."""

    def __init__(self, data: object, where: str, name: str) -> None:
        self.where = where
        self._name = name
        if not isinstance(data, Mapping):
            raise self.error("a table of keys is wanted")
        if len(data) > MAX_KEYS:
            raise self.error(f"more than {MAX_KEYS} keys")
        self._data = dict(data)
        self._asked: list[str] = []
        for key in self._data:
            if not isinstance(key, str) or not key or len(key) > MAX_TEXT:
                raise self.error(f"a key is a text of 1 to {MAX_TEXT} characters, not {shown(str(key))}")

    def error(self, why: str, key: str = "") -> GrammarError:
        """An error that names the key."""
        place = ".".join(each for each in (self.where, key) if each)
        sentence = f"overlay {self._name}: {place + ': ' if place else ''}{why}"
        return GrammarError("".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in sentence))

    def text(self, key: str, *, limit: int = MAX_TEXT) -> str:
        """A text, "" when it is not there."""
        found = self._take(key, "")
        if not isinstance(found, str) or len(found) > limit:
            raise self.error(f"a text of at most {limit} characters is wanted", key)
        return found

    def choice(self, key: str, choices: Mapping[str, T], default: T) -> T:
        """One of some words."""
        found = self._take(key, None)
        if found is None:
            return default
        if not isinstance(found, str) or found not in choices:
            raise self.error(f"{shown(str(found))} is none of {', '.join(choices)}", key)
        return choices[found]

    def yes(self, key: str) -> bool:
        """True or false."""
        found = self._take(key, False)
        if not isinstance(found, bool):
            raise self.error("true or false is wanted", key)
        return found

    def number(self, key: str, low: int, high: int, default: int) -> int:
        """A whole number within bounds."""
        found = self._take(key, default)
        if found is default:
            return int(default)
        if not isinstance(found, int) or isinstance(found, bool) or not low <= found <= high:
            raise self.error(f"a whole number from {low} to {high} is wanted", key)
        return int(found)

    def texts(self, key: str, *, most: int = MAX_KEYS, limit: int = MAX_TEXT) -> list[str] | None:
        """A list of texts, None when it is not there."""
        found = self._take(key, None)
        if found is None:
            return None
        if not isinstance(found, list) or len(found) > most:
            raise self.error(f"a list of at most {most} texts is wanted", key)
        for each in found:
            if not isinstance(each, str) or not each or len(each) > limit:
                raise self.error(f"{shown(str(each))} is no text of 1 to {limit} characters", key)
        return found

    def table(self, key: str) -> Table:
        """A table inside; an empty one when it is not there."""
        return Table(self._take(key, {}), f"{self.where}.{key}" if self.where else key, self._name)

    def tables(self, key: str) -> list[Table]:
        """A list of tables."""
        found = self._take(key, [])
        if not isinstance(found, list) or len(found) > MAX_KEYS:
            raise self.error(f"a list of at most {MAX_KEYS} tables is wanted", key)
        where = f"{self.where}.{key}" if self.where else key
        return [Table(each, f"{where}[{number}]", self._name) for number, each in enumerate(found)]

    def any(self, key: str) -> Any:
        """Whatever stands there, None when nothing does."""
        return self._take(key, None)

    def has(self, key: str) -> bool:
        """Whether the key is there and not taken yet."""
        return key in self._data

    def is_text(self, key: str) -> bool:
        """Whether a text stands there."""
        return isinstance(self._data.get(key), str)

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def keys(self) -> list[str]:
        """The keys that are not taken yet."""
        return list(self._data)

    def each(self, make: Callable[[Table, str], T]) -> list[T]:
        """``make`` for every key that is left."""
        return [make(self, key) for key in self.keys()]

    def done(self) -> None:
        """Refuse what is left."""
        for key in self._data:
            near = difflib.get_close_matches(key, self._asked, 1)
            hint = f"; {near[0]} was meant?" if near else f"; known are {', '.join(sorted(self._asked))}"
            raise self.error(f"the key {shown(key)} is not known{hint}")

    def _take(self, key: str, default: Any) -> Any:
        self._asked.append(key)
        return self._data.pop(key, default)
