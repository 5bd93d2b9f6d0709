"""Numbers, dates and times as EDI writes them: no exponents, no needless zeros, implied decimals.

>>> decimal_text(Decimal("1E+3")), decimal_text(Decimal("12.500")), decimal_text(Decimal("0.50"))
('1000', '12.5', '0.5')
>>> implied_text(Decimal("1234.5"), 2), implied_decimal("123450", 2)
('123450', Decimal('1234.50'))
>>> date_text(date(2026, 3, 1)), date_text(date(2026, 3, 1), "101")
('20260301', '260301')
"""

from __future__ import annotations

from datetime import date, datetime
from datetime import time as clock
from decimal import Decimal

_DATES = {
    "101": "%y%m%d",
    "102": "%Y%m%d",
    "201": "%y%m%d%H%M",
    "203": "%Y%m%d%H%M",
    "204": "%Y%m%d%H%M%S",
    "401": "%H%M",
    "402": "%H%M%S",
    "610": "%Y%m",
    "602": "%Y",
}
"""Formats by the codes of data element 2379 of EDIFACT."""


def decimal_text(value: Decimal | int, places: int | None = None) -> str:
    """A number with a decimal point where it is needed: kind R of X12, n of EDIFACT.

    ``places``: at most so many decimals; more that are not zero are an error, nothing is rounded.

    :raises ValueError: not a finite number, or more decimals than ``places``.
    """
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"{value} is no number")
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
        if places is not None and len(text.partition(".")[2]) > places:
            raise ValueError(f"{value} has more than {places} decimals")
    return "0" if text in ("", "-0", "-") else text


def implied_text(value: Decimal | int, places: int) -> str:
    """A number without its decimal point, as kinds N0 to N9 of X12 have it: ``N2`` of 12.5 is ``1250``.

    :raises ValueError: not a finite number, or it has more decimals than that.
    """
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"{value} is no number")
    shifted = number.scaleb(places)
    if shifted != shifted.to_integral_value():
        raise ValueError(f"{value} has more than {places} decimals")
    return str(int(shifted))


def implied_decimal(text: str, places: int) -> Decimal:
    """The number that kinds N0 to N9 stand for.

    :raises ValueError: it is no whole number.
    """
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"{text[:40]!r} is no whole number")
    return Decimal(text).scaleb(-places)


def date_text(value: date | datetime, qualifier: str = "102") -> str:
    """A day or moment by a format code of EDIFACT (2379); X12 has the same: 102 is CCYYMMDD, 101 YYMMDD.

    :raises ValueError: the format is not known, or it has a time and ``value`` has none.
    """
    pattern = _DATES.get(qualifier)
    if pattern is None:
        raise ValueError(f"the date format {qualifier} is not known; one of {', '.join(_DATES)}")
    if "%H" in pattern and not isinstance(value, datetime):
        raise ValueError(f"the date format {qualifier} has a time and {value} has none")
    if value.year < 1000:
        raise ValueError(f"the year {value.year} has no four digits")
    return value.strftime(pattern)


def time_text(value: datetime | clock, *, seconds: bool = False) -> str:
    """HHMM or HHMMSS."""
    return value.strftime("%H%M%S" if seconds else "%H%M")


def plain(value: object) -> str:
    """What a segment's element is written as: text as it is, numbers without exponent, days as CCYYMMDD.

    :raises TypeError: for what has no one way to be written, a float or a moment for example.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal) or (isinstance(value, int) and not isinstance(value, bool)):
        return decimal_text(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return date_text(value)
    raise TypeError(f"{value!r} cannot be an element; make it a text")
