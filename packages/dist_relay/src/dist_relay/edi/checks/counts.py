"""Counts and sums: ``check count CTT.1 = PO1``, ``check sum CTT.2 = PO1.2``.

An element must equal the number of segments of a tag (several by ``|``), or the sum of an element of them. Both sides
take ``when``: ``check sum CNT.1.2 when 1.1=1 = QTY.1.2 when 1.1=21``. An absent element is not compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from .base import Context, Fault, Only, Place, Watcher, guarded, only

_MOST_WAITING = 2_000
"""Segments that wait to be added up: the claim comes last, and most documents make none."""

_PLAIN = frozenset("0123456789.,-+")
_CLAIMS = 10
"""Totals of one message that are compared."""


def number(text: str) -> Decimal | None:
    """A number with either decimal mark; None when it is none (``1E9`` and ``1_000`` are none)."""
    if len(text) > 40 or not _PLAIN.issuperset(text):
        return None
    try:
        found = Decimal(text.replace(",", "."))
    except InvalidOperation:
        return None
    return found


def count(context: Context) -> Watcher:
    """The element on the left equals how many segments of the tags on the right there are."""
    target, condition, right = sides(context)
    counted_only = only(context, right[0].split("|")[0], right)
    counted = tuple(right[0].split("|"))
    return Watcher((target.tag, *counted), lambda: _Count(target, condition, counted, counted_only))


def total(context: Context) -> Watcher:
    """The element on the left equals the sum of the element on the right over all its segments."""
    target, condition, right = sides(context)
    counted_only = only(context, right[0].split(".")[0], right)
    place = context.place(right[0])
    return Watcher((target.tag, place.tag), lambda: _Sum(target, condition, place, counted_only))


def sides(context: Context) -> tuple[Place, Only | None, list[str]]:
    """The line taken apart: the element that makes the claim, its condition, and the words on the right."""
    words = list(context.check.words)
    if "=" not in words or words.index("=") == 0 or words[-1] == "=":
        raise context.error("a line such as 'check count CTT.1 = PO1' is wanted")
    left, right = words[: words.index("=")], words[words.index("=") + 1 :]
    target = context.place(left[0])
    return target, only(context, target.tag, left), right


class _Target:
    def __init__(self, target: Place, condition: Only | None) -> None:
        self._target = target
        self._condition = condition
        self._claims: list[tuple[str, int]] = []

    def _claim(self, raw: str, position: int) -> None:
        if len(self._claims) >= _CLAIMS or (self._condition is not None and not self._condition.holds(raw)):
            return
        if value := self._target.value(raw):
            self._claims.append((value, position))

    def _compare(self, rule: str, found: Decimal, what: str) -> Iterable[Fault]:
        for value, position in self._claims:
            claimed = number(value)
            if claimed is None or claimed != found:
                place = self._target
                text = f"{value} does not agree with the {what}"
                yield Fault(
                    rule, text, str(found), place.tag, position, place.name, place.index, place.component, value
                )


class _Count(_Target):
    def __init__(
        self, target: Place, condition: Only | None, counted: tuple[str, ...], counted_only: Only | None
    ) -> None:
        super().__init__(target, condition)
        self._counted = counted
        self._counted_only = counted_only
        self._found = 0

    def see(self, tag: str, raw: str, position: int) -> None:
        if tag in self._counted and (self._counted_only is None or self._counted_only.holds(raw)):
            self._found += 1
        if tag == self._target.tag:
            self._claim(raw, position)

    def end(self) -> Iterable[Fault]:
        return self._compare("balance.count", Decimal(self._found), f"number of {' and '.join(self._counted)} segments")


class _Sum(_Target):
    def __init__(self, target: Place, condition: Only | None, place: Place, counted_only: Only | None) -> None:
        super().__init__(target, condition)
        self._place = place
        self._value = guarded(place, counted_only)
        self._waiting: list[str] = []
        self._found = Decimal(0)

    def see(self, tag: str, raw: str, position: int) -> None:
        if tag == self._place.tag:
            self._waiting.append(raw)
            if len(self._waiting) >= _MOST_WAITING:
                self._add()
        if tag == self._target.tag:
            self._claim(raw, position)

    def _add(self) -> None:
        whole = 0
        for raw in self._waiting:
            text = self._value(raw)
            if text.isdigit() and text.isascii() and len(text) <= 40:
                whole += int(text)  # most quantities; twice as fast as decimals
            elif (value := number(text)) is not None:
                self._found += value
        self._found += whole
        self._waiting.clear()

    def end(self) -> Iterable[Fault]:
        if not self._claims:
            return ()
        self._add()
        return self._compare("balance.sum", self._found, f"sum of {self._place.name}")
