# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What the channel shows is what may be promised; nothing is sent that it shows already."""

from datetime import timedelta

from odoo import fields

from .common import ChannelCase, later, line, order

KEY_A, KEY_B = "I-SKU-A@LOC1", "I-SKU-B@LOC1"


class TestAvailability(ChannelCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        refs = [
            {"inventory_ref": f"I-{sku}", "variant_ref": f"V-{sku}", "sku": sku, "name": sku}
            for sku in ("SKU-A", "SKU-B")
        ]
        cls.mappings = cls.env["dist.channel.mapping"].create(
            [{"channel_id": cls.channel.id, "external_key": f"variant_id:{ref['variant_ref']}", **ref} for ref in refs]
        )
        cls.mappings._auto_match()

    def confirm_all(self):
        """The channel answers every waiting push."""
        for event in self.events("availability.changed.v1").filtered(lambda e: e.state == "pending"):
            self.tell_outcome(event)
        self.env.cr.execute("UPDATE dist_outbox_event SET state = 'delivered' WHERE state = 'pending'")
        self.env.invalidate_all()

    def placed(self, seconds: int) -> str:
        """A moment so many seconds from the last confirmation, as the channel writes it."""
        confirmed = max(self.env["dist.offer"].search([]).mapped("confirmed_at"))
        return (confirmed + timedelta(seconds=seconds)).isoformat() + "+00:00"

    # -- arithmetic ------------------------------------------------------------------------------------------------

    def test_free_stock_less_reservations_and_orders(self):
        self.assertEqual(self.compute_offers(KEY_A, KEY_B), {KEY_A: 100, KEY_B: 50})
        self.receive(order([line("SKU-A", 7)]))
        self.compute_offers(KEY_A)
        offer = self.offer("SKU-A")
        self.assertEqual((offer.computed_quantity, offer.explanation["demand"]), (93, 7))
        self.warehouse._dist_reserve()
        self.compute_offers(KEY_A)
        self.assertEqual((offer.computed_quantity, offer.explanation["demand"]), (93, 0))
        self.assertEqual(offer.explanation["reserved"], 7)
        self.assertIn("100 on hand - 7 reserved", offer.action_explain())

    def test_an_order_that_waits_is_not_promised_again(self):
        """The channel subtracted it; giving the goods back to the pool would oversell."""
        self.receive(order([line("SKU-A", 5)], holds=[{"reason": "fraud"}]))
        self.receive(order([line("SKU-A", 3), line("UNKNOWN")]))
        self.compute_offers(KEY_A)
        self.assertEqual(self.offer("SKU-A").computed_quantity, 92)

    def test_the_larger_buffer_counts_and_nothing_goes_below_zero(self):
        self.channel.write({"buffer_quantity": 10, "buffer_percent": 5})
        self.assertEqual(self.compute_offers(KEY_A), {KEY_A: 90})
        self.channel.buffer_percent = 25
        self.assertEqual(self.compute_offers(KEY_A), {KEY_A: 75})
        self.location.buffer_quantity = 40
        self.assertEqual(self.compute_offers(KEY_A), {KEY_A: 60})
        self.location.buffer_quantity = 500
        self.assertEqual(self.compute_offers(KEY_A), {KEY_A: 0})

    def test_fractions_are_never_promised(self):
        self.add_stock(self.product_a, -0.5)
        self.assertEqual(self.compute_offers(KEY_A), {KEY_A: 99})

    def test_only_what_can_be_reserved_counts(self):
        shelf = self.env["stock.location"].create({"name": "Shelf", "location_id": self.warehouse.lot_stock_id.id})
        beside = self.env["stock.location"].create(
            {"name": "Quality", "location_id": self.warehouse.view_location_id.id}
        )
        self.add_stock(self.product_a, 5, shelf)
        self.add_stock(self.product_a, 1000, beside)
        self.assertEqual(self.compute_offers(KEY_A), {KEY_A: 105})

    def test_each_location_shows_its_own_warehouse(self):
        other = self.env["stock.warehouse"].create({"name": "East", "code": "EAST"})
        self.env["dist.channel.location"].create(
            {"channel_id": self.channel.id, "external_id": "LOC2", "name": "East", "warehouse_id": other.id}
        )
        self.add_stock(self.product_a, 8, other.lot_stock_id)
        self.assertEqual(self.compute_offers(KEY_A, "I-SKU-A@LOC2"), {KEY_A: 100, "I-SKU-A@LOC2": 8})

    def test_unknown_keys_and_unmapped_listings_send_nothing(self):
        self.mappings[0].action_unmatch()
        self.assertEqual(self.compute_offers(KEY_A, "nothing@LOC1", "I-SKU-B@nowhere"), {})

    # -- what is sent ----------------------------------------------------------------------------------------------

    def test_only_what_differs_is_sent(self):
        self.compute_offers(KEY_A)
        self.assertEqual(self.compute_offers(KEY_A), {})
        self.add_stock(self.product_a, 1)
        self.assertEqual(self.compute_offers(KEY_A), {KEY_A: 101})
        payload = self.events("availability.changed.v1")[-1].payload
        self.assertEqual((payload["listing"]["inventory_id"], payload["location_id"]), ("I-SKU-A", "LOC1"))

    def test_an_order_placed_after_the_confirmation_needs_no_push(self):
        """The store subtracts by itself: our number and its number agree without a word."""
        self.compute_offers(KEY_A)
        self.confirm_all()
        self.receive(order([line("SKU-A", 4)], placed_at=self.placed(3600)))
        self.assertEqual(self.compute_offers(), {})
        offer = self.offer("SKU-A")
        self.assertEqual((offer.computed_quantity, offer.expected_quantity, offer.expected_known), (96, 96, True))

    def test_an_order_placed_around_the_confirmation_is_sent_again(self):
        """Whether the store subtracted before or after it took our number cannot be known."""
        self.compute_offers(KEY_A)
        self.confirm_all()
        self.receive(order([line("SKU-A", 4)], placed_at=self.placed(5)))
        self.assertEqual(self.compute_offers(), {KEY_A: 96})

    def test_an_order_while_a_number_is_under_way_is_sent_again(self):
        self.compute_offers(KEY_A)
        self.receive(
            order([line("SKU-A", 4)], placed_at=(fields.Datetime.now() + timedelta(hours=1)).isoformat() + "+00:00")
        )
        self.assertEqual(self.compute_offers(), {KEY_A: 96})

    def test_a_cancellation_is_sent_whatever_the_store_did(self):
        self.compute_offers(KEY_A)
        self.confirm_all()
        tree = order([line("SKU-A", 4)], placed_at=self.placed(3600), updated_at=self.placed(3600))
        self.receive(tree)
        self.compute_offers()
        self.receive(later(tree, status="cancelled"))
        self.assertEqual(self.compute_offers(), {KEY_A: 100})

    def test_with_several_locations_nobody_knows_where_the_store_took_it(self):
        other = self.env["stock.warehouse"].create({"name": "East", "code": "EAST"})
        self.env["dist.channel.location"].create(
            {"channel_id": self.channel.id, "external_id": "LOC2", "name": "East", "warehouse_id": other.id}
        )
        self.compute_offers(KEY_A, "I-SKU-A@LOC2")
        self.confirm_all()
        self.receive(order([line("SKU-A", 4)], placed_at=self.placed(3600)))
        self.assertEqual(self.compute_offers(), {KEY_A: 96, "I-SKU-A@LOC2": 0})

    def test_an_answer_is_kept_an_old_one_is_not(self):
        self.compute_offers(KEY_A)
        self.add_stock(self.product_a, 1)
        self.compute_offers(KEY_A)
        first, second = self.events("availability.changed.v1")
        offer = self.offer("SKU-A")
        self.assertTrue(offer.in_flight)
        self.tell_outcome(second)
        self.assertEqual(
            (offer.confirmed_quantity, offer.confirmed_version, offer.in_flight), (101, second.version, False)
        )
        self.tell_outcome(first)
        self.assertEqual(offer.confirmed_quantity, 101)

    def test_a_refusal_is_shown_and_the_next_computation_sends_again(self):
        self.compute_offers(KEY_A)
        event = self.events("availability.changed.v1")
        self.assertEqual((event.res_model, event.res_id, event.report), ("dist.offer", self.offer("SKU-A").id, True))
        self.tell_outcome(event, "rejected", message="location not found")
        self.assertEqual(self.offer("SKU-A").last_error, "location not found")
        self.assertEqual(self.compute_offers(KEY_A), {KEY_A: 100})

    def test_push_all(self):
        self.compute_offers(KEY_A, KEY_B)
        self.channel.action_push_all()
        self.assertEqual(self.compute_offers(), {KEY_A: 100, KEY_B: 50})
        self.offer("SKU-A").action_push()
        self.assertEqual(self.compute_offers(), {KEY_A: 100})

    def test_the_reconciliation_looks_at_everything_and_sends_differences(self):
        self.compute_offers(KEY_A, KEY_B)
        self.env.cr.execute("ALTER TABLE stock_quant DISABLE TRIGGER USER")
        self.add_stock(self.product_b, 1)
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE stock_quant ENABLE TRIGGER USER")
        self.clear_marks()
        self.env["dist.availability"]._reconcile()
        self.assertEqual(self.marks(), {KEY_A, KEY_B})
        self.assertEqual(self.compute_offers(), {KEY_B: 51})

    # -- who says that something changed ------------------------------------------------------------------------------

    def test_every_change_of_a_quant_marks_its_offers(self):
        quant = self.env["stock.quant"].search(
            [("product_id", "=", self.product_a.id), ("location_id", "=", self.warehouse.lot_stock_id.id)]
        )
        unsold = self.make_product("SKU-NONE")
        self.env.flush_all()
        statements = {
            "UPDATE stock_quant SET quantity = quantity + 1 WHERE id = %s": {KEY_A},
            "UPDATE stock_quant SET reserved_quantity = reserved_quantity + 1 WHERE id = %s": {KEY_A},
            "UPDATE stock_quant SET in_date = in_date WHERE id = %s": set(),
            "DELETE FROM stock_quant WHERE id = %s": {KEY_A},
        }
        for statement, expected in statements.items():
            with self.subTest(statement):
                self.clear_marks()
                self.env.cr.execute(statement, (quant.id,))
                self.assertEqual(self.marks(), expected)
        self.clear_marks()
        self.add_stock(self.product_b, 1)
        self.add_stock(unsold, 1)
        self.env.flush_all()
        self.assertEqual(self.marks(), {KEY_B})

    def test_channels_that_take_no_availability_are_left_alone(self):
        self.channel.publish_availability = False
        self.clear_marks()
        self.add_stock(self.product_a, 1)
        self.env.flush_all()
        self.assertEqual(self.marks(), set())

    def test_what_no_quant_tells_is_marked_too(self):
        record = self.receive(order([line("SKU-A", 3)]))
        self.assertIn(KEY_A, self.marks())
        steps = {
            "an edit": lambda: record.sale_order_id.order_line.write({"product_uom_qty": 2}),
            "a cancellation": lambda: record.sale_order_id._action_cancel(),
            "a buffer": lambda: self.channel.write({"buffer_quantity": 1}),
            "a location's buffer": lambda: self.location.write({"buffer_quantity": 1}),
            "a moved location": lambda: self.warehouse.lot_stock_id.write({"usage": "internal"}),
            "another product": lambda: self.mappings[0].write({"product_id": self.product_b.id}),
        }
        for name, step in steps.items():
            with self.subTest(name):
                self.clear_marks()
                step()
                self.env.flush_all()
                self.assertIn(KEY_A, self.marks())

    def test_a_batch_is_cheap(self):
        """Two queries tell the stock of any number of offers."""
        products = [self.make_product(f"M{number}", number) for number in range(60)]
        self.env["dist.channel.mapping"].create(
            [
                {
                    "channel_id": self.channel.id,
                    "external_key": f"variant_id:V-{product.default_code}",
                    "inventory_ref": f"I-{product.default_code}",
                    "sku": product.default_code,
                    "product_id": product.id,
                    "state": "matched",
                }
                for product in products
            ]
        )
        keys = [f"I-{product.default_code}@LOC1" for product in products]
        self.assertEqual(len(self.compute_offers(*keys)), 60)
        self.channel.action_push_all()
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertQueryCount(25):
            self.model(self.channel, "dist.availability")._compute_availability(self.channel.connection_id, keys)
