# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""When a connection is asked for news, and how far it was read."""

from __future__ import annotations

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..api import job

DEFAULT_INTERVAL = 60
"""Seconds between two pulls unless set otherwise."""


class DistConnectionSchedule(models.Model):
    """One pull capability of one connection. The relay claims due rows with ``dist_relay.claim_pulls``."""

    _name = "dist.connection.schedule"
    _description = "Connection Schedule"
    _order = "connection_id, capability"
    _rec_name = "capability"

    connection_id = fields.Many2one("dist.connection", required=True, readonly=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="connection_id.company_id")
    capability = fields.Char(required=True, readonly=True)
    active = fields.Boolean(default=True)
    interval_seconds = fields.Integer(string="Every (seconds)", required=True, default=DEFAULT_INTERVAL)
    timeout_seconds = fields.Integer(
        string="Given Up After (seconds)",
        required=True,
        default=900,
        help="A run that has not ended by then is asked again with the old cursor.",
    )
    next_run_at = fields.Datetime(string="Next Run", default=fields.Datetime.now)
    cursor = fields.Json(help="How far the outside was read; moves only when all that was read is stored.")
    run_id = fields.Char(readonly=True, copy=False)
    run_started_at = fields.Datetime(readonly=True, copy=False)
    run_deadline = fields.Datetime(readonly=True, copy=False)
    last_run_at = fields.Datetime(string="Last Run", readonly=True, copy=False)
    last_success_at = fields.Datetime(string="Last Success", readonly=True, copy=False)
    last_result = fields.Char(readonly=True, copy=False)
    last_count = fields.Integer(string="Events of Last Run", readonly=True, copy=False)
    failures = fields.Integer(string="Failures in a Row", readonly=True, copy=False)

    _connection_capability = models.UniqueIndex("(connection_id, capability)")
    _due = models.Index("(next_run_at) WHERE active")
    _interval_positive = models.Constraint(
        "CHECK (interval_seconds >= 5 AND timeout_seconds >= 30)",
        "A connection is asked at most every 5 seconds, and a run is given at least 30 seconds.",
    )

    def action_pull_now(self) -> bool:
        """Make these schedules due at once; a run in flight is not disturbed."""
        for schedule in self:
            if schedule.connection_id.state != "active":
                raise UserError(
                    self.env._("%s is not active; activate it before pulling.", schedule.connection_id.display_name)
                )
        self.write({"next_run_at": fields.Datetime.now()})
        return True

    def action_reset_cursor(self) -> bool:
        """Read from the start again; what is known already is recognised and not made twice."""
        self.check_access("write")
        self.write({"cursor": False, "run_id": False, "run_deadline": False, "next_run_at": fields.Datetime.now()})
        return True

    @job(batch=50)
    def _report(self) -> None:
        """Open the problem of a pull that fails, or close it when the last run was good; queued by the intake."""
        exceptions = self.env["dist.exception"]
        for schedule in self:
            connection = schedule.connection_id
            if schedule.last_result == "ok":
                exceptions.settle("pull.failed", schedule, connection)
                continue
            exceptions.report(
                "pull.failed",
                schedule,
                self.env._(
                    "%(connection)s: %(capability)s fails", connection=connection.name, capability=schedule.capability
                ),
                cause=schedule.last_result,
                fix=self.env._(
                    "Put right what the channel complains about or enter new credentials, then test the connection. "
                    "Nothing is lost meanwhile; reading goes on by itself."
                ),
                connection=connection,
            )

    @api.private
    def ensure_for(self, connections: models.Model) -> None:
        """Create the missing schedules of ``connections``, one per pull capability of their adapter."""
        known = {
            (schedule.connection_id.id, schedule.capability)
            for schedule in self.with_context(active_test=False).search([("connection_id", "in", connections.ids)])
        }
        self.create(
            [
                {"connection_id": connection.id, "capability": capability}
                for connection in connections
                for capability in connection.adapter_id.pull_capabilities()
                if (connection.id, capability) not in known
            ]
        )
