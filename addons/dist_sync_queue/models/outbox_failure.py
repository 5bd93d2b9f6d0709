# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What became of outgoing events: failures are somebody's business."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from odoo import api, models

from dist_contracts import EVENTS, Direction

from ..api import on_outcome
from .connection import CHECK_EVENT


def _on_every_outcome(method: Any) -> Any:
    """Register ``method`` for the outcomes of every outgoing type but the connection check, which answers itself."""
    for name, spec in EVENTS.items():
        if spec.direction is Direction.OUT and name != CHECK_EVENT:
            method = on_outcome(name)(method)
    return method


class DistOutboxEvent(models.Model):
    _inherit = "dist.outbox.event"

    @api.model
    @_on_every_outcome
    def _report_failed(self, items: list[Any]) -> None:
        """Outcome handler of every outgoing type: rejected and dead events get a line in "Needs attention"."""
        names = [(item.payload.get("event") or {}).get("event_id") for item in items]
        found = self.sudo().search([("event_id", "in", names)], order="id")
        # runs of neighbours: a problem that a later event of the same record has solved stays solved, and one that
        # came after it stays open
        for state, run in groupby(found, key=lambda event: event.state):
            if state in ("rejected", "dead"):
                for event in run:
                    event._report_exception()
            elif state == "delivered":
                found.browse(event.id for event in run)._settle_exceptions()

    def _exception_records(self) -> Iterator[models.Model]:
        """What problems of these events are about, one recordset per model: business records, else the events."""
        about_themselves = self.browse()
        for name, events in self.grouped("res_model").items():
            ids = events.mapped("res_id") if name in self.env else []
            records = self.env[name].browse(dict.fromkeys(filter(None, ids))).exists() if any(ids) else ()
            if records:
                yield records
                there = set(records.ids)
                events = events.filtered(lambda event, there=there: event.res_id not in there)
            about_themselves += events
        if about_themselves:
            yield about_themselves

    def _report_exception(self) -> None:
        self.ensure_one()
        dead = self.state == "dead"
        self.env["dist.exception"].with_context(dist_correlation_id=self.correlation_id).report(
            f"outbox.{self.type}",
            *self._exception_records(),
            self.env._("%(type)s for %(key)s failed", type=self.type_name, key=self.key)
            if dead
            else self.env._("%(type)s for %(key)s was rejected", type=self.type_name, key=self.key),
            cause=self.outcome_message or self.outcome_code or "",
            fix=self.env._("Put the cause right, then retry. Later events for %s wait until then.", self.key)
            if dead and self.kind == "fact"
            else self.env._("Put the cause right, then retry."),
            connection=self.connection_id,
            event_id=self.event_id,
        )

    def _settle_exceptions(self) -> None:
        """Close the problems of these events; one search per type, connection and model, for nearly none has any."""
        for (event_type, connection), events in self.grouped(lambda event: (event.type, event.connection_id)).items():
            for records in events._exception_records():
                self.env["dist.exception"].settle(f"outbox.{event_type}", records, connection)

    def _dist_retry_exception(self, kind: str) -> bool:
        """Button "Retry" of an exception about this event."""
        self.sudo().filtered(lambda event: event.state in ("dead", "rejected"))._replay()
        return True
