# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""When a schedule runs: intervals and cron expressions, time zones, jitter, what is made up for. Pure; all times are
naive UTC unless they are said to be local.

Clocks that are changed: a local time that is missing runs at the moment it would have been without the change (02:30
becomes 03:30), once. One that comes twice runs the first time; expressions that run in every hour run in both.

>>> Timing(cron="30 2 * * *", tz="Europe/Berlin").after(datetime(2026, 3, 28, 12))  # 29 March has no 02:30
datetime.datetime(2026, 3, 29, 1, 30)
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from croniter import CroniterError, croniter

UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400, "weeks": 604800}
GRACE = timedelta(seconds=300)
"""A run that is later than this is one that was missed. ``dist_relay.claim_pulls`` uses the same."""
MOST_MADE_UP = 100
"""Most runs that one catching up makes."""
_UNSUPPORTED = re.compile(r"#|\dW|W\d|(?<![A-Z])[HR](?![A-Z])|L\d|\dL", re.IGNORECASE)


class BadTiming(ValueError):
    """An interval or cron expression that cannot be obeyed; the message says why."""


def seconds_of(text: str) -> int:
    """Seconds of an interval in words. :raises BadTiming: where it is none

    >>> seconds_of("5 minutes"), seconds_of("1 day")
    (300, 86400)
    """
    number, _, unit = text.strip().partition(" ")
    unit = unit.strip().lower()
    unit = unit if unit.endswith("s") else unit + "s"
    if not number.isdigit() or int(number) < 1 or unit not in UNITS:
        raise BadTiming(f"{text!r} is no interval: write it as '30 seconds', '5 minutes', '2 hours', '1 day', '1 week'")
    return int(number) * UNITS[unit]


def parse(expression: str) -> dict[str, Any]:
    """The values of a cron expression's fields, None where all fit; what ``dist_relay._cron_next`` reads.

    Five fields (or an alias like ``@daily``): minute, hour, day of the month (``L``: the last), month, day of the week.
    :raises BadTiming: where it is no such expression, or never comes true

    >>> parse("30 2 * * mon-fri")["weekdays"]
    [1, 2, 3, 4, 5]
    """
    text = " ".join((expression or "").split())
    if not text.startswith("@") and len(text.split(" ")) != 5:
        raise BadTiming(
            f"{expression!r} is no cron expression: it has five fields, minute, hour, day of the month, month and day "
            "of the week, such as '30 2 * * 1-5'"
        )
    if not text.startswith("@") and _UNSUPPORTED.search(text):
        raise BadTiming(
            f"{expression!r}: use numbers, names, *, lists, ranges and steps; L for the last day of a month"
        )
    try:
        fields, _nth = croniter.expand(text)
        croniter(text, datetime(2026, 1, 1)).get_next(datetime)
    except (CroniterError, ValueError, KeyError, AttributeError) as error:
        why = "it never comes true" if type(error).__name__ == "CroniterBadDateError" else str(error)
        raise BadTiming(f"{expression!r} is no cron expression: {why}") from None
    minutes, hours, days, months, weekdays = (None if "*" in values else sorted(values, key=str) for values in fields)
    last = bool(days) and "l" in days
    return {
        "minutes": _numbers(minutes),
        "hours": _numbers(hours),
        "days": _numbers([day for day in days or () if day != "l"]) if days else None,
        "last": last,
        "months": _numbers(months),
        "weekdays": _numbers(weekdays),
        "hourly": hours is None or len(set(hours)) == 24,
    }


def _numbers(values: Any) -> list[int] | None:
    return None if values is None else sorted(int(value) for value in values)


def jitter_offset(name: str, jitter: int) -> int:
    """Seconds, 0 to ``jitter``, always the same for one name: fifty schedules of one time spread and stay spread."""
    return int(hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()[:8], 16) % (max(0, jitter) + 1)


