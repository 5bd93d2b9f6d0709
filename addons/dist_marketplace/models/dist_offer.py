# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from __future__ import annotations

from odoo import api, fields, models


class DistOffer(models.Model):
    """An offer as the marketplace shows it: how the last number fared, and its price beside ours."""

    _inherit = "dist.offer"

    sync_state = fields.Selection(
        [
            ("new", "Not sent yet"),
            ("sent", "Under way"),
            ("confirmed", "Confirmed"),
            ("refused", "Refused"),
            ("stale", "To be sent again"),
        ],
        string="Synchronization",
        compute="_compute_sync_state",
        store=True,
    )
    channel_price = fields.Monetary(
        related="mapping_id.price", string="Price on Channel", currency_field="channel_currency_id"
    )
    channel_currency_id = fields.Many2one(related="mapping_id.currency_id", string="Currency on Channel")
    our_price = fields.Monetary(
        compute="_compute_our_price",
        currency_field="our_currency_id",
        help="From the channel's pricelist, otherwise the sales price.",
    )
    our_currency_id = fields.Many2one("res.currency", compute="_compute_our_price")
    price_difference = fields.Monetary(
        compute="_compute_our_price", currency_field="our_currency_id", help="Channel less ours; only in one currency."
    )
    store_url = fields.Char(related="mapping_id.store_url")

    @api.depends("published_at", "in_flight", "last_error", "expected_known")
    def _compute_sync_state(self):
        for offer in self:
            if offer.last_error:
                offer.sync_state = "refused"
            elif not offer.published_at:
                offer.sync_state = "new"
            elif offer.in_flight:
                offer.sync_state = "sent"
            else:
                offer.sync_state = "confirmed" if offer.expected_known else "stale"

    @api.depends("product_id", "channel_id.pricelist_id", "mapping_id.price")
    @api.depends_context("company")
    def _compute_our_price(self):
        """Prices of all offers of a channel in one go."""
        for channel, offers in self.grouped("channel_id").items():
            currency = channel._currency() if channel else self.env.company.currency_id
            prices = self._our_prices(channel, offers.product_id, currency)
            for offer in offers:
                offer.our_currency_id = currency
                offer.our_price = prices.get(offer.product_id.id, 0.0)
                known = offer.channel_currency_id == currency and offer.channel_price
                offer.price_difference = offer.channel_price - offer.our_price if known else 0.0

    @api.model
    def _our_prices(self, channel, products, currency) -> dict[int, float]:
        if channel.pricelist_id:
            return channel.pricelist_id._get_products_price(products, 1.0)
        company = channel.company_id or self.env.company
        today = fields.Date.context_today(self)
        return {
            product.id: (product.currency_id or currency)._convert(product.lst_price, currency, company, today)
            for product in products
        }

    def action_open_in_store(self):
        """The product's page in the store."""
        self.ensure_one()
        return self.mapping_id.action_open_in_store()
