# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from __future__ import annotations

import logging

from odoo import models
from odoo.tools import SQL

from odoo.addons.dist_sync_queue.api import job

_logger = logging.getLogger(__name__)

RESERVE_BATCH = 300
"""Moves reserved in one transaction: some 40 orders a second each, so a few seconds."""


class StockWarehouse(models.Model):
    """One lane of reservation per warehouse.

    Reserving inside the confirmation of many orders at once fights over the same quants (measured: serialization
    failures and duplicate quants); one job at a time per warehouse does not, and does many orders in one go.
    """

    _inherit = "stock.warehouse"

    def _dist_request_reservation(self) -> None:
        """Have the waiting channel orders reserved. Asking again before that happens costs a row."""
        for warehouse in self:
            key = f"reserve:{warehouse.id}"
            warehouse.with_company(warehouse.company_id).delayed(key=key, identity=key)._dist_reserve()

    @job(lane="reserve")
    def _dist_reserve(self):
        """Reserve what can be reserved, oldest first; what has no stock is not even looked at."""
        for warehouse in self:
            moves = warehouse._dist_moves_to_reserve(RESERVE_BATCH)
            before = sum(moves.mapped("quantity"))
            moves._dist_assign_guarded()
            if len(moves) == RESERVE_BATCH and sum(moves.mapped("quantity")) > before:
                warehouse._dist_request_reservation()

    def _dist_moves_to_reserve(self, limit: int):
        """Waiting moves of channel orders whose product has free stock at their source, by priority and date."""
        self.ensure_one()
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """SELECT move.id
                     FROM stock_location location
                     JOIN stock_location root ON root.id = %s AND location.parent_path LIKE root.parent_path || '%%'
                     JOIN stock_move move ON move.location_id = location.id
                      AND move.state IN ('confirmed', 'partially_available') AND move.procure_method = 'make_to_stock'
                      AND move.dist_channel_order_id IS NOT NULL AND NOT COALESCE(move.picked, FALSE)
                     JOIN dist_channel_order orders ON orders.id = move.dist_channel_order_id AND orders.state != 'hold'
                    WHERE EXISTS (
                          SELECT 1 FROM stock_quant quant
                            JOIN stock_location place ON place.id = quant.location_id
                                 AND place.parent_path LIKE location.parent_path || '%%'
                           WHERE quant.product_id = move.product_id
                          HAVING SUM(quant.quantity - quant.reserved_quantity) > 0)
                 ORDER BY move.priority DESC, move.date, move.id
                    LIMIT %s""",
                self.view_location_id.id,
                limit,
            )
        )
        return self.env["stock.move"].browse([row[0] for row in self.env.cr.fetchall()])


class StockLocation(models.Model):
    _inherit = "stock.location"

    def write(self, vals):
        """Moving a location into or out of a warehouse changes what can be promised, and no quant tells."""
        res = super().write(vals)
        if vals.keys() & {"location_id", "usage", "active"}:
            channels = self.env["dist.channel"].sudo().search([("publish_availability", "=", True)])
            self.env["dist.availability"].sudo()._mark_channels(channels)
        return res
