# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Test kit for addons that use jobs, events and dirty marks.

Assert what was enqueued, without running it::

    class TestOrders(SyncCase):
        def test_confirm_reserves_later(self):
            with self.trap_jobs() as trap:
                order.action_confirm()
            trap.assert_enqueued(order, "_reserve", key=f"warehouse:{warehouse.id}")

Run what was trapped, in the order it was enqueued, one by one: ``trap.run()``. What goes out, and what was marked::

            with self.trap_events() as trap:
                order.action_refuse()
            trap.assert_emitted(connection, "order.cancel.v1", key="1001", reason="stock")
            trap.assert_marked(connection, "availability.changed.v1", "A-1", "A-2")

Run it as a worker would: batches, savepoints, order per key, retries and dead letters, in the test's transaction::

            job = order.delayed()._reserve()
            self.run_jobs()
            self.assertEqual(job.state, "done")

An event from outside, through the real queue::

            job = self.receive(connection, "order.received.v1", payload, key="1001")
            self.assertEqual(job.state, "done", job.error_message)

A handler for the test only::

            with self.handler("stock.counted.v1", lambda env, items: seen.extend(items), batch=50): ...
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from odoo.tests import TransactionCase, tagged

from ..api import HandlerSpec
from ..engine import claim, maintain
from ..engine.batch import Batches, until_empty
from ..engine.execute import Report
from ..engine.handlers import Handler, override
from .traps import EventTrap, Trap

FAR = datetime(9999, 1, 1)


class SyncKit:
    """The kit as a mixin, for test cases with an ``env`` whose cursor is the test's."""

    env: Any

    @contextmanager
    def trap_jobs(self) -> Iterator[Trap]:
        """Collect what is enqueued (it is stored as well, so that ``run_jobs`` can run it)."""
        trap = Trap(self.env)
        model = type(self.env["dist.job"])
        enqueue = model.enqueue

        def collecting(self: Any, rows: list[dict[str, Any]]) -> Any:
            jobs = enqueue(self, rows)
            trap.rows.extend(rows)
            trap.jobs |= jobs.with_env(trap.env)
            return jobs

        with patch.object(model, "enqueue", collecting):
            yield trap

    @contextmanager
    def trap_events(self) -> Iterator[EventTrap]:
        """See what is emitted to the outbox and marked dirty (it is stored as well)."""
        trap = EventTrap(self.env)
        yield trap
        trap.close()

    def run_jobs(self, *, later: bool = False, seconds: float = 60.0) -> Report:
        """Run what is ready, in order, until nothing is; ``later``: what waits for its time, too (once)."""
        return run_jobs(self.env, later=later, seconds=seconds)

    def receive(
        self, connection: Any, event_type: str, payload: Any, key: str | None = None, *, run: bool = True, **values: Any
    ) -> Any:
        """Put an event into the queue as the relay does, run the queue, and return the job."""
        job = put_event(self.env, connection, event_type, payload, key, **values)
        if run:
            self.run_jobs()
        return job

    @contextmanager
    def handler(self, name: str, target: Callable[..., Any], kind: str = "event", **options: Any) -> Iterator[None]:
        """A handler for the test only: ``target(env, items)``; ``kind`` "dirty": ``target(env, connection, keys)``."""
        with override(Handler(name, HandlerSpec(kind, name, **options), (target,))):
            yield


def run_jobs(env: Any, *, later: bool = False, seconds: float = 60.0) -> Report:
    """See :meth:`SyncKit.run_jobs`."""
    env.flush_all()
    if later:
        maintain.wake_due(env.cr, FAR)
    maintain.sweep(env.cr, recurring=False)
    batches = Batches(env.registry, budget=3600.0)

    def run_group(group: claim.Group) -> Report:
        report = batches.run_in(env.cr, group)
        maintain.sweep(env.cr, recurring=False)
        return report

    report = until_empty(lambda: claim.ready_groups(env.cr), run_group, seconds)
    env.invalidate_all()
    return report


def put_event(env: Any, connection: Any, event_type: str, payload: Any, key: str | None = None, **values: Any) -> Any:
    """A job as ``dist_relay.intake`` makes it. ``payload``: a contract or its JSON."""
    env.flush_all()
    data = payload.model_dump(mode="json") if hasattr(payload, "model_dump") else payload
    row = {
        "handler": event_type,
        "payload": json.dumps(data),
        "connection_id": connection.id or None,
        "company_id": connection.company_id.id or None,
        "key": key,
        "occurred_at": datetime.now() - timedelta(seconds=1),
        **values,
    }
    columns = ", ".join(row)
    env.cr.execute(
        f"INSERT INTO dist_job ({columns}) VALUES ({', '.join(['%s'] * len(row))}) RETURNING id", list(row.values())
    )
    return env["dist.job"].browse(env.cr.fetchone()[0])


@tagged("post_install", "-at_install")
class SyncCase(SyncKit, TransactionCase):
    """A test case with the kit; everything is rolled back after each test."""
