# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The health check names what is wrong and what to do; a healthy database has nothing bad."""

import threading
import time
from contextlib import redirect_stdout
from datetime import timedelta
from io import StringIO
from unittest.mock import patch

from odoo import SUPERUSER_ID, api, fields
from odoo.exceptions import AccessError
from odoo.sql_db import db_connect
from odoo.tests import new_test_user, tagged

from ..cli.dist_doctor import examine, show
from ..engine.slots import LOCK_CLASS, Side
from ..models import health
from ..models.health import supported
from .common import SyncCase, put_event
from .relay_kit import RelayKit


@tagged("post_install", "-at_install")
class TestHealth(RelayKit, SyncCase):
    def findings(self, level=None):
        self.env.flush_all()
        found = self.env["dist.health"].findings()
        for each in found:
            self.assertEqual(set(each), {"level", "title", "detail", "hint"})
            self.assertIn(each["level"], ("ok", "note", "bad"))
            if each["level"] == "bad":
                self.assertTrue(each["hint"], each)
        return {each["title"]: each for each in found if level in (None, each["level"])}

    def age(self, table, column, interval, where="true"):
        self.env.flush_all()
        self.env.cr.execute(f"UPDATE {table} SET {column} = {column} - interval '{interval}' WHERE {where}")
        self.env.invalidate_all()

    def test_the_scheduled_action_stands_in_for_workers(self):
        self.assertEqual(self.findings()["No worker process"]["level"], "note")
        self.env.ref("dist_sync_queue.cron_run_jobs").active = False
        self.assertEqual(self.findings()["Nobody runs jobs"]["level"], "bad")

    def test_jobs_that_wait_too_long(self):
        self.assertEqual(self.findings()["Waiting jobs"]["level"], "ok")
        self.env.cr.execute("INSERT INTO dist_job (handler, payload) VALUES ('health.test', '{}')")
        self.age("dist_job", "created_at", "10 min", "handler = 'health.test'")
        self.assertEqual(self.findings()["Jobs wait"]["detail"], "The oldest for 10 minutes.")

    def test_a_look_reads_no_hot_table_from_end_to_end(self):
        def scans():
            self.env.cr.execute(
                "SELECT relname, seq_scan FROM pg_stat_xact_user_tables"
                " WHERE relname IN ('dist_job', 'dist_outbox_event') ORDER BY 1"
            )
            return self.env.cr.fetchall()

        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        before = scans()
        self.findings()
        self.assertEqual(scans(), before)

    def test_a_forgotten_drain(self):
        self.env.cr.execute("INSERT INTO dist_worker_drain (asked_by) VALUES ('here')")
        self.assertEqual(self.findings()["Workers are kept out"]["level"], "note")
        self.age("dist_worker_drain", "asked_at", "20 min")
        found = self.findings()["Workers are kept out"]
        self.assertEqual(found["level"], "bad")
        self.assertIn("--resume", found["hint"])

    def test_job_schedules_that_nobody_starts(self):
        self.env["dist.schedule"].search([]).active = False
        schedule = self.env["dist.schedule"].create({"name": "Nightly", "handler": "dist.connection:_report"})
        self.assertNotIn("A job schedule is overdue", self.findings())
        schedule.next_run_at = fields.Datetime.now() - timedelta(minutes=90)
        self.assertEqual(self.findings("bad")["A job schedule is overdue"]["detail"], "Nightly for 90 minutes.")
        schedule.active = False
        self.assertNotIn("A job schedule is overdue", self.findings())
        schedule.write({"active": True, "next_run_at": fields.Datetime.now() - timedelta(minutes=90)})
        self.env.cr.execute("INSERT INTO dist_worker_drain (asked_by) VALUES ('here')")
        self.assertNotIn("A job schedule is overdue", self.findings())

    def test_a_worker_that_hangs(self):
        self.env.cr.execute(
            """INSERT INTO dist_worker_slot (worker, seen_at)
               VALUES ('w', timezone('UTC', clock_timestamp()) - interval '9 min') RETURNING id"""
        )
        (slot,) = self.env.cr.fetchone()
        self.env.cr.execute("SELECT pg_advisory_xact_lock(%s, %s)", (LOCK_CLASS + 1, slot))  # as one that is alive
        self.assertEqual(self.findings()["Workers"]["level"], "ok")
        self.age("dist_worker_slot", "seen_at", "2 min")
        self.assertIn("1 workers are alive", self.findings("bad")["Workers hang"]["detail"])

    def test_keys_that_wait_behind_a_dead_job(self):
        connection = self.make_connection()
        for state in ("dead", "parked", "parked"):
            put_event(self.env, connection, "health.test", {}, "1001", state=state)
        self.assertEqual(self.findings("note")["Parked keys"]["detail"], "1 keys wait behind a dead job.")

    def test_outcomes_that_stay_unknown(self):
        connection = self.make_connection()
        self.emit_fact(connection)
        self.answer(self.claim(connection)[0], "unknown")
        self.assertNotIn("Outcomes are unknown for long", self.findings())
        self.age("dist_outbox_event", "next_try_at", "2 h")
        found = self.findings("note")["Outcomes are unknown for long"]
        self.assertEqual(found["detail"], "1 events for an hour or more.")

    def test_a_connection_whose_adapter_is_not_announced(self):
        connection = self.make_connection(name="Orphan")
        connection.set_credentials({"token": "very-secret-token"})
        self.assertNotIn("Its adapter is not announced", self.findings())
        connection.adapter_id.sudo().active = False
        self.assertEqual(self.findings("bad")["Its adapter is not announced"]["detail"], "Orphan")

    def test_a_table_nobody_vacuums(self):
        """With a table and looks of its own: PostgreSQL tells statistics of what is committed, and seen."""
        table = "dist_health_test"
        side = Side(self.env.cr.dbname)
        self.addCleanup(side.close)
        self.addCleanup(side.execute, f"DROP TABLE IF EXISTS {table}")
        side.execute(f"CREATE TABLE {table} (id int) WITH (autovacuum_enabled = false)")

        def told():
            with db_connect(self.env.cr.dbname).cursor() as cr, patch.object(health, "HOT_TABLES", (table,)):
                found = api.Environment(cr, SUPERUSER_ID, {})["dist.health"]._database()
            return [(each["level"], each["title"], each["detail"]) for each in found]

        self.assertEqual(told(), [])
        side.execute(f"INSERT INTO {table} SELECT generate_series(1, 20001)")
        side.execute(f"DELETE FROM {table}")
        side.close()  # then its statistics are told
        end = time.monotonic() + 60
        while not told() and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(told(), [("note", f"Table {table} is not vacuumed", "20001 dead rows.")])

    def test_what_is_stuck_in_the_outbox(self):
        connection = self.make_connection()
        quiet = ("Events were published and never taken again", "Events are ready and not sent", "Pulls are overdue")
        self.assertFalse(set(quiet) & set(self.findings()))
        self.emit_fact(connection)
        self.age("dist_outbox_event", "occurred_at", "20 min")
        self.assertIn("1 for ten", self.findings()["Events are ready and not sent"]["detail"])
        self.claim(connection)
        self.age("dist_outbox_event", "lease_until", "20 min")
        found = self.findings("bad")
        self.assertIn(quiet[0], found)
        self.assertNotIn(quiet[1], found)
        self.age("dist_connection_schedule", "next_run_at", "2 h")
        self.assertIn(".pull for 120 minutes", self.findings()["Pulls are overdue"]["detail"])
        connection.action_pause()
        self.assertFalse(set(quiet) & set(self.findings()))

    def test_the_relay_that_is_away_or_too_new(self):
        self.announce()
        self.assertEqual(self.findings()["The relay is away"]["level"], "bad")
        self.env.cr.execute("UPDATE dist_relay SET relay_version = '7.0'")
        self.assertEqual(self.findings()["The relay does not fit"]["detail"], "Its version is 7.0.")
        self.assertTrue(supported("0.1.0"))

    def test_a_copy_sends_nothing_and_says_so(self):
        self.env["ir.config_parameter"].set_param("database.uuid", "another")
        self.assertEqual(self.findings()["Nothing is sent"]["detail"], "This database is a copy.")

    def test_credentials_that_nobody_entered(self):
        connection = self.make_connection(name="Nameless")
        connection.sudo().write({"sealed_credentials": False, "sealed_to": False})
        self.assertEqual(self.findings()["No usable credentials"]["detail"], "Nameless")

    def test_users_may_not_look(self):
        user = new_test_user(self.env, "health-user", "base.group_user,dist_sync_queue.group_dist_user")
        manager = new_test_user(self.env, "health-manager", "base.group_user,dist_sync_queue.group_dist_manager")
        with self.assertRaises(AccessError):
            self.env["dist.health"].with_user(user).findings()
        self.assertTrue(self.env["dist.health"].with_user(manager).findings())

    def test_connections_and_schedules_of_other_companies_are_not_named(self):
        ours, theirs = self.env.company, self.env["res.company"].create({"name": "Theirs"})
        manager = new_test_user(
            self.env,
            "health-ours",
            "base.group_user,dist_sync_queue.group_dist_manager",
            company_id=ours.id,
            company_ids=[(6, 0, ours.ids)],
        )
        for company, name in ((ours, "Shop of ours"), (theirs, "Shop of theirs")):
            bare, broken = (
                self.make_connection(name=f"{name}, {what}", company_id=company.id) for what in ("bare", "broken")
            )
            bare.sudo().write({"sealed_credentials": False, "sealed_to": False})
            self.env["dist.connection.health"].create({"connection_id": broken.id, "breaker_state": "open"})
            self.env["dist.schedule"].create(
                {
                    "name": f"{name}, nightly",
                    "handler": "dist.connection:_report",
                    "company_id": company.id,
                    "next_run_at": fields.Datetime.now() - timedelta(minutes=90),
                }
            )
        self.age("dist_connection_schedule", "next_run_at", "2 h")
        told = [f"{each['title']}: {each['detail']}" for each in self.env["dist.health"].with_user(manager).findings()]
        self.assertFalse([line for line in told if "theirs" in line])
        for title in ("No usable credentials", "Breaker open", "Pulls are overdue", "A job schedule is overdue"):
            self.assertTrue([line for line in told if line.startswith(title) and "Shop of ours" in line], title)
        everything = str(self.env["dist.health"].findings())
        self.assertIn("Shop of theirs, bare", everything)
        self.assertIn("Shop of theirs, broken", everything)
        self.assertIn("Shop of theirs, nightly", everything)

    def test_the_command_reads_only_and_says_how_bad_it_is(self):
        found = []
        thread = threading.Thread(target=lambda: found.extend(examine(self.env.cr.dbname)))
        thread.start()
        thread.join()
        self.assertIn("Waiting jobs", {each["title"] for each in found})
        bad = {"level": "bad", "title": "T", "detail": "d", "hint": "do this"}
        for findings, as_json, code in (([bad], True, 1), ([{**bad, "level": "note"}], False, 0)):
            with redirect_stdout(StringIO()) as out:
                self.assertEqual(show(findings, as_json), code)
            self.assertIn("do this", out.getvalue())

    def test_an_old_transaction_is_named(self):
        facts = {"transactions": [{"pid": 7, "seconds": 900, "state": "idle", "application": "report"}], "prepared": 0}
        (found,) = self.env["dist.health"]._transactions(facts)
        self.assertIn("report (pid 7): 900 s", found["detail"])
        with db_connect(self.env.cr.dbname).cursor() as other:
            other.execute("SELECT 1")
            self.assertEqual(self.findings()["Transactions"]["level"], "ok")  # a young one
