# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Figures of the overview: how each connection fares, read for all of them with one query per table."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from odoo import api, fields, models

LATE_SECONDS = 600
"""An event waiting longer than this makes the connection yellow."""
RED, YELLOW, GREEN, GREY = 1, 3, 10, 0


class DistConnection(models.Model):
    """Health and figures of a connection; nothing is stored."""

    _inherit = "dist.connection"

    breaker_state = fields.Selection(
        [("closed", "Closed"), ("half_open", "Half open"), ("open", "Open")], compute="_compute_health_row"
    )
    last_success_at = fields.Datetime(compute="_compute_health_row")
    last_error = fields.Text(compute="_compute_health_row")
    last_error_at = fields.Datetime(compute="_compute_health_row")
    breaker_message = fields.Text(compute="_compute_health_row")
    health = fields.Selection(
        [("unknown", "Not started"), ("ok", "Healthy"), ("warning", "Warning"), ("error", "Error")],
        compute="_compute_health",
    )
    health_message = fields.Text(compute="_compute_health")
    health_color = fields.Integer(compute="_compute_health")
    today_counts = fields.Json(string="Today", compute="_compute_figures", help="Number of events by type.")
    today_in_count = fields.Integer(string="Received Today", compute="_compute_figures")
    today_out_count = fields.Integer(string="Sent Today", compute="_compute_figures")
    pending_count = fields.Integer(string="Waiting", compute="_compute_figures")
    in_flight_count = fields.Integer(string="Under Way", compute="_compute_figures")
    dead_count = fields.Integer(string="Dead Letters", compute="_compute_figures")
    exception_count = fields.Integer(string="Needs Attention", compute="_compute_figures")
    oldest_pending_seconds = fields.Integer(string="Lag (seconds)", compute="_compute_figures")

    def _compute_health_row(self) -> None:
        rows = {row.connection_id.id: row for row in self.env["dist.connection.health"].sudo().search(self._of_these())}
        for connection in self:
            row = rows.get(connection.id, self.env["dist.connection.health"])
            connection.breaker_state = row.breaker_state or "closed"
            connection.breaker_message = row.message
            connection.last_success_at = row.last_success_at
            connection.last_error = row.last_error
            connection.last_error_at = row.last_error_at

    def _of_these(self) -> list:
        return [("connection_id", "in", self.ids)]

    @api.depends("state", "check_state", "credentials_state")
    @api.depends_context("tz")
    def _compute_health(self) -> None:
        is_copy = self.env["dist.relay"].is_copy()
        colors = {"error": RED, "warning": YELLOW, "ok": GREEN, "unknown": GREY}
        for connection in self:
            connection.health, connection.health_message = connection._health(is_copy)
            connection.health_color = colors[connection.health]

    def _health(self, is_copy: bool) -> tuple[str, str | bool]:
        """(health, message) of one connection, the most pressing reason first."""
        _ = self.env._
        if is_copy:
            return "error", _("This database is a copy: nothing is sent until it is confirmed under Technical > Relay.")
        if self.credentials_state == "stale":
            return "error", _("The relay has a new key. Enter the credentials again.")
        if self.state == "draft":
            failed = self.check_state == "failed"
            return ("error", self.check_message) if failed else ("unknown", False)
        if self.breaker_state == "open":
            return "error", self.breaker_message or _("Too many failures in a row; the connection is given a rest.")
        if self.state == "paused":
            return "warning", _("Paused")
        if self.dead_count:
            return "error", _("%s events or jobs failed for good.", self.dead_count)
        failing = self.schedule_ids.filtered(lambda schedule: schedule.failures >= 3)
        if failing:
            return "error", failing[0].last_result
        if self.oldest_pending_seconds > LATE_SECONDS:
            return "warning", _("Events wait for %s minutes.", self.oldest_pending_seconds // 60)
        if self.breaker_state == "half_open":
            return "warning", self.breaker_message or _("Being tried again after failures.")
        if self.last_error_at and self.last_error_at > (self.last_success_at or self.last_error_at - timedelta(1)):
            return "warning", self.last_error
        return ("ok", False) if self.last_success_at else ("unknown", False)

    def _compute_figures(self) -> None:
        today = self._start_of_today()
        figures: dict[int, dict[str, Any]] = {connection.id: {"counts": {}} for connection in self}
        outbox, jobs = self.env["dist.outbox.event"].sudo(), self.env["dist.job"].sudo()
        self._add(figures, outbox, "out", [("settled_at", ">=", today), ("state", "=", "delivered")], "type")
        self._add(figures, jobs, "in", [("created_at", ">=", today), ("event_id", "!=", False)], "handler")
        self._add(figures, outbox, "pending", [("state", "=", "pending")])
        self._add(figures, outbox, "in_flight", [("state", "in", ("published", "unknown"))])
        self._add(figures, outbox, "dead", [("state", "=", "dead")])
        self._add(figures, jobs, "dead", [("state", "=", "dead")])
        self._add(figures, self.env["dist.dead.letter"].sudo(), "dead", [("state", "=", "open")])
        self._add(figures, self.env["dist.exception"].sudo(), "exception", [("state", "=", "open")])
        oldest = outbox._read_group(
            [*self._of_these(), ("state", "=", "pending")], ["connection_id"], ["occurred_at:min"]
        )
        ages = {connection.id: (fields.Datetime.now() - at).total_seconds() for connection, at in oldest}
        for connection in self:
            mine = figures.get(connection.id, {"counts": {}})
            connection.today_counts = mine["counts"]
            connection.today_out_count = mine.get("out", 0)
            connection.today_in_count = mine.get("in", 0)
            connection.pending_count = mine.get("pending", 0)
            connection.in_flight_count = mine.get("in_flight", 0)
            connection.dead_count = mine.get("dead", 0)
            connection.exception_count = mine.get("exception", 0)
            connection.oldest_pending_seconds = max(0, int(ages.get(connection.id, 0)))

    def _add(
        self, figures: dict[int, dict[str, Any]], model: models.Model, name: str, domain: list, by: str | None = None
    ) -> None:
        """Count ``model``'s records per connection into ``figures``; ``by`` also counts them per event type."""
        for connection, *kind, count in model._read_group(
            [*self._of_these(), *domain], ["connection_id", by] if by else ["connection_id"], ["__count"]
        ):
            if kind and kind[0].endswith("#outcome"):
                continue
            mine = figures[connection.id]
            mine[name] = mine.get(name, 0) + count
            if kind:
                mine["counts"][kind[0]] = mine["counts"].get(kind[0], 0) + count

    def _start_of_today(self) -> Any:
        """Midnight of the user's time zone, in UTC."""
        local = fields.Datetime.context_timestamp(self, fields.Datetime.now())
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        return fields.Datetime.now() - (local - midnight)

    def _action_of(self, model: str, name: str, domain: list) -> dict[str, Any]:
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": model,
            "view_mode": "list,form",
            "domain": [("connection_id", "=", self.id), *domain],
            "context": {"default_connection_id": self.id},
        }

    def action_open_exceptions(self) -> dict[str, Any]:
        """What needs attention on this connection."""
        return self._action_of("dist.exception", self.env._("Needs Attention"), [("state", "=", "open")])

    def action_open_outbox(self) -> dict[str, Any]:
        """The events of this connection that are not settled."""
        unsettled = ("pending", "published", "unknown")
        return self._action_of("dist.outbox.event", self.env._("Outbox"), [("state", "in", unsettled)])

    def action_open_dead(self) -> dict[str, Any]:
        """The events of this connection that failed."""
        return self._action_of(
            "dist.outbox.event", self.env._("Failed Events"), [("state", "in", ("dead", "rejected"))]
        )

    def action_open_jobs(self) -> dict[str, Any]:
        """The jobs of this connection that are not done."""
        return self._action_of("dist.job", self.env._("Jobs"), [("state", "in", ("pending", "parked", "dead"))])
