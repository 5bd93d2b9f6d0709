# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""When a connection is asked: decided in SQL, so that it goes on without Odoo."""

import json
import random
from datetime import datetime, timedelta

from odoo import fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, new_test_user
from odoo.tools import mute_logger

from ..engine.timing import Timing, parse
from .common import SyncCase
from .relay_kit import RelayKit

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")
EXPRESSIONS = (
    "* * * * *",
    "*/20 * * * *",
    "30 2 * * *",
    "0 2,3 * * *",
    "15 1-3 * * *",
    "0 9 * * mon-fri",
    "0 0 L * *",
    "30 23 15 * sun",
    "0 0 29 2 *",
    "59 1 * 3,10,11 *",
)


class PullCase(RelayKit, SyncCase):
    def setUp(self):
        super().setUp()
        self.connection = self.make_connection()
        self.schedule = self.connection.schedule_ids.filtered(lambda s: s.capability == "orders.pull")
        (self.connection.schedule_ids - self.schedule).active = False
        self.end(self.pull()[0])

    def pull(self):
        return [run for run in self.claim_pulls() if run["connection"] == self.connection.ref]

    def end(self, run, **more):
        return self.intake(
            {"kind": "pull_done", "run_id": run["run_id"], "cursor": {"at": "1"}, "event_ids": [], **more}
        )

    def fail(self, verdict="retry", **more):
        """Make a run and let it fail; seconds until the next."""
        self.make_due()
        (run,) = self.pull()
        self.intake({"kind": "pull_failed", "run_id": run["run_id"], "verdict": verdict, "message": "502", **more})
        return self.seconds("next_run_at - (clock_timestamp() AT TIME ZONE 'UTC')")

    def set(self, assignment, *params):
        self.env.flush_all()
        self.env.cr.execute(
            f"UPDATE dist_connection_schedule SET {assignment} WHERE id = %s", (*params, self.schedule.id)
        )
        self.env.invalidate_all()

    def make_due(self):
        self.set("next_run_at = (clock_timestamp() AT TIME ZONE 'UTC')")

    def seconds(self, expression):
        self.env.flush_all()
        self.env.cr.execute(
            f"SELECT extract(epoch FROM {expression}) FROM dist_connection_schedule WHERE id = %s", (self.schedule.id,)
        )
        return float(self.env.cr.fetchone()[0])


class TestPauses(PullCase):
    def test_the_pause_after_a_failure_begins_small_and_grows_to_a_minute(self):
        self.schedule.interval_seconds = 10
        for failures, most in ((0, 5), (1, 10), (3, 40), (4, 60), (30, 60)):
            self.set("failures = %s", failures)
            for _n in range(5):
                self.assertLessEqual(self.fail(), most + 0.2)
                self.set("failures = %s", failures)
        self.set("failures = 30")
        pauses = []
        for _n in range(8):
            pauses.append(self.fail())
            self.set("failures = 30")
        self.assertGreater(max(pauses) - min(pauses), 1, "at a random time: many connections do not come back together")

    def test_a_long_interval_is_the_longest_pause(self):
        self.schedule.interval_seconds = 3600
        self.assertLessEqual(self.fail(), 5.2)
        self.set("failures = 30")
        self.assertLessEqual(self.fail(), 3600.2)

    def test_what_the_outside_asks_for_is_obeyed(self):
        self.assertAlmostEqual(self.fail(retry_after=77), 77, delta=1)
        self.assertAlmostEqual(self.fail("snooze", retry_after=300), 300, delta=1)
        self.assertAlmostEqual(self.fail("snooze"), 60, delta=1)
        self.assertAlmostEqual(self.fail("broken"), 900, delta=1)
        self.assertAlmostEqual(self.fail(retry_after=10**7), 86400, delta=1)
        self.assertGreater(self.fail(retry_after=0), 0, "never in a hot loop")

    def test_an_interval_counts_from_the_start_of_a_run(self):
        self.make_due()
        (run,) = self.pull()
        self.set("run_started_at = run_started_at - interval '45 seconds'")
        self.end(run)
        self.assertAlmostEqual(self.seconds("next_run_at - (clock_timestamp() AT TIME ZONE 'UTC')"), 15, delta=2)

    def test_jitter_makes_intervals_longer_by_a_part_of_it(self):
        self.schedule.jitter_seconds = 1000
        pauses = set()
        for _n in range(6):
            self.make_due()
            (run,) = self.pull()
            self.end(run)
            pauses.add(round(self.seconds("next_run_at - run_started_at"), 3))
        self.assertTrue(all(60 <= pause <= 1060.1 for pause in pauses), pauses)
        self.assertGreater(len(pauses), 3)


