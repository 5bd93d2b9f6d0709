# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""One customer is one partner, one address is one delivery address."""

import psycopg2

from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL, mute_logger

from .common import ADDRESS, ChannelCase, later, line, order


class TestParty(ChannelCase):
    def buy(self, buyer: dict | None, ship_to: dict | None = None, **more):
        return self.receive(order([line("SKU-A")], buyer=buyer, ship_to=ship_to or ADDRESS, **more))

    def test_customers_are_found_by_index(self):
        """A batch of new buyers must not read through all partners."""
        self.env["res.partner"].create(
            [{"name": "Somebody", "zip": str(number), "email": f"{number}@example.org"} for number in range(1000)]
        ).flush_recordset()
        self.env.cr.execute("ANALYZE res_partner")
        company = ("company_id", "in", [False, self.company.id])
        for domain, index in (
            ([("email_normalized", "in", ["a@example.com", "b@example.com"]), company], "res_partner_dist_email_index"),
            ([("zip", "in", ["1", "2"]), ("parent_id", "=", False), company], "res_partner_dist_zip_index"),
        ):
            with self.subTest(index):
                query = self.env["res.partner"]._search(domain, order="id")
                self.env.cr.execute(SQL("EXPLAIN %s", query.select()))
                self.assertIn(index, "\n".join(row[0] for row in self.env.cr.fetchall()))

    def test_the_buyers_id_comes_first(self):
        first = self.buy({"external_id": "B1", "name": "Ann", "email": "ann@example.com"})
        again = self.buy(
            {"external_id": "B1", "name": "Ann Smith", "email": "new@example.com"}, ADDRESS | {"street": "9 Elm"}
        )
        self.assertEqual(first.partner_id, again.partner_id)
        self.assertEqual(again.partner_shipping_id.parent_id, first.partner_id)

    def test_the_same_id_on_another_channel_is_somebody_else(self):
        other = self.make_channel("Other")
        first = self.buy({"external_id": "B1", "email": "ann@example.com"})
        tree = order(
            [line("SKU-A")], buyer={"external_id": "B1", "email": "bob@example.com"}, ship_to=ADDRESS | {"name": "Bob"}
        )
        self.assertNotEqual(self.receive(tree, channel=other).partner_id, first.partner_id)

    def test_the_email_is_the_second(self):
        known = self.env["res.partner"].create({"name": "Ann Lee", "email": "Ann@Example.com"})
        self.assertEqual(self.buy({"external_id": "B1", "email": " ann@example.COM "}).partner_id, known)
        self.assertEqual(self.buy({"external_id": "B2", "email": "ann@example.com"}).partner_id, known)

    def test_a_masked_email_says_nothing(self):
        mask = {"email": "nocx@market.example.com", "email_masked": True}
        first = self.buy({"external_id": "B1", "name": "Ann", **mask})
        second = self.buy({"external_id": "B2", "name": "Bob", **mask}, ADDRESS | {"name": "Bob", "street": "3 Oak"})
        self.assertNotEqual(first.partner_id, second.partner_id)

    def test_name_and_address_are_the_last(self):
        known = self.env["res.partner"].create(
            {
                "name": "ann  LEE",
                "street": "1 Main St.",
                "city": "Reno",
                "zip": "89501",
                "state_id": self.env.ref("base.state_us_23").id,
                "country_id": self.env.ref("base.us").id,
            }
        )
        self.assertEqual(known.state_id.code, "NV")
        record = self.buy(None)
        self.assertEqual((record.partner_id, record.partner_shipping_id), (known, known))
        self.assertNotEqual(self.buy(None, ADDRESS | {"street": "1 Main St Apt 2"}).partner_id, known)

    def test_delivery_addresses_are_used_again(self):
        buyer = {"external_id": "B1", "email": "ann@example.com"}
        first = self.buy(buyer)
        work = ADDRESS | {"name": "Ann Lee", "company": "Acme", "street": "5 Work Ave"}
        second = self.buy(buyer, work)
        third = self.buy(buyer, work | {"street": "5  work ave."})
        self.assertEqual(second.partner_shipping_id, third.partner_shipping_id)
        self.assertEqual(second.partner_shipping_id.type, "delivery")
        self.assertEqual(len(first.partner_id.child_ids), 1)

    def test_an_address_somebody_changed_is_not_used_for_another_place(self):
        buyer = {"external_id": "B1", "email": "ann@example.com"}
        self.buy(buyer)
        second = self.buy(buyer, ADDRESS | {"street": "5 Work Ave"})
        second.partner_shipping_id.street = "77 Moved Away"
        third = self.buy(buyer, ADDRESS | {"street": "5 Work Ave"})
        self.assertEqual(third.partner_shipping_id.street, "5 Work Ave")
        self.assertNotEqual(third.partner_shipping_id, second.partner_shipping_id)

    def test_an_archived_customer_is_not_used(self):
        buyer = {"external_id": "B1", "email": "ann@example.com"}
        first = self.buy(buyer).partner_id
        first.active = False
        second = self.buy(buyer).partner_id
        self.assertNotEqual(first, second)
        self.assertEqual(self.buy(buyer).partner_id, second)

    def test_one_batch_makes_one_customer(self):
        buyer = {"external_id": "B1", "name": "Ann", "email": "ann@example.com"}
        trees = [order([line("SKU-A")], buyer=buyer) for _number in range(3)]
        trees.append(order([line("SKU-A")], buyer={"external_id": "B9", "email": "ann@example.com"}))
        self.assertEqual(len(self.receive(*trees).partner_id), 1)

    def test_one_identity_never_takes_anothers(self):
        """Order shows A's id with B's e-mail: it is A's; the e-mail stays B's."""
        a = self.buy({"external_id": "A", "email": "a@example.com"}, ADDRESS | {"name": "Al"}).partner_id
        b = self.buy({"external_id": "B", "email": "b@example.com"}, ADDRESS | {"name": "Bo"}).partner_id
        self.assertEqual(
            self.buy({"external_id": "A", "email": "b@example.com"}, ADDRESS | {"name": "Al"}).partner_id, a
        )
        self.assertEqual(
            self.buy({"external_id": "C", "email": "b@example.com"}, ADDRESS | {"name": "Bo"}).partner_id, b
        )

    def test_an_order_changed_later_keeps_its_customer(self):
        tree = order([line("SKU-A")], buyer={"external_id": "B1", "email": "ann@example.com"})
        record = self.receive(tree)
        partner = record.partner_id
        self.receive(later(tree, ship_to=ADDRESS | {"street": "9 Elm"}))
        self.assertEqual(record.partner_id, partner)

    def test_partner_values(self):
        record = self.buy(
            {
                "external_id": "B1",
                "name": "Ann Lee",
                "email": "ann@example.com",
                "phone": "+1 555 0100",
                "locale": "en-US",
            },
            ADDRESS | {"company": "Acme", "phone": "+1 555 0199"},
        )
        partner = record.partner_id
        self.assertEqual((partner.email, partner.phone, partner.lang), ("ann@example.com", "+1 555 0100", "en_US"))
        self.assertEqual((partner.country_id.code, partner.state_id.code, partner.company_name), ("US", "NV", "Acme"))
        self.assertEqual(partner.company_id, self.company)
        self.channel.share_customers = True
        self.assertFalse(
            self.buy({"external_id": "B2", "email": "x@example.com"}, ADDRESS | {"name": "X"}).partner_id.company_id
        )


@tagged("post_install", "-at_install")
class TestTwoAtOnce(TransactionCase):
    """Two transactions that create the same customer: the second one is told to try again, and no lock is held."""

    def test_the_second_insert_is_a_serialization_failure(self):
        insert = """INSERT INTO dist_partner_identity (company_id, scope, kind, value, partner_id)
                    VALUES (%s, 0, 'email', %s, %s)
                    ON CONFLICT (company_id, scope, kind, value) DO UPDATE SET partner_id = EXCLUDED.partner_id"""
        row = (self.env.company.id, "race@example.com", self.env.ref("base.main_partner").id)
        with self.registry.cursor() as first, self.registry.cursor() as second:
            second.execute("SELECT 1")  # its snapshot is older than the first one's commit
            first.execute(insert, row)
            first.commit()
            try:
                with mute_logger("odoo.sql_db"), self.assertRaises(psycopg2.errors.SerializationFailure):
                    second.execute(insert, row)
                second.rollback()
                second.execute("SELECT count(*) FROM dist_partner_identity WHERE value = 'race@example.com'")
                self.assertEqual(second.fetchone()[0], 1)
            finally:
                second.rollback()
                first.execute("DELETE FROM dist_partner_identity WHERE value = 'race@example.com'")
                first.commit()
