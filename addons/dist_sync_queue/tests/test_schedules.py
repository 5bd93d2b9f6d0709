# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Recurring jobs on a real database: exactly once, no overlap, catching up."""

import threading
from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from ..engine import drain, maintain, schedules
from ..engine.slots import Side
from .worker_kit import EngineCase

LEDGER = "dist.test.ledger:_nightly"


@tagged("post_install", "-at_install", "dist_engine")
class TestSchedules(EngineCase):
    def schedule(self, **values):
        """A schedule that is due since a second; its id."""
        with self.committed() as env:
            schedule = env["dist.schedule"].create({"name": "Test", "handler": LEDGER, **values})
            id_ = schedule.id
        self.late(id_, seconds=1)
        return id_

    def late(self, id_, **ago):
        self.query(
            "UPDATE dist_schedule SET next_run_at = (clock_timestamp() AT TIME ZONE 'UTC') - %s WHERE id = %s",
            timedelta(**ago),
            id_,
        )

    def side(self):
        side = Side(self.dbname)
        self.addCleanup(side.close)
        return side

    def sweep(self):
        with self.side().cursor() as cr:
            return schedules.start_due(cr)

    def row(self, id_, *columns):
        return self.query(f"SELECT {', '.join(columns)} FROM dist_schedule WHERE id = %s", id_)[0]

    def run_all(self):
        self.batches().run(self.group(LEDGER))

    def words(self):
        return [name for name, _key in self.ledger()]

    # -- one run -------------------------------------------------------------------------------------------------------
    def test_a_due_schedule_makes_one_job_and_is_planned_again(self):
        id_ = self.schedule(arguments={"word": "moon"}, priority=2)
        self.assertEqual(self.sweep(), 1)
        self.assertEqual(self.sweep(), 0)
        ((job, priority, lane, model, res_id, trace),) = self.query(
            "SELECT id, priority, lane, res_model, res_id, correlation_id FROM dist_job"
        )
        self.assertEqual((priority, lane, model, res_id), (2, "low", "dist.schedule", id_))
        self.assertRegex(trace, "^00-[0-9a-f]{32}-")
        last_job, count, ahead = self.row(
            id_, "last_job", "run_count", "next_run_at > clock_timestamp() AT TIME ZONE 'UTC'"
        )
        self.assertEqual((last_job, count, ahead), (job, 1, True))
        self.run_all()
        ((word, planned),) = self.ledger()
        self.assertEqual(word, "moon")
        self.assertIn("T", planned, "the job knows which moment it was planned for")

    def test_twenty_claimers_make_each_job_once(self):
        ids = [self.schedule(name=f"S{n}") for n in range(30)]
        start, made, errors = threading.Barrier(20), [], []

        def claim():
            side = Side(self.dbname)
            try:
                with side.cursor() as cr:
                    start.wait(60)
                    for _n in range(5):
                        made.append(schedules.start_due(cr))
            except Exception as error:
                errors.append(error)
            finally:
                side.close()

        threads = [threading.Thread(target=claim) for _n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        self.sweep()  # what somebody had locked while all others looked
        self.assertEqual(errors, [])
        counts = dict(self.query("SELECT res_id, count(*) FROM dist_job WHERE res_model = 'dist.schedule' GROUP BY 1"))
        self.assertEqual(counts, dict.fromkeys(ids, 1))
        self.assertEqual(self.query("SELECT DISTINCT run_count FROM dist_schedule WHERE id = ANY(%s)", ids), [(1,)])

    def test_who_computed_from_what_is_no_longer_true_does_nothing(self):
        id_ = self.schedule()
        one, two = self.side(), self.side()
        with one.cursor() as first, two.cursor() as second:
            (seen,) = schedules.read(first, [id_])
            (also_seen,) = schedules.read(second, [id_])
            self.assertEqual(list(schedules.start(first, [schedules.decide(seen)])), [id_])
            self.assertEqual(schedules.start(second, [schedules.decide(also_seen)]), {})
        self.assertEqual(self.states(), {"pending": 1})

    def test_a_crash_between_job_and_plan_is_impossible(self):
        id_ = self.schedule()
        cr = self.cursor()
        schedules.start(cr, [schedules.decide(schedules.read(cr, [id_])[0])])
        self.assertEqual(self.sweep(), 0, "the row is in other hands: skipped, not waited for")
        cr.rollback()
        self.assertEqual(self.states(), {})
        self.assertEqual(self.sweep(), 1)

    def test_a_method_of_records_gets_those_that_are_there_when_it_runs(self):
        id_ = self.schedule(handler="dist.test.ledger:_touch", domain="[('name', '=like', 'pick%')]")
        self.sweep()
        self.query("INSERT INTO dist_test_ledger (name) VALUES ('pick 1'), ('leave'), ('pick 2')")
        self.batches().run(self.group("dist.test.ledger:_touch"))
        self.assertEqual(sorted(key for name, key in self.ledger() if name == "touched"), ["pick 1", "pick 2"])
        self.assertTrue(self.row(id_, "last_job")[0])

    # -- overlap, catching up ------------------------------------------------------------------------------------------
    def test_a_run_that_is_not_over_is_not_joined_by_another(self):
        id_ = self.schedule()
        self.sweep()
        for state in ("pending", "parked", "waiting"):
            self.query("UPDATE dist_job SET state = %s", state)
            self.late(id_, seconds=1)
            self.assertEqual(self.sweep(), 0, state)
        self.assertEqual(self.row(id_, "run_count", "skipped_count"), (1, 3))
        for state in ("done", "dead", "cancelled"):
            self.query("UPDATE dist_job SET state = %s", state)
            self.late(id_, seconds=1)
            self.assertEqual(self.sweep(), 1, state)
        self.assertEqual(self.row(id_, "run_count", "skipped_count"), (4, 3))

    def test_a_job_in_a_workers_hands_is_not_over(self):
        id_ = self.schedule()
        self.sweep()
        running = self.cursor()
        running.execute("SELECT id FROM dist_job FOR UPDATE")
        running.execute("UPDATE dist_job SET state = 'done'")
        self.late(id_, seconds=1)
        self.assertEqual(self.sweep(), 0)
        running.commit()
        self.late(id_, seconds=1)
        self.assertEqual(self.sweep(), 1)

    def test_overlap_where_it_is_allowed(self):
        id_ = self.schedule(overlap=True)
        self.sweep()
        self.late(id_, seconds=1)
        self.assertEqual(self.sweep(), 1)
        self.assertEqual(self.states(), {"pending": 2})

    def test_after_downtime_once_skip_all(self):
        once, skip, every_one = (self.schedule(catch_up=policy) for policy in ("once", "skip", "all"))
        for id_ in (once, skip, every_one):
            self.late(id_, hours=5, minutes=30)
        self.assertEqual(self.sweep(), 1 + 0 + 6)
        self.assertEqual(self.row(once, "run_count", "missed_count"), (1, 5))
        self.assertEqual(self.row(skip, "run_count", "missed_count"), (0, 6))
        self.assertEqual(self.row(every_one, "run_count", "missed_count"), (6, 0))
        for id_ in (once, skip, every_one):
            self.assertTrue(self.row(id_, "next_run_at > clock_timestamp() AT TIME ZONE 'UTC'")[0])
        self.query("DELETE FROM dist_job WHERE res_id <> %s", every_one)
        self.run_all()
        planned = [key for _name, key in self.ledger()]
        self.assertEqual((len(planned), planned), (6, sorted(planned)), "in order")

    def test_making_up_for_runs_is_bounded(self):
        id_ = self.schedule(catch_up="all", interval_number=1, interval_unit="minutes")
        self.late(id_, days=3)
        self.assertEqual(self.sweep(), 100)
        self.late(id_, days=1)
        self.assertEqual(self.sweep(), 0, "a hundred wait already")
        self.assertEqual(self.row(id_, "run_count", "skipped_count"), (100, 100))

    # -- who claims, and when not --------------------------------------------------------------------------------------
    def test_paused_and_drained(self):
        id_ = self.schedule()
        self.query("UPDATE dist_schedule SET active = false WHERE id = %s", id_)
        self.assertEqual(self.sweep(), 0)
        self.query("UPDATE dist_schedule SET active = true WHERE id = %s", id_)
        side = self.side()
        drain.drain(side)
        self.assertEqual(self.sweep(), 0, "an upgrade writes on these rows")
        drain.resume(side)
        self.assertEqual(self.sweep(), 1)

    def test_idle_workers_wake_up_in_time_and_are_not_kept_awake(self):
        id_ = self.schedule()
        with self.side().cursor() as cr:
            self.assertAlmostEqual(maintain.next_due(cr)[1], 0.1, places=2)
            self.late(id_, seconds=-7200)
            self.assertAlmostEqual(maintain.next_due(cr)[1], 7200, delta=60)
            self.query("UPDATE dist_schedule SET active = false")
            self.assertIsNone(maintain.next_due(cr)[1])

    def test_the_cron_fallback_claims_and_runs(self):
        self.schedule()
        with self.committed() as env:
            self.assertEqual(env["dist.job"]._cron_run_jobs(), 1)
        self.assertEqual(self.words(), ["night"])

    def test_workers_of_two_processes_run_each_time_once(self):
        ids = [self.schedule(name=f"S{n}") for n in range(10)]
        workers = [self.start_worker() for _n in range(2)]
        self.wait_for("ten runs are done", lambda: self.states() == {"done": 10}, 120)
        self.assertEqual(len(self.ledger()), 10)
        self.assertEqual(self.query("SELECT sum(run_count) FROM dist_schedule WHERE id = ANY(%s)", ids), [(10,)])
        for worker in workers:
            worker.terminate()

    # -- people --------------------------------------------------------------------------------------------------------
    def test_run_now_keeps_the_plan_and_does_not_overlap(self):
        id_ = self.schedule()
        self.late(id_, days=-1)
        (planned,) = self.row(id_, "next_run_at")
        with self.committed() as env:
            env["dist.schedule"].browse(id_).action_pause()
            self.assertEqual(env["dist.schedule"].browse(id_).action_run_now()["params"]["type"], "success")
        with self.committed() as env:
            self.assertEqual(env["dist.schedule"].browse(id_).action_run_now()["params"]["type"], "warning")
        self.assertEqual(self.states(), {"pending": 1})
        self.assertEqual(self.row(id_, "next_run_at", "run_count"), (planned, 1))

    def test_how_the_last_run_went(self):
        id_ = self.schedule()

        def last():
            with self.committed() as env:
                schedule = env["dist.schedule"].browse(id_)
                return schedule.last_state, schedule.last_message

        self.assertEqual(last(), ("never", False))
        self.sweep()
        self.assertEqual(last(), ("waiting", False))
        self.query("UPDATE dist_job SET attempts = 1, error_message = 'once'")
        self.assertEqual(last(), ("again", "once"))
        self.query("UPDATE dist_job SET state = 'dead', error_message = 'for good'")
        self.assertEqual(last(), ("failed", "for good"))
        self.query("UPDATE dist_job SET state = 'done'")
        self.assertEqual(last(), ("done", False))
        self.query("DELETE FROM dist_job")
        self.assertEqual(last(), ("done", False), "retention takes good ones only")

    def test_the_last_run_shows_no_job_of_something_else(self):
        """The job is read with all rights, and a number can be written to the field."""
        id_ = self.schedule()
        ((foreign,),) = self.query(
            "INSERT INTO dist_job (handler, state, error_message) VALUES (%s, 'dead', 'secret') RETURNING id", LEDGER
        )
        self.query("UPDATE dist_schedule SET last_job = %s WHERE id = %s", foreign, id_)
        with self.committed() as env:
            self.assertFalse(env["dist.schedule"].browse(id_).last_message)

    def test_a_schedule_of_a_company_gets_no_record_of_another(self):
        with self.committed() as env:
            ours = env.company
            theirs = env["res.company"].create({"name": "Theirs"})
            partners = env["res.partner"].create(
                [{"name": "Scheduled", "company_id": company} for company in (False, ours.id, theirs.id)]
            )
            domain = "[('name', '=', 'Scheduled')]"
            self.assertEqual(schedules.found_by(partners.browse(), domain, None), partners)
            self.assertEqual(schedules.found_by(partners.browse(), domain, ours.id), partners[:2])
            env.cr.rollback()

    def test_one_that_cannot_be_obeyed_is_told_once_and_keeps_nobody_awake(self):
        id_ = self.schedule()
        self.query("UPDATE dist_schedule SET timing = 'cron', cron = '61 * * * *' WHERE id = %s", id_)
        with self.assertLogs("odoo.addons.dist_sync_queue.engine.schedules", "ERROR"):
            self.assertEqual(self.sweep(), 0)
        with self.assertNoLogs("odoo.addons.dist_sync_queue.engine.schedules", "ERROR"):
            self.assertEqual(self.sweep(), 0)
        self.assertGreater(self.row(id_, "next_run_at")[0], fields.Datetime.now())
        self.assertEqual(self.states(), {})

    def test_a_failing_run_needs_attention(self):
        self.schedule(arguments={"nonsense": 1})
        self.sweep()
        self.query("UPDATE dist_job SET max_attempts = 1")
        self.run_all()
        self.assertEqual(self.states(), {"dead": 1})
        self.assertEqual(self.query("SELECT state FROM dist_exception WHERE kind = 'job_dead'"), [("open",)])

    def test_resuming_does_not_make_up_for_the_pause(self):
        id_ = self.schedule(catch_up="all")
        with self.committed() as env:
            env["dist.schedule"].browse(id_).action_pause()
        self.late(id_, days=2)
        with self.committed() as env:
            env["dist.schedule"].browse(id_).action_resume()
        self.assertEqual(self.sweep(), 0)
        self.assertGreater(self.row(id_, "next_run_at")[0], fields.Datetime.now())
