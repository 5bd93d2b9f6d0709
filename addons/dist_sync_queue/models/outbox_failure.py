# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What became of outgoing events: failures are somebody's business."""

from __future__ import annotations

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
        for event in self.sudo().search([("event_id", "in", names)], order="id"):
            if event.state in ("rejected", "dead"):
                event._report_exception()
            elif event.state == "delivered":
                event._settle_exceptions()

    def _exception_record(self) -> models.Model:
        """The business record if there is one, else the event itself."""
        self.ensure_one()
        if self.res_model in self.env and self.res_id:
            record = self.env[self.res_model].browse(self.res_id).exists()
            if record:
                return record
        return self

    def _report_exception(self) -> None:
        dead = self.state == "dead"
        self.env["dist.exception"].with_context(dist_correlation_id=self.correlation_id).report(
            f"outbox.{self.type}",
            self._exception_record(),
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
        for event in self:
            self.env["dist.exception"].settle(f"outbox.{event.type}", event._exception_record(), event.connection_id)

    def _dist_retry_exception(self, kind: str) -> bool:
        """Button "Retry" of an exception about this event."""
        self.sudo().filtered(lambda event: event.state in ("dead", "rejected"))._replay()
        return True
