# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Schedules that addons ship, and who may change what."""

import subprocess
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from ..models import schedule_shipped
from ..recurring import Recurring
from .common import SyncCase
from .worker_kit import EngineCase, clean_environment, odoo_command

MODULE, XMLID = "dist_test_queue", "schedule_dist_test_ledger_nightly"


@tagged("post_install", "-at_install", "dist_engine")
class TestInstall(EngineCase):
    def odoo(self, *args):
        done = subprocess.run(
            odoo_command(*args, "--stop-after-init", "--no-http", dbname=self.dbname),
            capture_output=True,
            text=True,
            check=False,
            env=clean_environment(),
        )
        self.assertFalse(done.returncode, done.stderr[-2000:])

    def shipped(self):
        return self.query(
            """SELECT s.name, s.handler, s.timing, s.cron, s.tz, s.jitter_seconds FROM dist_schedule s
                 JOIN ir_model_data d ON d.model = 'dist.schedule' AND d.res_id = s.id
                WHERE d.module = %s AND d.name = %s""",
            MODULE,
            XMLID,
        )

    def test_made_at_install_and_edits_survive_an_update(self):
        nightly = ("Book the nights", "dist.test.ledger:_nightly", "cron", "30 2 * * *", "UTC", 60)
        self.assertEqual(self.shipped(), [nightly])
        self.query("UPDATE dist_schedule SET cron = '45 4 * * *' WHERE module = %s", MODULE)
        self.odoo("-u", MODULE)
        self.registry.registry_sequence = self.query("SELECT max(id) FROM orm_signaling_registry")[0][0]
        self.assertEqual(self.shipped(), [(*nightly[:3], "45 4 * * *", *nightly[4:])])
        self.query("UPDATE dist_schedule SET cron = '30 2 * * *' WHERE module = %s", MODULE)


