# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, models

from .dist_availability import EVENT


class DistOutboxEvent(models.Model):
    _inherit = "dist.outbox.event"

    @api.model
    @api.private
    def emit_many(self, connection, event_type, rows, **options):
        """Availability is answered for: offers show what was confirmed, and failures lead to the offer."""
        if event_type == EVENT:
            options["report"] = True
            keys = [row["key"] for row in rows]
            domain = [("channel_id.connection_id", "=", connection.id), ("key", "in", keys)]
            offers = {offer.key: offer for offer in self.env["dist.offer"].search(domain)}
            rows = [{**row, "record": row.get("record") or offers.get(row["key"])} for row in rows]
        return super().emit_many(connection, event_type, rows, **options)
