# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A listing finds its product by SKU, then by barcode; what is ambiguous is asked."""

from psycopg2 import IntegrityError

from odoo.tools import mute_logger

from .common import ChannelCase, line, order


class TestMapping(ChannelCase):
    def found(self, channel=None, **listing):
        """The mapping of a listing the channel told about."""
        price = listing.pop("price", None)
        tree = {
            "listing": {"variant_id": "V1", "inventory_id": "I1", "title": "Shoe"} | listing,
            **({"price": {"amount": price, "currency": "USD"}} if price else {}),
        }
        channel = channel or self.channel
        item = self.item(tree, "listing.found.v1", channel, key="V1")
        self.model(channel, "dist.channel.mapping")._on_listing_found([item])
        return self.env["dist.channel.mapping"].search([("channel_id", "=", channel.id), ("variant_ref", "=", "V1")])

    def test_by_sku(self):
        mapping = self.found(sku="SKU-A", price="12.50")
        self.assertEqual((mapping.state, mapping.product_id, mapping.matched_by), ("matched", self.product_a, "sku"))
        self.assertEqual((mapping.price, mapping.currency_id.name), (12.5, "USD"))
        self.assertEqual(self.marks(), {"I1@LOC1"})

    def test_by_barcode(self):
        self.product_b.barcode = "4006381333931"
        mapping = self.found(sku="OTHER", barcode="4006381333931")
        self.assertEqual((mapping.product_id, mapping.matched_by), (self.product_b, "barcode"))

    def test_told_twice_it_is_one_mapping(self):
        mapping = self.found(sku="SKU-A")
        self.assertEqual(self.found(sku="SKU-A", title="Renamed"), mapping)
        self.assertEqual(mapping.name, "Renamed")

    def test_what_is_ambiguous_waits_with_its_candidates(self):
        twin = self.make_product("SKU-A")
        mapping = self.found(sku="SKU-A")
        self.assertEqual((mapping.state, mapping.candidate_ids), ("unmatched", self.product_a | twin))
        mapping.product_id = twin
        self.assertEqual((mapping.state, mapping.matched_by, mapping.candidate_ids.ids), ("matched", "manual", []))

    def test_products_of_another_company_are_not_candidates(self):
        other = self.env["res.company"].create({"name": "Other"})
        product = self.make_product("SKU-X", company_id=other.id)
        self.assertEqual(self.found(sku="SKU-X").state, "unmatched")
        product.company_id = self.company
        self.env["dist.channel.mapping"].search([]).action_auto_match()
        self.assertEqual(self.found(sku="SKU-A").state, "matched")

    def test_ignored_listings_go_on_the_order_without_stock(self):
        record = self.receive(order([line("SKU-A"), line("GIFTCARD", 1, "25.00")]))
        record.line_ids[1].mapping_id.action_ignore()
        self.run_jobs("_resume")
        self.assertEqual((record.state, record.sale_order_id.amount_total), ("imported", 35))
        self.assertIn(self.channel.other_product_id, record.sale_order_id.order_line.product_id)
        self.assertEqual(record.picking_ids.move_ids.product_id, self.product_a)

    def test_a_product_made_from_a_listing(self):
        mapping = self.found(sku="BRAND-NEW")
        mapping.action_create_product()
        self.assertEqual((mapping.state, mapping.product_id.default_code), ("matched", "BRAND-NEW"))
        self.assertTrue(mapping.product_id.is_storable)

    def test_a_mapping_is_matched_exactly_if_it_has_a_product(self):
        mapping = self.found(sku="SKU-A")
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self.env.cr.execute("UPDATE dist_channel_mapping SET state = 'unmatched' WHERE id = %s", (mapping.id,))
        mapping.action_unmatch()
        self.assertEqual((mapping.state, mapping.product_id.ids), ("unmatched", []))

    def test_a_matched_listing_needs_no_match_again(self):
        mapping = self.found(sku="SKU-A")
        mapping.product_id = self.product_b
        self.receive(order([line("SKU-A")]))
        self.assertEqual(mapping.product_id, self.product_b)

    def test_many_listings_are_matched_with_few_queries(self):
        products = [self.make_product(f"M{number}") for number in range(50)]
        items = [
            self.item(
                {"listing": {"variant_id": f"V{p.id}", "sku": p.default_code}}, "listing.found.v1", key=f"V{p.id}"
            )
            for p in products
        ]
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        self.model(self.channel, "dist.channel.mapping")._on_listing_found(items)
        self.env.flush_all()
        self.assertLess((self.env.cr.sql_log_count - before) / 50, 3)
