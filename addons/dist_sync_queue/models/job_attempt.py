# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Each try of a job that did not simply succeed."""

from __future__ import annotations

from odoo import fields, models


class DistJobAttempt(models.Model):
    """One try. Written by the engine for failures, and for the success that follows them; never for a plain success."""

    _name = "dist.job.attempt"
    _description = "Attempt of a Job"
    _order = "id"
    _log_access = False
    _rec_name = "outcome"

    job_id = fields.Many2one("dist.job", required=True, readonly=True, ondelete="cascade", index=True)
    number = fields.Integer(
        required=True, readonly=True, aggregator=None, help="Counts from 1; a snoozed try has the number of the next."
    )
    started_at = fields.Datetime(readonly=True)
    seconds = fields.Float(readonly=True, aggregator="avg")
    outcome = fields.Selection(
        [
            ("done", "Done"),
            ("retry", "Failed, Again Later"),
            ("snooze", "Put Off"),
            ("dead", "Failed for Good"),
            ("crash", "Worker Died"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        readonly=True,
    )
    error_type = fields.Char(readonly=True)
    error_message = fields.Text(readonly=True)
    error_trace = fields.Text(readonly=True)
    worker = fields.Char(readonly=True)
