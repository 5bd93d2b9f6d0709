# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""How long to wait before the next attempt. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable


def full_jitter(
    attempt: int, base: float = 5.0, longest: float = 3600.0, uniform: Callable[[float, float], float] = random.uniform
) -> float:
    """Seconds to wait after the ``attempt``-th failure: anywhere between 0 and an exponentially growing limit.

    The whole range is used so that many jobs that failed together do not come back together.

    >>> [full_jitter(n, base=5, longest=60, uniform=lambda low, high: high) for n in (1, 2, 3, 4, 5, 500)]
    [5, 10, 20, 40, 60, 60]
    >>> full_jitter(3, uniform=lambda low, high: low)
    0.0
    """
    limit = min(longest, base * 2 ** min(max(attempt, 1) - 1, 32))
    return uniform(0.0, limit)
