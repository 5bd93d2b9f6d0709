# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The watching thread: a job that takes too long or is cancelled really stops, and never takes another with it."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from types import SimpleNamespace

from psycopg2 import errors

from odoo.tests import tagged

from ..api import checkpoint, progress
from ..engine import watch
from ..engine.hand import Hand, current
from ..engine.maintain import sweep
from ..engine.slots import Side
from ..engine.watch import BUS_TYPE, Watcher
from ..engine.worker import Worker
from ..errors import JobCancelled, JobTimeout
from .worker_kit import EngineCase, clean_environment, odoo_command

THING = "test.thing.v1"
OTHERS = """SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'
               AND application_name <> current_setting('application_name')"""
LIMIT = 60.0
"""Longest wait for something that is certain to come."""
FREEZE = """
import ctypes, time
from odoo.addons.dist_sync_queue.engine import hand, watch
mine = hand.Hand()
mine.longest = 0.2
watcher = watch.Watcher(mine, env.registry, grace=0.2)
watcher.start()
while watcher._armed_at < 0:
    time.sleep(0.01)

lock, libc = ctypes.create_string_buffer(128), ctypes.PyDLL(None)
libc.pthread_mutex_lock(lock), libc.pthread_mutex_lock(lock)
"""
"""Wait in C for a lock that its own thread holds, without giving up the interpreter's lock."""


