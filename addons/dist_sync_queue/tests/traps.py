# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What was enqueued, emitted and marked while a trap was open; see ``common.py``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..engine import claim, maintain
from ..engine.batch import Batches
from ..engine.execute import Report

ASIDE = datetime(9998, 1, 1)
"""Jobs that are not to be run yet."""


class Trap:
    """What was enqueued while it was open. ``rows`` are the values, ``jobs`` the records."""

    def __init__(self, env: Any) -> None:
        self.env, self.rows, self.jobs = env, [], env["dist.job"]

    def enqueued(self, records: Any, method: str) -> list[dict[str, Any]]:
        """The jobs that will call ``method`` on (at least) ``records``."""
        wanted = set(records.ids)
        return [
            row
            for row in self.rows
            if row["handler"] == f"{records._name}:{method}" and wanted <= set(row["payload"]["ids"])
        ]

    def assert_enqueued(self, records: Any, method: str, count: int = 1, **expected: Any) -> None:
        """``count`` jobs of ``method`` on ``records`` whose values (key, identity, args, …) equal ``expected``."""
        found = self.enqueued(records, method)
        if "args" in expected:
            expected["args"] = tuple(expected["args"])
        matching = [row for row in found if all(row.get(k, row["payload"].get(k)) == v for k, v in expected.items())]
        if len(matching) != count:
            raise AssertionError(
                f"{len(matching)} instead of {count} jobs {records}.{method} with {expected}; enqueued: {self.rows}"
            )

    def assert_count(self, count: int) -> None:
        if len(self.rows) != count:
            raise AssertionError(f"{len(self.rows)} instead of {count} jobs enqueued: {self.rows}")

    def run(self) -> Report:
        """Run the trapped jobs now, each by itself, in the order they were enqueued; those with a later time, too.

        One that fails goes back or dies as it would anywhere. What they enqueue is left for ``run_jobs``.
        """
        report = Report()
        cr = self.env.cr
        self.env.flush_all()
        for id_ in sorted(self.jobs.ids):
            cr.execute("UPDATE dist_job SET eta = %s WHERE state = 'pending' AND eta IS NULL", (ASIDE,))
            cr.execute("UPDATE dist_job SET eta = NULL WHERE state = 'pending' AND id = %s", (id_,))
            for group in claim.ready_groups(cr):
                if group.source != "marks":
                    ran = Batches(self.env.registry, budget=3600.0).run_in(cr, group)
                    report.done, report.retried, report.dead = (
                        report.done + ran.done,
                        report.retried + ran.retried,
                        report.dead + ran.dead,
                    )
            cr.execute("SELECT 1 FROM dist_job WHERE id = %s AND state = 'pending' AND eta IS NULL", (id_,))
            if cr.fetchone():
                raise AssertionError(f"job {id_} cannot run: it is paused, or waits for an earlier one of its key")
            maintain.sweep(cr, recurring=False)
        cr.execute("UPDATE dist_job SET eta = NULL WHERE state = 'pending' AND eta = %s", (ASIDE,))
        self.env.invalidate_all()
        return report


class EventTrap:
    """What was emitted and marked dirty while it was open: ``events`` are outbox events, ``marks`` are
    ``(connection id, type, key)``. Read from the tables, so what SQL wrote is there as well."""

    def __init__(self, env: Any) -> None:
        self.env = env
        self._since = {table: self._last(table) for table in ("dist_outbox_event", "dist_dirty_mark")}
        self._closed: tuple[Any, set[tuple[int, str, str]]] | None = None

    def _last(self, table: str) -> int:
        self.env.flush_all()
        self.env.cr.execute(f"SELECT COALESCE(max(id), 0) FROM {table}")
        return self.env.cr.fetchone()[0]

    def close(self) -> None:
        """Keep what is there now: the engine takes marks away when it computes their values."""
        self._closed = self.events, self.marks

    @property
    def events(self) -> Any:
        if self._closed:
            return self._closed[0]
        return self.env["dist.outbox.event"].sudo().search([("id", ">", self._since["dist_outbox_event"])], order="id")

    @property
    def marks(self) -> set[tuple[int, str, str]]:
        if self._closed:
            return self._closed[1]
        self.env.cr.execute(
            "SELECT connection_id, type, key FROM dist_dirty_mark WHERE id > %s", (self._since["dist_dirty_mark"],)
        )
        return set(self.env.cr.fetchall())

    def emitted(self, connection: Any, event_type: str) -> Any:
        """The events of a type that were emitted to ``connection``."""
        return self.events.filtered(lambda event: event.connection_id == connection and event.type == event_type)

    def assert_emitted(self, connection: Any, event_type: str, count: int = 1, **expected: Any) -> None:
        """``count`` events whose values (key, priority, …) or parts of the payload equal ``expected``."""

        def value(event: Any, name: str) -> Any:
            return event[name] if name in event._fields else event.payload.get(name)

        found = self.emitted(connection, event_type)
        matching = [event for event in found if all(value(event, k) == v for k, v in expected.items())]
        if len(matching) != count:
            told = [(event.connection_id.id, event.type, event.key, event.payload) for event in self.events]
            raise AssertionError(f"{len(matching)} instead of {count} {event_type} with {expected}; emitted: {told}")

    def assert_marked(self, connection: Any, event_type: str, *keys: str) -> None:
        """These keys of a type were marked for ``connection``, and no others; none given: nothing was marked."""
        marked = {key for id_, type_, key in self.marks if (id_, type_) == (connection.id, event_type)}
        if marked != set(keys):
            raise AssertionError(f"{sorted(marked)} instead of {sorted(keys)} of {event_type} marked: {self.marks}")
