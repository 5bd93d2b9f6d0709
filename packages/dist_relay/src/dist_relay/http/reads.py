"""Reads are tried again in place: one failed read out of many must not end a pull of forty pages.

Only reads: asking twice changes nothing outside. A change is never repeated here, for its lost answer may follow an
effect; the outbox reads back first. Waits have full jitter, so that many workers do not come back in step; they end
with the deadline of the call.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeVar

from dist_relay.errors import RelayError, RetryLater, Snoozed
from dist_relay.ports import Clock

from .deadline import patience, remaining

T = TypeVar("T")

TRIES = 4
FIRST_SECONDS, MOST_SECONDS = 0.2, 2.0
"""The first wait is drawn from 0 to ``FIRST_SECONDS``; the bound doubles up to ``MOST_SECONDS``."""
ASKED_SECONDS = 5.0
"""A longer wait that the other side asks for is not worth holding a thread for: the pull ends and comes back."""

Told = Callable[[str, RelayError | None], bool]
"""Told the operation and the error that is about to be tried again, or ``None`` when a repeated read succeeded.

False ends the tries: the other side is known to be down.
"""

_inside: ContextVar[bool] = ContextVar("dist_relay_reading", default=False)


class Reads:
    """Runs reads, each up to :data:`TRIES` times. ``draw`` gives a number from 0 to 1."""

    def __init__(self, clock: Clock, *, draw: Callable[[], float] = random.random, told: Told | None = None) -> None:
        self._clock, self._draw, self._told = clock, draw, told

    def __call__(self, read: Callable[[], T], operation: str = "read") -> T:
        """What ``read`` returns; its last error when all tries fail. A read inside another one is tried once.

        Repeated are lost connections and answers, timeouts, 5xx, answers that are no answer, and refusals for rate
        with a short wait; everything else is raised at once.
        """
        if _inside.get():
            return read()
        token = _inside.set(True)
        try:
            return self._tries(read, operation)
        finally:
            _inside.reset(token)

    def _tries(self, read: Callable[[], T], operation: str) -> T:
        tried = 1
        while True:
            try:
                found = read()
            except (RetryLater, Snoozed) as error:
                if not self._again(error, tried, operation):
                    raise
                tried += 1
            else:
                if tried > 1 and self._told:
                    self._told(operation, None)
                return found

    def _again(self, error: RelayError, tried: int, operation: str) -> bool:
        """Whether to try once more, after the wait that goes before it."""
        wait = pause(error, tried, self._draw()) if tried < TRIES else None
        left = patience if isinstance(error, Snoozed) else remaining
        if wait is None or wait >= left(self._clock, float("inf")):
            return False
        if self._told and not self._told(operation, error):
            return False
        self._clock.sleep(wait)
        return True


def pause(error: RelayError, tried: int, draw: float) -> float | None:
    """Seconds to wait after ``tried`` tries failed, the last with ``error``; ``None``: not to be tried again here.

    >>> [pause(RetryLater(None, "500", code="server_error"), tried, 1.0) for tried in (1, 2, 3, 9)]
    [0.2, 0.4, 0.8, 2.0]
    >>> pause(RetryLater(3.0, "503", code="unavailable"), 1, 0.5)
    3.1
    >>> [pause(Snoozed(asked, "429", code="rate_limited"), 1, 0.0) for asked in (2.0, 60.0)]
    [2.0, None]
    >>> [pause(error, 1, 0.0) for error in (Snoozed(1, "", code="breaker_open"), RetryLater(1, "", code="deadline"))]
    [None, None]
    """
    if isinstance(error, Snoozed) and error.code != "rate_limited":
        return None
    if error.code == "deadline":
        return None
    if error.seconds is None:
        return draw * min(MOST_SECONDS, FIRST_SECONDS * 2.0 ** (tried - 1))
    return error.seconds + draw * FIRST_SECONDS if error.seconds <= ASKED_SECONDS else None
