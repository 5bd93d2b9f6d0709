"""The real clock. Its sleep ends when the process is asked to stop, so that nothing holds up a graceful stop."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from threading import Event


class SystemClock:
    """Wall clock, monotonic clock and a sleep that ``stop`` interrupts."""

    def __init__(self, stop: Event | None = None) -> None:
        self.stop = stop or Event()

    def now(self) -> datetime:
        """The current moment in UTC."""
        return datetime.now(timezone.utc)

    def monotonic(self) -> float:
        """Seconds that never go backwards."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait ``seconds``, or less when the process is asked to stop."""
        if seconds > 0:
            self.stop.wait(seconds)