@tagged("post_install", "-at_install", "dist_engine")
class TestWatch(EngineCase):
    def work(self):
        """A worker in this process, without signals: what a thread beside the working one can do."""
        return Worker(self.registry, timeouts=False).until_empty()

    def job_ids(self):
        return [row[0] for row in self.query("SELECT id FROM dist_job ORDER BY id")]

    def outcomes(self):
        return self.query("SELECT state, COALESCE(error_type, '') FROM dist_job ORDER BY id")

    def cancel(self, *job_ids):
        with self.committed() as env:
            env["dist.job"].browse(job_ids).action_cancel()

    def until(self, what, condition):
        deadline = time.monotonic() + LIMIT
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"Not seen: {what}")
            time.sleep(0.005)

    def book(self, env, items):
        env["dist.test.ledger"]._book([(str(item.payload["n"]), item.key) for item in items])

    # -- timeout -------------------------------------------------------------------------------------------------------
    def test_a_statement_is_cancelled_at_the_deadline_and_the_others_go_on(self):
        self.events(5)

        def handler(env, items):
            self.book(env, items)
            if any(item.payload["n"] == 2 for item in items):
                env.cr.execute("SELECT pg_sleep(600)")

        with (
            self.handler(THING, handler, batch=5, timeout=2.0, max_attempts=1),
            self.assertLogs("odoo.sql_db", "ERROR"),
        ):
            self.work()
        self.assertEqual(self.outcomes(), [("done", "")] * 2 + [("dead", "JobTimeout")] + [("done", "")] * 2)
        self.assertEqual(sorted(name for name, _key in self.ledger()), list("0134"))

    def test_the_scheduled_action_honours_timeouts(self):
        self.events(2)

        def handler(env, items):
            if items[0].payload["n"] == 0:
                env.cr.execute("SELECT pg_sleep(600)")

        with (
            self.handler(THING, handler, batch=1, timeout=2.0, max_attempts=1),
            self.assertLogs("odoo.sql_db", "ERROR"),
            self.committed() as env,
        ):
            env["dist.job"]._cron_run_jobs()
        self.assertEqual(self.outcomes(), [("dead", "JobTimeout"), ("done", "")])

    def test_a_safe_point_ends_a_job_that_is_over_its_time(self):
        self.events(1)

        def handler(env, items):
            while True:
                checkpoint(env)
                time.sleep(0.005)

        with self.handler(THING, handler, timeout=0.2, max_attempts=1):
            self.work()
        self.assertEqual(self.outcomes(), [("dead", "JobTimeout")])

    def test_a_job_that_never_returns_takes_only_itself_along(self):
        """The process is ended; the job is counted as the culprit, the others of its batch are not."""
        with self.committed() as env:
            env["dist.test.ledger"].delayed(priority=0, max_attempts=1)._never_returns()
            env["dist.test.ledger"].delayed()._write_name("other")
        code, output = self.run_worker("--until-empty", "--grace", "0.2")
        self.assertEqual(code, -signal.SIGKILL, output)
        self.assertIn("could not be stopped; this process ends", output)
        self.assertIn("_never_returns", output, "where it hung")
        self.wait_for("the server let go of the dead worker", lambda: not self.query(OTHERS))
        self.work()
        self.assertEqual(self.outcomes(), [("dead", "JobTimeout"), ("done", "")])
        told = self.query("SELECT outcome, error_type, error_message FROM dist_job_attempt ORDER BY id")
        self.assertEqual([row[:2] for row in told], [("crash", "JobTimeout"), ("dead", "JobTimeout")])
        told += self.query("SELECT error_message FROM dist_job WHERE state = 'dead'")
        told += self.query("SELECT cause FROM dist_exception WHERE kind = 'job_dead'")
        self.assertEqual(len(told), 4)
        for *_which, message in told:
            self.assertIn("ran past its timeout of 0.2 s. It could not be stopped", message)

    def test_the_end_needs_no_python(self):
        """A library that hangs while it holds the interpreter's lock: not even the watcher runs any more."""
        done = subprocess.run(
            odoo_command("shell", "--no-http", dbname=self.dbname),
            input=FREEZE,
            capture_output=True,
            text=True,
            check=False,
            env=clean_environment(),
        )
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("Timeout (", done.stderr, "and says where it hung")

    def test_a_worker_without_work_outlasts_postgresql(self):
        """The end that needs no Python is for calls that hang: an idle process puts it off without a connection too."""
        watcher = Watcher(Hand(), SimpleNamespace(db_name="dist_no_such_database"), grace=3600.0)
        watcher.start()
        self.addCleanup(watcher.stop)
        self.until("put off", lambda: watcher._armed_at > 0)

    def test_a_late_cancellation_hits_nothing(self):
        """The watcher decides, the call ends meanwhile: the statements after it are none of the watcher's business."""
        hand, cr = Hand(), self.cursor()
        row = SimpleNamespace(id=1)
        side = Side(self.dbname)
        self.addCleanup(side.close)
        hand.begin(cr._cnx.get_backend_pid(), "default", [1])
        self.addCleanup(hand.end)
        for _n in range(30):
            decided, leaving = threading.Event(), threading.Event()

            def cancel(pid, decided=decided, leaving=leaving):
                decided.set()
                leaving.wait(LIMIT)
                side.execute("SELECT pg_cancel_backend(%s)", (pid,))

            with hand(60.0, [row]):
                call = hand.call()
                thread = threading.Thread(target=hand.stop, args=(call, JobTimeout, cancel))
                thread.start()
                self.assertTrue(decided.wait(LIMIT))
                leaving.set()
            cr.execute("SELECT count(*) FROM generate_series(1, 1000)")
            thread.join()
            cr.execute("SELECT 1")
            self.assertFalse(hand.stop(call, JobTimeout, cancel), "that call is over")

    def test_a_deadline_at_the_very_end_of_a_call_leaves_no_timer_behind(self):
        """It would ring while the batch is settled or committed. Calls that are over about when their time is."""
        before = signal.getsignal(signal.SIGALRM)
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        self.addCleanup(signal.setitimer, signal.ITIMER_REAL, 0)
        hand = Hand(signals=True)
        hand.install()
        hand.begin(1, "default", [])
        self.addCleanup(hand.end)
        late = 0
        for n in range(20_000):
            try:
                with hand(20e-6, ()):
                    for _step in range(n % 60):
                        pass
            except JobTimeout:
                late += 1
            self.assertIsNone(hand.call(), "it is over, and the watcher knows")
            self.assertEqual(signal.getitimer(signal.ITIMER_REAL), (0.0, 0.0))
        self.assertGreater(late, 0)

    # -- cancel --------------------------------------------------------------------------------------------------------
    def test_a_running_job_is_cancelled_in_the_middle_of_a_statement(self):
        self.events(3)
        _first, second, _third = self.job_ids()

        def handler(env, items):
            self.book(env, items)
            if any(item.id == second for item in items):
                threading.Thread(target=self.cancel, args=(second,)).start()
                env.cr.execute("SELECT pg_sleep(600)")

        with self.handler(THING, handler, batch=3, budget=3600.0), self.assertLogs("odoo.sql_db", "ERROR"):
            self.work()
        self.assertEqual(self.outcomes(), [("done", ""), ("cancelled", ""), ("done", "")])
        self.assertEqual(sorted(name for name, _key in self.ledger()), ["0", "2"])
        with Side(self.dbname).cursor() as cr:
            sweep(cr)
        self.assertEqual(self.query("SELECT job_id, state FROM dist_job_request"), [(second, "applied")])
        self.assertEqual(self.query("SELECT count(*) FROM dist_exception"), [(0,)], "a wish is no problem")

    def test_a_cancelled_job_takes_no_other_request_along(self):
        """Two requests of one identity: one run does the work of both, but one wish cancels one."""
        self.events(2)
        self.query("UPDATE dist_job SET identity = 'same'")
        first, _second = self.job_ids()
        called = []

        def handler(env, items):
            called.extend(item.id for item in items)
            if called == [first]:
                self.cancel(first)
                hand = current()
                self.until("the watcher knows", lambda: first in hand.stop_ids)
                checkpoint(env)

        with self.handler(THING, handler):
            self.work()
        self.assertEqual(self.outcomes(), [("cancelled", ""), ("done", "")])

    def test_a_job_of_the_batch_that_did_not_begin_is_not_begun(self):
        self.events(3)
        _first, _second, third = self.job_ids()
        called = []

        def handler(env, items):
            called.extend(item.payload["n"] for item in items)
            if called == [0]:
                self.cancel(third)
                hand = current()
                self.until("the watcher knows", lambda: third in hand.stop_ids)

        with self.handler(THING, handler, batch=1, budget=3600.0):
            self.work()
        self.assertEqual(self.outcomes(), [("done", ""), ("done", ""), ("cancelled", "")])
        self.assertEqual(set(called), {0, 1})

    def test_progress_is_seen_while_the_work_is_not_and_a_safe_point_stops_it(self):
        self.events(1)
        (job_id,) = self.job_ids()
        seen = []
        shown = "SELECT progress_done, progress_total, progress_text FROM dist_worker_slot"

        def handler(env, items):
            self.book(env, items)
            deadline = time.monotonic() + LIMIT
            while time.monotonic() < deadline:
                progress(env, 3, 10, "step three")
                if not seen and self.query(shown) == [(3, 10, "step three")]:
                    seen.append(self.ledger())
                    self.cancel(job_id)
                time.sleep(0.005)

        with self.handler(THING, handler):
            self.work()
        self.assertEqual(seen, [[]], "progress without the work")
        self.assertEqual(self.outcomes(), [("cancelled", "")])
        channels = {row[0] for row in self.query("SELECT channel FROM bus_bus WHERE message LIKE %s", f"%{BUS_TYPE}%")}
        with self.committed() as env:
            managers = env.ref("dist_sync_queue.group_dist_manager")
            told = managers  # of the job's company, where tests before this one left others
            if env["res.company"].search_count([]) > 1:
                told = managers.all_user_ids.filtered(lambda user: env.company in user.company_ids).partner_id
            wanted = {f'["{self.dbname}","{told._name}",{id_}]' for id_ in told.ids}
        self.assertEqual(channels, wanted)

    def test_no_progress_is_too_large_or_too_strange_for_a_job_to_be_stopped(self):
        """Bytes are counted beyond four of them; and what cannot be shown does not keep anybody from cancelling."""
        self.events(1)
        (job_id,) = self.job_ids()
        shown = "SELECT progress_done, progress_total, progress_text FROM dist_worker_slot"
        told = {
            (3 << 30, 4 << 30, "bytes"): (3 << 30, 4 << 30, "bytes"),
            (10**30, 0, "b\x00\udce9"): (watch.MOST_STEPS, 0, "b\\0\\udce9"),
        }
        seen = []

        def handler(env, items):
            for given, wanted in told.items():
                progress(env, *given)
                self.until("it is published", lambda wanted=wanted: self.query(shown) == [wanted])
                seen.append(wanted)
            self.cancel(job_id)
            deadline = time.monotonic() + LIMIT
            while time.monotonic() < deadline:
                progress(env, "much", 0, "no number")
                time.sleep(0.005)

        with self.handler(THING, handler):
            self.work()
        self.assertEqual(seen, list(told.values()))
        self.assertEqual(self.outcomes(), [("cancelled", "")])

    def test_a_long_job_without_progress_is_seen_to_live(self):
        self.events(1)
        age = "UPDATE dist_worker_slot SET seen_at = '2000-01-01'"
        seen = "SELECT 1 FROM dist_worker_slot WHERE seen_at > '2001-01-01' AND job_ids IS NOT NULL"

        def handler(env, items):
            self.query(age)
            self.until("a sign of life", lambda: self.query(seen))

        self.patch(watch, "BEAT_SECONDS", 0.0)
        with self.handler(THING, handler):
            self.work()
        self.assertEqual(self.outcomes(), [("done", "")])

    def test_safe_points_do_nothing_without_a_worker(self):
        with self.committed() as env:
            progress(env, 1, 2, "nobody looks")
            checkpoint(env)

    # -- making way ----------------------------------------------------------------------------------------------------
    def test_a_batch_ends_for_a_job_of_a_higher_lane(self):
        """A hundred jobs of the low lane in one batch; during the second a job of lane "high" is made."""
        self.events(100)
        served = []

        def slow(env, items):
            served.append("low")
            if len(served) == 2:
                with self.committed() as other:
                    other["dist.job"].enqueue([{"handler": "test.urgent.v1", "lane": "high", "payload": {}}])
                self.until_told("high")

        with (
            self.handler(THING, slow, batch=1, lane="low", budget=3600.0),
            self.handler("test.urgent.v1", lambda env, items: served.append("high"), lane="high"),
        ):
            self.work()
        self.assertEqual(served.index("high"), 2, "next after the job that was running")
        self.assertEqual(len(served), 101)

    def test_a_ring_without_a_lane_makes_the_watcher_look(self):
        """Events of the relay: SQL does not say which lane they are for."""
        self.assertEqual(self.served_before_urgent(), 2)

    def test_many_rings_are_one_look(self):
        """Whoever marks rings, hundreds of times a second; a look reads all groups."""
        hand, looks = Hand(), []
        watcher = Watcher(hand, self.registry)
        self.addCleanup(watcher.stop)
        hand.begin(0, "low", [])
        self.addCleanup(hand.end)
        hand.batch = hand.batch._replace(started=time.monotonic() - 2 * LIMIT)
        self.patch(watch, "LOOK_AFTER_SECONDS", LIMIT)
        self.patch(watch.claim, "ready_groups", lambda cr: looks.append(cr) or [])
        for _n in range(5):
            watcher.look({""})
        self.assertEqual(len(looks), 1)
        watcher._looked_at -= LIMIT
        watcher.look({""})
        self.assertEqual(len(looks), 2, "a ring that comes later makes it look again")

    def test_a_batch_that_makes_way_does_so_even_if_it_collides(self):
        self.assertEqual(self.served_before_urgent(errors.SerializationFailure), 2)

    def until_told(self, lane):
        """Ring until the watcher has told the batch that it is enough: it may begin to listen after the first ring."""
        hand = current()

        def told():
            self.query("SELECT pg_notify('dist_job', %s)", lane)
            return hand.enough

        self.until("the watcher heard of it", told)

    def served_before_urgent(self, collision=None):
        """How many calls of a low lane come before an urgent job that is made during the second."""
        self.events(50)
        served = []

        def slow(env, items):
            served.append("low")
            if len(served) == 2:
                self.query("INSERT INTO dist_job (handler, payload) VALUES ('test.urgent.v1', '{}')")
                self.until_told("")
                if collision:
                    raise collision("on purpose")

        with (
            self.handler(THING, slow, batch=1, lane="low", budget=3600.0),
            self.handler("test.urgent.v1", lambda env, items: served.append("high"), lane="high"),
        ):
            self.work()
        return served.index("high")

    def test_a_stopped_call_is_blamed_for_what_it_raised(self):
        hand = Hand(clock=lambda: 0.0)
        hand.begin(1, "default", [7])
        self.addCleanup(hand.end)
        with self.assertRaises(ValueError) as caught, hand(5.0, [SimpleNamespace(id=7)]):
            hand.stop(hand.call(), JobCancelled, lambda pid: None)
            raise ValueError("what the job made of it")
        self.assertIsInstance(hand.blame(caught.exception), JobCancelled)
        with self.assertRaises(ValueError) as caught, hand(5.0, [SimpleNamespace(id=8)]):
            raise ValueError("its own fault")
        self.assertIs(hand.blame(caught.exception), caught.exception)
