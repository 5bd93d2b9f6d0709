# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The figures of the live monitor: right, cheap, and only those of one's companies."""

import json
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from ..engine import figures
from ..engine.watch import listeners
from ..models.monitor import SILENT_SECONDS
from .common import SyncCase, put_event
from .plan_kit import Counting
from .relay_kit import RelayKit

USER, MANAGER = "dist_sync_queue.group_dist_user", "dist_sync_queue.group_dist_manager"
TYPE = "order.received.v1"


class TestMonitor(RelayKit, SyncCase):
    def setUp(self):
        super().setUp()
        self.other_company = self.env["res.company"].create({"name": "Other"})
        self.user = new_test_user(self.env, "monitor_user", groups=USER)
        self.manager = new_test_user(self.env, "monitor_manager", groups=MANAGER)
        self.ours = self.make_connection()
        self.theirs = self.make_connection(name="Theirs", company_id=self.other_company.id, user_id=False)

    def snapshot(self, user=None):
        self.env.flush_all()
        self.env.invalidate_all()
        return self.env["dist.monitor"].with_user(user or self.user).snapshot()

    def jobs(self, connection, count=1, **values):
        return [put_event(self.env, connection, TYPE, {}, key=f"k{i}", **values).id for i in range(count)]

    def slot(self, jobs, connection=None, **values):
        row = {"worker": f"w{len(jobs)}", "host": "h", "pid": 1, "handler": TYPE, "lane": "default"}
        row |= {"job_ids": json.dumps(jobs), "connection_id": connection and connection.id, **values}
        columns = ", ".join(row)
        self.env.cr.execute(
            f"""INSERT INTO dist_worker_slot ({columns}, started_at, seen_at, done_count, failed_count)
                SELECT {", ".join(["%s"] * len(row))}, t, t, 0, 0 FROM timezone('UTC', clock_timestamp()) t""",
            list(row.values()),
        )

    def test_a_worker_that_is_not_heard_of(self):
        self.slot([])
        self.assertEqual([worker["silent"] for worker in self.snapshot()["workers"]], [0])
        self.env.cr.execute("UPDATE dist_worker_slot SET seen_at = seen_at - interval '2 min'")
        (worker,) = self.snapshot()["workers"]
        self.assertGreater(worker["silent"], SILENT_SECONDS)
        self.assertFalse(worker["scheduled"])
        self.env.cr.execute("UPDATE dist_worker_slot SET scheduled = true")
        self.env.invalidate_all()
        self.assertTrue(self.snapshot()["workers"][0]["scheduled"], "it is no process of its own, and is said so")

    # -- what it counts ------------------------------------------------------------------------------------------------
    def test_jobs_are_counted_by_what_they_wait_for(self):
        with self.handler(TYPE, lambda env, items: None, lane="high"):
            self.jobs(self.ours, 3)
            self.jobs(self.ours, 2, state="dead")
            self.jobs(self.ours, 1, eta="2999-01-01")
            self.jobs(self.ours, 4, state="waiting")
            before = self.snapshot()
        tiles = before["tiles"]
        found = {name: tiles[name] for name in ("ready", "dead", "later", "parked", "waiting")}
        self.assertEqual(found, {"ready": 3, "dead": 2, "later": 1, "parked": 0, "waiting": 4})
        (lane,) = [lane for lane in before["lanes"] if lane["code"] == "high"]
        self.assertEqual((lane["ready"], lane["work"][0]["count"], lane["weight"]), (3, 3, 8.0))
        self.assertGreaterEqual(lane["oldest"], 0)

    def test_the_rate_is_that_of_the_last_minute(self):
        recent = "timezone('UTC', clock_timestamp()) - interval '10 s'"
        ids = self.jobs(self.ours, 4)
        self.env.cr.execute(
            f"UPDATE dist_job SET state = 'done', lane = 'default', done_at = {recent} WHERE id = ANY(%s)", (ids[:3],)
        )
        self.env.cr.execute(
            """UPDATE dist_job SET state = 'done', done_at = timezone('UTC', clock_timestamp()) - interval '1 h'
                WHERE id = %s""",
            (ids[3],),
        )
        self.assertEqual(self.snapshot()["tiles"]["done_per_minute"], 3)

    def test_what_a_worker_has_in_hand_is_running_and_not_ready(self):
        jobs = self.jobs(self.ours, 3)
        self.slot(jobs[:2], self.ours, progress_done=3, progress_total=9, progress_text="third page")
        with self.handler(TYPE, lambda env, items: None, lane="default"):
            snapshot = self.snapshot()
        self.assertEqual((snapshot["tiles"]["ready"], snapshot["tiles"]["running"]), (1, 2))
        (worker,) = snapshot["workers"]
        self.assertEqual(worker["progress"], {"done": 3, "total": 9, "text": "third page"})
        self.assertEqual((worker["job_ids"], worker["connection"], worker["silent"]), (jobs[:2], "Testing", 0))

    def test_events_are_counted_per_connection(self):
        self.emit_fact(self.ours)
        (line,) = [line for line in self.snapshot()["connections"] if line["id"] == self.ours.id]
        self.assertEqual((line["waiting"], line["in_flight"], line["failed"]), (1, 0, 0))
        self.answer(self.claim(self.ours)[0], "broken")
        (line,) = [line for line in self.snapshot()["connections"] if line["id"] == self.ours.id]
        self.assertEqual((line["waiting"], line["in_flight"], line["failed"]), (0, 0, 1))

    def test_a_budget_fills_up_between_two_reports(self):
        budget = {"operation": "orders.pull", "tokens": 1, "burst": 40, "rate": 2, "factor": 0.5, "blocked_seconds": 90}
        self.env.cr.execute(
            """INSERT INTO dist_connection_health (connection_id, breaker_state, message, budgets, budgets_at)
               VALUES (%s, 'open', 'down', %s, timezone('UTC', clock_timestamp()) - interval '10 s')""",
            (self.ours.id, json.dumps([budget])),
        )
        (line,) = [line for line in self.snapshot()["connections"] if line["id"] == self.ours.id]
        self.assertEqual((line["breaker"], line["breaker_message"]), ("open", "down"))
        (told,) = line["budgets"]
        self.assertTrue(9 <= told["tokens"] <= 40, "ten seconds at half of two tokens each came back")
        self.assertTrue(0 <= told["blocked_seconds"] <= 85)

    # -- what it costs -------------------------------------------------------------------------------------------------
    def test_it_takes_a_dozen_statements_however_much_there_is(self):
        few = self.statements()
        self.fill(2_000)
        self.assertLessEqual(self.statements(), few + 1)
        self.assertLessEqual(few, 20)

    def statements(self):
        self.snapshot()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        self.env["dist.monitor"].with_user(self.user).snapshot()
        return self.env.cr.sql_log_count - before

    def fill(self, count, **values):
        row = {"handler": TYPE, "connection_id": self.ours.id, "company_id": self.ours.company_id.id, **values}
        self.env.cr.execute(
            f"""INSERT INTO dist_job ({", ".join(row)}, key)
                SELECT {", ".join(["%s"] * len(row))}, CASE WHEN i %% 2 = 0 THEN 'k' || i END
                  FROM generate_series(1, %s) i""",
            [*row.values(), count],
        )

    def test_rates_look_at_what_was_done_a_few_times_and_not_by_its_square(self):
        now = fields.Datetime.now()
        self.fill(1_000, state="done", done_at=now)
        scope = figures.Scope(self.ours.ids, self.env.companies.ids)
        counting = Counting(self.env.cr)
        self.assertEqual(sum(figures.done_rates(counting, scope).values()), 1_000)
        self.emit_fact(self.ours)
        self.env.cr.execute(
            """INSERT INTO dist_outbox_event (event_id, connection_id, company_id, type, kind, key, payload, state,
                                              occurred_at, settled_at, priority)
               SELECT 'e' || i, connection_id, company_id, type, kind, 'k' || i, payload, 'delivered', %s, %s, priority
                 FROM dist_outbox_event, generate_series(1, 1000) i""",
            (now, now),
        )
        self.assertEqual(figures.outbox(counting, self.ours.ids)[self.ours.id]["rate"], 1_000)
        self.assertLess(counting.rows, 20_000)

    def test_counts_end_at_a_cap(self):
        self.fill(700)
        self.assertEqual((self.snapshot()["tiles"]["ready"], self.snapshot()["tiles"]["capped"]), (700, False))
        with patch.object(figures, "CAP", 300):
            tiles = self.snapshot()["tiles"]
        self.assertEqual((tiles["ready"], tiles["capped"]), (600, True), "350 with a key and 350 without, each capped")

    # -- who sees what -------------------------------------------------------------------------------------------------
    def test_companies_do_not_see_each_other(self):
        self.jobs(self.ours, 1)
        theirs = self.jobs(self.theirs, 5)
        self.jobs(self.theirs, 2, state="dead")
        self.fill(3, connection_id=None, company_id=self.other_company.id)
        self.emit_fact(self.theirs)
        self.slot(theirs, self.theirs)
        mine = self.snapshot()
        self.assertEqual((mine["tiles"]["ready"], mine["tiles"]["dead"], mine["tiles"]["running"]), (1, 0, 0))
        self.assertNotIn(self.theirs.id, [line["id"] for line in mine["connections"]])
        (worker,) = mine["workers"]
        self.assertTrue(worker["busy"], "that somebody works is no secret")
        self.assertFalse({"handler", "connection", "job_ids"} & set(worker), "on what is one")
        self.assertNotIn("Theirs", json.dumps(mine))

        self.user.write({"company_ids": [Command.link(self.other_company.id)]})
        both = self.env(user=self.user, context={"allowed_company_ids": (self.env.company | self.other_company).ids})
        all_of_it = both["dist.monitor"].snapshot()
        self.assertEqual((all_of_it["tiles"]["ready"], all_of_it["tiles"]["running"]), (1 + 5 + 3, 5))
        self.assertIn(self.theirs.id, [line["id"] for line in all_of_it["connections"]])

    def test_progress_is_told_to_managers_of_the_company_only(self):
        """What a job says of itself may name a record."""
        ours, theirs = self.jobs(self.ours), self.jobs(self.theirs)
        self.assertIn(self.manager, listeners(self.env, ours))
        self.assertNotIn(self.manager, listeners(self.env, theirs))
        self.assertNotIn(self.manager, listeners(self.env, [*ours, *theirs]))
        self.assertNotIn(self.user, listeners(self.env, ours))
        self.manager.company_ids |= self.other_company
        self.assertIn(self.manager, listeners(self.env, theirs))

    def test_it_is_for_users_of_distribution(self):
        outsider = new_test_user(self.env, "monitor_outsider", groups="base.group_user")
        with self.assertRaises(AccessError):
            self.snapshot(outsider)

    # -- what can be done ----------------------------------------------------------------------------------------------
    def test_managers_pause_and_weigh_lanes(self):
        monitor = self.env["dist.monitor"].with_user(self.manager)
        monitor.set_control("lane", "orders", {"paused": True})
        control = self.env["dist.job.control"].search([("kind", "=", "lane"), ("name", "=", "orders")])
        self.assertEqual((control.paused, control.weight), (True, 4.0), "its usual weight is kept")
        monitor.set_control("lane", "orders", {"weight": 9.0})
        monitor.set_control("lane", "orders", {"paused": False})
        self.assertEqual((control.paused, control.weight), (False, 9.0))
        told = self.env["dist.audit"].search([("res_model", "=", "dist.job.control")], order="id")
        self.assertEqual(told.mapped("action"), ["pause", "change", "resume"])
        self.assertEqual(told.create_uid, self.manager)
        self.assertEqual(told[0].res_ids, control.ids)

    def test_a_row_of_settings_begins_with_the_weight_the_lane_has_without(self):
        controls = self.env["dist.job.control"]
        made = controls.create([{"name": name, "paused": True} for name in ("high", "low", "mine")])
        made += controls.create({"name": "mine2", "weight": 7.0})
        self.assertEqual(made.mapped("weight"), [8.0, 1.0, 2.0, 7.0])

    def test_users_change_nothing(self):
        monitor = self.env["dist.monitor"].with_user(self.user)
        self.assertFalse(self.snapshot()["manager"])
        with self.assertRaises(AccessError):
            monitor.set_control("lane", "orders", {"paused": True})
        with self.assertRaises(UserError):
            self.env["dist.monitor"].with_user(self.manager).set_control("lane", "orders", {"name": "x"})
