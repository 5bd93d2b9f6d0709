# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The health check of an installation without a relay: clocks, versions of the modules, functions, the relay's role."""

from odoo.tests import tagged

from .common import SyncCase
from .relay_kit import RelayKit


@tagged("post_install", "-at_install")
class TestHealthSetup(RelayKit, SyncCase):
    def findings(self):
        self.env.flush_all()
        self.env.invalidate_all()
        return {each["title"]: each for each in self.env["dist.health"].findings()}

    def test_all_is_as_it_should_be(self):
        found = self.findings()
        self.assertEqual(
            [found[title]["level"] for title in ("Clock", "Modules", "Functions of the relay")], ["ok"] * 3
        )

    def test_clocks_that_disagree(self):
        health = self.env["dist.health"]
        for ahead, detail in ((7.26, "7.3 seconds ahead"), (-7.26, "7.3 seconds behind")):
            (found,) = health._clock(ahead)
            self.assertEqual(found["level"], "bad")
            self.assertIn(detail, found["detail"])
            self.assertIn("NTP", found["hint"])
        self.assertEqual(health._clock(0.4)[0]["level"], "ok")

    def test_modules_that_were_not_upgraded_with_their_code(self):
        module = self.env.ref("base.module_dist_sync_queue")
        code = module.latest_version
        module.latest_version = "19.0.0.9.0"
        self.env["ir.module.module"].create({"name": "dist_gone", "state": "installed", "latest_version": "19.0.1.0.0"})
        found = self.findings()["Modules were not upgraded"]
        self.assertEqual(found["level"], "bad")
        self.assertEqual(
            found["detail"],
            f"dist_gone 19.0.1.0.0, code not there; dist_sync_queue 19.0.0.9.0, code {code}",
        )
        self.assertIn("-u dist_sync_queue", found["hint"])

    def test_functions_that_are_missing_are_named_and_break_nothing(self):
        self.env.cr.execute("DROP FUNCTION dist_relay.diagnose()")
        found = self.findings()["Functions of the relay are missing"]
        self.assertEqual((found["level"], found["detail"]), ("bad", "diagnose"))

    def test_the_role_that_may_call_them(self):
        self.assertNotIn("No role for the relay", self.findings(), "nothing is connected")
        self.make_connection()
        self.env.cr.execute(
            """SELECT DISTINCT a.grantee::regrole::text FROM pg_proc p CROSS JOIN LATERAL aclexplode(p.proacl) a
                WHERE p.pronamespace = to_regnamespace('dist_relay') AND a.grantee <> p.proowner"""
        )
        for (role,) in self.env.cr.fetchall():
            self.env.cr.execute(f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA dist_relay FROM {role}")
        found = self.findings()["No role for the relay"]
        self.assertEqual(found["level"], "note")
        self.env.cr.execute("CREATE ROLE dist_health_role LOGIN")
        self.env.cr.execute("SELECT dist_relay.grant_to('dist_health_role')")
        self.assertIn("dist_health_role", self.findings()["Role of the relay"]["detail"])
