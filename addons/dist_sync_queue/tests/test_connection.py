# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import base64
import json
import logging

from nacl.public import PrivateKey, SealedBox

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user
from odoo.tools import SQL

from .common import SyncCase, put_event
from .relay_kit import MANIFEST, RelayKit, rows

THING = "test.thing.v1"
SECRET = {"token": "very-secret-token"}


class TestConnection(RelayKit, SyncCase):
    def setUp(self):
        super().setUp()
        self.connection = self.make_connection(active=False)
        self.key = self.announce(key=PrivateKey.generate())

    def relay_row(self):
        self.env.flush_all()
        query = "SELECT * FROM dist_relay.connections() WHERE connection = %s"
        return rows(self.env.cr, query, (self.connection.ref,))[0]

    def check(self, verdict="delivered", **outcome):
        self.connection.action_test_connection()
        (event,) = self.claim(self.connection)
        self.answer(event, verdict, **outcome)
        self.run_jobs()

    # -- settings ----------------------------------------------------------------------------------------------------
    def test_settings_are_checked_by_the_manifest(self):
        with self.assertRaisesRegex(ValidationError, "Shop domain: 'shop' does not match"):
            self.connection.settings = {"shop_domain": "shop"}
        with self.assertRaisesRegex(ValidationError, "overlap: -1 is less than"):
            self.connection.settings = {"shop_domain": "one.example", "overlap": -1}
        with self.assertRaisesRegex(ValidationError, "Shop domain: 'shop_domain' is a required property"):
            self.connection.settings = {"overlap": 1}
        with self.assertRaisesRegex(ValidationError, "'more' was unexpected"):
            self.connection.settings = {"shop_domain": "one.example", "more": 1}

    def test_a_change_of_the_configuration_makes_the_relay_read_again(self):
        before = self.relay_row()
        self.assertEqual((before["adapter"], before["state"]), ("testing", "draft"))
        self.connection.settings = {"shop_domain": "two.example"}
        after = self.relay_row()
        self.assertEqual(after["config_version"], before["config_version"] + 1)
        self.assertEqual(after["settings"], {"shop_domain": "two.example"})
        self.connection.user_id = False
        self.assertEqual(self.relay_row()["config_version"], after["config_version"])
        with self.assertRaises(UserError):
            self.connection.ref = "mine"

    # -- pausing -----------------------------------------------------------------------------------------------------
    def test_a_pause_holds_the_work_of_the_connection_and_of_no_other(self):
        """Jobs with and without a key, and marks: they wait, and nothing of them is lost, spent or run meanwhile."""
        other, paused = self.make_connection(), self.connection
        paused._activate()
        paused.action_pause()
        served, computed = [], []

        def handler(env, items):
            served.extend(item.payload["n"] for item in items)

        def compute(env, connection, keys):
            computed.append(connection.id)
            return {}

        with self.handler(THING, handler), self.handler(f"{THING}#dirty", compute, kind="dirty"):
            jobs = [
                put_event(self.env, connection, THING, {"n": n}, key)
                for n, (connection, key) in enumerate(
                    [(paused, None), (paused, "k"), (other, None), (other, "k"), (self.env["dist.connection"], "k")]
                )
            ]
            self.env["dist.dirty.mark"].mark(paused | other, THING, ["a"])
            self.run_jobs()
            self.assertEqual([job.state for job in jobs], ["pending"] * 2 + ["done"] * 3)
            self.assertEqual([job.attempts for job in jobs[:2]], [0, 0])
            self.assertEqual((sorted(served), computed), ([2, 3, 4], [other.id]))
            paused.action_resume()
            self.run_jobs()
        self.assertEqual([job.state for job in jobs], ["done"] * 5)
        self.assertEqual((sorted(served), computed), ([0, 1, 2, 3, 4], [other.id, paused.id]))

    # -- states ------------------------------------------------------------------------------------------------------
    def test_states(self):
        with self.assertRaisesRegex(UserError, "Test .* first"):
            self.connection.action_activate()
        with self.assertRaisesRegex(UserError, "cannot become"):
            self.connection.action_pause()
        with self.assertRaisesRegex(UserError, "buttons"):
            self.connection.state = "active"
        with self.assertRaisesRegex(UserError, "starts as a draft"):
            self.make_connection(active=False, state="active")
        self.connection._activate()
        with self.assertRaisesRegex(ValidationError, "Pause a connection before archiving"):
            self.connection.active = False
        with self.assertRaisesRegex(UserError, "Pause a connection before deleting"):
            self.connection.unlink()
        self.connection.action_pause()
        with self.assertRaisesRegex(UserError, "is paused"):
            self.connection.action_test_connection()
        with self.assertRaisesRegex(UserError, "not active"):
            self.connection.action_pull_now()
        self.connection.action_resume()
        self.assertEqual(self.connection.state, "active")
        self.connection.action_draft()
        with self.assertRaisesRegex(UserError, "Only a paused"):
            self.connection.action_resume()

    def test_a_connection_with_waiting_events_is_not_deleted(self):
        event = self.emit_fact(self.connection)
        with self.assertRaisesRegex(UserError, "still on their way"):
            self.connection.unlink()
        event.action_cancel()
        self.connection.unlink()
        self.assertFalse(event.exists())

    # -- test connection ---------------------------------------------------------------------------------------------
    def test_test_connection_and_activate(self):
        with self.assertRaisesRegex(UserError, "Enter the credentials"):
            self.connection.action_test_connection()
        self.connection.set_credentials(SECRET)
        facts = {"shop": "One", "scopes": ["read_orders"], "locations": [{"id": "1", "name": "Main"}]}
        self.check(data=facts)
        self.assertEqual((self.connection.check_state, self.connection.check_result), ("ok", facts))
        self.connection.action_activate()
        self.assertEqual(self.connection.state, "active")
        self.assertEqual(len(self.connection.schedule_ids), 2)

    def test_failed_test_says_why_and_blocks_activation(self):
        self.connection.set_credentials(SECRET)
        self.check("rejected", message="The token is not valid")
        self.assertEqual((self.connection.check_state, self.connection.health), ("failed", "error"))
        self.assertEqual(self.connection.check_message, "The token is not valid")
        with self.assertRaisesRegex(UserError, "Test .* first"):
            self.connection.action_activate()
        self.check(data={"shop": "One"})
        self.assertFalse(self.connection.check_message)
        self.connection.settings = {"shop_domain": "two.example"}
        with self.assertRaisesRegex(UserError, "Test .* first"):
            self.connection.action_activate()  # what was tested is not what would be active

    # -- credentials -------------------------------------------------------------------------------------------------
    def test_credentials_are_sealed_to_the_relay(self):
        with self.assertNoLogs("odoo.addons.dist_sync_queue", logging.DEBUG):
            self.connection.set_credentials(SECRET)
        sealed = self.relay_row()["sealed_credentials"]
        self.assertNotIn(SECRET["token"], base64.b64decode(sealed).decode("latin-1"))
        opened = json.loads(SealedBox(self.key).decrypt(base64.b64decode(sealed)))
        self.assertEqual(opened["token"], SECRET["token"])
        self.assertEqual(self.connection.credentials_state, "set")
        self.connection.action_clear_credentials()
        self.assertIsNone(self.relay_row()["sealed_credentials"])
        self.assertEqual(self.connection.credentials_state, "missing")

    def test_wrong_credentials_are_named_but_never_repeated(self):
        for wrong in ({}, {"token": "short"}, {"token": 12345678}, {**SECRET, "more": "hush-hush"}, "hush-hush"):
            with self.assertRaises(ValidationError) as caught:
                self.connection.set_credentials(wrong)
            self.assertNotRegex(str(caught.exception), "short|12345678|hush-hush")
        with self.assertRaisesRegex(ValidationError, "Access token"):
            self.connection.set_credentials({})

    def test_credentials_are_write_only(self):
        manager = new_test_user(
            self.env, "d1_manager", groups="dist_sync_queue.group_dist_manager,base.group_allow_export"
        )
        user = new_test_user(self.env, "d1_user", groups="dist_sync_queue.group_dist_user")
        connection = self.connection.with_user(manager)
        connection.set_credentials(SECRET)
        for name in ("sealed_credentials", "sealed_to"):
            with self.assertRaises(AccessError):
                connection.read([name])
            with self.assertRaises(AccessError):
                connection.search([(name, "!=", False)])
            with self.assertRaises(AccessError):
                connection.export_data([name])
            with self.assertRaises(AccessError):
                connection.write({name: "x"})
            self.assertNotIn(name, connection.fields_get())
        self.assertNotIn("sealed_credentials", connection.read()[0])
        self.assertNotIn("sealed_credentials", connection.copy_data()[0])
        self.assertFalse(self.connection.copy().sealed_credentials)
        with self.assertRaises(AccessError):
            self.connection.with_user(user).set_credentials(SECRET)
        with self.assertRaises(AccessError):
            connection.create({"name": "x", "adapter_id": connection.adapter_id.id, "sealed_credentials": "x"})

    def test_credentials_are_sealed_for_their_address_and_forgotten_with_it(self):
        self.connection.set_credentials(SECRET)
        opened = json.loads(SealedBox(self.key).decrypt(base64.b64decode(self.connection.sealed_credentials)))
        domain = self.connection.settings["shop_domain"]
        self.assertEqual(opened, {**SECRET, "_bound_to": {"adapter": "testing", "shop_domain": domain}})
        self.connection.settings = {**self.connection.settings, "overlap": 7}
        self.assertEqual(self.connection.credentials_state, "set")
        self.connection.settings = {**self.connection.settings, "shop_domain": "attacker.example"}
        self.assertFalse(self.connection.sealed_credentials)
        self.assertEqual(self.connection.credentials_state, "missing")
        self.assertIn("shop_domain", self.connection.message_ids[0].body)

    def test_a_new_key_of_the_relay_asks_for_the_credentials_again(self):
        self.connection.set_credentials(SECRET)
        self.announce(MANIFEST, key=self.key)
        self.assertEqual(self.connection.credentials_state, "set")
        self.announce(MANIFEST)
        self.assertEqual((self.connection.credentials_state, self.connection.health), ("stale", "error"))
        self.assertIn("Enter the credentials again", self.connection.health_message)
        with self.assertRaisesRegex(UserError, "new key"):
            self.connection.action_test_connection()

    def test_without_a_relay_there_is_nothing_to_seal_to(self):
        self.env["dist.relay"].search([]).unlink()
        with self.assertRaisesRegex(UserError, "has not announced itself"):
            self.connection.set_credentials(SECRET)
        self.env["dist.relay"].create({"public_key": "no key"})
        with self.assertRaisesRegex(UserError, "cannot be used"):
            self.connection.set_credentials(SECRET)

    # -- announce ----------------------------------------------------------------------------------------------------
    def test_announce_updates_what_changed_only(self):
        adapter = self.connection.adapter_id
        self.env.cr.execute("SELECT xmin FROM dist_adapter WHERE id = %s", (adapter.id,))
        before = self.env.cr.fetchone()
        announced = adapter.announced_at
        self.announce()
        self.assertEqual(adapter.announced_at, announced)
        self.env.cr.execute("SELECT xmin FROM dist_adapter WHERE id = %s", (adapter.id,))
        self.assertEqual(self.env.cr.fetchone(), before)
        self.announce({**MANIFEST, "label": "Renamed", "api_sunset": "2027-07-01"}, {**MANIFEST, "code": "other"})
        self.assertEqual((adapter.label, str(adapter.api_sunset)), ("Renamed", "2027-07-01"))
        self.assertTrue(self.env["dist.adapter"].search([("code", "=", "other")]))
        self.assertEqual(adapter.pull_capabilities(), ["orders.pull", "listings.pull"])

    # -- figures -----------------------------------------------------------------------------------------------------
    def test_figures_of_all_connections_cost_the_same_queries(self):
        self.connection._activate()
        others = self.connection
        for number in range(4):
            others |= self.make_connection(name=f"Other {number}")
        for connection in others:
            self.emit_fact(connection, "A", connection.id)
            self.emit_fact(connection, "B", connection.id)
            self.answer(self.claim(connection, 1)[0], "delivered")
            self.intake(self.envelope(connection))
        self.env.flush_all()
        self.env.invalidate_all()

        def queries(connections):
            names = ("today_counts", "pending_count", "dead_count", "exception_count", "oldest_pending_seconds")
            connections.mapped("name")
            before = self.env.cr.sql_log_count
            for connection in connections:
                for name in names:
                    connection[name]
            return self.env.cr.sql_log_count - before

        queries(others)  # fills the caches of the registry
        self.env.invalidate_all()
        five = queries(others)
        self.env.invalidate_all()
        self.assertEqual(queries(others[:1]), five)
        expected = {"shipment.confirm.v1": 1, "order.received.v1": 1}  # other addons add theirs
        self.assertLessEqual(expected.items(), self.connection.today_counts.items())
        self.assertEqual((self.connection.today_out_count, self.connection.today_in_count), (1, 1))
        self.assertEqual((self.connection.pending_count, self.connection.in_flight_count), (1, 0))
        self.assertEqual((self.connection.health, self.connection.health_color), ("ok", 10))
        self.answer(self.claim(self.connection)[0], "broken", message="x")
        with self.handler("order.received.v1", lambda env, items: None):
            self.run_jobs()
        self.connection.invalidate_recordset()
        self.assertEqual((self.connection.dead_count, self.connection.exception_count), (1, 1))
        self.assertEqual((self.connection.health, self.connection.health_color), ("error", 1))

    def test_figures_look_at_no_settled_row(self):
        """The overview is read all day: its cost must not grow with what was done in the last weeks."""
        today, unsettled = self.connection._start_of_today(), ("published", "unknown")
        for model, domain, index in (
            ("dist.outbox.event", [("state", "=", "pending")], "dist_outbox_event_open_idx"),
            ("dist.outbox.event", [("state", "in", unsettled)], "dist_outbox_event_open_idx"),
            ("dist.outbox.event", [("state", "=", "dead")], "dist_outbox_event_failed_idx"),
            ("dist.job", [("created_at", ">=", today), ("event_id", "!=", False)], "dist_job_received_idx"),
        ):
            with self.subTest(model, domain=domain):
                query = self.env[model]._search([("connection_id", "in", self.connection.ids), *domain], order="id")
                self.env.cr.execute("SET LOCAL enable_seqscan = off")
                self.env.cr.execute(SQL("EXPLAIN %s", query.select()))
                self.assertIn(index, "\n".join(row[0] for row in self.env.cr.fetchall()))

    def test_form_opens(self):
        with Form(self.connection) as form:
            form.name = "Renamed"
        self.assertEqual(self.connection.name, "Renamed")
