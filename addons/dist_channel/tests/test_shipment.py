# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The channel is told what left, once, in which parcel and under which number."""

from decimal import Decimal

from .common import ChannelCase, line, order


class TestShipment(ChannelCase):
    def shipped(self, tree=None):
        record = self.receive(tree or order([line("SKU-A", 3), line("SKU-B", 1)]))
        self.run_jobs("_dist_reserve")
        return record

    def told(self) -> list[dict]:
        return [event.payload for event in self.events("shipment.confirm.v1")]

    def sums(self, payload: dict) -> dict[str, Decimal]:
        found: dict[str, Decimal] = {}
        for package in payload["packages"]:
            for entry in package["lines"]:
                found[entry["line_id"]] = found.get(entry["line_id"], Decimal(0)) + Decimal(entry["quantity"])
        return found

    def test_a_whole_delivery(self):
        record = self.shipped()
        picking = record.picking_ids
        self.deliver(picking, tracking="1Z1")
        event = self.events("shipment.confirm.v1")
        payload = event.payload
        self.assertEqual((event.key, event.res_model, event.res_id), (record.external_id, "stock.picking", picking.id))
        self.assertEqual(event.correlation_id, record.correlation_id)
        self.assertEqual(
            (payload["order_id"], payload["reference"], payload["location_id"]),
            (record.external_id, picking.name, "LOC1"),
        )
        self.assertEqual([p.get("tracking_number") for p in payload["packages"]], ["1Z1"])
        self.assertEqual(self.sums(payload), {"L-SKU-A": 3, "L-SKU-B": 1})
        self.assertEqual((record.state, picking.dist_shipment_state), ("imported", "sent"))
        self.tell_outcome(event, data={"fulfillment_ids": ["F1"]})
        self.assertEqual((record.state, picking.dist_shipment_state), ("shipped", "confirmed"))
        self.assertEqual(picking.dist_shipment_refs, {"fulfillment_ids": ["F1"]})
        self.assertEqual(record.line_ids.mapped("quantity_shipped"), [3, 1])

    def test_a_part_and_its_backorder(self):
        record = self.shipped()
        self.deliver(record.picking_ids, {self.product_a: 2}, tracking="1Z1")
        first = self.events("shipment.confirm.v1")
        self.assertEqual(self.sums(first.payload), {"L-SKU-A": 2})
        self.tell_outcome(first)
        self.assertEqual(record.state, "partially_shipped")
        rest = record.picking_ids.filtered(lambda p: p.state != "done")
        self.deliver(rest, tracking="1Z2")
        second = self.events("shipment.confirm.v1") - first
        self.assertEqual(self.sums(second.payload), {"L-SKU-A": 1, "L-SKU-B": 1})
        self.tell_outcome(second)
        self.assertEqual(record.state, "shipped")

    def test_packages_with_their_own_numbers(self):
        record = self.shipped()
        picking = record.picking_ids
        picking.action_assign()
        boxes = self.env["stock.package"].create([{"name": "BOX1", "dist_tracking_ref": "T1"}, {"name": "BOX2"}])
        for move_line, box in zip(picking.move_line_ids.sorted("product_id"), boxes, strict=True):
            move_line.result_package_id = box
        self.deliver(picking, tracking="T1, T9")
        packages = {p["reference"]: p for p in self.told()[0]["packages"]}
        self.assertEqual(packages["BOX1"]["tracking_number"], "T1")
        self.assertEqual(packages["BOX2"]["tracking_number"], "T9")

    def test_several_numbers_without_packages_reach_the_buyer(self):
        self.deliver(self.shipped().picking_ids, tracking="T1,T2")
        payload = self.told()[0]
        self.assertEqual([p["tracking_number"] for p in payload["packages"]], ["T1", "T2"])
        self.assertEqual(self.sums(payload), {"L-SKU-A": 3, "L-SKU-B": 1})

    def test_more_numbers_than_goods(self):
        record = self.shipped(order([line("SKU-A", 1)]))
        self.deliver(record.picking_ids, tracking="T1,T2")
        payload = self.told()[0]
        self.assertEqual(
            [(p["tracking_number"], p["more_tracking_numbers"]) for p in payload["packages"]], [("T1", ["T2"])]
        )

    def test_only_the_last_step_counts(self):
        self.warehouse.delivery_steps = "pick_pack_ship"
        record = self.shipped(order([line("SKU-A", 2)]))
        for _step in range(2):
            self.deliver(record.picking_ids.filtered(lambda p: p.state not in ("done", "cancel"))[:1])
            self.assertFalse(self.told())
        self.deliver(record.picking_ids.filtered(lambda p: p.state not in ("done", "cancel")))
        self.assertEqual(self.sums(self.told()[0]), {"L-SKU-A": 2})

    def test_a_return_is_no_shipment(self):
        record = self.shipped(order([line("SKU-A", 2)]))
        picking = record.picking_ids
        self.deliver(picking)
        wizard = (
            self.env["stock.return.picking"].with_context(active_id=picking.id, active_model="stock.picking").create({})
        )
        wizard.product_return_moves.quantity = 1
        back = self.env["stock.picking"].browse(wizard.action_create_returns()["res_id"])
        self.deliver(back)
        self.assertEqual(len(self.told()), 1)

    def test_too_much_shipped_tells_the_channel_what_it_ordered(self):
        record = self.shipped(order([line("SKU-A", 3)]))
        self.deliver(record.picking_ids, {self.product_a: 5})
        self.assertEqual(self.sums(self.told()[0]), {"L-SKU-A": 3})
        self.assertEqual(self.problems(record), {"shipped_too_much"})

    def test_goods_the_channel_does_not_know_are_not_told(self):
        record = self.shipped(order([line("SKU-A", 1)]))
        record.sale_order_id.order_line = [(0, 0, {"product_id": self.product_b.id, "product_uom_qty": 1})]
        self.run_jobs("_dist_reserve")
        self.deliver(record.picking_ids)
        self.assertEqual(self.sums(self.told()[0]), {"L-SKU-A": 1})

    def test_a_refusal_waits_for_somebody_and_can_be_sent_again(self):
        record = self.shipped(order([line("SKU-A", 1)]))
        picking = record.picking_ids
        self.deliver(picking)
        event = self.events("shipment.confirm.v1")
        self.tell_outcome(event, "rejected", message="fulfillment order is on hold")
        self.assertEqual((record.state, record.problem), ("exception", "fulfillment order is on hold"))
        self.assertEqual(picking.dist_shipment_state, "rejected")
        self.env.cr.execute("UPDATE dist_outbox_event SET state = 'rejected' WHERE id = %s", (event.id,))
        event.invalidate_recordset()
        picking.action_resend_shipment()
        self.assertEqual((event.state, picking.dist_shipment_state), ("pending", "sent"))
        self.tell_outcome(event)
        self.assertEqual(record.state, "shipped")

    def test_a_repeated_answer_changes_nothing(self):
        record = self.shipped(order([line("SKU-A", 1)]))
        self.deliver(record.picking_ids)
        event = self.events("shipment.confirm.v1")
        self.tell_outcome(event)
        self.tell_outcome(event, "rejected", message="late")
        self.assertEqual(record.state, "shipped")

    def test_an_answer_about_another_model_with_the_same_id_changes_nothing(self):
        record = self.shipped(order([line("SKU-A", 1)]))
        self.deliver(record.picking_ids)
        event = self.events("shipment.confirm.v1")
        self.tell_outcome(event, res_model="stock.picking.batch")
        self.assertEqual(record.picking_ids.dist_shipment_state, "sent")
        self.tell_outcome(event)
        self.assertEqual(record.picking_ids.dist_shipment_state, "confirmed")

    def test_a_channel_that_takes_no_shipments(self):
        manifest = dict(self.adapter.manifest)
        manifest["capabilities"] = [c for c in manifest["capabilities"] if c != "shipment.confirm"]
        self.adapter.manifest = manifest
        record = self.shipped(order([line("SKU-A", 1)]))
        self.deliver(record.picking_ids)
        self.assertEqual((record.state, self.told()), ("shipped", []))

    def test_a_carrier_and_a_weight(self):
        product = self.env["product.product"].create({"name": "Delivery", "type": "service"})
        carrier = self.env["delivery.carrier"].create(
            {
                "name": "UPS",
                "product_id": product.id,
                "tracking_url": "https://track.example.com/<shipmenttrackingnumber>",
            }
        )
        record = self.shipped(order([line("SKU-A", 1)]))
        picking = record.picking_ids
        picking.carrier_id = carrier
        picking.action_assign()
        picking.move_line_ids.result_package_id = self.env["stock.package"].create(
            {"name": "BOX", "shipping_weight": 2.5}
        )
        self.deliver(picking, tracking="T1")
        package = self.told()[0]["packages"][0]
        self.assertEqual((package["carrier"], package["weight_kg"]), ("UPS", "2.5"))
        self.assertEqual(package["tracking_url"], "https://track.example.com/T1")
