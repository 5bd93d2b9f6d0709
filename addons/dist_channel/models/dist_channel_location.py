# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models


class DistChannelLocation(models.Model):
    """A place the channel keeps stock for, and the warehouse behind it."""

    _name = "dist.channel.location"
    _description = "Channel Location"
    _order = "channel_id, name, id"
    _check_company_auto = True

    channel_id = fields.Many2one("dist.channel", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="channel_id.company_id", store=True, index=True)
    external_id = fields.Char(string="Location ID", required=True)
    name = fields.Char(required=True)
    warehouse_id = fields.Many2one(
        "stock.warehouse", check_company=True, index=True, help="Empty: nothing is published for this location."
    )
    buffer_quantity = fields.Float(string="Buffer", digits="Product Unit", help="0: as on the channel.")
    buffer_percent = fields.Float(string="Buffer (%)", help="0: as on the channel.")
    active = fields.Boolean(default=True)

    _external_unique = models.Constraint("UNIQUE (channel_id, external_id)", "This location is already listed.")
    _buffer_positive = models.Constraint(
        "CHECK (buffer_quantity >= 0 AND buffer_percent >= 0 AND buffer_percent <= 100)",
        "Buffers cannot be negative, nor a percentage above 100.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        locations = super().create(vals_list)
        locations.channel_id._mark_all()
        return locations

    def write(self, vals):
        res = super().write(vals)
        if vals.keys() & {"warehouse_id", "buffer_quantity", "buffer_percent", "active", "external_id"}:
            self.channel_id._mark_all()
        return res

    def _buffers(self) -> tuple[float, float]:
        """(units, percent) that count for this location."""
        self.ensure_one()
        channel = self.channel_id
        return self.buffer_quantity or channel.buffer_quantity, self.buffer_percent or channel.buffer_percent
