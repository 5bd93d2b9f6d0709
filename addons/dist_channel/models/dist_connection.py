# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class DistConnection(models.Model):
    _inherit = "dist.connection"

    channel_ids = fields.One2many("dist.channel", "connection_id", help="None, or the one channel it is.")

    def write(self, vals):
        """A passed test tells the channel's locations; a channel that goes on shows what is true now."""
        res = super().write(vals)
        if vals.get("check_result"):
            self.sudo().channel_ids._load_locations()
        if vals.get("state") == "active":
            self.sudo().channel_ids._mark_all()
        return res
