# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from __future__ import annotations

from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from odoo.addons.dist_sync_queue.api import on_event

from dist_contracts import ListingFound, ListingRef

REF_FIELDS = {
    "product_ref": "product_id",
    "variant_ref": "variant_id",
    "inventory_ref": "inventory_id",
    "sku": "sku",
    "barcode": "barcode",
    "name": "title",
}
"""Our field ← field of the contract's listing reference."""


def external_key(listing: ListingRef) -> str:
    """What a listing is known by on its channel: the most specific identifier it has."""
    for name in ("variant_id", "inventory_id", "sku", "barcode", "product_id"):
        if value := getattr(listing, name):
            return f"{name}:{value}"
    raise ValueError("a listing without any identifier")  # the contract refuses it


class DistChannelMapping(models.Model):
    """A listing of the channel ↔ the product we deliver for it."""

    _name = "dist.channel.mapping"
    _description = "Channel Mapping"
    _order = "state desc, sku, id"
    _check_company_auto = True

    name = fields.Char(string="Listing")
    channel_id = fields.Many2one("dist.channel", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="channel_id.company_id", store=True, index=True)
    external_key = fields.Char(required=True, readonly=True)
    product_ref = fields.Char(string="Channel Product ID", index="btree_not_null")
    variant_ref = fields.Char(string="Channel Variant ID")
    inventory_ref = fields.Char(string="Channel Inventory ID", index="btree_not_null")
    sku = fields.Char(string="SKU", index="btree_not_null")
    barcode = fields.Char()
    price = fields.Monetary(string="Channel Price", readonly=True, help="As the channel told it last.")
    currency_id = fields.Many2one("res.currency", readonly=True)
    product_id = fields.Many2one(
        "product.product", check_company=True, index="btree_not_null", ondelete="restrict", string="Product"
    )
    state = fields.Selection(
        [("unmatched", "Unmatched"), ("matched", "Matched"), ("ignored", "Ignored")],
        required=True,
        default="unmatched",
        readonly=True,
        index=True,
    )
    matched_by = fields.Selection(
        [("sku", "SKU"), ("barcode", "Barcode"), ("manual", "By hand")], readonly=True, string="Matched By"
    )
    candidate_ids = fields.Many2many(
        "product.product", string="Candidates", readonly=True, help="Several products fit: choose one."
    )
    offer_ids = fields.One2many("dist.offer", "mapping_id", string="Offers")
    order_line_ids = fields.One2many("dist.channel.order.line", "mapping_id")

    _key_unique = models.Constraint("UNIQUE (channel_id, external_key)", "This listing is already mapped.")
    _state_product = models.Constraint(
        "CHECK ((state = 'matched') = (product_id IS NOT NULL))", "A mapping is matched exactly if it has a product."
    )

    @api.constrains("product_id")
    def _check_product(self):
        for mapping in self.filtered("product_id"):
            if mapping.product_id.type == "combo":
                raise ValidationError(self.env._("A combo cannot be delivered: map %s to its choices.", mapping.name))

    def write(self, vals):
        """A product makes the mapping matched, no product unmatched; waiting orders go on by themselves."""
        vals = dict(vals)
        if "product_id" in vals and "state" not in vals:
            vals["state"] = "matched" if vals["product_id"] else "unmatched"
            vals.setdefault("matched_by", "manual" if vals["product_id"] else False)
        if vals.get("state") == "matched":
            vals["candidate_ids"] = [(5,)]
        before = {mapping.id: (mapping.product_id.id, mapping.state) for mapping in self}
        res = super().write(vals)
        if vals.keys() & {"product_id", "state"}:
            self.filtered(lambda m: (m.product_id.id, m.state) != before[m.id])._after_change()
        return res

    def _after_change(self):
        """What waits for these mappings goes on; what they publish is computed anew."""
        decided = self.filtered(lambda m: m.state in ("matched", "ignored"))
        waiting = decided.sudo().order_line_ids.order_id.filtered(lambda o: o.state == "exception")
        for company, orders in waiting.grouped("company_id").items():
            orders.with_company(company).delayed(priority=3)._resume()
        if matched := self.filtered("product_id"):
            matched.sudo().offer_ids.write({"expected_known": False})
            self.env["dist.availability"]._mark_mappings(matched)

    # -- buttons -------------------------------------------------------------------------------------------------

    def action_ignore(self):
        """Never ask for this listing again; orders carry it as a line without stock."""
        self.write({"product_id": False, "state": "ignored", "matched_by": False})
        return True

    def action_unmatch(self):
        self.write({"product_id": False, "state": "unmatched", "matched_by": False})
        return True

    def action_auto_match(self):
        """Match by SKU, then by barcode."""
        self.filtered(lambda m: m.state == "unmatched")._auto_match()
        return True

    def action_create_product(self):
        """Make a storable product from the listing."""
        self.ensure_one()
        if self.product_id:
            raise UserError(self.env._("This listing already has a product."))
        self.product_id = self.env["product.product"].create(
            {
                "name": self.name or self.sku or self.external_key,
                "default_code": self.sku,
                "barcode": self.barcode,
                "is_storable": True,
                "company_id": False,
            }
        )
        return True

    # -- matching ------------------------------------------------------------------------------------------------

    @api.model
    def _find_or_create(self, wanted: dict) -> dict:
        """Mappings of listings, by channel and key; new ones are matched where possible.

        :param wanted: ``{channel: [ListingRef, …]}``
        :return: ``{(channel id, external key): mapping}``
        """
        refs = {(channel, external_key(ref)): ref for channel, found in wanted.items() for ref in found}
        domain = [
            ("channel_id", "in", [channel.id for channel in wanted]),
            ("external_key", "in", list({key for _channel, key in refs})),
        ]
        known = {(mapping.channel_id.id, mapping.external_key): mapping for mapping in self.search(domain)}
        vals_list, unmatched = [], self.browse()
        for (channel, key), ref in refs.items():
            values = {ours: getattr(ref, theirs) for ours, theirs in REF_FIELDS.items() if getattr(ref, theirs)}
            mapping = known.get((channel.id, key))
            if mapping is None:
                vals_list.append({"channel_id": channel.id, "external_key": key, **values})
                continue
            if changed := {ours: value for ours, value in values.items() if mapping[ours] != value}:
                mapping.write(changed)
            if mapping.state == "unmatched":
                unmatched |= mapping
        created = self.create(vals_list)
        known.update({(mapping.channel_id.id, mapping.external_key): mapping for mapping in created})
        (unmatched | created)._auto_match()
        return known

    def _auto_match(self):
        """Match by SKU, then by barcode, within the channel's company and among shared products.

        Exactly one product must fit; several are shown as candidates and somebody chooses.
        """
        for company, mappings in self.grouped("company_id").items():
            by_sku = self._products_by("default_code", mappings.mapped("sku"), company)
            by_barcode = self._products_by("barcode", mappings.mapped("barcode"), company)
            matched = self.browse()
            for mapping in mappings:
                how, found = next(
                    (
                        pair
                        for pair in (("sku", by_sku.get(mapping.sku)), ("barcode", by_barcode.get(mapping.barcode)))
                        if pair[1]
                    ),
                    (None, None),
                )
                if found and len(found) == 1:
                    vals = {"product_id": found.id, "state": "matched", "matched_by": how, "candidate_ids": [(5,)]}
                    super(DistChannelMapping, mapping).write(vals)
                    matched |= mapping
                elif found and mapping.candidate_ids != found:
                    mapping.candidate_ids = found
            matched._after_change()

    @api.model
    def _products_by(self, field: str, values: list, company) -> dict:
        """Products by SKU or barcode: one query for all."""
        values = [value for value in values if value]
        found = defaultdict(self.env["product.product"].browse)
        if values:
            domain = Domain(field, "in", values) & Domain("company_id", "in", [False, company.id])
            for product in self.env["product.product"].search(domain & Domain("type", "!=", "combo")):
                found[product[field]] |= product
        return found

    @api.model
    @on_event("listing.found.v1", batch=200, lane="low")
    def _on_listing_found(self, items):
        """Know the listings of a channel before their first order."""
        channels = self.env["dist.channel"]._by_connection(self._connections_of(items))
        wanted, prices = defaultdict(list), {}
        for item in items:
            channel = channels.get(item.connection)
            if channel is None:
                continue
            found, _unknown = ListingFound.read(item.payload)
            wanted[channel].append(found.listing)
            prices[channel.id, external_key(found.listing)] = found.price
        currencies = {c.name: c.id for c in self.env["res.currency"].with_context(active_test=False).search([])}
        for key, mapping in self._find_or_create(wanted).items():
            price = prices.get(key)
            if price and (mapping.price, mapping.currency_id.name) != (float(price.amount), price.currency):
                mapping.write({"price": float(price.amount), "currency_id": currencies.get(price.currency)})

    @api.model
    def _connections_of(self, items):
        return self.env["dist.connection"].browse({item.connection.id for item in items})

    def _listing_ref(self) -> ListingRef:
        """The identifiers to name this listing to its channel."""
        self.ensure_one()
        return ListingRef(**{theirs: self[ours] or None for ours, theirs in REF_FIELDS.items()})

    def _offer_ref(self) -> str:
        """What the channel keeps the stock of this listing under."""
        self.ensure_one()
        return self.inventory_ref or self.sku or self.variant_ref or ""

    def action_view_orders(self):
        """The channel orders with this listing."""
        return self.order_line_ids.order_id._get_records_action(name=self.env._("Channel Orders"))
