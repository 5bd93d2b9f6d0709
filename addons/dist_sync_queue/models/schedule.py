# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Recurring jobs inside Odoo. The schedules of connections are in ``connection_schedule.py``."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from odoo import api, fields, models
from odoo.exceptions import AccessError, ConcurrencyError, UserError, ValidationError

from ..engine import schedules
from ..engine.handlers import UnknownHandler, resolve
from ..engine.timing import UNITS, Timing
from .timing import notification

TARGET = {"handler", "domain", "arguments", "company_id"}
"""What a schedule does, with all rights: not a question of timing, so for those only who may do anything."""


class DistSchedule(models.Model):
    """Makes a job again and again. Claimed by the engine (``engine/schedules.py``), by workers and the cron fallback.

    A schedule that an addon ships (see ``recurring.py``) has an external id of that addon: it goes with it.
    """

    _name = "dist.schedule"
    _inherit = ["dist.timing"]
    _description = "Job Schedule"
    _order = "name, id"

    name = fields.Char(required=True)
    active = fields.Boolean(default=True, copy=False, help="A paused schedule makes no job by itself.")
    company_id = fields.Many2one("res.company", help="The company the job works in; none: the job's own choice.")
    handler = fields.Char(
        required=True,
        help="A method that code allows as a job: 'model:method', such as 'dist.availability:_reconcile'.",
    )
    domain = fields.Char(help="Of the records the method is called on, searched when the job runs. Empty: on none.")
    arguments = fields.Json("Stored Arguments")
    arguments_text = fields.Char(
        "Arguments",
        compute="_compute_arguments_text",
        inverse="_inverse_arguments_text",
        help='Named arguments of the method, as JSON: {"days": 7}',
    )
    lane = fields.Char(compute="_compute_lane", store=True, help="Of the method; decided by its code.")
    priority = fields.Integer(default=5, required=True, help="0 is served first, 9 last.")
    timing = fields.Selection(required=True)
    interval_number = fields.Integer("Every", default=1, required=True)
    interval_unit = fields.Selection(
        [
            ("seconds", "Seconds"),
            ("minutes", "Minutes"),
            ("hours", "Hours"),
            ("days", "Days"),
            ("weeks", "Weeks"),
        ],
        "Unit",
        default="hours",
        required=True,
    )
    catch_up = fields.Selection(
        [("once", "Once for all of them"), ("skip", "Not at all"), ("all", "Each of them, in order")],
        "After Downtime",
        default="once",
        required=True,
        help="What becomes of runs that were missed. 'Each of them' makes up for the newest 100, one after the other.",
    )
    overlap = fields.Boolean(
        "May Overlap", help="Start a run while the one before is not over. Otherwise it is left out and counted."
    )
    next_run_at = fields.Datetime("Next Run", compute="_compute_next_run_at", store=True, readonly=False, copy=False)
    last_run_at = fields.Datetime("Last Run", readonly=True, copy=False)
    last_job = fields.Integer(readonly=True, copy=False, aggregator=None)
    run_count = fields.Integer("Runs Made", readonly=True, copy=False)
    skipped_count = fields.Integer(
        "Left Out", readonly=True, copy=False, help="Runs not made, as the one before was not over."
    )
    missed_count = fields.Integer("Missed", readonly=True, copy=False, help="Runs not made, as nobody was there.")
    declared = fields.Json(readonly=True, copy=False, help="Timing as its addon ships it.")
    module = fields.Char("Shipped With", readonly=True, copy=False)

    _due = models.Index("(next_run_at) WHERE active")
    _interval_positive = models.Constraint("CHECK (interval_number > 0)", "The interval is at least 1.")
    _priority_bounds = models.Constraint("CHECK (priority BETWEEN 0 AND 9)", "The priority is 0 to 9.")

    def init(self) -> None:
        """The history of a schedule are its jobs; whether one is open is asked at each run."""
        self.env.cr.execute(
            """CREATE INDEX IF NOT EXISTS dist_job_schedule_idx ON dist_job (res_id, id)
                   WHERE res_model = 'dist.schedule';
               CREATE INDEX IF NOT EXISTS dist_job_schedule_open_idx ON dist_job (res_id)
                   WHERE res_model = 'dist.schedule' AND state IN ('pending', 'waiting', 'parked')"""
        )

    # -- timing --------------------------------------------------------------------------------------------------------
    def _interval(self) -> int:
        return self.interval_number * UNITS[self.interval_unit] if self.interval_unit else 0

    def _timing(self) -> Timing:
        return schedules.timing_of(self)

    @api.depends("interval_number", "interval_unit")
    def _compute_timing_text(self) -> None:
        return super()._compute_timing_text()

    @api.depends("timing", "interval_number", "interval_unit", "cron", "tz", "jitter_seconds", "active")
    def _compute_next_run_at(self) -> None:
        """Planned anew when the timing was changed, and after a pause: what passed meanwhile was not wanted."""
        now = fields.Datetime.now()
        for schedule in self:
            if not schedule.active:
                schedule.next_run_at = schedule.next_run_at
                continue
            try:
                timing = schedule._timing()
                spread = timedelta(0) if timing.cron else timedelta(seconds=timing.offset)
                schedule.next_run_at = timing.after(now) + spread
            except (ValueError, KeyError):  # still being typed, or refused by the constraint
                schedule.next_run_at = False

    # -- what it does --------------------------------------------------------------------------------------------------
    @api.depends("handler")
    def _compute_lane(self) -> None:
        for schedule in self:
            try:
                schedule.lane = resolve(self.env.registry, schedule.handler or "").lane
            except UnknownHandler:
                schedule.lane = False

    @api.depends("arguments")
    def _compute_arguments_text(self) -> None:
        for schedule in self:
            schedule.arguments_text = json.dumps(schedule.arguments) if schedule.arguments else False

    def _inverse_arguments_text(self) -> None:
        for schedule in self:
            try:
                schedule.arguments = json.loads(schedule.arguments_text) if schedule.arguments_text else False
            except ValueError as error:
                raise ValidationError(self.env._("The arguments are no JSON: %s", error)) from None

    @api.constrains("handler", "domain", "arguments")
    def _check_target(self) -> None:
        for schedule in self:
            try:
                handler = resolve(self.env.registry, schedule.handler)
            except UnknownHandler as error:
                raise ValidationError(str(error)) from None
            if handler.kind != "job":
                raise ValidationError(self.env._("%s handles events; a schedule runs a @job method.", handler.name))
            if schedule.arguments and not isinstance(schedule.arguments, dict):
                raise ValidationError(self.env._('The arguments are named: {"name": value}.'))
            if schedule.domain:
                try:
                    model = schedule.handler.partition(":")[0]
                    self.env[model].sudo().search(schedules.eval_domain(schedule.domain), limit=1)
                except Exception as error:
                    raise ValidationError(self.env._("The domain cannot be used: %s", error)) from None

    @api.model_create_multi
    def create(self, vals_list: list[dict[str, Any]]) -> DistSchedule:
        self._check_may_set_target()
        return super().create(vals_list)

    def write(self, vals: dict[str, Any]) -> bool:
        if TARGET & vals.keys():
            self._check_may_set_target()
            if not self.env.su and any(self.mapped("module")):
                raise UserError(self.env._("What this schedule does is decided by its addon; copy it to change that."))
        return super().write(vals)

    def _check_may_set_target(self) -> None:
        if not self.env.su and not self.env.user.has_group("base.group_system"):
            raise AccessError(self.env._("What a schedule runs is set by administrators; its timing by managers."))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_shipped(self) -> None:
        if any(self.mapped("module")) and not self.env.su:
            raise UserError(self.env._("An addon ships this schedule and would make it again; pause it instead."))

    # -- buttons -------------------------------------------------------------------------------------------------------
    def action_run_now(self) -> dict[str, Any]:
        """Make a job now, also when paused; the plan stays as it is. One that is not over is not joined by another.

        :raises ConcurrencyError: when the engine starts it at this very moment (the request is tried again)
        """
        self.check_access("write")
        self.flush_recordset()
        rows = schedules.read(self.env.cr, self.ids)
        free = [row for row in rows if row.overlap or row.catch_up == "all" or not row.open]
        made = schedules.start(
            self.env.cr,
            [schedules.Start(row, [row.now], row.next_run_at) for row in free if self._resolved(row.handler)],
        )
        if len(made) < len(free):
            raise ConcurrencyError(self.env._("A schedule is being started at this moment."))
        self.invalidate_recordset()
        if started := self.browse(made):
            self.env["dist.audit"].record("run", started, lambda those: those._last_results())
        from ..doorbell import ring

        ring(self.env.cr, "dist_job")
        if not free:
            return notification(self.env, self.env._("It runs already; it is not started twice."), "warning")
        return notification(self.env, self.env._("Started. The job runs as soon as a worker is free."))

    def _resolved(self, handler: str) -> bool:
        """:raises UserError: where no installed addon has the method"""
        try:
            return bool(resolve(self.env.registry, handler))
        except UnknownHandler as error:
            raise UserError(str(error)) from None

    def action_pause(self) -> dict[str, Any]:
        """Make no more jobs; one under way ends."""
        self.write({"active": False})
        return notification(self.env, self.env._("Paused. “Run now” still works."))

    def action_resume(self) -> dict[str, Any]:
        """Go on; what passed during the pause is not made up for."""
        self.write({"active": True})
        return notification(self.env, self.env._("Goes on: %s.", self[:1].timing_text))
