# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Orders that change or are cancelled, there or here, before and after goods have left."""

from odoo.exceptions import UserError

from .common import ADDRESS, ChannelCase, later, line, order, pair


class TestChange(ChannelCase):
    def changed(self, tree: dict, lines: list[dict], **more) -> dict:
        return later(
            tree,
            lines=lines,
            totals=order(lines, **{k: v for k, v in more.items() if k == "shipping"})["totals"],
            **more,
        )

    def demand(self, record) -> dict:
        moves = record.picking_ids.move_ids.filtered(lambda m: m.state != "cancel")
        return {move.product_id.default_code: move.product_uom_qty for move in moves if move.product_uom_qty}

    def test_lines_are_added_changed_and_removed(self):
        tree = order([line("SKU-A", 2), line("SKU-B", 1, "5.00")])
        record = self.receive(tree)
        self.run_jobs("_dist_reserve")
        product = self.make_product("SKU-C", 10)
        tree = self.changed(tree, [line("SKU-A", 3), line("SKU-B", 0, "5.00", ordered=1), line("SKU-C", 4, "1.50")])
        self.receive(tree)
        sale = record.sale_order_id
        self.assertEqual((record.problem, record.state, sale.amount_total), (False, "imported", 36.0))
        by_product = {ln.product_id: ln.product_uom_qty for ln in sale.order_line}
        self.assertEqual(by_product, {self.product_a: 3, self.product_b: 0, product: 4})
        self.assertEqual(self.demand(record), {"SKU-A": 3, "SKU-C": 4})
        self.assertEqual(len(sale.picking_ids.filtered(lambda p: p.state != "cancel")), 1)

    def test_fewer_units_free_their_reservation(self):
        tree = order([line("SKU-A", 10)])
        record = self.receive(tree)
        self.run_jobs("_dist_reserve")
        self.receive(self.changed(tree, [line("SKU-A", 4, ordered=10)]))
        self.assertEqual(self.demand(record), {"SKU-A": 4})
        self.run_jobs("_dist_reserve")
        self.assertEqual(record.picking_ids.move_ids.mapped("quantity"), [4])
        self.assertEqual(self.product_a.free_qty, 96)

    def test_shipping_and_discount_change_too(self):
        tree = order([line("SKU-A", 3, "19.99", discount="10.00")], shipping=[{"title": "Std", "price": pair("5.00")}])
        record = self.receive(tree)
        tree = self.changed(tree, [line("SKU-A", 3, "19.99")], shipping=[{"title": "Std", "price": pair("0.00")}])
        self.receive(tree)
        self.assertEqual(record.sale_order_id.amount_total, 59.97)

    def test_a_new_address_goes_to_the_delivery(self):
        tree = order([line("SKU-A")])
        record = self.receive(tree)
        self.receive(later(tree, ship_to=ADDRESS | {"street": "99 New Rd"}))
        self.assertEqual(record.partner_shipping_id.street, "99 New Rd")
        self.assertEqual(record.picking_ids.partner_id, record.partner_shipping_id)
        self.assertEqual(record.sale_order_id.partner_shipping_id.parent_id, record.partner_id)

    def test_a_locked_order_is_changed_and_stays_locked(self):
        tree = order([line("SKU-A")])
        record = self.receive(tree)
        record.sale_order_id.action_lock()
        self.receive(self.changed(tree, [line("SKU-A", 5)]))
        self.assertEqual(record.sale_order_id.order_line.product_uom_qty, 5)
        self.assertTrue(record.sale_order_id.locked)

    def test_an_added_unknown_sku_waits(self):
        tree = order([line("SKU-A")])
        record = self.receive(tree)
        self.receive(self.changed(tree, [line("SKU-A"), line("NOPE")]))
        self.assertEqual((record.state, self.problems(record)), ("exception", {"unknown_sku"}))
        record.line_ids[-1].mapping_id.product_id = self.product_b
        self.run_jobs("_resume")
        self.assertEqual((record.state, record.sale_order_id.amount_total), ("imported", 20))

    def test_what_is_not_ours_to_sell_changes_nothing(self):
        tree = order([line("SKU-A")])
        record = self.receive(tree)
        self.deliver(record.picking_ids)
        self.receive(later(tree, tags=["x"], payment_status="paid", lines=[line("SKU-A", fulfillable_quantity="0")]))
        self.assertEqual(record.state, "imported")

    def test_a_change_after_shipment_is_somebodys_decision(self):
        tree = order([line("SKU-A", 2)])
        record = self.receive(tree)
        self.deliver(record.picking_ids)
        tree = self.changed(tree, [line("SKU-A", 1, ordered=2)])
        self.receive(tree)
        self.assertEqual((record.state, self.problems(record)), ("exception", {"changed_after_shipment"}))
        self.assertEqual(record.sale_order_id.order_line.product_uom_qty, 2)
        record.action_done()
        self.assertEqual(self.problems(record), set())
        self.receive(later(tree, tags=["x"]))
        self.assertNotEqual(record.state, "exception", "what was decided is not asked again")

    def test_a_closed_order_is_closed(self):
        tree = order([line("SKU-A")])
        record = self.receive(tree)
        self.deliver(record.picking_ids)
        self.tell_outcome(self.events("shipment.confirm.v1"))
        self.receive(later(tree, status="closed"))
        self.assertEqual(record.state, "closed")


