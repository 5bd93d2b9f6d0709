# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What the screens of a connection that sells need."""

from typing import Any

from odoo import models


class DistConnection(models.Model):
    _inherit = "dist.connection"

    def _setup_steps(self) -> list[dict[str, Any]]:
        """A channel that keeps stock in locations says which warehouse stands behind each."""
        steps = super()._setup_steps()
        channel = self.channel_ids[:1]
        if not channel.id or (self._is_checked() and not channel.location_ids):
            return steps
        _ = self.env._
        step = {
            "key": "locations",
            "label": _("Warehouses"),
            "done": bool(channel.location_ids.warehouse_id),
            "hint": _("Choose the warehouse behind each location of the channel, then save."),
            "page": "locations",
        }
        return [*steps[:-1], step, steps[-1]]

    def _compute_figures(self) -> None:
        """Orders made today, beside the events."""
        super()._compute_figures()
        counts = dict(
            self.env["dist.channel.order"]
            .sudo()
            ._read_group(
                [("connection_id", "in", self.ids), ("create_date", ">=", self._start_of_today())],
                ["connection_id"],
                ["__count"],
            )
        )
        for connection in self:
            connection.today_counts = {**(connection.today_counts or {}), "orders": counts.get(connection, 0)}

    def action_open(self) -> dict[str, Any]:
        """A channel is set up on its own screen."""
        action = super().action_open()
        if channel := self.channel_ids[:1]:
            action |= {"res_model": channel._name, "res_id": channel.id}
        return action
