"""Reading a JSON tree field by field: every failure names the path of the field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, Literal, TypeVar, overload

_T = TypeVar("_T")
_DECIMAL = re.compile(r"-?[0-9]{1,14}(\.[0-9]{1,12})?(E-[0-9]{1,2})?", re.IGNORECASE)
_PLACES = Decimal("0.000001")


class Unmappable(Exception):
    """What the channel sent has no meaning for us; the message names the field."""


@dataclass(frozen=True)
class Node:
    """An object of the tree and the path it was found at."""

    tree: Mapping[str, Any]
    path: str

    @classmethod
    def of(cls, tree: Any, path: str) -> Node:
        """``tree``, which must be an object."""
        if not isinstance(tree, Mapping):
            raise Unmappable(f"{path}: should be an object, is {_kind(tree)}")
        return cls(tree, path)

    @overload
    def child(self, name: str, *, optional: Literal[False] = False) -> Node: ...
    @overload
    def child(self, name: str, *, optional: bool) -> Node | None: ...
    def child(self, name: str, *, optional: bool = False) -> Node | None:
        """The object under ``name``."""
        value = self._value(name, optional)
        return None if value is None else Node.of(value, f"{self.path}.{name}")

    def children(self, name: str) -> Iterator[Node]:
        """The objects of the list under ``name``."""
        value = self._value(name, False)
        if not isinstance(value, list):
            raise Unmappable(f"{self.path}.{name}: should be a list, is {_kind(value)}")
        for index, each in enumerate(value):
            yield Node.of(each, f"{self.path}.{name}[{index}]")

    def nodes(self, name: str) -> Iterator[Node]:
        """The objects of the connection under ``name``."""
        yield from self.child(name).children("nodes")

    @overload
    def text(self, name: str, *, optional: Literal[False] = False) -> str: ...
    @overload
    def text(self, name: str, *, optional: bool) -> str | None: ...
    def text(self, name: str, *, optional: bool = False) -> str | None:
        """The text under ``name``; an empty optional one is ``None``."""
        value = self._value(name, optional)
        if value is None or (optional and value == ""):
            return None
        if not isinstance(value, str):
            raise Unmappable(f"{self.path}.{name}: should be text, is {_kind(value)}")
        return value

    def texts(self, name: str) -> list[str]:
        """The list of texts under ``name``."""
        value = self._value(name, False)
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise Unmappable(f"{self.path}.{name}: should be a list of texts")
        return value

    @overload
    def flag(self, name: str, *, optional: Literal[False] = False) -> bool: ...
    @overload
    def flag(self, name: str, *, optional: bool) -> bool | None: ...
    def flag(self, name: str, *, optional: bool = False) -> bool | None:
        """True or false."""
        value = self._value(name, optional)
        if value is not None and not isinstance(value, bool):
            raise Unmappable(f"{self.path}.{name}: should be true or false, is {_kind(value)}")
        return value

    def whole(self, name: str) -> int:
        """A whole number that is not negative."""
        value = self._value(name, False)
        if isinstance(value, bool) or not isinstance(value, int):
            raise Unmappable(f"{self.path}.{name}: should be a whole number, is {_kind(value)}")
        if value < 0:
            raise Unmappable(f"{self.path}.{name}: is negative ({value})")
        return value

    @overload
    def decimal(self, name: str, *, optional: Literal[False] = False) -> Decimal: ...
    @overload
    def decimal(self, name: str, *, optional: bool) -> Decimal | None: ...
    def decimal(self, name: str, *, optional: bool = False) -> Decimal | None:
        """An exact number, from text or a whole number; six decimal places are kept."""
        value = self._value(name, optional)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, str | int) or not _DECIMAL.fullmatch(str(value)):
            raise Unmappable(f"{self.path}.{name}: should be a decimal number, is {_kind(value)}")
        number = Decimal(str(value))
        return number.quantize(_PLACES) if int(number.as_tuple().exponent) < -6 else number

    @overload
    def moment(self, name: str, *, optional: Literal[False] = False) -> datetime: ...
    @overload
    def moment(self, name: str, *, optional: bool) -> datetime | None: ...
    def moment(self, name: str, *, optional: bool = False) -> datetime | None:
        """A moment with its offset, in UTC."""
        value = self._value(name, optional)
        if value is None:
            return None
        try:
            found = datetime.fromisoformat(value.replace("Z", "+00:00"))
            if found.tzinfo is None:
                raise ValueError("no offset")
            return found.astimezone(timezone.utc)
        except (AttributeError, ValueError, OverflowError):
            raise Unmappable(f"{self.path}.{name}: should be a moment like 2026-01-31T12:00:00Z") from None

    def one_of(self, name: str, table: Mapping[str, _T]) -> _T:
        """The meaning of the name under ``name``."""
        value = self.text(name)
        if value not in table:
            raise Unmappable(f"{self.path}.{name}: unknown value {value[:60]!r}")
        return table[value]

    def _value(self, name: str, optional: bool) -> Any:
        value = self.tree.get(name)
        if value is None and not optional:
            raise Unmappable(f"{self.path}.{name}: is missing")
        return value


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    names = {bool: "true or false", dict: "an object", list: "a list", str: "text", int: "a whole number"}
    return names.get(type(value), type(value).__name__)
