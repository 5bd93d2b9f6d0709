# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from __future__ import annotations

from odoo import api, fields, models


class DistOffer(models.Model):
    """What we promise of a listing at one location of its channel.

    Three numbers: *computed* is what may be promised now, *published* what we last sent, *confirmed* what the channel
    last said it took. ``expected_quantity`` is what we believe the channel shows: the last published number less what
    was ordered there since. Nothing is sent while computed and expected agree; where we cannot know what the channel
    shows (``expected_known`` is false) the number is sent again.
    """

    _name = "dist.offer"
    _description = "Channel Offer"
    _order = "channel_id, mapping_id, location_id"
    _check_company_auto = True

    mapping_id = fields.Many2one(
        "dist.channel.mapping", required=True, ondelete="cascade", index=True, string="Listing"
    )
    location_id = fields.Many2one("dist.channel.location", required=True, ondelete="cascade", index=True)
    channel_id = fields.Many2one(related="mapping_id.channel_id", store=True, index=True)
    company_id = fields.Many2one(related="mapping_id.company_id", store=True, index=True)
    product_id = fields.Many2one(related="mapping_id.product_id", store=True, index=True)
    sku = fields.Char(related="mapping_id.sku")
    key = fields.Char(readonly=True, required=True, index=True)
    computed_quantity = fields.Float(string="Available", digits="Product Unit", readonly=True)
    computed_at = fields.Datetime(readonly=True)
    published_quantity = fields.Float(string="Sent", digits="Product Unit", readonly=True)
    published_at = fields.Datetime(string="Sent At", readonly=True)
    confirmed_quantity = fields.Float(string="Confirmed", digits="Product Unit", readonly=True)
    confirmed_at = fields.Datetime(string="Confirmed At", readonly=True)
    confirmed_version = fields.Integer(readonly=True, aggregator=None)
    expected_quantity = fields.Float(string="On the Channel", digits="Product Unit", readonly=True)
    expected_known = fields.Boolean(readonly=True, help="Whether we can tell what the channel shows.")
    in_flight = fields.Boolean(readonly=True, help="The last number sent is not yet answered.")
    explanation = fields.Json(readonly=True)
    last_error = fields.Text(readonly=True)

    _place_unique = models.Constraint("UNIQUE (mapping_id, location_id)", "This listing already has an offer there.")

    @api.depends("sku", "location_id.name")
    def _compute_display_name(self):
        for offer in self:
            offer.display_name = f"{offer.sku or offer.mapping_id.name} @ {offer.location_id.name}"

    def action_push(self):
        """Compute these offers and send them whatever we believe the channel shows."""
        self.write({"expected_known": False})
        self.env["dist.availability"]._mark_offers(self)
        return True

    def action_explain(self) -> str:
        """Why this number, in one line: ``10 on hand - 2 reserved - 1 ordered - 2 buffer = 5``."""
        self.ensure_one()
        why = self.explanation or {}
        return self.env._(
            "%(on_hand)g on hand - %(reserved)g reserved - %(demand)g ordered and not yet reserved - %(buffer)g buffer"
            " = %(quantity)g",
            on_hand=float(why.get("on_hand", 0)),
            reserved=float(why.get("reserved", 0)),
            demand=float(why.get("demand", 0)),
            buffer=float(why.get("buffer", 0)),
            quantity=self.computed_quantity,
        )


class DistOfferSale(models.Model):
    """What was ordered on the channel and is not yet taken into account in what we believe it shows.

    Orders only insert here, so that any number of them may be imported at once without waiting for an offer's row; the
    computation of availability reads and removes the rows.
    """

    _name = "dist.offer.sale"
    _description = "Sale on an Offer"
    _log_access = False

    mapping_id = fields.Many2one("dist.channel.mapping", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    quantity = fields.Float(digits="Product Unit", help="Zero: changed in a way that leaves open what the channel did.")
    placed_at = fields.Datetime(required=True)
    location_ref = fields.Char(help="Where the channel took it from, where it tells.")
