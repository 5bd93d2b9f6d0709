# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.tests import TransactionCase, tagged

from ..hooks import uninstall_hook


@tagged("post_install", "-at_install")
class TestUninstall(TransactionCase):
    def orphans(self) -> set[str]:
        """Tables and sequences of ours that no model owns: Odoo does not remove them with an addon."""
        self.env.cr.execute(
            r"""SELECT relname FROM pg_class WHERE relkind IN ('r', 'S') AND relname LIKE 'dist\_%%'
                   AND relname NOT LIKE '%%\_id\_seq' AND relname NOT IN (SELECT name FROM ir_model_relation)
                   AND relname <> ALL (%s)""",
            ([model._table for model in self.env.registry.values()],),
        )
        return {row[0] for row in self.env.cr.fetchall()}

    def test_nothing_stays_behind(self):
        self.assertIn("dist_job_crash", self.orphans(), "else this test looks at the wrong things")
        uninstall_hook(self.env)
        self.assertEqual(self.orphans(), set())
        self.env.cr.execute("SELECT to_regnamespace('dist_relay')")
        self.assertIsNone(self.env.cr.fetchone()[0])
        self.assertFalse(self.env["ir.config_parameter"].search([("key", "=like", "dist_sync_queue.%")]))
