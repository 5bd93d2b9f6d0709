# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What people ask of jobs. The engine applies it; nobody else writes on a job."""

from __future__ import annotations

from typing import Any

from odoo import api, fields, models


class DistJobRequest(models.Model):
    """One request about one job. It waits while the job runs, and says what became of it: a small audit trail."""

    _name = "dist.job.request"
    _description = "Request about a Job"
    _order = "id desc"
    _rec_name = "action"

    job_id = fields.Many2one("dist.job", required=True, readonly=True, index=True, ondelete="cascade")
    action = fields.Selection(
        [("requeue", "Run again"), ("cancel", "Cancel"), ("priority", "Change priority")], required=True, readonly=True
    )
    value = fields.Integer(readonly=True)
    state = fields.Selection(
        [("new", "Waiting"), ("applied", "Applied"), ("refused", "Refused")],
        required=True,
        readonly=True,
        default="new",
    )
    answer = fields.Char(readonly=True)
    applied_at = fields.Datetime(readonly=True)

    _new_idx = models.Index("(id) WHERE state = 'new'")

    @api.model_create_multi
    def create(self, vals_list: list[dict[str, Any]]) -> DistJobRequest:
        requests = super().create(vals_list)
        requests.flush_recordset()
        from ..doorbell import REQUEST, ring

        ring(self.env.cr, "dist_job", REQUEST)
        return requests
