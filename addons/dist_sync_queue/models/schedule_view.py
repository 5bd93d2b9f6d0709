# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What only the screens of job schedules need: how the last run went, and its history."""

from __future__ import annotations

from typing import Any

from odoo import api, fields, models
from odoo.exceptions import UserError

from .audit import reasons


class DistSchedule(models.Model):
    _inherit = "dist.schedule"

    last_state = fields.Selection(
        [
            ("never", "Not run yet"),
            ("waiting", "Waiting"),
            ("running", "Running"),
            ("again", "Failed, tried again"),
            ("done", "Done"),
            ("failed", "Failed"),
            ("cancelled", "Cancelled"),
        ],
        string="Last Result",
        compute="_compute_last_state",
    )
    last_message = fields.Text("Last Error", compute="_compute_last_state")
    last_seconds = fields.Float("Last Run Took (seconds)", compute="_compute_last_state")
    failed_count = fields.Integer("Failed Runs", compute="_compute_failed_count")

    @api.depends("last_job")
    def _compute_last_state(self) -> None:
        """Of the last job; one that retention took away was good, as failed ones stay."""
        own = [("id", "in", self.mapped("last_job")), ("res_model", "=", self._name), ("res_id", "in", self.ids)]
        jobs = {job.id: job for job in self.env["dist.job"].sudo().search(own)}
        self.env.cr.execute("SELECT DISTINCT jsonb_array_elements_text(job_ids)::int FROM dist_worker_slot")
        running = {row[0] for row in self.env.cr.fetchall()}
        for schedule in self:
            job = jobs.get(schedule.last_job)
            schedule.last_message = job.error_message if job and job.state != "done" else False
            schedule.last_seconds = job.run_seconds if job else 0.0
            if not schedule.last_job:
                schedule.last_state = "never"
            elif not job or job.state == "done":
                schedule.last_state = "done"
            elif job.state in ("dead", "cancelled"):
                schedule.last_state = "failed" if job.state == "dead" else "cancelled"
            elif job.id in running:
                schedule.last_state = "running"
            else:
                schedule.last_state = "again" if job.attempts else "waiting"

    def _last_results(self) -> str:
        """How the last runs ended, for the list of actions."""
        states = dict(self._fields["last_state"]._description_selection(self.env))
        return reasons(
            self.env._("last result: %s", schedule.last_message or states[schedule.last_state]) for schedule in self
        )

    def _compute_failed_count(self) -> None:
        groups = self.env["dist.job"]._read_group(
            [("res_model", "=", self._name), ("res_id", "in", self.ids), ("state", "=", "dead")],
            ["res_id"],
            ["__count"],
        )
        counts = dict(groups)
        for schedule in self:
            schedule.failed_count = counts.get(schedule.id, 0)

    def write(self, vals: dict[str, Any]) -> bool:
        """Also write down who paused or resumed it."""
        self.env["dist.audit"].record_active(self, vals)
        return super().write(vals)

    def action_open_jobs(self) -> dict[str, Any]:
        """The history: all jobs of these schedules."""
        return self._open_jobs([])

    def action_open_failed(self) -> dict[str, Any]:
        """The jobs of these schedules that failed for good."""
        return self._open_jobs([("state", "=", "dead")])

    def action_open_last_job(self) -> dict[str, Any]:
        """The job of the last run."""
        self.ensure_one()
        if not self.env["dist.job"].browse(self.last_job).exists():
            raise UserError(self.env._("The job of the last run was removed after its retention."))
        return {
            "type": "ir.actions.act_window",
            "res_model": "dist.job",
            "res_id": self.last_job,
            "view_mode": "form",
        }

    def _open_jobs(self, domain: list) -> dict[str, Any]:
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Runs of %s", self.display_name) if len(self) == 1 else self.env._("Runs"),
            "res_model": "dist.job",
            "view_mode": "list,form",
            "domain": [("res_model", "=", self._name), ("res_id", "in", self.ids), *domain],
            "context": {"create": False},
        }
