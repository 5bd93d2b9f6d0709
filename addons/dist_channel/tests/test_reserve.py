# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Confirmed without reserving; reserved by one job per warehouse; waiting for stock costs nothing."""

from .common import ChannelCase, line, order


class TestReserve(ChannelCase):
    def states(self, records):
        return records.picking_ids.move_ids.sorted("id").mapped("state")

    def test_confirmation_does_not_reserve(self):
        records = self.receive(order([line("SKU-A", 2)]), order([line("SKU-B", 1)]))
        self.assertEqual(self.states(records), ["confirmed", "confirmed"])
        jobs = self.jobs("_dist_reserve")
        self.assertEqual(set(jobs.mapped("key")), {f"reserve:{self.warehouse.id}"})
        self.assertEqual(set(jobs.mapped("identity")), {f"reserve:{self.warehouse.id}"})
        self.assertEqual(set(jobs.mapped("lane")), {"reserve"})
        self.run_jobs("_dist_reserve")
        self.assertEqual(self.states(records), ["assigned", "assigned"])
        self.assertFalse(records[0].waiting_stock)

    def test_other_sales_orders_reserve_as_ever(self):
        sale = self.env["sale.order"].create(
            {
                "partner_id": self.env["res.partner"].create({"name": "Counter"}).id,
                "order_line": [(0, 0, {"product_id": self.product_a.id, "product_uom_qty": 1})],
            }
        )
        sale.action_confirm()
        self.assertEqual(sale.picking_ids.move_ids.state, "assigned")

    def test_a_quotation_confirmed_by_hand_reserves_in_the_lane_as_well(self):
        self.channel.confirm_automatically = False
        record = self.receive(order([line("SKU-A", 2)]))
        self.assertEqual((record.state, record.sale_order_id.state), ("imported", "draft"))
        record.sale_order_id.action_confirm()
        self.assertEqual(self.states(record), ["confirmed"])
        self.assertTrue(self.jobs("_dist_reserve"))

    def test_no_stock_waits_and_is_not_asked_for(self):
        record = self.receive(order([line("SKU-A", 500)]), order([line("SKU-B", 60)]))[1]
        self.run_jobs("_dist_reserve")
        self.assertEqual(self.states(record), ["partially_available"])
        self.assertTrue(record.waiting_stock)
        self.assertIn(record, self.orders.search([("waiting_stock", "=", True)]))
        self.assertFalse(self.warehouse._dist_moves_to_reserve(10), "nothing free: nothing to look at")

    def test_goods_that_arrive_are_reserved_for_what_waits(self):
        record = self.receive(order([line("SKU-B", 60)]))
        self.run_jobs("_dist_reserve")
        self.compute_offers()
        self.add_stock(self.product_b, 20)
        self.env.flush_all()
        self.assertIn("I-SKU-B@LOC1", self.marks())
        self.assertFalse(self.jobs("_dist_reserve"))
        self.compute_offers()
        self.run_jobs("_dist_reserve")
        self.assertEqual(self.states(record), ["assigned"])

    def test_a_receipt_leaves_channel_orders_to_their_lane(self):
        record = self.receive(order([line("SKU-B", 60)]))
        self.run_jobs("_dist_reserve")
        receipt = self.env["stock.picking"].create(
            {
                "picking_type_id": self.warehouse.in_type_id.id,
                "location_id": self.env.ref("stock.stock_location_suppliers").id,
                "location_dest_id": self.warehouse.lot_stock_id.id,
                "move_ids": [
                    (
                        0,
                        0,
                        {
                            "product_id": self.product_b.id,
                            "product_uom_qty": 30,
                            "location_id": self.env.ref("stock.stock_location_suppliers").id,
                            "location_dest_id": self.warehouse.lot_stock_id.id,
                        },
                    )
                ],
            }
        )
        receipt.action_confirm()
        self.deliver(receipt)
        self.assertEqual(self.states(record), ["partially_available"])
        self.run_jobs("_dist_reserve")
        self.assertEqual(self.states(record), ["assigned"])

    def test_the_scheduler_leaves_them_too(self):
        record = self.receive(order([line("SKU-A", 1)]))
        self.env.cr.execute("DELETE FROM dist_job")
        self.env["stock.rule"]._run_scheduler_tasks(company_id=self.company.id)
        self.assertEqual(self.states(record), ["confirmed"])
        self.assertTrue(self.jobs("_dist_reserve"))

    def test_first_come_first_served(self):
        first = self.receive(order([line("SKU-B", 40)]))
        second = self.receive(order([line("SKU-B", 40)]))
        self.run_jobs("_dist_reserve")
        self.assertEqual(first.picking_ids.move_ids.quantity, 40)
        self.assertEqual(second.picking_ids.move_ids.quantity, 10)

    def test_an_order_on_hold_takes_nothing(self):
        tree = order([line("SKU-A", 1)])
        record = self.receive(tree)
        record._transition("hold", hold_reason="fraud")
        self.run_jobs("_dist_reserve")
        self.assertEqual(self.states(record), ["confirmed"])
