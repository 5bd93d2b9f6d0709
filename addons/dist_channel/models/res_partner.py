# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import models


class ResPartner(models.Model):
    """Customers of new orders are looked for by e-mail and by postal code; Odoo has an index on neither."""

    _inherit = "res.partner"

    _dist_email_index = models.Index("(email_normalized) WHERE email_normalized IS NOT NULL")
    _dist_zip_index = models.Index("(zip) WHERE zip IS NOT NULL AND parent_id IS NULL")