class TestPullNow(PullCase):
    def test_it_works_while_a_failure_is_waited_out(self):
        self.fail("broken")
        self.assertFalse(self.pull())
        self.schedule.action_pull_now()
        (run,) = self.pull()
        self.end(run)
        self.assertFalse(self.schedule.pull_asked_at)
        self.assertFalse(self.pull())

    def test_it_works_for_a_paused_schedule_which_stays_paused(self):
        self.schedule.action_pause()
        self.make_due()
        self.assertFalse(self.pull())
        self.schedule.action_pull_now()
        (run,) = self.pull()
        self.end(run, more=True)
        (run,) = self.pull()
        self.end(run)
        self.assertFalse(self.pull(), "once, with all its parts")
        self.assertEqual(self.schedule.status, "paused")

    def test_for_a_paused_schedule_it_stays_asked_for_until_it_was_done(self):
        self.schedule.action_pause()
        self.schedule.action_pull_now()
        (run,) = self.pull()
        self.intake({"kind": "pull_failed", "run_id": run["run_id"], "verdict": "snooze", "retry_after": 300})
        self.assertEqual(self.schedule.status, "asked")
        self.assertFalse(self.pull(), "when the pause is over, not before")
        self.set("pull_asked_at = pull_asked_at - interval '301 seconds'")
        (run,) = self.pull()
        self.intake({"kind": "pull_failed", "run_id": run["run_id"], "verdict": "retry", "message": "502"})
        self.set("pull_asked_at = pull_asked_at - interval '301 seconds'")
        (run,) = self.pull()
        self.assertEqual(self.end(run, event_ids=["00000000-0000-4000-8000-000000000001"]), ["incomplete"])
        self.set("pull_asked_at = pull_asked_at - interval '301 seconds'")
        (run,) = self.pull()
        self.end(run)
        self.assertFalse(self.schedule.pull_asked_at)
        self.assertFalse(self.pull(), "its plan is still paused")

    def test_one_that_is_refused_for_good_is_not_asked_again(self):
        self.schedule.action_pause()
        self.schedule.action_pull_now()
        (run,) = self.pull()
        self.intake({"kind": "pull_failed", "run_id": run["run_id"], "verdict": "broken", "message": "403"})
        self.assertFalse(self.schedule.pull_asked_at)

    def test_a_second_click_does_not_wait_for_the_pause(self):
        self.schedule.action_pause()
        self.schedule.action_pull_now()
        (run,) = self.pull()
        self.intake({"kind": "pull_failed", "run_id": run["run_id"], "verdict": "snooze", "retry_after": 300})
        self.schedule.action_pull_now()
        self.assertTrue(self.pull())

    def test_during_a_run_another_follows_and_never_two_at_once(self):
        self.make_due()
        (run,) = self.pull()
        self.schedule.action_pull_now()
        self.assertFalse(self.pull())
        self.end(run)
        (again,) = self.pull()
        self.assertEqual(self.schedule.status, "running")
        self.end(again)
        self.assertFalse(self.pull())

    def test_one_that_is_never_answered_is_asked_again(self):
        self.schedule.action_pause()
        self.schedule.action_pull_now()
        self.pull()
        self.set("run_deadline = run_deadline - interval '1 day'")
        self.assertTrue(self.pull())

    def test_it_says_what_happens(self):
        told = self.schedule.action_pull_now()
        self.assertEqual((told["tag"], told["params"]["message"]), ("display_notification", "Asked for: orders.pull"))
        self.pull()
        self.assertIn("ends first", self.connection.action_pull_now()["params"]["message"])
        self.schedule.active = False
        self.connection.invalidate_recordset()
        self.assertEqual(self.connection.action_pull_now()["params"]["type"], "warning")

    def test_a_manager_may_and_a_user_may_not(self):
        user = new_test_user(self.env, "pull_user", groups="dist_sync_queue.group_dist_user")
        with self.assertRaises(AccessError):
            self.schedule.with_user(user).action_pull_now()
        with self.assertRaises(AccessError):
            self.schedule.with_user(user).action_pause()


