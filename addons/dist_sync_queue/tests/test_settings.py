# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Settings of retention: they show what holds, become parameters when they are changed, and have limits."""

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from ..engine import archive
from .common import SyncCase

PREFIX = archive.PREFIX


@tagged("post_install", "-at_install")
class TestSettings(SyncCase):
    def setUp(self):
        super().setUp()
        self.set_param = self.env["ir.config_parameter"].set_param

    def settings(self, **values):
        with Form(self.env["res.config.settings"], view="base.res_config_settings_view_form") as form:
            for name, value in values.items():
                setattr(form, name, value)
        form.record.execute()

    def shown(self):
        return self.env["res.config.settings"].get_values()

    def days(self, kind, state):
        self.env.flush_all()
        return tuple(archive.days_of(kind, state, archive.parameters(self.env.cr)))

    def names(self):
        self.env.flush_all()
        return set(archive.parameters(self.env.cr))

    def test_they_show_what_holds(self):
        self.set_param(f"{PREFIX}job_hot_days", "3")
        self.set_param(f"{PREFIX}outbox_retention_days_rejected", "20")
        shown = self.shown()
        self.assertEqual((shown["dist_job_done_hot"], shown["dist_job_done_kept"]), (3, 90))
        self.assertEqual((shown["dist_outbox_rejected_hot"], shown["dist_outbox_rejected_kept"]), (20, 20))
        self.assertEqual(shown["dist_seen_days"], 90)
        self.set_param("dist_sync_queue.seen_retention_days", "5")
        self.assertEqual(self.shown()["dist_seen_days"], 30, "less is not obeyed")

    def test_what_is_changed_holds_for_its_state_and_nothing_else_is_written(self):
        before = self.names()
        self.settings(dist_job_done_hot=2, dist_job_done_kept=14, dist_seen_days=120)
        self.assertEqual(self.days(archive.JOBS, "done"), (2, 14))
        self.assertEqual(self.days(archive.JOBS, "cancelled"), (7, 90))
        self.assertEqual(
            self.names() - before,
            {f"{PREFIX}{name}" for name in ("job_hot_days_done", "job_retention_days_done", "seen_retention_days")},
        )
        self.settings()
        self.assertEqual(self.days(archive.JOBS, "done"), (2, 14), "saved again, nothing changes")

    def test_days_that_were_cut_short_are_set_as_they_are_shown(self):
        self.set_param(f"{PREFIX}job_hot_days", "30")
        self.set_param(f"{PREFIX}job_retention_days", "10")
        self.assertEqual(self.shown()["dist_job_done_hot"], 10)
        self.settings(dist_job_done_kept=60)
        self.assertEqual(self.days(archive.JOBS, "done"), (10, 60))

    def test_each_kind_and_state_that_is_archived_can_be_set(self):
        fields = self.env["res.config.settings"]._fields
        for _kind, _state, hot, kept in self.env["res.config.settings"]._dist_kept():
            self.assertIn(hot, fields)
            self.assertIn(kept, fields)

    def test_limits_are_named(self):
        for wrong, told in (
            ({"dist_job_done_hot": 0}, "Jobs done: in the table after 0 days.*between 1 and"),
            ({"dist_job_done_hot": 50, "dist_job_done_kept": 40}, "Jobs done: deleted after 40 days.*between 50 and"),
            ({"dist_outbox_delivered_kept": 99_999}, "Events delivered: deleted after 99999 days.*and 3650"),
            ({"dist_seen_days": 29}, "Received events remembered after 29 days.*between 30"),
        ):
            with self.assertRaisesRegex(ValidationError, told), self.env.cr.savepoint():
                self.settings(**wrong)

    def test_days_beyond_the_limits_that_were_set_elsewhere_keep_nobody_from_saving(self):
        for name, text in (("job_hot_days", "0"), ("outbox_retention_days", "4000"), ("seen_retention_days", "9999")):
            self.set_param(PREFIX + name, text)
        self.settings(dist_job_done_kept=60)
        self.assertEqual(self.days(archive.JOBS, "done"), (0, 60))
        self.assertEqual(self.days(archive.EVENTS, "delivered"), (7, 4000))
        self.assertEqual(self.shown()["dist_seen_days"], 9999)

    def test_they_are_for_administrators(self):
        manager = new_test_user(
            self.env, "settings-manager", groups="base.group_user,dist_sync_queue.group_dist_manager"
        )
        with self.assertRaises(AccessError):
            self.env["res.config.settings"].with_user(manager).create({})
        menus = self.env["ir.ui.menu"].with_user(manager)._visible_menu_ids()
        self.assertNotIn(self.env.ref("dist_sync_queue.dist_menu_settings").id, menus)
        self.assertIn(self.env.ref("dist_sync_queue.dist_menu_connections").id, menus)
