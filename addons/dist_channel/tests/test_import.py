# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""One order of the channel becomes one confirmed sales order, to the cent, however often it is told."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal

from odoo.exceptions import UserError

from odoo.addons.dist_sync_queue.tests.common import run_jobs

from .common import T0, ChannelCase, later, line, order, pair


class TestImport(ChannelCase):
    def test_an_order_becomes_a_confirmed_sales_order(self):
        tree = order(
            [line("SKU-A", 2, "19.99"), line("SKU-B", 1, "5.00")],
            shipping=[{"title": "Express", "price": pair("7.50")}],
            note="Ring twice",
        )
        record = self.receive(tree)
        sale = record.sale_order_id
        self.assertEqual((record.state, sale.state), ("imported", "sale"))
        self.assertEqual(sale.amount_total, 52.48)
        self.assertEqual(sale.client_order_ref, tree["number"])
        self.assertEqual(sale.date_order, T0.replace(tzinfo=None))
        self.assertEqual(sale.order_line.mapped("product_uom_qty"), [2, 1, 1])
        self.assertEqual(
            sale.order_line.mapped("product_id"), self.product_a + self.product_b + self.channel.shipping_product_id
        )
        self.assertEqual(len(sale.picking_ids), 1)
        self.assertEqual(sale.picking_ids.dist_channel_order_id, record)
        self.assertFalse(self.problems(record))

    def test_a_repeat_and_an_older_snapshot_change_nothing(self):
        tree = order([line("SKU-A", 2)])
        record = self.receive(tree)
        sale = record.sale_order_id
        newer = later(tree, tags=["vip"])
        self.receive(newer)
        for again in (newer, tree, later(tree, -5, note="from the past")):
            self.assertEqual(self.receive(again), record)
        self.assertEqual((record.revision, record.note), (2, False))
        self.assertEqual(record.sale_order_id, sale)
        self.assertEqual(self.env["sale.order"].search_count([("dist_channel_order_id", "=", record.id)]), 1)

    def test_several_snapshots_in_one_batch_leave_the_newest(self):
        tree = order([line("SKU-A", 2)])
        record = self.receive(
            tree, later(tree, 5, lines=[line("SKU-A", 3)], totals=order([line("SKU-A", 3)])["totals"]), tree
        )[:1]
        self.assertEqual(record.sale_order_id.order_line.product_uom_qty, 3)

    def test_taxes_are_matched_by_rate(self):
        tax = self.env["account.tax"].create({"name": "8.25%", "amount": 8.25, "type_tax_use": "sale"})
        tree = order([line("SKU-A", 1, "100.00", tax=("8.25", "0.0825"))])
        sale = self.receive(tree).sale_order_id
        self.assertEqual(sale.order_line.tax_ids, tax)
        self.assertEqual((sale.amount_untaxed, sale.amount_tax, sale.amount_total), (100, 8.25, 108.25))

    def test_included_tax_needs_an_included_tax(self):
        self.env["account.tax"].create({"name": "20%", "amount": 20, "type_tax_use": "sale"})
        inside = self.env["account.tax"].create(
            {"name": "20% incl", "amount": 20, "type_tax_use": "sale", "price_include_override": "tax_included"}
        )
        tree = order([line("SKU-A", 1, "120.00", tax=("20.00", "0.2"))], taxes_included=True)
        sale = self.receive(tree).sale_order_id
        self.assertEqual(sale.order_line.tax_ids, inside)
        self.assertEqual((sale.amount_untaxed, sale.amount_total), (100, 120))

    def test_a_tax_without_counterpart_is_a_line_of_its_own(self):
        tree = order([line("SKU-A", 1, "100.00", tax=("7.13", "0.07125"))])
        sale = self.receive(tree).sale_order_id
        extra = sale.order_line.filtered(lambda ln: ln.product_id == self.channel.tax_product_id)
        self.assertEqual((extra.price_unit, sale.amount_total), (7.13, 107.13))

    def test_an_included_tax_without_counterpart_is_taken_out_of_the_revenue(self):
        tree = order([line("SKU-A", 1, "107.13", tax=("7.13", "0.07125"))], taxes_included=True)
        sale = self.receive(tree).sale_order_id
        self.assertEqual(sale.amount_total, 107.13)
        self.assertEqual(sorted(sale.order_line.mapped("price_unit")), [-7.13, 7.13, 107.13])

    def test_tax_the_marketplace_remits_is_neither_revenue_nor_debt(self):
        tax = {"title": "CA tax", "amount": pair("9.00"), "rate": "0.09", "marketplace_facilitated": True}
        tree = order([line("SKU-A", 1, "100.00", taxes=[tax])])
        record = self.receive(tree)
        self.assertEqual(record.sale_order_id.amount_total, 100)
        self.assertEqual((record.amount_facilitated, record.amount_total), (9, 109))
        self.channel.facilitated_tax_policy = "line"
        sale = self.receive(order([line("SKU-A", 1, "100.00", taxes=[tax])])).sale_order_id
        self.assertEqual(sale.amount_total, 109)
        self.assertIn(self.channel.facilitated_tax_product_id, sale.order_line.product_id)

    def test_included_tax_the_marketplace_remits_leaves_the_net_price(self):
        tax = {"title": "VAT", "amount": pair("20.00"), "rate": "0.2", "marketplace_facilitated": True}
        tree = order([line("SKU-A", 1, "120.00", taxes=[tax])], taxes_included=True)
        self.assertEqual(self.receive(tree).sale_order_id.amount_total, 100)

    def test_discounts_are_exact_to_the_cent(self):
        tree = order([line("SKU-A", 3, "19.99", discount="10.00"), line("SKU-B", 1, "80.00", discount="20.00")])
        sale = self.receive(tree).sale_order_id
        self.assertEqual(sale.amount_total, 109.97)
        by_product = {ln.product_id: ln for ln in sale.order_line}
        self.assertEqual(by_product[self.product_a].discount, 0)
        self.assertEqual(by_product[self.product_b].discount, 25)
        self.assertEqual(by_product[self.channel.discount_product_id].price_unit, -10)

    def test_a_cent_of_tax_rounding_becomes_an_adjustment_line(self):
        self.env["account.tax"].create({"name": "8.25%", "amount": 8.25, "type_tax_use": "sale"})
        tree = order([line("SKU-A", 1, "10.10", tax=("0.84", "0.0825"))])
        sale = self.receive(tree).sale_order_id
        self.assertEqual(sale.amount_total, 10.94)
        adjustment = sale.order_line.filtered(lambda ln: ln.dist_line_key == "adjustment")
        self.assertEqual(Decimal(str(adjustment.price_unit)), Decimal("0.01"))

    def test_a_difference_beyond_the_tolerance_waits_for_somebody(self):
        self.env["account.tax"].create({"name": "8.25%", "amount": 8.25, "type_tax_use": "sale"})
        tree = order([line("SKU-A", 1, "100.00", tax=("9.00", "0.0825"))])
        record = self.receive(tree)
        self.assertEqual((record.state, self.problems(record)), ("exception", {"total_mismatch"}))
        self.assertFalse(record.sale_order_id)
        record.action_accept_difference()
        self.assertEqual((record.state, record.sale_order_id.amount_total), ("imported", 109.0))
        self.assertFalse(self.problems(record))

    def test_blocked_differences_are_quotations(self):
        self.channel.mismatch_policy = "block"
        record = self.receive(order([line("SKU-A", 1, "100.00")], total=Decimal("100.50")))
        self.assertEqual((record.state, record.sale_order_id.state), ("exception", "draft"))
        record.action_accept_difference()
        self.assertEqual((record.state, record.sale_order_id.state), ("imported", "sale"))
        self.assertEqual(record.sale_order_id.amount_total, 100.5)

    def test_exact_policy_refuses_a_cent(self):
        self.channel.mismatch_policy = "exact"
        record = self.receive(order([line("SKU-A", 1, "100.00")], total=Decimal("100.01")))
        self.assertEqual((record.state, self.problems(record)), ("exception", {"total_mismatch"}))

    def test_prices_with_many_digits_stay_exact(self):
        tree = order([line("SKU-A", 3, "3.333333")], total=Decimal("10.00"))
        self.assertEqual(self.receive(tree).sale_order_id.amount_total, 10.0)

    def test_presentment_currency_is_a_choice(self):
        euro = self.env.ref("base.EUR")
        euro.active = True
        pricelist = self.env["product.pricelist"].create({"name": "EUR", "currency_id": euro.id})
        self.channel.write({"currency_basis": "presentment", "pricelist_id": pricelist.id})
        ln = line("SKU-A", 2, "10.00")
        ln["unit_price"]["presentment"] = {"amount": "9.10", "currency": "EUR"}
        tree = order([ln], presentment_currency="EUR")
        for name, value in tree["totals"].items():
            shop = Decimal(value["shop"]["amount"])
            value["presentment"] = {
                "amount": str(shop * Decimal("0.91")) if name in ("lines", "total") else "0",
                "currency": "EUR",
            }
        sale = self.receive(tree).sale_order_id
        self.assertEqual((sale.currency_id, sale.amount_total), (euro, 18.20))

    def test_a_hold_keeps_the_order_from_being_confirmed(self):
        tree = order([line("SKU-A", 2)], holds=[{"reason": "fraud", "note": "check"}])
        record = self.receive(tree)
        self.assertEqual((record.state, record.hold_reason), ("hold", "fraud: check"))
        self.assertFalse(record.sale_order_id)
        self.receive(later(tree, holds=[]))
        self.assertEqual((record.state, record.sale_order_id.state), ("imported", "sale"))

    def test_a_hold_that_is_extended_is_not_lifted_at_its_first_end(self):
        def until(**delta):
            return [{"reason": "fraud", "until": (datetime.now(timezone.utc) + timedelta(**delta)).isoformat()}]

        tree = order([line("SKU-A", 2)], holds=until(hours=1))
        record = self.receive(tree)
        self.receive(later(tree, holds=until(hours=6)))
        record._resume_after_hold()  # the first one's time has come
        self.assertEqual(record.state, "hold")
        self.receive(later(tree, 20, holds=[{"reason": "fraud"}]))
        record._resume_after_hold()
        self.assertEqual(record.state, "hold", "it has no end now")
        self.receive(later(tree, 30, holds=until(hours=-1)))
        self.assertEqual(record.state, "hold")
        run_jobs(self.env, later=True)
        self.assertEqual(record.state, "imported")

    def test_a_hold_after_confirmation_stops_the_delivery(self):
        tree = order([line("SKU-A", 2)])
        record = self.receive(tree)
        self.receive(later(tree, holds=[{"reason": "address"}]))
        self.assertEqual((record.state, self.problems(record)), ("hold", {"held_after_confirmation"}))
        with self.assertRaisesRegex(UserError, "on hold"):
            self.deliver(record.picking_ids)
        self.receive(later(tree, 20, holds=[]))
        self.assertEqual((record.state, self.problems(record)), ("imported", set()))
        self.deliver(record.picking_ids)

    def test_an_unpaid_order_waits(self):
        tree = order([line("SKU-A")], payment_status="pending")
        record = self.receive(tree)
        self.assertEqual(record.state, "hold")
        self.receive(later(tree, payment_status="paid"))
        self.assertEqual(record.state, "imported")

    def test_a_test_order_is_released_by_hand(self):
        record = self.receive(order([line("SKU-A")], test=True))
        self.assertEqual(record.state, "hold")
        record.action_release()
        self.assertEqual(record.state, "imported")

    def test_what_was_done_before_is_kept_for_information(self):
        self.channel.import_since = "2026-10-01"
        old = order([line("SKU-A")], placed_at="2026-09-01T00:00:00+00:00")
        closed = order([line("SKU-A")], status="closed")
        shipped = order([line("SKU-A", 2, fulfillable_quantity="0")])
        records = self.receive(old, closed, shipped)
        self.assertEqual(records.mapped("state"), ["closed"] * 3)
        self.assertFalse(records.sale_order_id)

    def test_partly_fulfilled_elsewhere_is_not_shipped_twice(self):
        record = self.receive(order([line("SKU-A", 2, fulfillable_quantity="1")]))
        self.assertEqual((record.state, self.problems(record)), ("exception", {"shipped_elsewhere"}))

    def test_a_state_cannot_be_reached_from_everywhere(self):
        record = self.receive(order([line("SKU-A")]))
        with self.assertRaisesRegex(UserError, "cannot become"):
            record._transition("received")
        record._transition("imported")

    def test_sales_orders_can_be_named_by_the_channel(self):
        self.channel.order_prefix = "SHOP"
        tree = order([line("SKU-A")])
        self.assertEqual(self.receive(tree).sale_order_id.name, f"SHOP{tree['number']}")

    def test_the_buyers_note_is_text(self):
        """A sales order's note is HTML; what a stranger typed in a store must not become links and pictures in it."""
        note = self.receive(order([line("SKU-A")], note="<img src=//spy.example> 2 < 3\nring twice")).sale_order_id.note
        self.assertIn("&lt;img", note)
        self.assertIn("2 &lt; 3<br", note)

    def test_gift_message_and_fees_are_kept(self):
        tree = order(
            [line("SKU-A")], gift={"message": "Happy birthday"}, fees=[{"kind": "commission", "amount": pair("1.50")}]
        )
        record = self.receive(tree)
        self.assertEqual(record.amount_fees, 1.5)
        notes = record.sale_order_id.order_line.filtered(lambda ln: ln.display_type == "line_note")
        self.assertIn("Happy birthday", notes.name)

    def test_a_batch_is_cheap(self):
        """The number of queries per order is a promise: nothing is asked order by order."""
        self.receive(order([line("SKU-A"), line("SKU-B")]))
        trees = [order([line("SKU-A"), line("SKU-B")]) for _number in range(20)]
        items = [self.item(tree) for tree in trees]
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        self.model(self.channel)._on_order_received(items)
        self.env.flush_all()
        spent = (self.env.cr.sql_log_count - before) / len(trees)
        self.assertEqual(set(self.order_of(*trees).mapped("state")), {"imported"})
        self.assertLess(spent, 36, f"{spent:.1f} queries per order")

    def test_a_huge_order(self):
        lines = [line("SKU-A", 1, "1.01", external_id=f"L{number}") for number in range(1000)]
        record = self.receive(order(lines))
        self.assertEqual(record.state, "imported")
        self.assertEqual(record.sale_order_id.amount_total, 1010.0)
        self.assertEqual(len(record.line_ids), 1000)
