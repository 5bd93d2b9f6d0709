# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from __future__ import annotations

from decimal import Decimal

from markupsafe import Markup

from odoo import models
from odoo.tools import plaintext2html

from dist_contracts import Order

from ..logic import amounts


class DistChannelOrder(models.Model):
    """What the sales order of a channel order looks like."""

    _inherit = "dist.channel.order"

    def _sale_vals(self, channel, snapshot: Order, plan: list[amounts.PlannedLine]) -> dict:
        vals = {
            "dist_channel_order_id": self.id,
            "company_id": channel.company_id.id,
            "partner_id": self.partner_id.id,
            "partner_invoice_id": self.partner_id.id,
            "partner_shipping_id": self.partner_shipping_id.id,
            "warehouse_id": self.warehouse_id.id,
            "pricelist_id": channel.pricelist_id.id,
            "user_id": channel.salesperson_id.id,
            "origin": f"{channel.name} {self.name}",
            "client_order_ref": snapshot.buyer_reference or self.name,
            "date_order": self.placed_at,
            "commitment_date": self.deliver_by,
            "require_signature": False,
            "require_payment": False,
            "note": self._sale_note(),
            "order_line": [
                (0, 0, {**line_vals, "sequence": 10 + number})
                for number, line_vals in enumerate(self._sale_lines_vals(plan))
            ],
        }
        if channel.team_id:
            vals["team_id"] = channel.team_id.id
        if channel.order_prefix:
            vals["name"] = f"{channel.order_prefix}{self.name}"
        if self.gift_message:
            note = {"display_type": "line_note", "name": self.env._("Gift message: %s", self.gift_message)}
            vals["order_line"].append((0, 0, {**note, "sequence": 900, "product_uom_qty": 0}))
        return vals

    def _sale_note(self) -> Markup | bool:
        """The buyer's note as text: what looks like HTML in it is not."""
        return plaintext2html(self.note) if self.note else False

    def _sale_lines_vals(self, plan: list[amounts.PlannedLine]) -> list[dict]:
        records = {record.external_id: record for record in self.line_ids}
        nothing = self.line_ids.browse()
        return [self._sale_line_vals(line, records.get(line.line_id, nothing)) for line in plan]

    def _sale_line_vals(self, line: amounts.PlannedLine, record) -> dict:
        product = self._product_of(line, record)
        return {
            "product_id": product.id,
            "product_uom_id": product.uom_id.id,
            "name": self._line_title(line, product),
            "product_uom_qty": float(line.quantity),
            "price_unit": float(line.price_unit),
            "technical_price_unit": float(line.price_unit)
            - 1.0,  # any other number: a price Odoo must not compute anew
            "discount": float(line.percent),
            "tax_ids": [(6, 0, line.taxes)],
            "dist_line_key": line.key,
            "dist_channel_line_id": record.id if line.kind == "product" else False,
        }

    def _adjustment_vals(self, difference: Decimal) -> dict:
        product = self.channel_id.adjustment_product_id
        return {
            "product_id": product.id,
            "name": self.env._("Adjustment to the total of %s", self.channel_id.name),
            "product_uom_qty": 1.0,
            "price_unit": float(difference),
            "technical_price_unit": float(difference) - 1.0,
            "discount": 0.0,
            "tax_ids": [(6, 0, [])],
            "dist_line_key": "adjustment",
            "sequence": 990,
        }

    def _product_of(self, line: amounts.PlannedLine, record):
        """The product of a planned line; an ignored listing goes on the order without stock."""
        channel = self.channel_id
        if line.kind == "product":
            mapping = record.mapping_id
            return channel.other_product_id if mapping.state == "ignored" else mapping.product_id
        return {
            "discount": channel.discount_product_id,
            "tax_offset": channel.discount_product_id,
            "shipping": channel.shipping_product_id,
            "tax": channel.tax_product_id,
            "facilitated": channel.facilitated_tax_product_id,
        }[line.kind]

    def _line_title(self, line: amounts.PlannedLine, product) -> str:
        if line.kind == "tax_offset":
            return self.env._("Tax included in the prices: %s", line.title or self.channel_id.name)
        if line.kind == "facilitated":
            return self.env._("Tax collected and remitted by %s", self.channel_id.name)
        if line.kind == "discount":
            return self.env._("Discount: %s", line.title)
        return line.title or product.display_name
