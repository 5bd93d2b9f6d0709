"""Converters between the text of elements and JSON values. Each takes and gives lists: one or several at a time.

``read`` gets "" for an absent element and gives None where there is nothing; ``write`` the other way round. Both raise
:class:`~.context.Problem` for what they cannot convert.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from . import times
from .context import Context, Problem

Texts = Sequence[str]
Values = list[Any]
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)(E[+-]?\d{1,2})?\Z")
_COUNTRIES = {"USA": "US", "CAN": "CA", "MEX": "MX", "GBR": "GB", "DEU": "DE", "FRA": "FR", "CHN": "CN", "ITA": "IT"}
_INT = 10**9


class Converter(NamedTuple):
    """A pair of functions."""

    read: Callable[[Texts, Texts, Context], Values]
    write: Callable[[Values, Texts, Context], list[str]]


def number(text: str) -> str:
    """A number of a document as plain digits. EDIFACT writes a comma as well; minus may be in front only.

    :raises Problem: it is none, or it has more digits than amounts have.
    """
    if not _NUMBER.match(text):
        raise Problem(f"{text!r} is no number")
    try:
        value = Decimal(text.replace(",", "."))
    except InvalidOperation:
        raise Problem(f"{text!r} is no number") from None
    return plain(value)


def plain(value: Decimal) -> str:
    """Digits without exponent, without zeros behind the point.

    :raises Problem: more digits than canonical amounts take.
    """
    if value.adjusted() > 13:
        raise Problem("the number is too large")
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if len(text.partition(".")[2]) > 6:
        raise Problem("more than six decimal places")
    return "0" if text in ("-0", "") else text


def clean(text: str) -> str:
    """A text that can stand in an element: in one line, without blanks around it."""
    return " ".join(text.splitlines()).strip()


def _text_read(texts: Texts, arguments: Texts, context: Context) -> Values:
    return [text.strip() or None for text in texts]


def _text_write(values: Values, arguments: Texts, context: Context) -> list[str]:
    return ["" if value is None else str(value) for value in values]


def _number_read(texts: Texts, arguments: Texts, context: Context) -> Values:
    return [number(text.strip()) if text.strip() else None for text in texts]


def _number_write(values: Values, arguments: Texts, context: Context) -> list[str]:
    return ["" if value is None else plain(Decimal(value)) for value in values]


def _int_read(texts: Texts, arguments: Texts, context: Context) -> Values:
    found: Values = []
    for text in texts:
        value = Decimal(number(text.strip())) if text.strip() else None
        least, most = (int(each) for each in arguments or ("0", str(_INT)))
        if value is not None and (value != int(value) or not least <= value <= most):
            raise Problem(f"{text!r} is no whole number from {least} to {most}")
        found.append(None if value is None else int(value))
    return found


def _implied_read(texts: Texts, arguments: Texts, context: Context) -> Values:
    """Whole numbers of which the last ``arguments[0]`` digits are decimals (X12 type N2)."""
    digits = int(arguments[0])
    return [plain(Decimal(number(text)).scaleb(-digits)) if text else None for text in texts]


def _implied_write(values: Values, arguments: Texts, context: Context) -> list[str]:
    return ["" if value is None else _implied(value, int(arguments[0])) for value in values]


def _implied(value: str, digits: int) -> str:
    whole = Decimal(value).scaleb(digits)
    if whole != whole.to_integral_value():
        raise Problem(f"{value} has more than {digits} decimal places")
    return format(whole.to_integral_value(), "f")


def _money_read(texts: Texts, arguments: Texts, context: Context) -> Values:
    read = _implied_read if arguments else _number_read
    amounts = read(texts, arguments, context)
    return [None if each is None else {"amount": each, "currency": context.currency} for each in amounts]


def _money_write(values: Values, arguments: Texts, context: Context) -> list[str]:
    write = _implied_write if arguments else _number_write
    return write([each and each["amount"] for each in values], arguments, context)


def _word_read(texts: Texts, arguments: Texts, context: Context) -> Values:
    word = context.word(arguments[0], texts[0].strip())
    if word is None:
        if not texts[0].strip():
            return [None] * _width(arguments)
        raise Problem(f"the code {texts[0]!r} has no word in {arguments[0]!r}")
    if word == "-":
        return [None] * _width(arguments)
    parts: Values = [part if part != "-" else None for part in word.split("/")] if _width(arguments) > 1 else [word]
    return parts + [None] * (_width(arguments) - len(parts))


def _word_write(values: Values, arguments: Texts, context: Context) -> list[str]:
    if _width(arguments) == 1:
        return [context.code(arguments[0], values[0])]
    parts = ["-" if value is None else value for value in values]
    while parts and parts[-1] == "-":
        parts.pop()
    return [context.code(arguments[0], "/".join(parts))]


def _width(arguments: Texts) -> int:
    return int(arguments[1]) if len(arguments) > 1 else 1


def _code_read(texts: Texts, arguments: Texts, context: Context) -> Values:
    """A code of the standard itself, kept as it is: ``x12:05``."""
    found: Values = []
    for text in (each.strip() for each in texts):
        if re.search(r"[^!-~]", text) or len(text) > 17:
            raise Problem(f"{text!r} is no code")
        found.append(f"{context.standard}:{text}" if text else None)
    return found


def _code_write(values: Values, arguments: Texts, context: Context) -> list[str]:
    found = []
    for value in values:
        standard, _, code = (value or "").partition(":")
        if value and standard != context.standard:
            raise Problem(f"{value!r} is no code of {context.standard}")
        found.append(code)
    return found


def _uom_read(texts: Texts, arguments: Texts, context: Context) -> Values:
    text = texts[0].strip()
    if not text:
        return [None]
    word = context.word("uom", text)
    if word is None and context.standard == "edifact" and re.fullmatch(r"[A-Z0-9]{2,3}", text):
        word = text
    if word is None:
        context.note("mapping.code", f"the unit {text!r} is not known; it is read as ZZ (mutually defined)", value=text)
    return [word or "ZZ"]


def _uom_write(values: Values, arguments: Texts, context: Context) -> list[str]:
    unit = values[0] or "C62"
    try:
        return [context.code("uom", unit)]
    except Problem:
        if context.standard == "edifact":
            return [unit]
        raise


def _join_read(texts: Texts, arguments: Texts, context: Context) -> Values:
    """Several elements or components that are lines of one text."""
    return ["\n".join(text.strip() for text in texts if text.strip()) or None]


def _join_write(values: Values, arguments: Texts, context: Context) -> list[str]:
    return lines_of(values[0], int(arguments[0]))


def _street_read(texts: Texts, arguments: Texts, context: Context) -> Values:
    """Lines of a street: the first, and the others joined by line feeds."""
    first, *rest = [text.strip() for text in texts if text.strip()]
    return [first, "\n".join(rest) or None]


def _street_write(values: Values, arguments: Texts, context: Context) -> list[str]:
    return [line for value in values if value for line in lines_of(value, int(arguments[0]))]


def lines_of(text: str, width: int) -> list[str]:
    """The lines of a text, the longer ones broken at blanks where that is possible.

    >>> lines_of("one two three", 8)
    ['one two', 'three']
    """
    found = []
    for line in (each.strip() for each in text.splitlines()):
        while len(line) > width:
            at = line.rfind(" ", 1, width + 1)
            at = at if at > 0 else width
            found.append(line[:at].rstrip())
            line = line[at:].lstrip()
        if line:
            found.append(line)
    return found


def _packaging_read(texts: Texts, arguments: Texts, context: Context) -> Values:
    """A code of UN/ECE Recommendation 21 (EDIFACT uses these themselves), else the standard's own."""
    text = texts[0].strip()
    if context.standard == "edifact" and re.fullmatch(r"[A-Z][A-Z0-9]", text):
        return [text]
    return [context.word("packaging", text)] if text else [None]


