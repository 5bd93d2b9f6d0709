# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Companies do not see each other's channels, orders and customers; rights are what a role needs."""

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user
from odoo.tools import mute_logger

from .common import ADDRESS, ChannelCase, line, order

MODELS = (
    "dist.channel",
    "dist.channel.location",
    "dist.channel.mapping",
    "dist.offer",
    "dist.offer.sale",
    "dist.partner.identity",
    "dist.channel.order",
    "dist.channel.order.line",
)


class TestCompany(ChannelCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.env["res.company"].create(
            {"name": "Other", "currency_id": cls.env.ref("base.USD").id, "country_id": cls.env.ref("base.us").id}
        )
        cls.other_channel = cls.make_channel("Other shop", cls.other)
        groups = "dist_sync_queue.group_dist_manager,sales_team.group_sale_salesman,stock.group_stock_user"
        cls.user = new_test_user(
            cls.env, "f_manager", groups, company_id=cls.company.id, company_ids=[(6, 0, cls.company.ids)]
        )

    def test_every_model_has_a_company_rule(self):
        for model in MODELS:
            with self.subTest(model):
                rules = self.env["ir.rule"].search([("model_id.model", "=", model), ("groups", "=", False)])
                self.assertTrue(any("company_ids" in (rule.domain_force or "") for rule in rules))

    def test_orders_stay_in_their_company(self):
        buyer = {"external_id": "B1", "email": "ann@example.com"}
        mine = self.receive(order([line("SKU-A")], buyer=buyer))
        theirs = self.receive(order([line("SKU-A")], buyer=buyer), channel=self.other_channel)
        self.assertEqual(theirs.sale_order_id.company_id, self.other)
        self.assertEqual(theirs.sale_order_id.warehouse_id.company_id, self.other)
        self.assertNotEqual(mine.partner_id, theirs.partner_id)
        self.assertEqual((mine.partner_id.company_id, theirs.partner_id.company_id), (self.company, self.other))
        seen = self.orders.with_user(self.user).search([])
        self.assertIn(mine, seen)
        self.assertNotIn(theirs, seen)
        for model in MODELS:
            records = self.env[model].with_user(self.user).search([])
            self.assertNotIn(self.other, records.sudo().company_id, model)

    def test_shared_customers_are_used_by_all(self):
        shared = self.env["res.partner"].create({"name": "Ann", "email": "ann@example.com", "company_id": False})
        buyer = {"email": "ann@example.com"}
        self.assertEqual(self.receive(order([line("SKU-A")], buyer=buyer)).partner_id, shared)
        self.assertEqual(
            self.receive(order([line("SKU-A")], buyer=buyer), channel=self.other_channel).partner_id, shared
        )

    def test_a_customer_of_another_company_is_never_used(self):
        theirs = self.env["res.partner"].create(
            {"name": "Ann", "email": "ann@example.com", "company_id": self.other.id}
        )
        self.assertNotEqual(self.receive(order([line("SKU-A")], buyer={"email": "ann@example.com"})).partner_id, theirs)

    def test_a_warehouse_of_another_company_is_refused(self):
        with self.assertRaisesRegex(UserError, "compan"):
            self.channel.warehouse_id = self.other_channel.warehouse_id

    def test_taxes_of_another_company_do_not_match(self):
        group = self.env["account.tax.group"].create({"name": "Other", "company_id": self.other.id})
        self.env["account.tax"].with_company(self.other).create(
            {
                "name": "7.77%",
                "amount": 7.77,
                "type_tax_use": "sale",
                "company_id": self.other.id,
                "tax_group_id": group.id,
            }
        )
        sale = self.receive(order([line("SKU-A", 1, "100", tax=("7.77", "0.0777"))])).sale_order_id
        self.assertFalse(sale.order_line.tax_ids)

    def test_what_a_user_may_do(self):
        record = self.receive(order([line("NOPE")], ship_to=ADDRESS))
        self.channel.connection_id.check_result = {"locations": [{"id": "LOC2", "name": "Second"}]}
        user = new_test_user(self.env, "f_user", "dist_sync_queue.group_dist_user")
        mapping = record.line_ids.mapping_id.with_user(user)
        mapping.product_id = self.product_a
        record.with_user(user).action_resume()
        self.assertEqual(record.state, "imported")
        with self.assertRaises(AccessError):
            self.channel.with_user(user).buffer_quantity = 1
        for button in ("action_load_locations", "action_push_all"):
            with self.subTest(button), self.assertRaises(AccessError):
                getattr(self.channel.with_user(user), button)()
        with self.assertRaises(AccessError):
            self.env["dist.channel.order"].with_user(user).create({"name": "x"})

    def test_sellers_and_warehouse_people_work_as_ever(self):
        record = self.receive(order([line("SKU-A", 2)]))
        clerk = new_test_user(self.env, "f_clerk", "stock.group_stock_user")
        self.run_jobs("_dist_reserve")
        self.deliver(record.picking_ids.with_user(clerk))
        self.assertEqual(len(self.events("shipment.confirm.v1")), 1)
        seller = new_test_user(self.env, "f_seller", "sales_team.group_sale_salesman_all_leads")
        other = self.receive(order([line("SKU-A", 2)]))
        for user in (seller, clerk):
            seen = other.with_user(user)
            self.assertEqual((seen.name, seen.display_name), (other.name, other.display_name))
            self.assertEqual(seen.channel_id.display_name, "Shop")
            secret = {"settings", "sealed_credentials", "check_result"} & set(self.channel.with_user(user).fields_get())
            self.assertFalse(secret, "what a connection is set up with is nothing for sellers and warehouse people")
        other.sale_order_id.with_user(seller).action_cancel()
        self.assertEqual(len(self.events("order.cancel.v1")), 1)

    def test_a_user_retries_from_needs_attention(self):
        """The button needs no right to sales: it acts as the engine would, like the order's own buttons."""
        record = self.receive(order([line("NOPE")]))
        problem = self.env["dist.exception"].search([("res_model", "=", record._name), ("res_id", "=", record.id)])
        record.line_ids.mapping_id.product_id = self.product_a
        user = new_test_user(self.env, "f_retry", "dist_sync_queue.group_dist_user")
        problem.with_user(user).action_retry()
        self.assertEqual(record.state, "imported")

    def test_nobody_writes_what_the_channel_sent(self):
        record = self.receive(order([line("NOPE")]))
        foreign = self.receive(order([line("SKU-A")])).sale_order_id
        mine = record.with_user(new_test_user(self.env, "f_forger", "dist_sync_queue.group_dist_manager"))
        for vals in ({"sale_order_id": foreign.id}, {"payload": {}}, {"state": "imported"}, {"difference_accepted": 1}):
            with self.subTest(vals), self.assertRaisesRegex(AccessError, next(iter(vals))):
                mine.write(vals)
        mine.activity_schedule("mail.mail_activity_data_todo", user_id=mine.env.uid)
        mine.message_post(body="Looking into it")

    def test_a_seller_ties_no_sales_order_to_the_channel(self):
        record = self.receive(order([line("NOPE")]))
        self.assertFalse(record.sale_order_id)
        seller = new_test_user(self.env, "f_tie", "sales_team.group_sale_salesman_all_leads")
        sales = self.env["sale.order"].with_user(seller)
        vals = {"partner_id": self.env["res.partner"].create({"name": "Somebody"}).id}
        with self.assertRaises(AccessError):  # this form takes back what was done, the other one does not
            sales.create({**vals, "dist_channel_order_id": record.id})
        with self.assertRaises(AccessError):
            sales.with_context(default_dist_channel_order_id=record.id).create(vals)
        own = sales.create({**vals, "order_line": [(0, 0, {"product_id": self.product_a.id})]})
        with self.assertRaisesRegex(AccessError, "ties"):
            own.dist_channel_order_id = record
        with self.assertRaisesRegex(AccessError, "ties"):
            own.order_line.dist_channel_line_id = record.line_ids

    def test_an_order_has_one_sales_order(self):
        sale = self.receive(order([line("SKU-A")])).sale_order_id
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            self.env["sale.order"].create(
                {"partner_id": sale.partner_id.id, "dist_channel_order_id": sale.dist_channel_order_id.id}
            ).flush_recordset()

    def test_strangers_see_nothing(self):
        self.receive(order([line("SKU-A")]))
        stranger = new_test_user(self.env, "f_stranger", "base.group_user")
        for model in MODELS:
            with self.subTest(model), self.assertRaises(AccessError):
                self.env[model].with_user(stranger).search([])
