# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What only the screens of "Needs attention" need."""

from __future__ import annotations

from typing import Any

from odoo import models


class DistException(models.Model):
    _inherit = "dist.exception"

    def action_ask_ignore(self) -> dict[str, Any]:
        """Ask for the reason, in a dialog; its button calls :meth:`action_ignore`."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Ignore"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(self.env.ref("dist_sync_queue.dist_exception_view_form_ignore").id, "form")],
            "target": "new",
        }
