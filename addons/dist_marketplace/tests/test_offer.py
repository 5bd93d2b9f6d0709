# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""An offer shows how its last number fared, its price beside ours, and leads to the store."""

from odoo.exceptions import UserError

from odoo.addons.dist_channel.tests.common import ChannelCase, line, order

KEY = "I-SKU-A@LOC1"


class TestOffer(ChannelCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product_a.list_price = 20
        cls.mapping = cls.env["dist.channel.mapping"].create(
            {
                "channel_id": cls.channel.id,
                "external_key": "variant_id:V-SKU-A",
                "name": "Listing A",
                "sku": "SKU-A",
                "product_ref": "gid://shop/Product/77",
                "variant_ref": "V-SKU-A",
                "inventory_ref": "I-SKU-A",
                "price": 21.5,
                "currency_id": cls.env.ref("base.USD").id,
                "product_id": cls.product_a.id,
                "state": "matched",
            }
        )

    def test_how_the_last_number_fared(self):
        self.compute_offers(KEY)
        offer = self.offer("SKU-A")
        event = self.events("availability.changed.v1")
        self.assertEqual(offer.sync_state, "sent")
        self.tell_outcome(event)
        self.assertEqual((offer.sync_state, offer.confirmed_quantity), ("confirmed", 100))
        offer.expected_known = False
        self.assertEqual(offer.sync_state, "stale")
        self.tell_outcome(event, "rejected", message="no such location")
        self.assertEqual(offer.sync_state, "refused")
        self.assertEqual(self.env["dist.offer"].search([("sync_state", "=", "refused")]), offer)

    def test_prices_side_by_side(self):
        self.compute_offers(KEY)
        offer = self.offer("SKU-A")
        self.assertEqual((offer.our_price, offer.channel_price, offer.price_difference), (20, 21.5, 1.5))
        self.channel.pricelist_id = self.env["product.pricelist"].create(
            {"name": "Shop", "item_ids": [(0, 0, {"compute_price": "percentage", "percent_price": 10})]}
        )
        offer.invalidate_recordset()
        self.assertEqual((offer.our_price, offer.price_difference), (18, 3.5))

    def test_other_currencies_are_not_compared(self):
        self.mapping.currency_id = self.env.ref("base.EUR")
        self.compute_offers(KEY)
        self.assertEqual(self.offer("SKU-A").price_difference, 0)

    def test_links_lead_to_the_store(self):
        self.compute_offers(KEY)
        offer = self.offer("SKU-A")
        url = "https://shop.example.com/admin/products/77"
        self.assertEqual((offer.store_url, self.mapping.store_url), (url, url))
        self.assertEqual(offer.action_open_in_store()["url"], url)
        record = self.receive(order([line("SKU-A")], external_id="gid://shop/Order/4711"))
        self.assertEqual(
            record.sale_order_id.action_open_in_store()["url"], "https://shop.example.com/admin/orders/4711"
        )

    def test_what_the_channel_sends_cannot_leave_the_links_place(self):
        self.mapping.product_ref = "x?evil=1#/../../%2e"
        self.assertEqual(
            self.mapping.store_url, "https://shop.example.com/admin/products/x%3Fevil%3D1%23%2F..%2F..%2F%252e"
        )

    def test_no_link_without_template_or_id(self):
        self.mapping.product_ref = False
        self.assertFalse(self.mapping.store_url)
        with self.assertRaisesRegex(UserError, "no address"):
            self.mapping.action_open_in_store()
