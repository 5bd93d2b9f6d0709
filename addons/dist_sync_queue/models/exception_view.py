# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What only the screens of "Needs attention" need."""

from __future__ import annotations

from typing import Any

from odoo import models

from .audit import reasons


class DistException(models.Model):
    _inherit = "dist.exception"

    def action_retry(self) -> bool:
        """Also write down who asked, and for what cause."""
        causes = {problem.id: problem.cause or problem.name for problem in self}
        done = super().action_retry()
        self.env["dist.audit"].record("retry", self, lambda tried: reasons(causes[id_] for id_ in tried.ids))
        return done

    def action_ignore(self, reason: str | None = None) -> bool:
        """Also write down who asked, and the reason."""
        done = super().action_ignore(reason)
        self.env["dist.audit"].record("ignore", self, lambda put_aside: reasons(put_aside.mapped("ignore_reason")))
        return done

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
