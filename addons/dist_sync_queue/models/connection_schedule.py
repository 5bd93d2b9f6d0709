# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""When a connection is asked for news, and how far it was read."""

from __future__ import annotations

from typing import Any

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..api import job
from ..engine.timing import BadTiming, Timing, jitter_offset, parse
from .timing import notification

DEFAULT_INTERVAL = 60
"""Seconds between two pulls unless set otherwise."""
WHEN = {"timing", "interval_seconds", "cron", "tz", "jitter_seconds"}
"""What decides when the next run is."""


class DistConnectionSchedule(models.Model):
    """One pull capability of one connection. The relay claims due rows with ``dist_relay.claim_pulls``.

    When the next run is after a run has ended is decided in SQL (``dist_relay._planned``), so that pulls go on while
    Odoo is down; ``cron_fields`` tells it what the cron expression means.
    """

    _name = "dist.connection.schedule"
    _inherit = ["dist.timing"]
    _description = "Connection Schedule"
    _order = "connection_id, capability"
    _rec_name = "capability"

    connection_id = fields.Many2one("dist.connection", required=True, readonly=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="connection_id.company_id")
    capability = fields.Char(required=True, readonly=True)
    active = fields.Boolean(default=True)
    interval_seconds = fields.Integer(string="Every (seconds)", required=True, default=DEFAULT_INTERVAL)
    cron_fields = fields.Json(compute="_compute_cron_fields", store=True)
    catch_up = fields.Selection(
        [("once", "Pull as soon as possible"), ("skip", "Wait for the next time")],
        string="After Downtime",
        default="once",
        help="What becomes of a pull at a certain time that passed while the relay did not run.",
    )
    timeout_seconds = fields.Integer(
        string="Given Up After (seconds)",
        required=True,
        default=900,
        help="A run that has not ended by then is asked again with the old cursor.",
    )
    next_run_at = fields.Datetime(string="Next Run", default=fields.Datetime.now)
    pull_asked_at = fields.Datetime(
        string="Asked For",
        readonly=True,
        copy=False,
        help="Somebody asked for a pull. In the future where that could not be made, and is tried again then.",
    )
    cursor = fields.Json(help="How far the outside was read; moves only when all that was read is stored.")
    run_id = fields.Char(readonly=True, copy=False)
    run_started_at = fields.Datetime(readonly=True, copy=False)
    run_deadline = fields.Datetime(readonly=True, copy=False)
    last_run_at = fields.Datetime(string="Last Run", readonly=True, copy=False)
    last_success_at = fields.Datetime(string="Last Success", readonly=True, copy=False)
    last_result = fields.Char(readonly=True, copy=False)
    last_count = fields.Integer(string="Events of Last Run", readonly=True, copy=False)
    failures = fields.Integer(string="Failures in a Row", readonly=True, copy=False)
    status = fields.Selection(
        [
            ("running", "Running"),
            ("asked", "Asked for"),
            ("failing", "Failing"),
            ("ok", "OK"),
            ("paused", "Paused"),
            ("new", "Not run yet"),
        ],
        compute="_compute_status",
    )

    _connection_capability = models.UniqueIndex("(connection_id, capability)")
    _due = models.Index("(next_run_at) WHERE active")
    _interval_positive = models.Constraint(
        "CHECK (interval_seconds >= 5 AND timeout_seconds >= 30)",
        "A connection is asked at most every 5 seconds, and a run is given at least 30 seconds.",
    )

    @api.depends("timing", "cron")
    def _compute_cron_fields(self) -> None:
        for schedule in self:
            try:
                schedule.cron_fields = parse(schedule.cron or "") if schedule._is_cron() else False
            except BadTiming:  # refused by the constraint
                schedule.cron_fields = False

    @api.depends("run_id", "pull_asked_at", "failures", "last_result", "active")
    def _compute_status(self) -> None:
        for schedule in self:
            if schedule.run_id:
                schedule.status = "running"
            elif schedule.pull_asked_at:
                schedule.status = "asked"
            elif not schedule.active:
                schedule.status = "paused"
            elif not schedule.last_result:
                schedule.status = "new"
            else:
                schedule.status = "ok" if schedule.last_result == "ok" else "failing"

    def _interval(self) -> int:
        return self.interval_seconds

    @api.depends("interval_seconds")
    def _compute_timing_text(self) -> None:
        return super()._compute_timing_text()

    def _timing(self) -> Timing:
        if not self._is_cron():
            return Timing(interval=self.interval_seconds)
        name = f"{self.connection_id.id}/{self.capability}"  # as dist_relay._planned
        return Timing(cron=self.cron, tz=self.tz or "UTC", offset=jitter_offset(name, self.jitter_seconds))

    @api.constrains("tz", "timing")
    def _check_tz(self) -> None:
        """PostgreSQL has to know the time zone, as it is PostgreSQL that obeys it."""
        for schedule in self.filtered(lambda s: s._is_cron() and s.tz):
            self.env.cr.execute("SELECT 1 FROM pg_timezone_names WHERE name = %s", (schedule.tz,))
            if not self.env.cr.fetchone():
                raise ValidationError(self.env._("PostgreSQL does not know the time zone %s.", schedule.tz))

    def write(self, vals: dict[str, Any]) -> bool:
        if vals.get("active") is False:
            vals = {**vals, "pull_asked_at": False}
        resumed = self.filtered(lambda s: not s.active) if vals.get("active") else self.browse()
        res = super().write(vals)
        if "next_run_at" not in vals:
            (self if WHEN & vals.keys() else resumed)._plan_anew()
        return res

    def _plan_anew(self) -> None:
        """The timing was changed: plan the next run by it; one that was planned earlier than the new interval stays."""
        now = fields.Datetime.now()
        for schedule in self:
            planned = schedule._timing().after(now)
            # after a pause the old plan has passed: then an interval is due at once, which is what is wanted
            if not schedule._is_cron() and schedule.next_run_at:
                planned = min(planned, schedule.next_run_at)
            super(DistConnectionSchedule, schedule).write({"next_run_at": planned})

    def action_pull_now(self) -> dict[str, Any]:
        """Have these pulled at once, also when paused; one under way is not disturbed, and followed by another."""
        for schedule in self:
            if schedule.connection_id.state != "active":
                raise UserError(
                    self.env._("%s is not active; activate it before pulling.", schedule.connection_id.display_name)
                )
        self._ask()
        if not self:
            return notification(self.env, self.env._("There is nothing to pull: no schedule is active."), "warning")
        running = self.filtered("run_id")
        if running:
            message = self.env._("Asked for; what is being pulled at this moment ends first.")
        else:
            message = self.env._("Asked for: %s", ", ".join(self.mapped("capability")))
        return notification(self.env, message)

    def _ask(self) -> None:
        """Make these due at once. With PostgreSQL's clock, which knows whether a run under way began before."""
        self.check_access("write")
        self.flush_recordset()
        self.env.cr.execute(
            """UPDATE dist_connection_schedule SET pull_asked_at = clock_timestamp() AT TIME ZONE 'UTC'
                WHERE id = ANY(%s)""",
            (self.ids,),
        )
        self.invalidate_recordset(["pull_asked_at", "status"])

    def action_pause(self) -> dict[str, Any]:
        """Pull no more by schedule; what is under way ends."""
        self.write({"active": False})
        return notification(self.env, self.env._("Paused. “Pull now” still works."))

    def action_resume(self) -> dict[str, Any]:
        """Go on by schedule."""
        self.write({"active": True})
        return notification(self.env, self.env._("Goes on: %s.", self[:1].timing_text))

    def action_reset_cursor(self) -> bool:
        """Read from the start again; what is known already is recognised and not made twice."""
        self.check_access("write")
        self.write({"cursor": False, "run_id": False, "run_deadline": False})
        self._ask()
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
                    "%(connection)s: %(capability)s fails",
                    connection=connection.name,
                    capability=schedule.capability_name,
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
