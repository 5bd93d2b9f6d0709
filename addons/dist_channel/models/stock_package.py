# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class StockPackage(models.Model):
    _inherit = "stock.package"

    dist_tracking_ref = fields.Char(
        string="Tracking Reference", copy=False, help="Of this package alone; otherwise the transfer's counts."
    )
