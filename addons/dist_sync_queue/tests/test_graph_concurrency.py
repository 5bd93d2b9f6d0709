# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Graphs under several real worker processes: no wake-up is lost, nothing runs twice or too early."""

from __future__ import annotations

import signal

from odoo import SUPERUSER_ID, api

from ..api import chain, group
from ..engine.release import release
from ..engine.slots import Side, Slot, reap
from .worker_kit import EngineCase

DIAMONDS = 1000
PARENTS = 1000


class TestGraphConcurrency(EngineCase):
    def later(self, env, **options):
        return env["dist.test.ledger"].later(**options)

    def diamonds(self, count):
        """``count`` diamonds, one graph each, that leave one ledger row per job: ``<diamond> <part>``."""
        with self.committed() as env:
            for n in range(count):
                parts = {part: self.later(env)._step(f"{n} {part}") for part in "abcd"}
                chain(parts["a"], group(parts["b"], parts["c"]), parts["d"]).enqueue()

    def assert_diamonds(self, count):
        self.assertEqual(self.states(), {"done": 4 * count})
        booked = [name for name, _key in self.ledger()]
        self.assertEqual(len(booked), 4 * count, "each once")
        self.assertEqual(set(booked), {f"{n} {part}" for n in range(count) for part in "abcd"})
        early = self.query(
            """SELECT count(*) FROM dist_job_edge e JOIN dist_job p ON p.id = e.parent_id
                 JOIN dist_job c ON c.id = e.child_id WHERE c.done_at < p.done_at"""
        )
        self.assertEqual(early, [(0,)])
        self.assertEqual(
            self.query("SELECT count(*) FROM dist_job WHERE release"), [(0,)], "nothing is left to look at"
        )

    def test_a_thousand_diamonds_and_none_is_stuck(self):
        """The defect of OCA's queue_job: both parents end at once, and nobody wakes the child."""
        self.diamonds(DIAMONDS)
        workers = [self.start_worker() for _n in range(3)]
        self.wait_for("all diamonds done", lambda: self.states() == {"done": 4 * DIAMONDS}, 240)
        self.wait_for("all marks gone", lambda: self.query("SELECT count(*) FROM dist_job WHERE release") == [(0,)])
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.communicate(timeout=60)
        self.assert_diamonds(DIAMONDS)

    def test_a_thousand_parents_of_one_child(self):
        with self.committed() as env:
            parents = (self.later(env)._step(str(n)) for n in range(PARENTS))
            chain(group(*parents), self.later(env)._count()).enqueue()
        workers = [self.start_worker() for _n in range(3)]
        self.wait_for("the child", lambda: self.states() == {"done": PARENTS + 1}, 240)
        output = ""
        for worker in workers:
            worker.terminate()
            output += worker.communicate(timeout=60)[0]
        self.assertEqual(self.ledger()[-1], (f"{PARENTS} results", str(sum(range(PARENTS)))))
        self.assertNotIn("deadlock", output)

    def test_both_parents_end_before_anybody_looks(self):
        """The sides of two workers, in each order of commits and looks."""
        for order in ("ab", "ba"):
            with self.committed() as env:
                a, b, child = chain(
                    group(self.later(env)._step("a"), self.later(env)._step("b")), self.later(env)._step("c")
                ).enqueue()
            sides = [Side(self.dbname), Side(self.dbname)]
            for side in sides:
                self.addCleanup(side.close)
            for parent in (a, b):
                sides[0].execute(
                    "UPDATE dist_job SET state = 'done', done_at = clock_timestamp(), release = true WHERE id = %s",
                    (parent.id,),
                )
            looks = {"a": (sides[0], a.id), "b": (sides[1], b.id)}
            woken = []
            for name in order:
                side, id_ = looks[name]
                with side.cursor() as cr:
                    woken.append(release(cr, [id_]))
            self.assertEqual(woken, [1, 0], "the first to look sees both")
            self.assertEqual(self.query("SELECT state FROM dist_job WHERE id = %s", child.id), [("pending",)])
            self.assertEqual(self.query("SELECT count(*) FROM dist_job WHERE release"), [(0,)])

    def test_a_worker_that_dies_before_it_lets_go_is_made_up_for_by_the_sweep(self):
        self.diamonds(1)
        for place in ("after_commit", "released"):
            code, output = self.run_worker("--until-empty", DIST_CRASH_AT=place)
            self.assertEqual(code, -signal.SIGKILL, output)
            self.assertEqual(self.query("SELECT count(*) FROM dist_job WHERE release"), [(1,)], place)
        code, output = self.run_worker("--until-empty")
        self.assertEqual(code, 0, output)
        self.assert_diamonds(1)

    def test_cron_lets_go_as_well(self):
        self.diamonds(20)
        with self.committed() as env:
            env["dist.job"]._cron_run_jobs()
        self.assert_diamonds(20)

    def test_nothing_is_seen_of_a_graph_that_is_not_committed(self):
        cr = self.cursor()
        env = api.Environment(cr, SUPERUSER_ID, {})
        chain(self.later(env)._step("a"), self.later(env)._step("b")).enqueue()
        self.assertEqual(self.states(), {})
        cr.rollback()
        self.assertEqual(self.query("SELECT count(*) FROM dist_job_edge"), [(0,)])

    def test_a_crash_is_an_attempt(self):
        self.events(2)
        done, pending = (row[0] for row in self.query("SELECT id FROM dist_job ORDER BY id"))
        self.query("UPDATE dist_job SET state = 'done' WHERE id = %s", done)
        dying, reaper = Side(self.dbname), Side(self.dbname)
        self.addCleanup(reaper.close)
        slot = Slot(dying)
        slot.open()
        dying.execute(
            "UPDATE dist_worker_slot SET job_ids = %s, started_at = clock_timestamp() AT TIME ZONE 'UTC'",
            (f"[{done}, {pending}]",),
        )
        worker = slot.worker
        dying.close()
        self.wait_for("the crash is found", lambda: reap(reaper))
        self.assertEqual(
            self.query("SELECT job_id, number, outcome, error_type, worker FROM dist_job_attempt"),
            [(pending, 1, "crash", "WorkerDied", worker)],
        )
