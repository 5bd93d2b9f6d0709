# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Whatever a channel sends: it ends as a clear exception, the order is kept, and no other order is held up."""

from decimal import Decimal

from odoo.addons.dist_sync_queue.api import Permanent
from odoo.addons.dist_sync_queue.tests.common import SyncKit

from .common import ADDRESS, ChannelCase, later, line, order


class TestBadInput(SyncKit, ChannelCase):
    receive = ChannelCase.receive
    run_jobs = ChannelCase.run_jobs

    def assert_kept(self, tree: dict, kind: str, words: str):
        """The order is kept with one problem that says ``words``; the good one beside it is imported."""
        good = order([line("SKU-A")])
        record, other = self.receive(tree, good)
        self.assertEqual(record.state, "exception")
        self.assertEqual(self.problems(record), {kind})
        self.assertIn(words, record.problem)
        self.assertFalse(record.sale_order_id)
        self.assertEqual((other.state, other.sale_order_id.state), ("imported", "sale"))
        return record

    def test_unknown_sku(self):
        record = self.assert_kept(
            order([line("SKU-A"), line("NEW-1", title="Blue shoe")]), "unknown_sku", "NEW-1 (Blue shoe)"
        )
        mapping = record.line_ids[1].mapping_id
        self.assertEqual(mapping.state, "unmatched")
        mapping.product_id = self.product_b
        self.run_jobs("_resume")
        self.assertEqual((record.state, self.problems(record)), ("imported", set()))
        self.assertIn(self.product_b, record.sale_order_id.order_line.product_id)

    def test_a_tax_below_zero(self):
        self.assert_kept(order([line("SKU-A", 1, "10.00", tax=("-1.00", "0.1"))]), "negative_amount", "Title SKU-A")

    def test_wrong_currency(self):
        record = self.assert_kept(
            order([line("SKU-A", currency="CAD")], currency="CAD"), "wrong_currency", "CAD, the channel sells in USD"
        )
        cad = self.env.ref("base.CAD")
        cad.active = True
        self.channel.pricelist_id = self.env["product.pricelist"].create({"name": "CAD", "currency_id": cad.id})
        record.action_resume()
        self.assertEqual((record.state, record.sale_order_id.currency_id), ("imported", cad))

    def test_an_amount_the_buyers_currency_lacks(self):
        cad = self.env.ref("base.CAD")
        cad.active = True
        pricelist = self.env["product.pricelist"].create({"name": "CAD", "currency_id": cad.id})
        self.channel.write({"currency_basis": "presentment", "pricelist_id": pricelist.id})
        record = self.receive(order([line("SKU-A")], presentment_currency="CAD"))
        self.assertEqual((record.state, self.problems(record)), ("exception", {"mixed_currency"}))

    def test_no_address(self):
        record = self.assert_kept(order([line("SKU-A")], ship_to=None), "missing_address", "the whole address")
        tree = record.payload | {"ship_to": ADDRESS}
        self.receive(later(tree))
        self.assertEqual((record.state, self.problems(record)), ("imported", set()))

    def test_an_address_without_street(self):
        self.assert_kept(
            order([line("SKU-A")], ship_to={"name": "Ann", "country": "US", "city": "Reno"}),
            "missing_address",
            "street",
        )

    def test_nothing_to_ship_needs_no_address(self):
        record = self.receive(order([line("SKU-A", requires_shipping=False)], ship_to=None))
        self.assertEqual(record.state, "imported")

    def test_an_unknown_country(self):
        self.assert_kept(
            order([line("SKU-A")], ship_to=ADDRESS | {"country": "ZZ", "state": None}), "unknown_country", "ZZ"
        )

    def test_totals_that_do_not_add_up(self):
        record = self.assert_kept(order([line("SKU-A", 2, "10.00")], total=Decimal("21.00")), "total_mismatch", "21.00")
        self.assertIn("difference 1.00", record.problem)

    def test_an_empty_order(self):
        self.assert_kept(order([line("SKU-A", 0)]), "empty_order", "No line")

    def test_an_unknown_unit(self):
        self.assert_kept(order([line("SKU-A", uom="KGM")]), "unknown_uom", "KGM")

    def test_an_archived_product(self):
        self.receive(order([line("SKU-B")]))
        self.product_b.active = False
        record = self.assert_kept(order([line("SKU-B")]), "archived_product", "SKU-B")
        self.product_b.active = True
        record.action_resume()
        self.assertEqual(record.state, "imported")

    def test_nobody_bought(self):
        tree = order([line("SKU-A", requires_shipping=False)], ship_to=None, buyer=None)
        record = self.assert_kept(tree, "missing_buyer", "neither a buyer")
        self.channel.guest_partner_id = self.env["res.partner"].create({"name": "Guest"})
        record.action_resume()
        self.assertEqual((record.state, record.partner_id), ("imported", self.channel.guest_partner_id))

    def test_a_tax_nobody_knows_where_that_is_refused(self):
        self.channel.tax_policy = "strict"
        self.assert_kept(order([line("SKU-A", 1, "100", tax=("7.13", "0.07125"))]), "unknown_tax", "Tax")

    def test_what_odoo_refuses(self):
        """A combo of settings Odoo itself complains about stays with its own order."""
        self.receive(order([line("SKU-B")]))
        self.product_b.route_ids = self.env["stock.route"].create({"name": "Nowhere"})
        rules = self.env["stock.rule"].search([("route_id", "in", self.warehouse.route_ids.ids)])
        rules.active = False
        record = self.receive(order([line("SKU-B")]))
        self.assertEqual(self.problems(record), {"refused"})
        self.assertIn("rule", record.problem)
        rules.active = True
        record.action_resume()
        self.assertEqual(record.state, "imported")

    def test_several_problems_are_told_at_once(self):
        tree = order([line("NOPE", tax=("-1", "0.1")), line("SKU-A")], ship_to=None)
        record = self.receive(tree)
        self.assertEqual(self.problems(record), {"unknown_sku", "negative_amount", "missing_address"})

    def test_a_problem_that_is_gone_is_closed_while_others_stay(self):
        tree = order([line("NOPE")], ship_to=None)
        record = self.receive(tree)
        self.receive(later(tree, ship_to=ADDRESS))
        self.assertEqual(self.problems(record), {"unknown_sku"})

    def test_the_inbox_can_retry(self):
        record = self.receive(order([line("NOPE")]))
        self.make_product("NOPE", 5)
        record.line_ids.mapping_id.action_auto_match()
        problem = self.env["dist.exception"].search([("res_model", "=", record._name), ("res_id", "=", record.id)])
        problem.action_retry()
        self.assertEqual((record.state, problem.state), ("imported", "done"))

    def test_what_no_contract_allows_is_refused_for_good(self):
        whole = order([line("SKU-A")])
        cases = {
            "an unknown enum": whole | {"status": "sideways"},
            "a missing field": {name: value for name, value in whole.items() if name != "totals"},
            "a number as a float": whole | {"lines": [line("SKU-A") | {"quantity": 1.5}]},
            "a naive time": whole | {"placed_at": "2026-11-01T12:00:00"},
            "html": {"body": "<html>"},
            "a negative price": order([line("SKU-A", 1, "-5.00")]),
            "an amount in another currency": whole | {"lines": [line("SKU-A", currency="CAD")]},
            "the same line twice": order([line("SKU-A"), line("SKU-A")]),
        }
        for name, tree in cases.items():
            with self.subTest(name), self.assertRaisesRegex(Permanent, "does not fit its contract"):
                self.model(self.channel)._on_order_received([self.item(tree, key="x")])

    def test_a_field_of_a_newer_relay_is_set_aside_and_told(self):
        record = self.receive(order([line("SKU-A")], loyalty_points=7))
        self.assertEqual((record.state, record.unknown_fields), ("imported", "loyalty_points"))

    def test_through_the_queue_one_bad_order_is_a_dead_letter_and_the_rest_goes_on(self):
        good, bad = order([line("SKU-A")]), order([line("SKU-A")]) | {"status": "sideways"}
        jobs = [
            SyncKit.receive(
                self, self.channel.connection_id, "order.received.v1", tree, key=tree["external_id"], run=False
            )
            for tree in (good, bad)
        ]
        SyncKit.run_jobs(self)
        self.assertEqual([job.state for job in jobs], ["done", "dead"])
        self.assertIn("status", jobs[1].error_message)
        record = self.order_of(good)
        self.assertEqual(record.state, "imported")
        self.assertEqual(record.picking_ids.move_ids.state, "assigned", "the reservation ran in its own lane")
        pushed = self.events("availability.changed.v1")
        self.assertEqual({event.key: event.payload["quantity"] for event in pushed[-1:]}, {"I-SKU-A@LOC1": "99"})
