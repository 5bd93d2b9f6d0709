# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Events: what comes from outside, what goes there, and what became of it."""

from __future__ import annotations

from odoo import api, fields, models

from odoo.addons.dist_sync_queue.api import on_dirty, on_event, on_outcome, with_records


class DistExampleBin(models.Model):
    _inherit = "dist.example.bin"

    # -- from outside --------------------------------------------------------------------------------------------------
    @api.model
    @on_event("example.counted.v1", batch=50, lane="default", max_attempts=8)
    def _on_counted(self, items):
        bins = {record.name: record for record in self.search([("name", "in", [item.key for item in items])])}
        for item in items:
            record = item.bind(bins[item.key])
            record.quantity = item.payload["quantity"]
            record._note(f"counted at {item.occurred_at}")

    # -- a fact to the outside -----------------------------------------------------------------------------------------
    def action_refuse_order(self, connection, order_id):
        return self.env["dist.outbox.event"].emit(
            connection,
            "order.cancel.v1",
            key=order_id,
            payload={"order_id": order_id, "reason": "stock"},
            record=self,
            report=True,
        )

    @api.model
    @on_outcome("order.cancel.v1")
    def _on_refused(self, items):
        for item, bins in with_records(self, items):
            bins._note(f"order {item.key}: {item.payload['outcome']['verdict']}")

    # -- a state to the outside ----------------------------------------------------------------------------------------
    def write(self, vals):
        written = super().write(vals)
        if "quantity" in vals:
            connections = self.env["dist.connection"].sudo().search([("state", "=", "active")])
            self.env["dist.dirty.mark"].mark(connections, "availability.changed.v1", self.mapped("name"))
        return written

    @api.model
    @on_dirty("availability.changed.v1", batch=500)
    def _present_quantities(self, connection, keys):
        return {
            record.name: {
                "listing": {"sku": record.name},
                "location_id": "main",
                "quantity": str(max(record.quantity, 0)),
                "as_of": fields.Datetime.now().isoformat() + "Z",
            }
            for record in self.search([("name", "in", keys)])
        }
