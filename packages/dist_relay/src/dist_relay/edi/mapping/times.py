"""Dates and times of documents: X12's dates, times and zone codes, EDIFACT's formats (data element 2379)."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone, tzinfo

from .context import Problem

_FIXED = {
    "UT": 0, "GM": 0, "ES": -5, "ED": -4, "CS": -6, "CD": -5, "MS": -7, "MD": -6, "PS": -8, "PD": -7, "AS": -9,
    "AD": -8, "HS": -10, "HD": -9, "TS": -4, "TD": -3, "NS": -3.5, "ND": -2.5,
}  # fmt: skip
_NAMED = {"ET": "America/New_York", "CT": "America/Chicago", "MT": "America/Denver", "PT": "America/Los_Angeles"}
FIRST_YEAR = 1900
"""Dates before are mistakes: centuries that were left out or padded with zeros."""
_FORMATS = {
    "2": "%d%m%y", "3": "%m%d%y", "101": "%y%m%d", "102": "%Y%m%d", "201": "%y%m%d%H%M", "202": "%y%m%d%H%M%S",
    "203": "%Y%m%d%H%M", "204": "%Y%m%d%H%M%S",
}  # fmt: skip
_WIDTHS = {"2": 6, "3": 6, "101": 6, "102": 8, "201": 10, "202": 12, "203": 12, "204": 14}
_PERIODS = {"711": 8, "717": 6, "718": 8, "713": 10, "719": 12}


def day(text: str) -> str:
    """``20260131`` or ``260131`` → ``2026-01-31``.

    :raises Problem: it is no date.
    """
    if len(text) == 6 and text.isdigit():
        text = f"{19 if text[:2] > '79' else 20}{text}"
    if not re.fullmatch(r"[0-9]{8}", text):
        raise Problem(f"{text!r} is no date")
    try:
        found = date(int(text[:4]), int(text[4:6]), int(text[6:]))
        if found.year < FIRST_YEAR:
            raise ValueError(text)
        return found.isoformat()
    except ValueError:
        raise Problem(f"{text!r} is no date") from None


def moment(on: str, clock: str, at: tzinfo) -> str:
    """A day and an X12 time (HHMM, HHMMSS, then fractions) in a zone, as RFC 3339 in UTC.

    :raises Problem: it is no time.
    """
    if not re.fullmatch(r"[0-9]{4}([0-9]{2}([0-9]{1,2})?)?", clock):
        raise Problem(f"{clock!r} is no time")
    try:
        local = datetime.fromisoformat(on).replace(
            hour=int(clock[:2]), minute=int(clock[2:4]), second=int(clock[4:6] or 0), tzinfo=at
        )
    except ValueError:
        raise Problem(f"{clock!r} is no time") from None
    return utc(local)


def utc(local: datetime) -> str:
    """RFC 3339 in UTC.

    :raises Problem: outside the years 1 to 9999.
    """
    try:
        return local.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    except (OverflowError, ValueError):
        raise Problem("the time lies outside the years 1 to 9999") from None


def zone(code: str) -> tzinfo | None:
    """The zone of an X12 time code; None for the local time of the sender, or without a code.

    :raises Problem: a code that is no zone.
    """
    from zoneinfo import ZoneInfo

    if code in ("", "LT"):
        return None
    if code in _FIXED:
        return timezone(timedelta(hours=_FIXED[code]))
    if code in _NAMED:
        return ZoneInfo(_NAMED[code])
    if re.fullmatch(r"0[1-9]|1[0-9]|2[0-4]", code):
        # Codes 01 to 12 are hours ahead of UTC, 13 to 24 behind it.
        number = int(code)
        return timezone(timedelta(hours=number if number <= 12 else number - 25))
    raise Problem(f"the time code {code!r} is not known")


def edifact(text: str, form: str, at: tzinfo) -> tuple[str | None, str | None]:
    """Text and format → beginning and end; the end is None where it is no period.

    :raises Problem: the format is not read, or the text is not of it.
    """
    if not text:
        return None, None
    if form in _PERIODS:
        begin, dash, end = text.partition("-")
        if not dash and len(text) == 2 * _PERIODS[form]:
            begin, end = text[: len(text) // 2], text[len(text) // 2 :]
        return day(begin[: 8 if len(begin) >= 8 else 6]), day(end[: 8 if len(end) >= 8 else 6])
    if form in ("303", "304"):
        return edifact(re.sub(r"[A-Z]{3}\Z", "", text), "203" if form == "303" else "204", _offset(text, at))
    if form == "":
        form = {6: "101", 8: "102", 10: "201", 12: "203", 14: "204"}.get(len(text), "")
    if form not in _FORMATS:
        raise Problem(f"dates of the format {form!r} are not read")
    if len(text) != _WIDTHS[form] or not text.isascii() or not text.isdigit():
        raise Problem(f"{text!r} is not of the format {form}")
    try:
        found = datetime.strptime(text, _FORMATS[form]).replace(tzinfo=at)
        if found.year < FIRST_YEAR:
            raise ValueError(text)
    except ValueError:
        raise Problem(f"{text!r} is not of the format {form}") from None
    return (found.date().isoformat() if _WIDTHS[form] <= 8 else utc(found)), None


def _offset(text: str, at: tzinfo) -> tzinfo:
    name = text[-3:]
    fixed = {"UTC": 0, "GMT": 0, "CET": 1, "EET": 2, "EST": -5, "CST": -6, "MST": -7, "PST": -8}
    if name in fixed:
        return timezone(timedelta(hours=fixed[name]))
    if name.isalpha():
        raise Problem(f"the zone {name!r} is not known")
    return at
