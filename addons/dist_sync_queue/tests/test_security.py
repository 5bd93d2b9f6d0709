# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from pathlib import Path

from odoo import Command
from odoo.exceptions import AccessError
from odoo.service.model import call_kw
from odoo.tests import new_test_user

from .common import SyncCase
from .common_security import SecurityChecks, unprotected
from .relay_kit import RelayKit

USER, MANAGER = "dist_sync_queue.group_dist_user", "dist_sync_queue.group_dist_manager"


class TestSecurity(SecurityChecks, RelayKit, SyncCase):
    modules = ("dist_", "distribution")

    def setUp(self):
        super().setUp()
        self.other_company = self.env["res.company"].create({"name": "Other"})
        self.user = new_test_user(self.env, "d1_user", groups=USER)
        self.manager = new_test_user(self.env, "d1_manager", groups=MANAGER)
        self.ours = self.make_connection()
        self.theirs = self.make_connection(name="Theirs", company_id=self.other_company.id, user_id=False)

    def test_the_check_finds_what_is_missing(self):
        self.env["ir.rule"].search([("model_id.model", "=", "dist.connection")]).unlink()
        self.env["ir.model.access"].search([("model_id.model", "=", "dist.adapter")]).unlink()
        self.env["ir.model.access"].search([("model_id.model", "=", "dist.relay")]).group_id = False
        problems = "\n".join(unprotected(self.env, self.modules))
        self.assertIn("dist.connection belongs to companies and has no company rule", problems)
        self.assertIn("dist.adapter has no access right", problems)
        self.assertIn("dist.relay gives everybody access", problems)

    def test_companies_do_not_see_each_other(self):
        for connection in (self.ours, self.theirs):
            self.emit_fact(connection)
            self.intake(self.envelope(connection), self.envelope(connection, "bad", priority=99))
            health = {"kind": "health", "connection": connection.ref, "breaker": "closed", "at": "2026-01-01T00:00:00Z"}
            self.intake(health)
            self.env["dist.exception"].report("k", None, "Stuck", connection=connection)
            self.env["dist.dirty.mark"].mark(connection, "availability.changed.v1", ["a"])
        self.env.flush_all()
        for model in (
            "dist.connection.schedule",
            "dist.connection.health",
            "dist.outbox.event",
            "dist.job",
            "dist.dead.letter",
            "dist.exception",
            "dist.journey.step",
        ):
            with self.subTest(model):
                found = (
                    self.env[model]
                    .with_user(self.user)
                    .search([("connection_id", "in", (self.ours | self.theirs).ids)])
                )
                self.assertEqual(found.connection_id, self.ours)
        self.assertNotIn(self.theirs, self.env["dist.connection"].with_user(self.manager).search([]))
        with self.assertRaises(AccessError):
            self.theirs.with_user(self.manager).action_pause()
        self.manager.write({"company_ids": [Command.link(self.other_company.id)]})
        both = self.env(user=self.manager, context={"allowed_company_ids": (self.env.company | self.other_company).ids})
        self.assertIn(self.theirs, both["dist.connection"].search([]))

    def test_users_read_and_managers_act(self):
        event = self.emit_fact(self.ours)
        self.answer(self.claim(self.ours)[0], "broken")
        self.assertEqual(event.with_user(self.user).read(["state"])[0]["state"], "dead")
        with self.assertRaises(AccessError):
            event.with_user(self.user).action_replay()
        with self.assertRaises(AccessError):
            self.ours.with_user(self.user).action_pause()
        with self.assertRaises(AccessError):
            self.ours.schedule_ids.with_user(self.user).action_pull_now()
        with self.assertRaises(AccessError):
            self.env["dist.relay"].with_user(self.user).action_confirm_identity()
        event.with_user(self.manager).action_replay()
        self.ours.schedule_ids.with_user(self.manager).action_pull_now()
        self.ours.with_user(self.manager).action_pause()
        self.assertEqual((event.state, self.ours.state), ("pending", "paused"))

    def test_managers_do_not_write_what_the_system_found_out(self):
        self.intake(self.envelope(self.ours, "bad", priority=99))
        letter = self.env["dist.dead.letter"].search([("connection_id", "=", self.ours.id)]).with_user(self.manager)
        with self.assertRaisesRegex(AccessError, "raw"):
            letter.raw = '{"kind": "event"}'  # a replay takes it in, whatever company it names
        mine = self.ours.with_user(self.manager)
        with self.assertRaisesRegex(AccessError, "check_state"):
            mine.write({"check_state": "ok", "check_version": mine.config_version})
        version = mine.config_version
        mine.settings = {**mine.settings, "shop_domain": "new.example"}
        self.assertEqual(mine.config_version, version + 1)
        mine.set_credentials({"token": "very-secret-token"})
        mine.action_test_connection()
        self.assertEqual(mine.check_state, "running")

    def test_code_only_methods_are_private(self):
        for model, name in (
            ("dist.outbox.event", "emit"),
            ("dist.outbox.event", "emit_many"),
            ("dist.exception", "report"),
            ("dist.exception", "settle"),
            ("dist.relay", "current_public_key"),
        ):
            self.assertTrue(getattr(getattr(type(self.env[model]), name), "_api_private", False), f"{model}.{name}")

    def test_a_neutralised_copy_holds_no_secret_and_sends_nothing(self):
        self.ours.set_credentials({"token": "very-secret-token"})
        self.emit_fact(self.ours)
        self.emit_fact(self.theirs)
        before = self.env["dist.relay"].database_uuid()
        self.env.flush_all()
        script = Path(__file__).parent.parent / "data" / "neutralize.sql"
        self.env.cr.execute(script.read_text())
        self.env.registry.clear_all_caches()
        self.env.invalidate_all()
        self.assertEqual(self.ours.state, "paused")
        self.assertFalse(self.ours.sealed_credentials)
        self.assertNotEqual(self.env["dist.relay"].database_uuid(), before)
        self.assertTrue(self.env["dist.relay"].is_copy())
        self.ours.action_resume()  # even so
        self.assertFalse(self.claim(self.ours))
        self.assertFalse(self.claim_pulls())
        self.env.cr.execute("SELECT state FROM dist_outbox_event WHERE connection_id = %s", (self.ours.id,))
        self.assertEqual(self.env.cr.fetchall(), [("pending",)], "what waits is not lost, it is not sent")
        relay = self.env["dist.relay"].search([]).with_user(self.manager)
        self.assertEqual(relay.identity_state, "copy")
        # as the button does it
        self.assertTrue(call_kw(relay, "action_confirm_identity", [relay.ids], {}))
        relay.invalidate_recordset()
        self.assertEqual(relay.identity_state, "confirmed")
        self.assertEqual(len(self.claim(self.ours)), 1)
