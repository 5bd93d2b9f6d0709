# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A company takes its jobs with it: ``dist_job`` has no foreign key that would."""

from __future__ import annotations

from odoo import api, models


class ResCompany(models.Model):
    _inherit = "res.company"

    @api.ondelete(at_uninstall=False)
    def _unlink_jobs(self) -> None:
        self.env["dist.job"].sudo().search([("company_id", "in", self.ids)]).unlink()