class TestCron(PullCase):
    def sql_next(self, expression, zone, after):
        self.env.cr.execute(
            "SELECT dist_relay._cron_next(%s::jsonb, %s, %s)", (json.dumps(parse(expression)), zone, after)
        )
        return self.env.cr.fetchone()[0]

    def test_sql_and_python_agree(self):
        dice = random.Random(3)
        moments = [datetime(2026, 3, 29), datetime(2026, 10, 25), datetime(2026, 4, 4, 12), datetime(2026, 11, 1, 4)]
        moments += [datetime(2026, 1, 1) + timedelta(seconds=dice.randrange(2 * 365 * 86400)) for _n in range(8)]
        for expression in EXPRESSIONS:
            for zone in ZONES:
                for moment in moments:
                    moment += timedelta(minutes=dice.randrange(180))
                    expected = Timing(cron=expression, tz=zone).after(moment)
                    self.assertEqual(self.sql_next(expression, zone, moment), expected, (expression, zone, moment))

    def at_night(self, **values):
        self.schedule.write({"timing": "cron", "cron": "30 2 * * *", "tz": "Europe/Berlin", **values})
        self.env.flush_all()

    def test_a_run_is_followed_by_the_next_time_of_the_expression(self):
        self.at_night()
        planned = Timing(cron="30 2 * * *", tz="Europe/Berlin").after(fields.Datetime.now())
        self.assertEqual(self.schedule.next_run_at, planned)
        self.make_due()
        (run,) = self.pull()
        self.assertEqual(self.end(run), ["advanced"])
        self.assertEqual(self.schedule.next_run_at, planned)
        self.schedule.action_pull_now()
        self.end(self.pull()[0])
        self.assertEqual(self.schedule.next_run_at, planned, "asking now does not move the plan")

    def test_jitter_is_this_schedules_own_and_always_the_same(self):
        self.at_night(jitter_seconds=1200)
        planned = self.schedule.next_run_at
        self.assertEqual(planned, self.schedule._timing().after(fields.Datetime.now()))
        self.make_due()
        self.end(self.pull()[0])
        self.assertEqual(self.schedule.next_run_at, planned, "as Python computed it")

    def test_failures_are_tried_again_before_the_next_time(self):
        self.at_night()
        self.assertLessEqual(self.fail(), 5.2)
        self.set("failures = 30")
        self.assertLessEqual(self.fail(), 300.2)

    def test_after_downtime(self):
        self.at_night(catch_up="skip")
        self.set("next_run_at = (clock_timestamp() AT TIME ZONE 'UTC') - interval '2 hours'")
        self.assertFalse(self.pull())
        self.assertGreater(self.schedule.next_run_at, fields.Datetime.now())
        self.set("next_run_at = (clock_timestamp() AT TIME ZONE 'UTC') - interval '20 seconds'")
        self.end(self.pull()[0])
        self.at_night(catch_up="once")
        self.set("next_run_at = (clock_timestamp() AT TIME ZONE 'UTC') - interval '9 days'")
        self.end(self.pull()[0])
        self.assertFalse(self.pull(), "once for all nine")

    def test_a_time_zone_postgresql_lost_does_not_end_the_pulls(self):
        self.at_night()
        self.set("tz = 'Atlantis/Poseidonis'")
        self.make_due()
        self.assertEqual(self.end(self.pull()[0]), ["advanced"])
        self.assertEqual(
            self.schedule.next_run_at, Timing(cron="30 2 * * *").after(fields.Datetime.now().replace(microsecond=0))
        )

    @mute_logger("odoo.sql_db")
    def test_wrong_timing_is_refused_with_a_reason(self):
        with self.assertRaisesRegex(ValidationError, "five fields"):
            self.at_night(cron="30 2")
        with self.assertRaisesRegex(ValidationError, "five fields"):
            self.at_night(cron=False)

    def test_the_form_shows_words_and_the_next_runs(self):
        self.assertEqual(self.schedule.timing_text, "Every minute")
        with Form(self.schedule) as form:
            form.timing = "cron"
            form.tz = "Europe/Berlin"
            form.cron = "30 2 * * 1-5"
            self.assertEqual(form.timing_text, "At 02:30, Monday to Friday (Europe/Berlin)")
            self.assertEqual([line[-8:] for line in form.preview.split("\n")], ["02:30:00"] * 3)
            form.cron = "30 2 30 2 *"
            self.assertIn("never comes true", form.preview)
            form.cron = "0 6 * * *"
        self.assertEqual(self.schedule.cron_fields["hours"], [6])
        self.schedule.timing = "interval"
        self.assertFalse(self.schedule.cron_fields)

    def test_pausing_and_resuming_plans_anew(self):
        self.at_night()
        self.schedule.action_pause()
        self.set("next_run_at = (clock_timestamp() AT TIME ZONE 'UTC') - interval '9 days'")
        self.assertIn("02:30", self.schedule.action_resume()["params"]["message"])
        self.assertGreater(self.schedule.next_run_at, fields.Datetime.now())
        self.assertFalse(self.pull())
