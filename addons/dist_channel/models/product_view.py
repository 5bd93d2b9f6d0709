# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Buttons from a product to what is promised of it, and words for what an offer promises."""

from typing import Any

from odoo import api, fields, models


class ProductTemplate(models.Model):
    _inherit = "product.template"

    dist_offer_count = fields.Integer(compute="_compute_dist_offer_count")

    @api.depends("product_variant_ids")
    def _compute_dist_offer_count(self) -> None:
        for template in self:
            template.dist_offer_count = sum(template.product_variant_ids.mapped("dist_offer_count"))

    def action_view_dist_offers(self) -> dict[str, Any]:
        """The offers of all variants."""
        return self.product_variant_ids.action_view_dist_offers()


class ProductProduct(models.Model):
    _inherit = "product.product"

    dist_offer_count = fields.Integer(compute="_compute_dist_offer_count")

    def _compute_dist_offer_count(self) -> None:
        groups = self.env["dist.offer"]._read_group([("product_id", "in", self.ids)], ["product_id"], ["__count"])
        counts = dict(groups)
        for product in self:
            product.dist_offer_count = counts.get(product, 0)

    def action_view_dist_offers(self) -> dict[str, Any]:
        """Where these products are offered."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Offers"),
            "res_model": "dist.offer",
            "view_mode": "list,form",
            "domain": [("product_id", "in", self.ids)],
        }


class DistOffer(models.Model):
    _inherit = "dist.offer"

    explanation_text = fields.Char(string="Why", compute="_compute_explanation_text")

    @api.depends("explanation", "computed_quantity")
    def _compute_explanation_text(self) -> None:
        for offer in self:
            offer.explanation_text = offer.action_explain() if offer.explanation else False
