# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Recurring jobs that an addon ships: decorators on ``@job`` methods, and where the engine finds them.

::

    class ResPartner(models.Model):
        _inherit = "res.partner"

        @api.model
        @every("1 day", at="02:30", jitter=600)
        @job(lane="low")
        def _geocode_all(self):
            '''Look up new addresses.'''

At the install or update of the addon a ``dist.schedule`` is made of it; what people change of its timing stays, an
uninstall removes it. The moment a run was planned for (UTC, ISO 8601) is in the context as ``dist_planned_at``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from .engine.timing import BadTiming, parse, seconds_of

F = TypeVar("F", bound=Callable[..., Any])

CATCH_UP = ("skip", "once", "all")
SCHEDULED: set[str] = set()
"""Names of all methods with such a decorator: the registry is searched for these and for nothing else."""


@dataclass(frozen=True)
class Recurring:
    """How a method recurs unless people decide otherwise.

    ``interval`` in seconds, 0 where ``cron`` is given; ``tz``: of the cron expression, by default the main company's;
    ``jitter``: seconds over which schedules of one time are spread; ``catch_up``: what becomes of runs missed while
    nobody was there; ``domain``: of the records to call the method on, text.
    """

    interval: int = 0
    cron: str = ""
    tz: str = ""
    jitter: int = 0
    catch_up: str = "once"
    overlap: bool = False
    name: str = ""
    domain: str = ""
    active: bool = True

    def __post_init__(self) -> None:
        if self.catch_up not in CATCH_UP:
            raise BadTiming(f"catch_up is one of {', '.join(CATCH_UP)}, not {self.catch_up!r}")
        if self.jitter < 0:
            raise BadTiming("jitter is a number of seconds")
        if self.cron:
            parse(self.cron)


def _decorate(spec: Recurring) -> Callable[[F], F]:
    def decorator(func: F) -> F:
        func._dist_recurring = spec  # type: ignore[attr-defined]
        SCHEDULED.add(func.__name__)
        return func

    return decorator


def every(interval: str, *, at: str | None = None, **options: Any) -> Callable[[F], F]:
    """Let a ``@job`` method recur: ``@every("5 minutes")``, ``@every("1 day", at="02:30")``.

    :param at: local time of day, for intervals of one day
    :param options: see :class:`Recurring`
    :raises BadTiming: for an interval or time that cannot be obeyed
    """
    seconds = seconds_of(interval)
    if at is None:
        return _decorate(Recurring(interval=seconds, **options))
    hour, _, minute = at.partition(":")
    if seconds != 86400 or not (hour.isdigit() and minute.isdigit()):
        raise BadTiming(f"at={at!r} is a time of day like '02:30', for '1 day'; for anything else use @cron")
    return cron(f"{int(minute)} {int(hour)} * * *", **options)


def cron(expression: str, **options: Any) -> Callable[[F], F]:
    """Let a ``@job`` method recur at the times of a cron expression: ``@cron("0 3 * * 1-5", tz="Europe/Berlin")``."""
    return _decorate(Recurring(cron=expression, **options))
