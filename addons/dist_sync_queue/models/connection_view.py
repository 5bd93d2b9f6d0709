# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What only the screens of a connection need."""

from __future__ import annotations

from typing import Any

from odoo import api, fields, models

from .connection import schema_errors


class DistConnection(models.Model):
    _inherit = "dist.connection"

    setup_steps = fields.Json(compute="_compute_setup_steps", help="The way from a new connection to an active one.")

    @api.depends(
        "state", "settings", "adapter_id", "credentials_state", "check_state", "check_version", "config_version"
    )
    def _compute_setup_steps(self) -> None:
        for connection in self:
            steps = connection._setup_steps() if connection.adapter_id and connection.state == "draft" else []
            connection.setup_steps = steps

    def _setup_steps(self) -> list[dict[str, Any]]:
        """The steps in order; other addons insert theirs.

        Each is ``{"key", "label", "done", "hint", "page"}`` and, where there is something to press,
        ``{"button": {"name", "label"}}``; ``running`` and ``failed`` change how the step is shown.
        """
        self.ensure_one()
        _ = self.env._
        schema = self.adapter_id.sudo().schema("settings_schema")
        test = self._setup_test_step()
        return [
            {
                "key": "settings",
                "label": _("Settings"),
                "done": not schema_errors(schema, self.settings or {}),
                "hint": _("Fill in the settings of the connection, then save."),
                "page": "settings",
            },
            {
                "key": "credentials",
                "label": _("Credentials"),
                "done": self.credentials_state in ("none", "set"),
                "hint": _("Enter the credentials. They are sealed at once and cannot be read again."),
                "page": "settings",
            },
            test,
            {
                "key": "activate",
                "label": _("Activate"),
                "done": self.state != "draft",
                "hint": _("Everything is ready. Once active, the connection sends and asks by itself."),
                "page": "settings",
                "button": {"name": "action_activate", "label": _("Activate")},
            },
        ]

    def _setup_test_step(self) -> dict[str, Any]:
        _ = self.env._
        mine = self.check_version == self.config_version
        running, failed = mine and self.check_state == "running", mine and self.check_state == "failed"
        hint = _("Try the settings and the credentials. Nothing is changed outside.")
        if running:
            hint = _("Waiting for the relay's answer…")
        elif failed:
            hint = self.check_message or _("The test failed.")
        return {
            "key": "test",
            "label": _("Test"),
            "done": self._is_checked(),
            "running": running,
            "failed": failed,
            "hint": hint,
            "page": "settings",
            "button": {
                "name": "action_test_connection",
                "label": _("Test again") if failed else _("Test connection"),
            },
        }

    def action_open(self) -> dict[str, Any]:
        """The screen where this connection is set up."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.display_name,
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
        }
