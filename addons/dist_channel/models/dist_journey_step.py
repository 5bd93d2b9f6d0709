# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import models


class DistJourneyStep(models.Model):
    _inherit = "dist.journey.step"

    def _journey_selects(self):
        """The channel order, its sales order and its transfers; numbers 8 to 10."""
        return [
            *super()._journey_selects(),
            """
            SELECT id::bigint * 32 + 8, substr(correlation_id, 4, 32), create_date, 'channel_order', name, state,
                   'dist.channel.order', id, company_id, connection_id, NULL::float8
              FROM dist_channel_order r WHERE correlation_id IS NOT NULL
            """,
            """
            SELECT r.id::bigint * 32 + 9, substr(o.correlation_id, 4, 32), r.create_date, 'sale_order', r.name, r.state,
                   'sale.order', r.id, r.company_id, o.connection_id, NULL::float8
              FROM sale_order r JOIN dist_channel_order o ON o.id = r.dist_channel_order_id
             WHERE o.correlation_id IS NOT NULL
            """,
            """
            SELECT r.id::bigint * 32 + 10, substr(o.correlation_id, 4, 32), COALESCE(r.date_done, r.create_date),
                   'transfer', r.name, r.state, 'stock.picking', r.id, r.company_id, o.connection_id,
                   EXTRACT(EPOCH FROM r.date_done - r.create_date)::float8
              FROM stock_picking r JOIN dist_channel_order o ON o.id = r.dist_channel_order_id
             WHERE o.correlation_id IS NOT NULL
            """,
        ]
