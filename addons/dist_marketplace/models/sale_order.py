# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def action_open_in_store(self):
        """The order's page in the store."""
        self.ensure_one()
        return self.dist_channel_order_id.action_open_in_store()