class TestCancel(ChannelCase):
    def test_the_channel_cancels_before_shipment(self):
        tree = order([line("SKU-A", 2)])
        record = self.receive(tree)
        self.run_jobs("_dist_reserve")
        self.receive(later(tree, status="cancelled"))
        self.assertEqual((record.state, record.sale_order_id.state), ("cancelled", "cancel"))
        self.assertEqual(record.picking_ids.state, "cancel")
        self.assertEqual(self.product_a.free_qty, 100)
        self.assertFalse(self.events("order.cancel.v1"), "what came from the channel is not sent back")

    def test_cancelled_before_it_was_ever_seen(self):
        record = self.receive(order([line("SKU-A")], status="cancelled"))
        self.assertEqual((record.state, record.sale_order_id.ids), ("cancelled", []))

    def test_cancelled_while_it_needed_attention(self):
        tree = order([line("NOPE")])
        record = self.receive(tree)
        self.receive(later(tree, status="cancelled"))
        self.assertEqual((record.state, self.problems(record)), ("cancelled", set()))

    def test_the_channel_cancels_after_shipment(self):
        tree = order([line("SKU-A", 2)])
        record = self.receive(tree)
        self.deliver(record.picking_ids)
        tree = later(tree, status="cancelled")
        self.receive(tree)
        self.assertEqual((record.state, self.problems(record)), ("exception", {"cancelled_after_shipment"}))
        self.assertEqual(record.sale_order_id.state, "sale")
        record.action_done()
        self.receive(later(tree, tags=["again"]))
        self.assertFalse(self.problems(record), "decided once")

    def test_cancelled_in_odoo(self):
        record = self.receive(order([line("SKU-A", 2)]))
        record.sale_order_id._action_cancel()
        event = self.events("order.cancel.v1")
        self.assertEqual((event.key, event.payload["order_id"]), (record.external_id, record.external_id))
        self.assertEqual((record.state, event.correlation_id), ("cancelled", record.correlation_id))

    def test_the_echo_of_our_cancellation(self):
        tree = order([line("SKU-A", 2)])
        record = self.receive(tree)
        record.action_cancel()
        self.receive(later(tree, tags=["not yet cancelled"]))
        self.receive(later(tree, 20, status="cancelled"))
        self.assertEqual(record.state, "cancelled")
        self.assertEqual(len(self.events("order.cancel.v1")), 1)

    def test_an_order_without_sales_order_is_cancelled_too(self):
        record = self.receive(order([line("NOPE")]))
        record.action_cancel()
        self.assertEqual((record.state, self.problems(record)), ("cancelled", set()))
        self.assertEqual(len(self.events("order.cancel.v1")), 1)

    def test_a_refused_cancellation(self):
        record = self.receive(order([line("SKU-A", 2)]))
        record.action_cancel()
        self.tell_outcome(self.events("order.cancel.v1"), "rejected", message="already fulfilled")
        self.assertEqual((record.state, record.problem), ("exception", "already fulfilled"))

    def test_an_answer_about_another_model_with_the_same_id_changes_nothing(self):
        record = self.receive(order([line("SKU-A", 2)]))
        record.action_cancel()
        self.tell_outcome(self.events("order.cancel.v1"), "rejected", message="no", res_model="sale.order")
        self.assertEqual(record.state, "cancelled")

    def test_cancelled_in_odoo_after_a_part_was_shipped(self):
        record = self.receive(order([line("SKU-A", 2)]))
        self.deliver(record.picking_ids, {self.product_a: 1})
        record.sale_order_id._action_cancel()
        self.assertFalse(self.events("order.cancel.v1"))
        self.assertEqual((record.state, self.problems(record)), ("exception", {"cancelled_in_part"}))

    def test_what_the_channel_was_told_does_not_come_back(self):
        record = self.receive(order([line("SKU-A", 2)]))
        record.action_cancel()
        with self.assertRaisesRegex(UserError, "was told"):
            record.sale_order_id.action_draft()

    def test_the_buyers_wish(self):
        tree = order([line("SKU-A", 2)])
        record = self.receive(tree)
        tree = later(tree, cancellation={"requested": True, "reason": "too late"})
        self.receive(tree)
        self.assertEqual((record.state, self.problems(record)), ("exception", {"cancel_requested"}))
        self.assertEqual(record.sale_order_id.state, "sale")
        record.action_decline_cancellation()
        self.assertEqual((record.state, self.problems(record)), ("imported", set()))
        other = order([line("SKU-B")], cancellation={"requested": True})
        other_record = self.receive(other)
        other_record.action_cancel()
        self.assertEqual(self.events("order.cancel.v1").payload["reason"], "customer")

    def test_a_channel_that_cannot_cancel_is_not_asked(self):
        self.adapter.manifest = dict(self.adapter.manifest, capabilities=["orders.pull"])
        record = self.receive(order([line("SKU-A")]))
        record.action_cancel()
        self.assertEqual((record.state, len(self.events("order.cancel.v1"))), ("cancelled", 0))
