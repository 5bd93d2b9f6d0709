"""``check total-invoic``: the totals of an INVOIC agree with its lines.

MOA 79 (all lines) is the sum of the lines' MOA 203; the invoice's amount (MOA 77, else 39, else 86) follows from
lines, the allowances and charges of header or summary, and tax. Guides differ in what they count, credit notes in sign:
a total is called wrong only when no usual reading of the document gives it, and not at all when a line has no amount.
Amounts in another currency than the first (the reference currency of a dual-currency invoice) are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import product
from typing import NamedTuple

from .base import Context, Fault, Watcher
from .counts import number

_ZERO = Decimal(0)
_SLACK = Decimal("0.01")
"""Partners round the tax in their own way."""
_TOTALS = ("77", "39", "86")
"""Qualifiers of the invoice's amount, the first one that is there counts."""
_ADJUSTING = frozenset({"8", "23", "204"})
"""Amounts of an allowance or charge."""
_TAXES = ("176", "124", "150")
_OTHER_GROUPS = ("PAT", "RCS", "NAD", "LIN", "UNS")
"""Segments that end an allowance or a tax, beside the next one of these."""


class _Claim(NamedTuple):
    """An amount of the summary and where it stands."""

    amount: Decimal
    text: str
    position: int


def total_invoic(context: Context) -> Watcher:
    """The totals of an invoice."""
    return Watcher(("LIN", "MOA", "ALC", "TAX", *_OTHER_GROUPS), lambda: _Invoice(context))


class _Invoice:
    def __init__(self, context: Context) -> None:
        self._places = {key: context.place(f"MOA.1.{key}") for key in (1, 2, 3)}
        self._kind = context.place("ALC.1")
        self._sub_line = context.place("LIN.4.1")
        self._part = "header"
        self._group = ""
        self._currency = ""
        self._lines: list[Decimal | None] = []
        self._sub_lines: list[Decimal | None] = []
        self._current = self._lines
        self._adjusted = {part: {"A": _ZERO, "C": _ZERO} for part in ("header", "summary")}
        self._header_tax = _ZERO
        self._summary: dict[str, _Claim] = {}
        self._group_taxes = _ZERO

    def see(self, tag: str, raw: str, position: int) -> None:
        if tag == "MOA":
            self._amount(raw, position)
        elif tag == "LIN":
            self._part, self._group = "line", ""
            self._current = self._sub_lines if self._sub_line.value(raw) == "1" else self._lines
            self._current.append(None)
        elif tag == "UNS":
            self._part, self._group = "summary", ""
        elif tag == "ALC":
            self._group = self._kind.value(raw)
        else:
            self._group = "TAX" if tag == "TAX" else ""

    def end(self) -> Iterable[Fault]:
        lines = [each for each in self._lines if each is not None]
        known = bool(lines) and len(lines) == len(self._lines)
        total = sum(lines, _ZERO)
        if known:
            more = sum((each for each in self._sub_lines if each is not None), _ZERO)
            yield from self._compare("79", {total, total + more}, "the sum of the lines' amounts")
        qualifier = next((each for each in _TOTALS if each in self._summary), "")
        if qualifier and (known or "79" in self._summary or "125" in self._summary):
            readings = set(self._readings(total if known else None))
            yield from self._compare(qualifier, readings, "lines, allowances, charges and tax")

    def _amount(self, raw: str, position: int) -> None:
        qualifier, text, currency = (self._places[each].value(raw) for each in (1, 2, 3))
        amount = number(text)
        if amount is None or (currency and self._currency and currency != self._currency):
            return
        self._currency = self._currency or currency
        if self._part == "line":
            if qualifier == "203" and self._current[-1] is None:
                self._current[-1] = amount
        elif self._part == "summary" and not self._group:
            self._summary.setdefault(qualifier, _Claim(amount, text, position))
        elif self._group == "TAX" and qualifier in _TAXES:
            if self._part == "summary":
                self._group_taxes += amount
            else:
                self._header_tax += amount
        elif qualifier in _ADJUSTING and self._group in ("A", "C"):
            self._adjusted[self._part][self._group] += abs(amount)

    def _readings(self, lines: Decimal | None) -> Iterator[Decimal]:
        claims = {key: claim.amount for key, claim in self._summary.items()}
        bases = {each for each in (claims.get("125"), claims.get("79"), lines) if each is not None}
        taxes = {_ZERO, self._group_taxes, self._header_tax, *(claims[each] for each in _TAXES if each in claims)}
        adjusted = {_ZERO}
        for part in self._adjusted.values():  # the summary repeats those of the header, or has its own
            adjusted |= {part["C"] - part["A"], part["C"], -part["A"]}
        adjusted |= {claims["131"], -claims["131"]} if "131" in claims else set()
        paid = {_ZERO, -claims["113"]} if "113" in claims else {_ZERO}
        for parts in product(bases, adjusted, taxes, paid):
            yield sum(parts, _ZERO)

    def _compare(self, qualifier: str, readings: set[Decimal], what: str) -> Iterator[Fault]:
        claim = self._summary.get(qualifier)
        if claim is None or any(abs(abs(claim.amount) - abs(each)) <= _SLACK for each in readings):
            return
        place = self._places[2]
        text = f"MOA {qualifier} of {claim.text} does not agree with {what}"
        expected = str(max(readings, key=abs))
        yield Fault("balance.total", text, expected, "MOA", claim.position, place.name, 1, 2, claim.text)
