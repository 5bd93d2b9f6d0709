"""A loop that goes on: errors are logged, the next turn waits a little longer each time, a stop is obeyed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from threading import Event

from dist_relay import metrics
from dist_relay.errors import SettingsError
from dist_relay.logging import get

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0


class Loop:
    """Calls ``turn`` again and again in a thread of its own. ``turn`` returns the seconds to wait before the next."""

    def __init__(
        self, name: str, turn: Callable[[], float], stop: Event, reset: Callable[[], None] | None = None
    ) -> None:
        self.name, self._turn, self._stop, self._reset = name, turn, stop, reset
        self.alive_at = time.monotonic()
        self.error: str | None = None
        self._log = get(loop=name)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self, seconds: float) -> bool:
        """Wait for the end of the turn in hand; true when it ended."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._stop.is_set():
            try:
                wait = self._turn()
                if self.error:
                    self._log.info("goes on")
                pause, self.error, self.alive_at = FIRST_PAUSE, None, time.monotonic()
            except Exception as error:
                wait = pause
                pause = min(pause * 2, LONGEST_PAUSE)
                self._note(error)
            if wait > 0:
                self._stop.wait(wait)

    def _note(self, error: Exception) -> None:
        text = f"{type(error).__name__}: {error}"
        metrics.LOOP_ERRORS.labels(self.name).inc()
        if text != self.error:
            known = isinstance(error, SettingsError) or type(error).__name__ in ("Unavailable", "ConnectionError")
            self._log.error("begins again", error=text, exc_info=None if known else error)
        self.error = text
        if self._reset:
            self._reset()
