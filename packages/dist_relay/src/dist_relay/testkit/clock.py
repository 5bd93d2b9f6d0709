"""A clock that stands still until it is told to go on; sleeping moves it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone


class FakeClock:
    """Time passes only by :meth:`sleep` and :meth:`advance`; ``slept`` lists every sleep."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=timezone.utc)) -> None:
        self._now = start
        self._monotonic = 1_000.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        """The moment the test has reached."""
        return self._now

    def monotonic(self) -> float:
        """Seconds, moving with :meth:`now`."""
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        """Move on at once by ``seconds``."""
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds
