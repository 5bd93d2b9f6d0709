# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What other addons import: decorators for handlers and jobs, and the errors that steer them.

Incoming events, in batches, in the order of their key::

    class ChannelOrder(models.Model):
        _name = "dist.channel.order"

        @api.model
        @on_event("order.received.v1", batch=50, lane="orders", max_attempts=8)
        def _on_order_received(self, items):
            for item in items:
                item.bind(self)._store_order(item.connection, item.payload)

Work of the own addon::

    class ResPartner(models.Model):
        _inherit = "res.partner"

        @job(lane="default")
        def _geocode(self): ...

    partners.delayed(key=f"country:{country.id}")._geocode()
    partners.delayed(each=1, identity=lambda partner: f"geocode:{partner.id}")._geocode()  # one INSERT for all

Jobs that wait for jobs, with what those returned::

    chain(
        order.later()._reserve().undo(order.later()._unreserve()),
        group(order.later()._invoice(), order.later()._label()),
        order.later()._notify(),  # def _notify(self, results): results[0].value is what _invoice returned
    ).enqueue()

Work that comes again (see ``recurring.py``)::

        @api.model
        @every("1 day", at="02:30")
        @job()
        def _geocode_all(self): ...

A handler or job works on the database only: it may be run again before its transaction commits, so it never commits,
never calls the outside (that is an outbox event's task) and may be called again for a smaller batch.

A long one says how far it is, and can be cancelled between two steps::

        @job(timeout=3600)
        def _recompute(self):
            for done, record in enumerate(self, 1):
                record._recompute_one()
                progress(self.env, done, len(self), record.display_name)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from .engine import hand
from .engine.graph import Result, chain, group
from .errors import EnqueueError, JobCancelled, JobTimeout, Permanent, RetryLater, Snooze
from .recurring import cron, every

__all__ = [
    "EnqueueError",
    "HandlerSpec",
    "Item",
    "JobCancelled",
    "JobTimeout",
    "Permanent",
    "Result",
    "RetryLater",
    "Snooze",
    "chain",
    "checkpoint",
    "cron",
    "every",
    "group",
    "job",
    "on_dirty",
    "on_event",
    "on_outcome",
    "progress",
    "with_records",
]

F = TypeVar("F", bound=Callable[..., Any])

OUTCOME = "#outcome"
DIRTY = "#dirty"


@dataclass(frozen=True)
class HandlerSpec:
    """How a decorated method is run. ``name`` is the handler's name in ``dist.job``; empty for record methods.

    ``batch``: most items of one call; ``max_attempts``: counted tries; ``timeout``: seconds of one call;
    ``backoff`` and ``backoff_max``: seconds of the first and of the longest pause between tries; ``budget``: seconds
    one transaction may take, for work that is much quicker in large batches (default: the worker's, 0.2); ``key``: of
    a job, see :func:`job`.
    """

    kind: str
    name: str = ""
    lane: str = "default"
    batch: int = 1
    max_attempts: int = 5
    timeout: float = 300.0
    backoff: float = 5.0
    backoff_max: float = 3600.0
    budget: float | None = None
    key: str | Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        if self.key is not None and self.kind != "job":
            raise ValueError(f"{self.name}: the key is the event's; only a job has one of its own")
        if self.batch < 1 or self.max_attempts < 1 or self.timeout <= 0:
            raise ValueError(f"{self.name or 'job'}: batch and max_attempts are at least 1, timeout is positive")


@dataclass(frozen=True)
class Item:
    """One event or outcome handed to a handler.

    ``payload`` is the contract's JSON; for outcomes ``{"outcome": {…}, "event": {…}}``. ``connection`` is the
    ``dist.connection`` record, ``attempt`` counts from 1, ``occurred_at`` is naive UTC as everywhere in Odoo.
    """

    id: int
    type: str
    payload: dict[str, Any]
    connection: Any
    key: str | None
    correlation_id: str | None
    attempt: int
    occurred_at: datetime
    event_id: str | None = None

    def bind(self, records: Any) -> Any:
        """``records`` with this item's correlation id: what they emit, delay or report joins this journey."""
        return records.with_context(dist_correlation_id=self.correlation_id)


DECORATED: set[str] = set()
"""Names of all decorated methods: the handler registry looks at these and at nothing else of a model."""


def _decorate(spec: HandlerSpec) -> Callable[[F], F]:
    def decorator(func: F) -> F:
        func._dist_handlers = (*getattr(func, "_dist_handlers", ()), spec)  # type: ignore[attr-defined]
        DECORATED.add(func.__name__)
        return func

    return decorator


def on_event(
    event_type: str, *, batch: int = 50, lane: str = "default", max_attempts: int = 8, timeout: float = 300.0, **pauses
) -> Callable[[F], F]:
    """Handle incoming events of ``event_type`` (``order.received.v1``) in an ``@api.model`` method taking ``items``.

    The method raises for the whole batch; the engine finds the item that fails and the rest goes on.
    Several methods may handle one type: they run in one transaction.
    """
    return _decorate(HandlerSpec("event", event_type, lane, batch, max_attempts, timeout, **pauses))


def on_outcome(
    event_type: str, *, batch: int = 50, lane: str = "default", max_attempts: int = 8, timeout: float = 300.0, **pauses
) -> Callable[[F], F]:
    """Handle what became of our outgoing events of ``event_type``; otherwise like :func:`on_event`."""
    return _decorate(HandlerSpec("outcome", event_type + OUTCOME, lane, batch, max_attempts, timeout, **pauses))


def with_records(model: Any, items: Iterable[Any]) -> list[tuple[Any, Any]]:
    """Outcomes with the records they are about, found with one look for all of them.

    :param model: a recordset of the model in question
    :return: (item, record) in the order of ``items``; left out is what is about another model or a record that is gone
    """
    about = []
    for item in items:
        event = item.payload.get("event") or {}
        if event.get("res_model") == model._name and event.get("res_id"):
            about.append((item, event["res_id"]))
    there = {record.id: record for record in model.browse({res_id for _item, res_id in about}).exists()}
    return [(item, there[res_id]) for item, res_id in about if res_id in there]


def on_dirty(
    event_type: str, *, batch: int = 500, lane: str = "default", max_attempts: int = 8, timeout: float = 300.0, **pauses
) -> Callable[[F], F]:
    """Compute the present value of changed keys of a state event.

    The method: ``method(connection, keys) -> {key: payload or None}``.

    Called with each key once however often it was marked. ``None``, or a key left out, sends nothing. The engine
    overwrites the payload's ``version`` with one that only grows and writes the outbox in the same transaction.
    """
    return _decorate(HandlerSpec("dirty", event_type + DIRTY, lane, batch, max_attempts, timeout, **pauses))


def job(
    *,
    lane: str = "default",
    batch: int = 1,
    max_attempts: int = 5,
    timeout: float = 300.0,
    key: str | Callable[..., Any] | None = None,
    **pauses,
) -> Callable[[F], F]:
    """Allow a record method to be called later: ``records.delayed(…).method(…)`` with arguments that are JSON.

    ``key``: jobs of equal key run one after the other; a text, or a function of the records and of those arguments of
    the method that it names: ``@job(key=lambda self, warehouse_id: f"warehouse:{warehouse_id}")``. What ``delayed()``
    says goes before, also ``key=False``: none.

    With ``batch`` above 1, neighbouring jobs with equal arguments are run as one call on their united records.
    Where their journeys differ, no correlation id is in the context;
    ``dist_correlation_ids`` there has one per record id.
    """
    return _decorate(HandlerSpec("job", "", lane, batch, max_attempts, timeout, key=key, **pauses))


def checkpoint(env: Any) -> None:
    """A safe point of a long job: it may be stopped here, between two steps, rather than wherever it stands.

    Nothing happens where no worker runs the job. Let the exception pass: the engine undoes the work and settles the
    job.

    :raises JobCancelled: somebody cancelled the job
    :raises JobTimeout: its time is up
    """
    if (mine := hand.current()) is not None:
        mine.check()


def progress(env: Any, done: int, total: int = 0, text: str = "") -> None:
    """Tell the screens how far a job is: ``done`` of ``total`` (0: unknown) steps, and a word about it.

    Cheap enough for every step: the worker publishes the latest a few times a second, outside the job's transaction.
    A safe point as well (see :func:`checkpoint`).
    """
    if (mine := hand.current()) is not None:
        mine.report(done, total, text)
        mine.check()
