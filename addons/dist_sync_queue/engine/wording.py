# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Timing in words, for people: "Every 5 minutes", "At 02:30, Monday to Friday". Pure; texts go through ``_``, which a
screen gives as ``env._``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .timing import UNITS, BadTiming, parse

Translate = Callable[..., str]


def plain(source: str, **values: Any) -> str:
    """The text as it stands here, for use without Odoo."""
    return source % values if values else source


def say_interval(seconds: int, _: Translate = plain) -> str:
    """
    >>> say_interval(300), say_interval(3600), say_interval(90)
    ('Every 5 minutes', 'Every hour', 'Every 90 seconds')
    """
    unit = next(unit for unit in reversed(UNITS) if not seconds % UNITS[unit])
    count = seconds // UNITS[unit]
    if count == 1:
        return {
            "seconds": _("Every second"),
            "minutes": _("Every minute"),
            "hours": _("Every hour"),
            "days": _("Every day"),
            "weeks": _("Every week"),
        }[unit]
    return {
        "seconds": lambda: _("Every %(count)s seconds", count=count),
        "minutes": lambda: _("Every %(count)s minutes", count=count),
        "hours": lambda: _("Every %(count)s hours", count=count),
        "days": lambda: _("Every %(count)s days", count=count),
        "weeks": lambda: _("Every %(count)s weeks", count=count),
    }[unit]()


def say_cron(expression: str, _: Translate = plain) -> str:
    """Common forms in words, others as they are.

    >>> say_cron("30 2 * * 1-5"), say_cron("*/10 * * * *"), say_cron("0 6,18 1 * *")
    ('At 02:30, Monday to Friday', 'Every 10 minutes', 'At 06:00 and 18:00, on day 1 of the month')
    >>> say_cron("7 3-5 1 1 1")
    '7 3-5 1 1 1'
    """
    try:
        fields = parse(expression)
    except BadTiming:
        return expression or ""
    minutes, hours, days = fields["minutes"], fields["hours"], _days(fields, _)
    if days is None:
        return expression
    step = _step(minutes, 60)
    if step and hours is None and not days:
        return say_interval(60 * step, _)
    if minutes is None or len(minutes) > 1:
        return expression
    every = None if hours is None else _step(hours, 24)
    if (hours is None or every) and not days:
        if every and minutes == [0]:
            return say_interval(3600 * every, _)
        if hours is None or every == 1:
            return _("Every hour at minute %(minute)s", minute=minutes[0])
        return _("Every %(count)s hours at minute %(minute)s", count=every, minute=minutes[0])
    if hours is None or len(hours) > 4:
        return expression
    times = _join([f"{hour:02}:{minutes[0]:02}" for hour in hours], _)
    return _("At %(times)s, %(days)s", times=times, days=days or _("every day"))


def _days(fields: dict[str, Any], _: Translate) -> str | None:
    """Days in words; empty for every day, None where there are no simple words."""
    days, months, weekdays = fields["days"], fields["months"], fields["weekdays"]
    if months is not None or (days is not None and weekdays is not None):
        return None
    if weekdays is not None:
        return _weekdays(weekdays, _)
    if days is None:
        return ""
    if fields["last"]:
        return None if days else _("on the last day of the month")
    if len(days) > 4:
        return None
    listed = _join([str(day) for day in days], _)
    if len(days) == 1:
        return _("on day %(day)s of the month", day=listed)
    return _("on days %(days)s of the month", days=listed)


def _weekdays(numbers: list[int], _: Translate) -> str:
    names = [_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday")]
    week = sorted((number - 1) % 7 for number in numbers)
    if len(week) > 2 and week == list(range(week[0], week[-1] + 1)):
        return _("%(first)s to %(last)s", first=names[week[0]], last=names[week[-1]])
    return _join([names[number] for number in week], _)


def _join(words: list[str], _: Translate) -> str:
    if len(words) == 1:
        return words[0]
    return _("%(words)s and %(last)s", words=", ".join(words[:-1]), last=words[-1])


def _step(values: list[int] | None, size: int) -> int | None:
    """n of ``*/n`` where it divides evenly; None where the values are not such steps."""
    if values is None:
        return 1
    step = size // len(values)
    return step if len(values) > 1 and values == list(range(0, size, step)) else None
