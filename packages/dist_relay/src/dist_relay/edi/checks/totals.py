"""Totals of X12 documents that follow from more than one element.

``check total-810``: TDS01 of an invoice is the sum of its lines, allowances, charges and taxes.
``check total-820``: BPR02 of a payment is the sum of what it pays (RMR04) and of its adjustments (ADX01).
``check hash CTT.2 = PO1.2``: a hash total (element 347) is the sum of an element over its segments; X12 adds the digits
as they stand, without decimal marks and signs, and keeps the last ones that fit; senders often write the plain sum.

Standards leave open what a partner counts (are line taxes repeated in the summary?). A total is therefore only called
wrong when no reading of the document gives it, and not at all when a price or a basis is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import product

from .base import Context, Fault, Place, Watcher, elements
from .counts import number

_BASES = {
    "": 1,
    "PE": 1,
    "EA": 1,
    "UM": 1,
    "QE": 1,
    "CA": 1,
    "CT": 1,
    "PP": 1,
    "NT": 1,
    "WE": 1,
    "CP": 1,
    "CR": 1,
    "HP": 100,
    "TP": 1000,
    "NC": 0,
}
"""What a price is for (element 639): divide by it; 0 means no charge; others are not reckoned with."""

_OUTSIDE = frozenset({"15"})
"""Ways of handling an allowance (element 331) that do not change the invoice: information only."""

_CENT = Decimal("0.01")
_HASH_SIZE = 10**10
"""A hash total has ten digits; those in front are dropped."""

_MARKS = str.maketrans("", "", ".,-+")


def total_810(context: Context) -> Watcher:
    """The invoice total."""
    return Watcher(("IT1", "SLN", "CTP", "SAC", "TXI", "TDS"), lambda: _Invoice(context))


def total_820(context: Context) -> Watcher:
    """The payment total."""
    return Watcher(("BPR", "ENT", "RMR", "ADX"), lambda: _Payment(context))


def hash_total(context: Context) -> Watcher:
    """The element on the left is the hash total of the element on the right."""
    words = context.check.words
    if len(words) != 3 or words[1] != "=":
        raise context.error("a line such as 'check hash CTT.2 = PO1.2' is wanted")
    target, place = context.place(words[0]), context.place(words[2])
    return Watcher((target.tag, place.tag), lambda: _Hash(target, place))


def _get(parts: list[str], index: int) -> str:
    return parts[index - 1] if index <= len(parts) else ""


def _amount(text: str) -> Decimal:
    """A number with two implied decimals (N2); 0 when it is none."""
    return (number(text) or Decimal(0)) / 100


class _Invoice:
    """Adds up lines, and separately what may or may not count: charges and taxes of lines, and those of the summary."""

    def __init__(self, context: Context) -> None:
        self._delimiters = context.delimiters
        self._unsure = False
        self._lines = 0
        self._sum = Decimal(0)
        self._charges = {"line": Decimal(0), "summary": Decimal(0)}
        self._allowances = {"line": Decimal(0), "summary": Decimal(0)}
        self._taxes = {"line": Decimal(0), "summary": Decimal(0)}
        self._where = "line"
        self._claim: tuple[str, int] | None = None

    def see(self, tag: str, raw: str, position: int) -> None:
        parts = elements(raw, self._delimiters)
        if tag == "IT1":
            self._line(parts)
        elif tag == "TDS":
            self._where = "summary"
            self._claim = self._claim or (_get(parts, 1), position)
        elif tag == "SAC":
            self._charge(parts)
        elif tag == "TXI" and _get(parts, 7) != "O":
            self._taxes[self._where] += number(_get(parts, 2)) or Decimal(0)
        elif (tag == "SLN" and _get(parts, 6)) or (tag == "CTP" and _get(parts, 6)):
            self._unsure = True

    def end(self) -> Iterable[Fault]:
        if self._claim is None or self._unsure or not self._lines:
            return
        value, position = self._claim
        claimed = number(value)
        if claimed is None:
            return
        slack = _CENT * (1 + self._lines) / 2
        if any(abs(abs(claimed) / 100 - abs(each)) <= slack for each in self._readings()):
            return
        full = self._sum + sum(self._charges.values()) + sum(self._allowances.values()) + self._taxes["summary"]
        expected = f"{(full * 100).to_integral_value():f}"  # quantize would refuse what is longer than 28 digits
        text = f"{value} does not agree with the lines, allowances, charges and taxes"
        yield Fault("balance.total", text, expected, "TDS", position, "TDS01", 1, 0, value)

    def _readings(self) -> Iterator[Decimal]:
        parts = (*self._charges.values(), *self._allowances.values(), *self._taxes.values())
        for each in product(*((part, Decimal(0)) if part else (part,) for part in parts)):
            yield self._sum + sum(each)

    def _line(self, parts: list[str]) -> None:
        quantity, price = number(_get(parts, 2)), number(_get(parts, 4))
        per = _BASES.get(_get(parts, 5))
        if quantity is None or per is None or (price is None and per):
            self._unsure = True
            return
        self._lines += 1
        if per and price is not None:
            self._sum += quantity * price / per

    def _charge(self, parts: list[str]) -> None:
        if _get(parts, 12) in _OUTSIDE:
            return
        amount = abs(_amount(_get(parts, 5)))
        kind = _get(parts, 1)
        self._unsure = self._unsure or (kind in ("A", "C") and not amount)
        if kind == "C":
            self._charges[self._where] += amount
        elif kind == "A":
            self._allowances[self._where] -= amount


class _Payment:
    def __init__(self, context: Context) -> None:
        self._delimiters = context.delimiters
        self._claim: tuple[str, int] | None = None
        self._notice = False
        self._paid = Decimal(0)
        self._payments = 0
        self._adjusted = {"entity": Decimal(0), "document": Decimal(0)}
        self._where = "entity"

    def see(self, tag: str, raw: str, position: int) -> None:
        parts = elements(raw, self._delimiters)
        if tag == "BPR":
            self._claim = self._claim or (_get(parts, 2), position)
            self._notice = _get(parts, 1) in ("H", "P")
        elif tag == "ENT":
            self._where = "entity"
        elif tag == "RMR":
            self._where = "document"
            if (paid := number(_get(parts, 4))) is not None:
                self._payments += 1
                self._paid += paid
        else:
            self._adjusted[self._where] += number(_get(parts, 1)) or Decimal(0)

    def end(self) -> Iterable[Fault]:
        if self._claim is None or self._notice or not self._payments:
            return
        value, position = self._claim
        claimed = number(value)
        entity, document = self._adjusted["entity"], self._adjusted["document"]
        readings = {self._paid + entity, self._paid, self._paid + document, self._paid + entity + document}
        if claimed is None or claimed in readings:
            return
        text = f"{value} does not agree with the payments and adjustments"
        yield Fault("balance.total", text, str(self._paid + entity), "BPR", position, "BPR02", 2, 0, value)


class _Hash:
    def __init__(self, target: Place, place: Place) -> None:
        self._target = target
        self._place = place
        self._plain: Decimal | int = 0
        self._digits = 0
        self._claims: list[tuple[str, int]] = []

    def see(self, tag: str, raw: str, position: int) -> None:
        if tag == self._place.tag:
            text = self._place.value(raw)
            if text.isascii() and text.isdigit() and len(text) <= 40:  # the usual case, without decimals
                whole = int(text)
                self._plain += whole
                self._digits += whole
            elif (value := number(text)) is not None:
                self._plain += value
                self._digits += _digits(text)
        if tag == self._target.tag and (claim := self._target.value(raw)) and len(self._claims) < 10:
            self._claims.append((claim, position))

    def end(self) -> Iterable[Fault]:
        for text, position in self._claims:
            claimed = number(text)
            if claimed is not None and (claimed == self._plain or self._is_hash(text)):
                continue
            place = self._target
            reason = f"{text} does not agree with the sum of {self._place.name}"
            yield Fault("balance.sum", reason, str(self._plain), place.tag, position, place.name, place.index, 0, text)

    def _is_hash(self, text: str) -> bool:
        return _digits(text) == self._digits % _HASH_SIZE


def _digits(text: str) -> int:
    """The digits of a number without mark and sign: ``-18.01`` → 1801."""
    return int(text.translate(_MARKS) or 0)