class TestShipped(SyncCase):
    def setUp(self):
        super().setUp()
        self.model = self.env["dist.schedule"]
        self.says(interval=3600)

    def says(self, **spec):
        """An addon ships the report of connections with this timing; without any, not at all."""
        shipped = (
            schedule_shipped.Shipped("dist.connection:_report", Recurring(**spec), "base", "Report") if spec else None
        )
        with patch.object(schedule_shipped, "shipped", lambda registry: [shipped] if shipped else []):
            self.model._sync_shipped({"base"})
        self.env.invalidate_all()
        self.schedule = self.env.ref("base.schedule_dist_connection_report", raise_if_not_found=False)

    def test_a_new_release_changes_what_nobody_changed(self):
        self.assertEqual(self.schedule.timing_text, "Every hour")
        self.schedule.jitter_seconds = 30
        self.says(interval=7200, jitter=99, catch_up="all")
        self.assertEqual(self.schedule.timing_text, "Every 2 hours")
        self.assertEqual((self.schedule.jitter_seconds, self.schedule.catch_up), (30, "all"))
        self.says(cron="0 3 * * *", tz="Europe/Berlin")
        self.assertEqual(self.schedule.timing_text, "At 03:00, every day (Europe/Berlin)")

    def test_an_interval_people_chose_stays_whole(self):
        self.schedule.write({"interval_number": 10, "interval_unit": "minutes"})
        self.says(interval=86400)
        self.assertEqual(self.schedule.timing_text, "Every 10 minutes")

    def test_a_pause_survives_and_what_is_not_shipped_any_more_goes(self):
        self.schedule.action_pause()
        self.says(interval=60)
        self.assertFalse(self.schedule.active)
        own = self.model.create({"name": "Own", "handler": "dist.connection:_report"})
        self.says()
        self.assertFalse(self.schedule)
        self.assertTrue(own.exists(), "made by people")

    def test_nothing_is_written_where_nothing_changed(self):
        planned = self.schedule.next_run_at
        with patch.object(type(self.model), "write", side_effect=AssertionError("written")):
            self.says(interval=3600)
        self.assertEqual(self.schedule.next_run_at, planned)

    def test_an_uninstall_removes_it(self):
        data = self.env["ir.model.data"].search([("model", "=", "dist.schedule"), ("res_id", "=", self.schedule.id)])
        self.assertEqual((data.module, data.noupdate), ("base", True))
        data.module = "gone_addon"
        self.env["ir.model.data"]._module_data_uninstall(["gone_addon"])
        self.assertFalse(self.schedule.exists())

    def test_a_declaration_on_what_is_no_job_fails_the_install(self):
        wrong = schedule_shipped.Shipped("res.partner:create", Recurring(interval=60), "base", "Wrong")
        with (
            patch.object(schedule_shipped, "shipped", lambda registry: [wrong]),
            self.assertRaisesRegex(Exception, "decorated with @job"),
        ):
            self.model._sync_shipped({"base"})

    def test_declarations_are_found_with_their_addon(self):
        for each in schedule_shipped.shipped(self.env.registry):
            self.assertEqual(self.env.ref(f"{each.module}.{each.xmlid}").handler, each.handler)

    # -- who may what --------------------------------------------------------------------------------------------------
    def test_managers_decide_when_and_administrators_what(self):
        manager = new_test_user(self.env, "schedule_manager", groups="dist_sync_queue.group_dist_manager")
        own = self.model.create({"name": "Own", "handler": "dist.connection:_report"}).with_user(manager)
        own.write({"interval_number": 5, "interval_unit": "minutes"})
        self.assertEqual(own.timing_text, "Every 5 minutes")
        self.assertEqual(own.action_run_now()["params"]["type"], "success")
        with self.assertRaises(AccessError):
            own.arguments = {"anything": 1}
        with self.assertRaises(AccessError):
            own.arguments_text = '{"anything": 1}'
        with self.assertRaises(AccessError):
            self.model.with_user(manager).create({"name": "Mine", "handler": "dist.connection:_report"})
        user = new_test_user(self.env, "schedule_user", groups="dist_sync_queue.group_dist_user")
        self.assertEqual(own.with_user(user).timing_text, "Every 5 minutes")
        with self.assertRaises(AccessError):
            own.with_user(user).action_run_now()

    def test_what_an_addon_ships_is_neither_redirected_nor_deleted(self):
        admin = new_test_user(self.env, "schedule_admin", groups="base.group_system,dist_sync_queue.group_dist_manager")
        with self.assertRaisesRegex(UserError, "decided by its addon"):
            self.schedule.with_user(admin).handler = "dist.connection.schedule:_report"
        with self.assertRaisesRegex(UserError, "pause it instead"):
            self.schedule.with_user(admin).unlink()

    def test_bad_input_is_refused_with_a_reason(self):
        for values, why in (
            ({"handler": "res.partner:unlink"}, "decorated with @job"),
            ({"handler": "nowhere:_at_all"}, "decorated with @job"),
            ({"handler": "order.received.v1"}, "handle"),
            ({"domain": "[('no_such_field', '=', 1)]"}, "domain cannot be used"),
            ({"domain": "__import__('os')"}, "domain cannot be used"),
            ({"arguments_text": "{days: 7}"}, "no JSON"),
            ({"arguments_text": "[7]"}, "named"),
            ({"timing": "cron", "cron": "every day"}, "five fields"),
        ):
            with self.subTest(values), self.assertRaisesRegex(ValidationError, why), self.env.cr.savepoint():
                self.model.create({"name": "Bad", "handler": "dist.connection:_report", **values})

    def test_the_form(self):
        with Form(self.model) as form:
            form.name = "Weekly"
            form.handler = "dist.connection:_report"
            form.timing = "cron"
            form.cron = "0 6 * * mon"
            form.tz = "UTC"
            self.assertEqual(form.timing_text, "At 06:00, Monday")
            self.assertEqual(len(form.preview.split("\n")), 3)
        schedule = form.record
        self.assertEqual((schedule.next_run_at.hour, schedule.next_run_at.weekday(), schedule.lane), (6, 0, "default"))
        self.assertEqual(schedule.action_open_jobs()["domain"][1], ("res_id", "in", schedule.ids))
