# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The worker's life: waiting, pausing, draining, starting afresh, losing the database."""

from __future__ import annotations

import subprocess

from odoo.tests import tagged

from ..engine.worker import Worker
from .worker_kit import EngineCase, clean_environment, odoo_command

SLOT = "SELECT worker, pid FROM dist_worker_slot"


@tagged("post_install", "-at_install", "dist_engine")
class TestWorkerLife(EngineCase):
    def command(self, *args: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            odoo_command("dist_worker", *args, dbname=self.dbname),
            capture_output=True,
            text=True,
            check=False,
            env=clean_environment(),
        )

    def work(self, lanes: list[str] | None = None) -> dict[str, int]:
        """The same worker in this process."""
        return Worker(self.registry, lanes, timeouts=False).until_empty()

    def test_drain_resume_and_starting_afresh(self):
        self.start_worker("--processes", "1")
        first = self.wait_for("a worker", lambda: self.query(SLOT))[0]
        drained = self.command("--drain", "--timeout", "30")
        self.assertEqual((drained.returncode, drained.stdout[:8]), (0, "Drained:"), drained.stderr)
        self.events(5)
        self.assertEqual(self.states(), {"pending": 5})
        # what the end of an upgrade does: the drain ends, and the worker starts afresh with the same pid
        self.signal_registry()
        self.wait_for("the jobs are run after the upgrade", lambda: self.states() == {"done": 5})
        second = self.wait_for("the worker that started afresh", lambda: self.query(SLOT))[0]
        self.assertEqual(second[1], first[1], "same process")
        self.assertNotEqual(second[0], first[0], "new program")
        self.assertIn("were not kept out", self.command("--resume").stdout)

    def test_drain_gives_up_and_lets_the_workers_in_again(self):
        lock, holder = 4712, self.cursor()
        holder.execute("SELECT pg_advisory_lock(%s)", (lock,))
        with self.committed() as env:
            env["dist.test.ledger"].delayed()._hold(lock)
        self.start_worker("--processes", "1")
        self.wait_for("the job runs", lambda: self.query("SELECT 1 FROM dist_worker_slot WHERE job_ids IS NOT NULL"))
        drained = self.command("--drain", "--timeout", "0")
        self.assertEqual(drained.returncode, 1, drained.stdout)
        self.assertIn("let in again", drained.stderr)
        holder.execute("SELECT pg_advisory_unlock(%s)", (lock,))
        self.wait_for("the job ends", lambda: self.states() == {"done": 1})

    def test_cut_connections_are_made_again(self):
        self.start_worker("--processes", "1")
        pid = self.wait_for("a worker", lambda: self.query(SLOT))[0][1]
        self.query(
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name <> %s""",
            self.query("SELECT current_setting('application_name')")[0][0],
        )
        self.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dist_worker'")
        self.events(7)
        self.wait_for("the jobs are run", lambda: self.states() == {"done": 7})
        self.assertEqual([row[1] for row in self.query(SLOT)], [pid], "the same process goes on")

    def test_it_waits_for_the_addon(self):
        self.query("UPDATE ir_module_module SET state = 'uninstalled' WHERE name = 'dist_sync_queue'")
        self.addCleanup(self.query, "UPDATE ir_module_module SET state = 'installed' WHERE name = 'dist_sync_queue'")
        process = self.start_worker("--until-empty")
        for line in process.stdout:
            if "Waiting: dist_sync_queue is not installed" in line:
                break
        else:
            self.fail(f"it did not wait: {process.wait()}")
        self.query("UPDATE ir_module_module SET state = 'installed' WHERE name = 'dist_sync_queue'")
        self.assertEqual(process.wait(60), 0)

    def test_paused_lanes_and_handlers_stand_still(self):
        self.events(3)
        with self.committed() as env:
            env["dist.test.ledger"].delayed()._write_name("x")
            pause = env["dist.job.control"].create({"kind": "lane", "name": "orders", "paused": True})
            pause |= env["dist.job.control"].create(
                {"kind": "handler", "name": "dist.test.ledger:_write_name", "paused": True}
            )
        self.assertEqual(self.work()["done"], 0)
        with self.committed() as env:
            env["dist.job.control"].browse(pause.ids)[1].paused = False
        self.assertEqual(self.work()["done"], 1)
        with self.committed() as env:
            env["dist.job.control"].browse(pause.ids).unlink()
        self.assertEqual(self.work()["done"], 3)

    def test_a_worker_serves_its_lanes_only(self):
        self.events(3)
        with self.committed() as env:
            env["dist.test.ledger"].delayed()._write_name("x")
        self.assertEqual(self.work(["default"])["done"], 1)
        self.assertEqual(self.work(["orders"])["done"], 3)

    def test_schema_errors_spend_no_attempt(self):
        self.events(2)

        def handler(env, items):
            env.cr.execute("SELECT not_there_yet FROM dist_test_ledger")

        with (
            self.handler("test.thing.v1", handler),
            self.assertLogs("odoo.addons.dist_sync_queue.engine.worker", "WARNING"),
        ):
            self.assertEqual(self.work()["done"], 0)
        self.assertEqual(self.query("SELECT DISTINCT state, attempts FROM dist_job"), [("pending", 0)])
        self.assertEqual(self.work()["done"], 2)

    def test_nothing_is_lost_between_two_workers(self):
        """Two real processes on few keys: each effect once, each key in order."""
        self.events(600, keys=12)
        workers = [self.start_worker("--until-empty") for _n in range(2)]
        for worker in workers:
            output, _ = worker.communicate(timeout=120)
            self.assertEqual(worker.returncode, 0, output)
        ledger = self.ledger()
        self.assertEqual(len(ledger), 600)
        for key in {key for _name, key in ledger}:
            seen = [int(name) for name, its in ledger if its == key]
            self.assertEqual(seen, sorted(seen), key)
        self.assertEqual(self.states(), {"done": 600})