def _packaging_write(values: Values, arguments: Texts, context: Context) -> list[str]:
    if context.standard == "edifact" and len(values[0]) == 2:
        return [values[0]]
    return [context.code("packaging", values[0])]


def _country_read(texts: Texts, arguments: Texts, context: Context) -> Values:
    text = _COUNTRIES.get(texts[0].strip().upper(), texts[0].strip().upper())
    if text and not re.fullmatch(r"[A-Z]{2}", text):
        raise Problem(f"{texts[0]!r} is no country code of ISO 3166-1")
    return [text or None]


def _sscc_read(texts: Texts, arguments: Texts, context: Context) -> Values:
    text = texts[0].strip()
    text = text[2:] if len(text) == 20 and text.startswith("00") else text
    if text and not re.fullmatch(r"[0-9]{18}", text):
        raise Problem(f"{text!r} is no SSCC of 18 digits")
    return [text or None]


def _letters_read(texts: Texts, arguments: Texts, context: Context) -> Values:
    text = texts[0].strip()
    if text and not re.fullmatch(rf"[A-Z]{{{arguments[0]}}}", text):
        raise Problem(f"{text!r} is no code of {arguments[0]} letters")
    return [text or None]


def _day_read(texts: Texts, arguments: Texts, context: Context) -> Values:
    return [times.day(text.strip()) if text.strip() else None for text in texts]


def _day_write(values: Values, arguments: Texts, context: Context) -> list[str]:
    """A moment becomes its day in the partner's zone, where the document has a day only."""
    return ["" if value is None else _local_day(value, context) for value in values]


def _local_day(value: str, context: Context) -> str:
    if "T" in value:
        value = _moment(value).astimezone(context.zone).date().isoformat()
    return value.replace("-", "")


def _moment(value: str) -> datetime:
    return datetime.fromisoformat(value.replace("Z", "+00:00"))


def _stamp_read(texts: Texts, arguments: Texts, context: Context) -> Values:
    """Date, time and zone (the last two may be missing from the mapping) → a moment, or a day where no time is."""
    day, clock, code = ([each.strip() for each in texts] + ["", ""])[:3]
    if not day:
        return [None]
    if not clock:
        return [times.day(day)]
    return [times.moment(times.day(day), clock, times.zone(code) or context.zone)]


