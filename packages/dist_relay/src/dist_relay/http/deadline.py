"""The deadline of the call in hand. The runtime sets it around a flow; every request inside keeps to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from dist_relay.ports import Clock

_until: ContextVar[float | None] = ContextVar("dist_relay_deadline", default=None)


@contextmanager
def within(clock: Clock, seconds: float) -> Iterator[None]:
    """Requests made inside end ``seconds`` from now at the latest; an outer, nearer deadline stays."""
    until = clock.monotonic() + seconds
    outer = _until.get()
    token = _until.set(until if outer is None else min(until, outer))
    try:
        yield
    finally:
        _until.reset(token)


def remaining(clock: Clock, most: float) -> float:
    """Seconds the current call may still take, at most ``most``; zero or less when time is up."""
    until = _until.get()
    return most if until is None else min(most, until - clock.monotonic())