@dataclass(frozen=True)
class Timing:
    """Either every ``interval`` seconds, or ``cron`` in the time zone ``tz`` put off by ``offset`` seconds."""

    interval: int = 0
    cron: str = ""
    tz: str = "UTC"
    offset: int = 0

    def after(self, moment: datetime) -> datetime:
        """The first planned moment later than ``moment`` (of an interval: counted from it)."""
        if not self.cron:
            return moment + timedelta(seconds=self.interval)
        shift = timedelta(seconds=self.offset)
        return cron_after(self.cron, self.tz, moment - shift) + shift

    def following(self, moment: datetime, count: int) -> list[datetime]:
        """The next ``count`` planned moments after ``moment``."""
        found: list[datetime] = []
        for _n in range(count):
            moment = self.after(moment)
            found.append(moment)
        return found


@dataclass(frozen=True)
class Due:
    """What a schedule that is due has to do: a run for each of ``runs``, and when it is due again."""

    runs: list[datetime]
    missed: int
    next_run_at: datetime


def due(timing: Timing, planned: datetime, now: datetime, catch_up: str = "once") -> Due:
    """Decide about a schedule planned for ``planned``, which is not later than ``now``.

    ``catch_up`` says what becomes of runs that were missed while nobody was there: ``skip`` (later than
    :data:`GRACE`: none), ``once`` (one run for all of them) or ``all`` (each, the newest :data:`MOST_MADE_UP`).
    """
    moments, following = _since(timing, planned, now)
    if catch_up == "all":
        runs = moments
    elif catch_up == "skip" and now - moments[-1] > GRACE:
        runs = []
    else:
        runs = moments[-1:]
    return Due(runs, len(moments) - len(runs), following)


def _since(timing: Timing, planned: datetime, now: datetime) -> tuple[list[datetime], datetime]:
    """The newest planned moments from ``planned`` to ``now``, at most :data:`MOST_MADE_UP`, and the one after them."""
    if not timing.cron:
        step = timedelta(seconds=timing.interval)
        passed = (now - planned) // step
        first = max(0, passed - MOST_MADE_UP + 1)
        return [planned + step * n for n in range(first, passed + 1)], planned + step * (passed + 1)
    span = timedelta(minutes=1)
    while True:  # look back twice as far each time, so that a year of downtime costs no more than a day
        start = planned if now - planned <= span else None
        moments = [planned] if start else []
        moment = timing.after(start or now - span)
        while moment <= now:
            moments.append(moment)
            moment = timing.after(moment)
        if start or len(moments) >= MOST_MADE_UP:
            return moments[-MOST_MADE_UP:], moment
        span *= 2


def cron_after(expression: str, tz: str, moment: datetime) -> datetime:
    """The first time an expression comes true after ``moment``. :raises BadTiming: where it never does"""
    zone = ZoneInfo(tz)
    shift = abs(_offset(zone, moment + timedelta(days=2)) - _offset(zone, moment - timedelta(days=2)))
    hourly = bool(shift) and parse(expression)["hourly"]
    best: datetime | None = None
    for local in _local_times(expression, _local(zone, moment) - shift):
        for found in _moments(zone, local, hourly):
            if found > moment and (best is None or found < best):
                best = found
        # later local times may be earlier moments by no more than the clock is changed
        if best is not None and local - _local(zone, best) >= shift:
            return best
    raise AssertionError("local times have no end")


def _local_times(expression: str, start: datetime) -> Iterator[datetime]:
    try:
        walk = croniter(expression, start - timedelta(seconds=1))
        while True:
            yield walk.get_next(datetime)
    except CroniterError as error:
        raise BadTiming(f"{expression!r} never comes true: {error}") from None


def _moments(zone: ZoneInfo, local: datetime, both: bool) -> Iterator[datetime]:
    """The moments (naive UTC) at which a clock in ``zone`` shows ``local``; for a missing time, the one put forward."""
    first = _utc(local.replace(tzinfo=zone))
    yield first
    if both:
        second = _utc(local.replace(tzinfo=zone, fold=1))
        if second > first:  # a missing time has its second reading before the first
            yield second


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.replace(tzinfo=timezone.utc).astimezone(zone).utcoffset() or timedelta(0)


def _local(zone: ZoneInfo, moment: datetime) -> datetime:
    return moment + _offset(zone, moment)


def _utc(local: datetime) -> datetime:
    return local.astimezone(timezone.utc).replace(tzinfo=None)
