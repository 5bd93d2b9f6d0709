# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Real ``odoo dist_worker`` processes, killed at named points: every effect once, and in order."""

from __future__ import annotations

import os
import signal
from collections import defaultdict

from odoo.tests import tagged

from .worker_kit import EngineCase

KILLED = -signal.SIGKILL


@tagged("post_install", "-at_install", "dist_engine")
class TestWorkerCrash(EngineCase):
    def assert_once_and_in_order(self, count: int) -> None:
        ledger = self.ledger()
        self.assertEqual(sorted(int(name) for name, _key in ledger), list(range(count)), "each effect exactly once")
        by_key = defaultdict(list)
        for name, key in ledger:
            by_key[key].append(int(name))
        for key, seen in by_key.items():
            self.assertEqual(seen, sorted(seen), f"order of {key}")
        self.assertEqual(self.states(), {"done": count})

    def test_killed_before_commit(self):
        self.events(300, keys=20)
        code, output = self.run_worker("--until-empty", DIST_CRASH_AT="before_commit:2")
        self.assertEqual(code, KILLED, output)
        self.assertLess(len(self.ledger()), 300, "it died in the middle")
        self.assertTrue(self.ledger(), "after a committed batch")
        code, output = self.run_worker("--until-empty")
        self.assertEqual(code, 0, output)
        self.assert_once_and_in_order(300)

    def test_killed_after_commit_and_after_claim(self):
        self.events(300, keys=20)
        self.assertEqual(self.run_worker("--until-empty", DIST_CRASH_AT="after_commit")[0], KILLED)
        self.assertEqual(self.run_worker("--until-empty", DIST_CRASH_AT="claimed")[0], KILLED)
        code, output = self.run_worker("--until-empty")
        self.assertEqual(code, 0, output)
        self.assert_once_and_in_order(300)

    def test_poison_is_quarantined_and_the_others_go_on(self):
        """Three deaths of the worker; each time the poison job ran, and only it collects crashes."""
        with self.committed() as env:
            ledger = env["dist.test.ledger"]
            poison = ledger.delayed(priority=0)._poison()
            for n in range(5):
                ledger.delayed()._write_name(str(n))
        for _death in range(3):
            self.assertEqual(self.run_worker("--until-empty")[0], KILLED)
        code, output = self.run_worker("--until-empty")
        self.assertEqual(code, 0, output)
        self.assertEqual(sorted(name for name, _key in self.ledger()), list("01234"))
        state, error = self.query("SELECT state, error_type FROM dist_job WHERE id = %s", poison.id)[0]
        self.assertEqual((state, error), ("dead", "Poison"))
        self.assertEqual(self.query("SELECT count(*) FROM dist_exception WHERE res_id = %s", poison.id)[0][0], 1)

    def test_timeout_stops_the_job(self):
        with self.committed() as env:
            job = env["dist.test.ledger"].delayed()._hang()
        code, output = self.run_worker("--until-empty")
        self.assertEqual(code, 0, output)
        self.assertEqual(
            self.query("SELECT state, error_type FROM dist_job WHERE id = %s", job.id), [("dead", "JobTimeout")]
        )
        self.assertEqual(self.ledger(), [])

    def test_supervisor_replaces_a_killed_child_and_leaves_no_orphan(self):
        supervisor = self.start_worker("--processes", "1")
        slot = "SELECT pid FROM dist_worker_slot"
        first = self.wait_for("a worker", lambda: self.query(slot))[0][0]
        os.kill(first, signal.SIGKILL)
        second = self.wait_for("its replacement", lambda: [r for r in self.query(slot) if r[0] != first])[0][0]
        self.events(10)
        self.wait_for("the doorbell or the poll", lambda: self.states() == {"done": 10})
        supervisor.send_signal(signal.SIGKILL)
        supervisor.wait()
        self.wait_for("the child leaves in order when its supervisor is killed", lambda: not self.query(slot))
        self.wait_for("the child is gone", lambda: not alive(second))

    def test_sigterm_finishes_the_batch(self):
        lock = 4711
        holder = self.cursor()
        holder.execute("SELECT pg_advisory_lock(%s)", (lock,))
        with self.committed() as env:
            env["dist.test.ledger"].delayed()._hold(lock)
        supervisor = self.start_worker("--processes", "1")
        self.wait_for("the job runs", lambda: self.query("SELECT 1 FROM dist_worker_slot WHERE job_ids IS NOT NULL"))
        supervisor.send_signal(signal.SIGTERM)
        holder.execute("SELECT pg_advisory_unlock(%s)", (lock,))
        output, _ = supervisor.communicate(timeout=60)
        self.assertEqual(supervisor.returncode, 0, output)
        self.assertEqual(self.states(), {"done": 1})
        self.assertEqual(self.query("SELECT count(*) FROM dist_worker_slot")[0][0], 0)


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
