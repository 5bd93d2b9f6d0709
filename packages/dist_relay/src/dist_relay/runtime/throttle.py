"""The budget of a connection's operations, shared by all workers through Redis and kept on Redis' clock.

One token bucket per (connection, operation): ``cost`` tokens a call, ``rate`` back each second, ``burst`` at most.
Urgent work (priority 0–2) may use the last token; ordinary work leaves 10 % and bulk work (7–9) 30 % of the burst to
it. After a refusal for rate nobody calls until the time the channel named, then at half the rate, which recovers by 2 %
a second.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from dist_contracts import RateLimit
from dist_relay.errors import Snoozed
from dist_relay.http.deadline import patience
from dist_relay.ports import Clock

from . import scripts
from .keys import Keys
from .redis_client import RedisClient, RedisError

LEAST_FACTOR = 0.05
RECOVERY_PER_SECOND = 0.02
UNLIMITED = 1e6
"""Rate and burst of an operation the manifest does not limit."""


class RedisThrottle:
    """:class:`dist_relay.ports.Throttle` over Redis. An operation the manifest does not limit only obeys penalties."""

    def __init__(
        self,
        client: RedisClient,
        keys: Keys,
        limits: Iterable[RateLimit],
        clock: Clock,
        longest_wait: float = 5.0,
        used: set[str] | None = None,
    ) -> None:
        """``used`` collects the operations that were asked for."""
        self.used = set() if used is None else used
        self._keys, self._clock, self._longest = keys, clock, longest_wait
        self._limits = {limit.operation: limit for limit in limits}
        self._acquire = client.register_script(scripts.ACQUIRE)
        self._feedback = client.register_script(scripts.FEEDBACK)
        self._penalise = client.register_script(scripts.PENALISE)

    def acquire(self, operation: str, cost: float = 1.0, priority: int = 5) -> None:
        """Take ``cost`` tokens or raise ``Snoozed``; see :class:`dist_relay.ports.Throttle`."""
        limit = self._limits.get(operation)
        rate, burst = (limit.rate, limit.burst) if limit else (UNLIMITED, UNLIMITED)
        self.used.add(operation)
        longest = patience(self._clock, self._longest)
        waited = 0.0
        args = [rate, burst, max(cost, 0.0), reserve(priority), RECOVERY_PER_SECOND]
        while True:
            try:
                answer = self._acquire(keys=[self._keys.throttle(operation)], args=args)
            except RedisError as error:
                raise Snoozed(5, f"the budget is not known, Redis is away: {error}", code="throttled") from error
            wait = int(answer[0]) / 1000
            if wait <= 0:
                return
            if waited + wait > longest:
                raise Snoozed(wait, f"budget of {operation} is used up for {wait:.1f} s", code="throttled")
            self._clock.sleep(wait)
            waited += wait

    def feedback(self, operation: str, available: float, restore_rate: float) -> None:
        """Take over what the channel says about the budget."""
        with suppress(RedisError):
            self._feedback(keys=[self._keys.throttle(operation)], args=[max(available, 0.0), max(restore_rate, 0.0)])

    def penalise(self, operation: str, retry_after: float) -> None:
        """Hold everybody back for ``retry_after`` seconds, then go on at half the rate."""
        self.used.add(operation)
        args = [int(max(retry_after, 0.0) * 1000), LEAST_FACTOR]
        with suppress(RedisError):
            self._penalise(keys=[self._keys.throttle(operation)], args=args)


def reserve(priority: int) -> float:
    """Share of the burst that work of this priority leaves to more urgent work.

    >>> [reserve(p) for p in (0, 2, 3, 5, 7, 9)]
    [0.0, 0.0, 0.1, 0.1, 0.3, 0.3]
    """
    return 0.0 if priority <= 2 else 0.1 if priority <= 6 else 0.3
