"""``check hl``: the HL segments of an X12 message count from 1, name parents that came before, and none has a child
that says it has none.

``check cps``: the same for the CPS segments of EDIFACT, whose parent is 7166.
"""

from __future__ import annotations

from collections.abc import Iterable

from .base import Context, Fault, Watcher, elements


def hl(context: Context) -> Watcher:
    """Numbers, parents and child codes of HL."""
    separator = context.delimiters.element
    return Watcher(("HL",), lambda: _Hl(separator))


def cps(context: Context) -> Watcher:
    """Numbers and parents of CPS."""
    return Watcher(("CPS",), lambda: _Cps(context))


class _Hl:
    """Keeps one byte per HL: numbers are checked to be 1, 2, 3 …, so an earlier parent is one that is smaller."""

    def __init__(self, separator: str) -> None:
        self._separator = separator
        self._count = 0
        self._childless = bytearray(1)
        self._faults: list[Fault] = []

    def see(self, tag: str, raw: str, position: int) -> None:
        parts = raw.split(self._separator)
        number = parts[1] if len(parts) > 1 else ""
        parent = parts[2] if len(parts) > 2 else ""
        self._count += 1
        claim = parts[4] if len(parts) > 4 else ""
        self._childless.append(claim == "0")
        if number != str(self._count) and number.lstrip("0") != str(self._count):
            self._fault(1, "the number is out of sequence", str(self._count), number, position)
        if not parent:
            return
        if not (parent.isascii() and parent.isdigit()) or len(parent) > 12 or not 0 < int(parent) < self._count:
            self._fault(2, f"there is no HL {parent[:20]} before it", "the number of an HL before it", parent, position)
            return
        if self._childless[int(parent)]:
            self._childless[int(parent)] = 0  # said once
            self._fault(2, f"HL {parent} says that it has no children", "HL04 1 in the parent", parent, position)

    def end(self) -> Iterable[Fault]:
        return self._faults

    def _fault(self, index: int, text: str, expected: str, value: str, position: int) -> None:
        if len(self._faults) < 100:
            self._faults.append(Fault("balance.hl", text, expected, "HL", position, f"HL{index:02d}", index, 0, value))


class _Cps:
    def __init__(self, context: Context) -> None:
        self._delimiters = context.delimiters
        self._names = {index: context.place(f"CPS.{index}").name for index in (1, 2)}
        self._seen: set[str] = set()
        self._faults: list[Fault] = []

    def see(self, tag: str, raw: str, position: int) -> None:
        parts = elements(raw, self._delimiters)
        number = parts[0] if parts else ""
        parent = parts[1] if len(parts) > 1 else ""
        if number in self._seen:
            self._fault(1, f"the number {number[:20]} was used before", "a number of its own", number, position)
        if parent and parent not in self._seen:
            self._fault(
                2, f"there is no CPS {parent[:20]} before it", "the number of a CPS before it", parent, position
            )
        self._seen.add(number)

    def end(self) -> Iterable[Fault]:
        return self._faults

    def _fault(self, index: int, text: str, expected: str, value: str, position: int) -> None:
        if len(self._faults) < 100:
            self._faults.append(
                Fault("balance.cps", text, expected, "CPS", position, self._names[index], index, 0, value)
            )