def _stamp_write(values: Values, arguments: Texts, context: Context) -> list[str]:
    value, places = values[0], int(arguments[0]) if arguments else 2
    if "T" not in value:
        return [value.replace("-", ""), "", ""][:places]
    at = _moment(value).astimezone(timezone.utc if places > 2 else context.zone)
    written = [at.strftime("%Y%m%d"), at.strftime("%H%M%S" if at.second else "%H%M"), "UT"]
    return written[:places]


def _period_read(texts: Texts, arguments: Texts, context: Context) -> Values:
    """X12: date, time, zone, and a period as format and text → beginning (or moment) and end."""
    day, clock, code, form, period = ([each.strip() for each in texts] + [""] * 5)[:5]
    if form == "RD8":
        begin, _, end = period.partition("-")
        return [times.day(begin), times.day(end)]
    if form == "D8":
        return [times.day(period), None]
    if form:
        raise Problem(f"dates of the format {form!r} are not read")
    return [*_stamp_read([day, clock, code], (), context), None]


def _period_write(values: Values, arguments: Texts, context: Context) -> list[str]:
    begin, end = values
    if end is None:
        return [*_stamp_write([begin], ("3",), context), "", ""]
    written = "-".join(_day_write([begin, end], (), context))
    return ["", "", "", "RD8", written]


def _dtm_read(texts: Texts, arguments: Texts, context: Context) -> Values:
    return list(times.edifact(texts[0].strip(), texts[1].strip(), context.zone))


def _dtm_write(values: Values, arguments: Texts, context: Context) -> list[str]:
    begin = values[0]
    end = values[1] if len(values) > 1 else None
    if end is not None:
        return ["-".join(_day_write([begin, end], (), context)), "718"]
    if "T" not in begin:
        return [begin.replace("-", ""), "102"]
    at = _moment(begin).astimezone(context.zone)
    return [at.strftime("%Y%m%d%H%M%S"), "204"] if at.second else [at.strftime("%Y%m%d%H%M"), "203"]


def _dated_read(texts: Texts, arguments: Texts, context: Context) -> Values:
    """Qualifier, date, time → an item of a list of dates."""
    on = _stamp_read(texts[1:], (), context)[0]
    if on is None:
        return [None]
    return [[{"kind": _word_read(texts[:1], arguments[:1], context)[0], "on": on}]]


def _dated_write(values: Values, arguments: Texts, context: Context) -> list[str]:
    item = values[0]
    return [context.code(arguments[0], item["kind"]), *_stamp_write([item["on"]], (arguments[1],), context)]


def _list_read(texts: Texts, arguments: Texts, context: Context) -> Values:
    return [[text.strip()] if text.strip() else None for text in texts]


def _initial_read(texts: Texts, arguments: Texts, context: Context) -> Values:
    """The letters and the number of a trailer, with a blank between them."""
    return [" ".join(text.strip() for text in texts if text.strip()) or None]


def _initial_write(values: Values, arguments: Texts, context: Context) -> list[str]:
    letters, _, digits = values[0].rpartition(" ")
    return [letters, digits] if len(letters) <= 4 else ["", values[0]]


def _flag_read(texts: Texts, arguments: Texts, context: Context) -> Values:
    """One of two letters, the first for yes."""
    if texts[0] and texts[0] not in arguments[0]:
        raise Problem(f"{texts[0]!r} is neither {arguments[0][0]} nor {arguments[0][1]}")
    return [texts[0] == arguments[0][0]]


def _flag_write(values: Values, arguments: Texts, context: Context) -> list[str]:
    return [arguments[0][0] if values[0] else arguments[0][1]]


PARTIAL = frozenset({"lines", "dated", "list"})
"""Converters of which one segment takes a part and the next the rest."""

CONVERTERS: dict[str, Converter] = {
    "text": Converter(_text_read, _text_write),
    "number": Converter(_number_read, _number_write),
    "int": Converter(_int_read, _text_write),
    "implied": Converter(_implied_read, _implied_write),
    "money": Converter(_money_read, _money_write),
    "word": Converter(_word_read, _word_write),
    "code": Converter(_code_read, _code_write),
    "uom": Converter(_uom_read, _uom_write),
    "lines": Converter(_join_read, _join_write),
    "street": Converter(_street_read, _street_write),
    "packaging": Converter(_packaging_read, _packaging_write),
    "country": Converter(_country_read, _text_write),
    "letters": Converter(_letters_read, _text_write),
    "sscc": Converter(_sscc_read, _text_write),
    "day": Converter(_day_read, _day_write),
    "stamp": Converter(_stamp_read, _stamp_write),
    "period": Converter(_period_read, _period_write),
    "dtm": Converter(_dtm_read, _dtm_write),
    "dated": Converter(_dated_read, _dated_write),
    "list": Converter(_list_read, _text_write),
    "initial": Converter(_initial_read, _initial_write),
    "flag": Converter(_flag_read, _flag_write),
}
