"""The deadline of the call in hand. The runtime sets it around a flow; every request inside keeps to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from dist_relay.ports import Clock


class Span(NamedTuple):
    """When a call has to be over, and until when it may wait before it begins anything; monotonic."""

    until: float
    waits_until: float


_span: ContextVar[Span | None] = ContextVar("dist_relay_deadline", default=None)


@contextmanager
def within(clock: Clock, seconds: float) -> Iterator[None]:
    """Requests made inside end ``seconds`` from now at the latest; an outer, nearer deadline stays."""
    now = clock.monotonic()
    span = Span(now + seconds, now + seconds / 2)
    outer = _span.get()
    token = _span.set(span if outer is None or span.until < outer.until else outer)
    try:
        yield
    finally:
        _span.reset(token)


def remaining(clock: Clock, most: float) -> float:
    """Seconds the current call may still take, at most ``most``; zero or less when time is up."""
    span = _span.get()
    return most if span is None else min(most, span.until - clock.monotonic())


def patience(clock: Clock, most: float) -> float:
    """Seconds the current call may still wait for a budget, at most ``most``; zero or less when it may not.

    Half of a call is kept for the requests themselves: one that is sent when the time is nearly up ends as a timeout,
    which counts as a failure of the other side, where nothing but our own budget was short.
    """
    span = _span.get()
    return most if span is None else min(most, span.waits_until - clock.monotonic())
