"""What is left of a connection's budgets, for people: read at most every few seconds however many workers there are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dist_contracts import RateLimit

from . import scripts
from .keys import Keys
from .redis_client import RedisClient
from .throttle import UNLIMITED

EVERY_MS = 5_000


class Budgets:
    """The budgets of one connection as one lane reports them."""

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._keys = keys
        self._script = client.register_script(scripts.BUDGETS)
        self._last: list[dict[str, Any]] | None = None

    def changed(self, limits: Iterable[RateLimit], used: Iterable[str]) -> tuple[str, list[dict[str, Any]]] | None:
        """State of the breaker and the budgets of operations that were used, where they differ from the last report.

        ``None`` when there is nothing new. :raises TooEarly: when another report was made a moment ago; ask again.
        """
        known = {limit.operation: limit for limit in limits}
        operations = sorted({*known, *used})
        args: list[float] = [EVERY_MS]
        for operation in operations:
            limit = known.get(operation)
            args += [limit.rate, limit.burst] if limit else [UNLIMITED, UNLIMITED]
        names = [self._keys.told, self._keys.breaker, *(self._keys.throttle(each) for each in operations)]
        answer: Any = self._script(keys=names, args=args)
        if not answer:
            raise TooEarly
        breaker, *rows = answer
        found = [_budget(name, row, name in known) for name, row in zip(operations, rows, strict=True) if row]
        if found == (self._last or []):
            return None
        self._last = found
        return breaker.decode(), found

    def forget(self) -> None:
        """The last report did not arrive: the next one is made whatever it says."""
        self._last = None


class TooEarly(Exception):
    """Somebody reported a moment ago."""


def _budget(operation: str, row: list[bytes], limited: bool) -> dict[str, Any]:
    tokens, burst, rate, factor, blocked = (float(value) for value in row)
    return {
        "operation": operation,
        "tokens": round(tokens, 1) if limited else None,
        "burst": round(burst, 1) if limited else None,
        "rate": round(rate, 3) if limited else None,
        "factor": round(factor, 2),
        "blocked_seconds": round(blocked / 1000, 1),
    }
