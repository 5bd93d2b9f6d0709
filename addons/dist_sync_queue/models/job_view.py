# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What only the screens of jobs and journeys need."""

from __future__ import annotations

from typing import Any

from odoo import api, models
from odoo.exceptions import UserError


class DistJob(models.Model):
    _inherit = "dist.job"

    def action_open_journey(self) -> dict[str, Any]:
        """Everything that happened under this correlation id."""
        self.ensure_one()
        return self.env["dist.journey.step"].open_action(self.correlation_id)

    def action_open_record(self) -> dict[str, Any]:
        """The record this job works on."""
        self.ensure_one()
        if not self.res_id or self.res_model not in self.env:
            raise UserError(self.env._("This job belongs to no record."))
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "view_mode": "form",
        }


class DistDeadLetter(models.Model):
    _inherit = "dist.dead.letter"

    def action_open_journey(self) -> dict[str, Any]:
        """Everything that happened under this correlation id."""
        self.ensure_one()
        return self.env["dist.journey.step"].open_action(self.correlation_id)


class DistJourneyStep(models.Model):
    _inherit = "dist.journey.step"

    @api.model
    def open_action(self, correlation_id: str | None) -> dict[str, Any]:
        """Small screens get cards instead of a table."""
        return {**super().open_action(correlation_id), "view_mode": "list,kanban", "mobile_view_mode": "kanban"}
