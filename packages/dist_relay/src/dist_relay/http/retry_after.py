"""How long a channel asks us to wait: ``Retry-After``, or for a refusal for rate the header that tells its reset.

====================================  ==================================================================
header                                meaning
====================================  ==================================================================
``Retry-After``                       seconds, or an HTTP date
``RateLimit: "name";r=0;t=30``        IETF draft 8 and later: ``t`` seconds until more comes back
``RateLimit-Reset: 30``               earlier IETF drafts: seconds
``X-RateLimit-Reset``                 seconds, or a moment as seconds since 1970 (also in milliseconds)
``x-amzn-RateLimit-Limit: 0.5``       requests a second that are allowed: the next one after 1/0.5 s
====================================  ==================================================================

Shopify tells its budget in the body; its adapter reads it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

LEAST, MOST = 1.0, 3_600.0
"""Bounds in seconds: a broken header neither hammers the channel nor parks a connection for a day."""

_EPOCH = 1_000_000_000.0
"""A number above this is a moment, below it a span: thirty years of waiting are not meant."""
_RESETS = re.compile(r";\s*t\s*=\s*([0-9]{1,9})\b")


def asked_wait(headers: Mapping[str, str], now: datetime, *, rate: bool) -> float | None:
    """Seconds the other side asks to wait, ``None`` when it does not. ``rate``: it refused for its rate limit.

    Only then headers that tell of a budget count: many channels send them with every answer.

    >>> at = datetime(2026, 1, 1, tzinfo=timezone.utc)
    >>> asked_wait({"retry-after": "7", "ratelimit-reset": "20"}, at, rate=True)
    7.0
    >>> asked_wait({"retry-after": "soon"}, at, rate=True) is None
    True
    >>> asked_wait({"ratelimit": '"burst";r=0;t=3, "day";r=40;t=900'}, at, rate=True)
    3.0
    >>> asked_wait({"ratelimit": '"burst";r=5;t=3, "day";r=0;t=900'}, at, rate=True)
    900.0
    >>> asked_wait({"ratelimit-reset": "20"}, at, rate=True), asked_wait({"ratelimit-reset": "20"}, at, rate=False)
    (20.0, None)
    >>> [asked_wait({"x-ratelimit-reset": text}, at, rate=True) for text in ("12", "1767225630", "1767225630000", "?")]
    [12.0, 30.0, 30.0, None]
    >>> asked_wait({"x-amzn-ratelimit-limit": "0.0167"}, at, rate=True)
    59.88
    >>> asked_wait({"x-amzn-ratelimit-limit": "0"}, at, rate=True) is None
    True
    """
    if (wait := retry_after(headers, now)) is not None or not rate:
        return wait
    for name, meaning in _BUDGETS:
        text = headers.get(name, "").strip()
        if text and (wait := meaning(text, headers, now)) is not None:
            return _bounded(wait)
    return None


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait. A date is measured against the answer's own ``Date``, so that clock skew does not matter.

    >>> at = datetime(2026, 1, 1, tzinfo=timezone.utc)
    >>> retry_after({"retry-after": "7"}, at)
    7.0
    >>> retry_after({"retry-after": "Thu, 01 Jan 2026 05:00:30 GMT", "date": "Thu, 01 Jan 2026 05:00:00 GMT"}, at)
    30.0
    >>> retry_after({"retry-after": "Thu, 01 Jan 2026 00:00:20 GMT"}, at)
    20.0
    >>> retry_after({"retry-after": "99999999"}, at), retry_after({"retry-after": "-5"}, at)
    (3600.0, 1.0)
    >>> [retry_after({"retry-after": text}, at) for text in ("soon", "nan", "")]
    [None, None, None]
    """
    text = headers.get("retry-after", "").strip()
    if (seconds := _number(text)) is not None:
        return _bounded(seconds)
    moment = _date(text)
    if moment is None:
        return None
    return _bounded((moment - (_date(headers.get("date", "")) or now)).total_seconds())


def _draft(text: str, _headers: Mapping[str, str], _now: datetime) -> float | None:
    """The longest reset of the limits with nothing left; of all of them where none says it has nothing left."""
    limits = [(bool(re.search(r";\s*r\s*=\s*0\b", each)), _RESETS.search(each)) for each in text.split(",")]
    spent = [float(found[1]) for empty, found in limits if empty and found]
    return max(spent or [float(found[1]) for _, found in limits if found], default=None)


def _reset(text: str, headers: Mapping[str, str], now: datetime) -> float | None:
    value = _number(text)
    if value is None or value < _EPOCH:
        return value
    moment = value / 1_000 if value > _EPOCH * 100 else value
    return moment - (_date(headers.get("date", "")) or now).timestamp()


def _interval(text: str, _headers: Mapping[str, str], _now: datetime) -> float | None:
    rate = _number(text)
    return round(1 / rate, 3) if rate and rate > 0 else None


_BUDGETS = (
    ("ratelimit", _draft),
    ("ratelimit-reset", _reset),
    ("x-ratelimit-reset", _reset),
    ("x-amzn-ratelimit-limit", _interval),
)


def _bounded(seconds: float) -> float:
    return min(max(seconds, LEAST), MOST)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
