"""How long a channel asks us to wait: ``Retry-After`` as seconds or as an HTTP date."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

LEAST, MOST = 1.0, 3_600.0
"""Bounds in seconds: a broken header neither hammers the channel nor parks a connection for a day."""


def retry_after(headers: Mapping[str, str], now: datetime, default: float = 10.0) -> float:
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
    >>> retry_after({"retry-after": "soon"}, at), retry_after({}, at)
    (10.0, 10.0)
    """
    text = headers.get("retry-after", "").strip()
    if not text:
        return default
    try:
        seconds = float(text)
    except ValueError:
        moment = _date(text)
        if moment is None:
            return default
        seconds = (moment - (_date(headers.get("date", "")) or now)).total_seconds()
    if math.isnan(seconds):
        return default
    return min(max(seconds, LEAST), MOST)


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
