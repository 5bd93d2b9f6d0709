"""Waiting for a condition instead of for time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def until(condition: Callable[[], Any], seconds: float = 60.0, what: str = "") -> None:
    """Return when ``condition`` is true; that it does not come true is a failure, how long it takes is not judged."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(what or "the condition did not come true")
        time.sleep(0.02)
