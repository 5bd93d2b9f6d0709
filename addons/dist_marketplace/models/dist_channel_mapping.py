# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from __future__ import annotations

from odoo import api, fields, models


class DistChannelMapping(models.Model):
    """A listing, with its page in the store."""

    _inherit = "dist.channel.mapping"

    store_url = fields.Char(string="Page in the Store", compute="_compute_store_url")

    @api.depends("channel_id", "product_ref", "variant_ref", "inventory_ref", "sku")
    def _compute_store_url(self):
        for mapping in self:
            mapping.store_url = mapping.channel_id and mapping.channel_id._link("product", **mapping._link_values())

    def _link_values(self) -> dict[str, str]:
        """What a manifest's link to a product may name."""
        self.ensure_one()
        return {
            "product_id": self.product_ref,
            "variant_id": self.variant_ref,
            "inventory_id": self.inventory_ref,
            "sku": self.sku,
        }

    def action_open_in_store(self):
        """The product's page in the store."""
        self.ensure_one()
        return self.channel_id._open_link("product", **self._link_values())
