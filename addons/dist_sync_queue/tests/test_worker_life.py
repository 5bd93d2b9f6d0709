# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The worker's life: waiting, pausing, draining, starting afresh, losing the database."""

from __future__ import annotations

import re
import subprocess
import threading
from contextlib import closing

from odoo.sql_db import close_db, db_connect
from odoo.tests import tagged
from odoo.tools import SQL

from ..doorbell import hang_up
from ..engine.worker import HELD_SECONDS, Worker
from .worker_kit import EngineCase, clean_environment, drop, odoo_command

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
        self.events(1)
        self.wait_for("it is in its loop", lambda: self.states() == {"done": 1})
        pid = self.query(SLOT)[0][1]
        self.query(
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name <> %s""",
            self.query("SELECT current_setting('application_name')")[0][0],
        )
        self.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dist_worker'")
        self.events(7)
        self.wait_for("the jobs are run", lambda: self.states() == {"done": 8})
        self.wait_for("the same process goes on", lambda: [row[1] for row in self.query(SLOT)] == [pid])

    def test_it_waits_for_the_addon(self):
        self.query("UPDATE ir_module_module SET state = 'uninstalled' WHERE name = 'dist_sync_queue'")
        self.addCleanup(self.query, "UPDATE ir_module_module SET state = 'installed' WHERE name = 'dist_sync_queue'")
        process = self.start_worker("--processes", "1")
        self.read_until(process, "Waiting: dist_sync_queue is not installed")
        self.query("UPDATE ir_module_module SET state = 'installed' WHERE name = 'dist_sync_queue'")
        self.wait_for("a worker", lambda: self.query(SLOT))
        process.terminate()
        process.communicate(timeout=60)

    def test_until_empty_leaves_out_what_has_no_addon_or_is_not_there(self):
        """Nobody comes to install it while one waits for the end."""
        self.events(2)
        bare, gone = f"{self.dbname}_bare", f"{self.dbname}_gone"
        drop(bare)
        self.addCleanup(drop, bare)
        with closing(db_connect("postgres").cursor()) as cr:
            cr._cnx.autocommit = True
            cr.execute(SQL("CREATE DATABASE %s TEMPLATE template0", SQL.identifier(bare)))
        done = self.command("-d", f"{bare},{self.dbname}", "--until-empty")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"{bare}: Left out: Database {bare} is not set up", done.stderr)
        self.assertEqual(self.states(), {"done": 2})
        done = self.command("-d", f"{gone},{self.dbname}", "--once")
        self.assertEqual(done.returncode, 1, "a name that was mistyped is an error")
        self.assertIn(f"Left out: There is no database {gone} on this server.", done.stderr)
        self.query("UPDATE ir_module_module SET state = 'uninstalled' WHERE name = 'dist_sync_queue'")
        self.addCleanup(self.query, "UPDATE ir_module_module SET state = 'installed' WHERE name = 'dist_sync_queue'")
        done = self.command("--until-empty")
        self.assertEqual(done.returncode, 1, "none was served")
        self.assertIn("Left out: dist_sync_queue is not installed", done.stderr)

    def test_the_doctor_says_in_one_sentence_that_there_is_nothing_to_look_at(self):
        def doctor(database, *args):
            command = odoo_command("dist_doctor", *args, dbname=database)
            return subprocess.run(command, capture_output=True, text=True, check=False, env=clean_environment())

        found = doctor(f"{self.dbname}_gone")
        self.assertEqual((found.returncode, found.stdout), (2, ""))
        self.assertNotIn("Traceback", found.stderr)
        self.assertIn(f"There is no database {self.dbname}_gone on this server.", found.stderr.splitlines())
        found = doctor(self.dbname, "--db_port", "1")
        self.assertEqual(found.returncode, 2)
        self.assertNotIn("Traceback", found.stderr)
        self.query("UPDATE ir_module_module SET state = 'uninstalled' WHERE name = 'dist_sync_queue'")
        self.addCleanup(self.query, "UPDATE ir_module_module SET state = 'installed' WHERE name = 'dist_sync_queue'")
        self.assertEqual(doctor(self.dbname).returncode, 2)

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

    def test_an_idle_worker_tells_what_it_did_last(self):
        self.start_worker()
        self.events(3)
        told = "SELECT 1 FROM dist_worker_slot WHERE handler IS NULL AND done_count = 3"
        self.wait_for("the count of the only batch", lambda: self.query(told))

    def test_what_is_due_and_held_does_not_keep_an_idle_worker_awake(self):
        """As the requests of an identity are while one of them runs."""
        self.events(2)
        self.query("UPDATE dist_job SET eta = (now() AT TIME ZONE 'UTC') - interval '1 s'")
        (held,), (later,) = self.query("SELECT id FROM dist_job ORDER BY id")
        self.query("UPDATE dist_job SET eta = eta + interval '1 h' WHERE id = %s", later)
        worker = Worker(self.registry, timeouts=False)
        self.addCleanup(worker.close)
        worker.open()
        holder = self.cursor()
        holder.execute("SELECT 1 FROM dist_job WHERE id = %s FOR NO KEY UPDATE", (held,))
        self.assertFalse(worker.turn())
        self.assertLess(worker._sleep(), HELD_SECONDS, "it may have come due since the sweep")
        for _wake in range(2):
            worker._heed(set())
            self.assertFalse(worker.turn())
            self.assertEqual(worker._sleep(), HELD_SECONDS)
        worker._heed({"a job"})
        self.assertLess(worker._sleep(), HELD_SECONDS, "something else may be due by now")
        holder.rollback()
        worker._heed(set())
        self.assertTrue(worker.turn())
        self.assertEqual(self.query("SELECT id FROM dist_job WHERE state = 'done'"), [(held,)])
        self.assertFalse(worker.turn())
        self.assertGreater(worker._sleep(), HELD_SECONDS)

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

    def test_tables_older_than_the_code_let_a_worker_rest(self):
        """New code is there before the upgrade was made: reading the groups fails already."""
        self.events(3)

        def rename(old: str, new: str) -> None:
            if self.query(
                "SELECT 1 FROM pg_attribute WHERE attrelid = 'dist_connection'::regclass AND attname = %s", old
            ):
                self.query(f"ALTER TABLE dist_connection RENAME COLUMN {old} TO {new}")

        self.addCleanup(rename, "job_capacity_later", "job_capacity")
        rename("job_capacity", "job_capacity_later")
        process = self.start_worker("--processes", "1")
        self.read_until(process, "does not fit the tables of the queue")
        first = self.query(SLOT)
        self.read_until(process, "does not fit the tables of the queue")
        self.assertEqual((self.query(SLOT), self.states()), (first, {"pending": 3}), "it rests, it is not replaced")
        rename("job_capacity_later", "job_capacity")
        self.wait_for("the jobs are run after the upgrade", lambda: self.states() == {"done": 3})
        self.assertEqual(self.query(SLOT), first)
        self.assertEqual(self.query("SELECT DISTINCT attempts FROM dist_job"), [(1,)])

    def test_work_in_one_go_leaves_old_tables_alone(self):
        self.events(1)
        self.addCleanup(self.query, "ALTER TABLE dist_job_control RENAME COLUMN capacity_later TO capacity")
        self.query("ALTER TABLE dist_job_control RENAME COLUMN capacity TO capacity_later")
        with self.assertLogs("odoo.addons.dist_sync_queue.engine.worker", "WARNING") as logs:
            self.assertEqual(self.work()["done"], 0)
        self.assertIn("does not fit the tables", logs.output[0])
        self.assertEqual(self.states(), {"pending": 1})

    def test_a_process_above_its_memory_limit_is_replaced(self):
        self.events(3)
        self.start_worker("--processes", "1", "--memory-limit", "600")
        self.wait_for("the first jobs are run", lambda: self.states() == {"done": 3})
        first = self.wait_for("a worker", lambda: self.query(SLOT))[0]
        with self.committed() as env:
            env["dist.test.ledger"].delayed()._leak(600)
        self.events(4)
        second = self.wait_for(
            "the process starts afresh", lambda: [row for row in self.query(SLOT) if row[0] != first[0]]
        )[0]
        self.assertEqual(second[1], first[1], "same process, new program")
        self.wait_for("nothing is lost", lambda: self.states() == {"done": 8})
        self.assertEqual(
            sorted(name for name, _key in self.ledger()), ["0", "0", "1", "1", "2", "2", "3", "leaked"], "each once"
        )
        self.assertEqual(self.query("SELECT count(*) FROM dist_job_crash"), [(0,)], "no crash")
        self.assertEqual(self.query(SLOT), [second], "once, as what had leaked is gone")

    def test_a_reserved_process_serves_its_lanes_only(self):
        supervisor = self.start_worker("--processes", "2", "--reserve", "orders")
        lanes = self.wait_for(
            "both", lambda: len(rows := self.query("SELECT pid, lanes FROM dist_worker_slot")) == 2 and dict(rows)
        )
        self.assertEqual(sorted(lanes.values(), key=str), [None, "orders"])
        lock, holder = 4713, self.cursor()
        holder.execute("SELECT pg_advisory_lock(%s)", (lock,))
        with self.committed() as env:
            env["dist.test.ledger"].delayed()._hold(lock)
        self.wait_for(
            "a job takes long", lambda: self.query("SELECT 1 FROM dist_worker_slot WHERE job_ids IS NOT NULL")
        )
        self.events(5)
        self.wait_for("the lane goes on", lambda: self.states().get("done") == 5)
        served = {row[0] for row in self.query("SELECT pid FROM dist_test_ledger")}
        self.assertEqual({lanes[pid] for pid in served}, {"orders"})
        holder.execute("SELECT pg_advisory_unlock(%s)", (lock,))
        self.wait_for("the other job ends", lambda: self.states() == {"done": 6})
        supervisor.terminate()
        self.assertEqual(supervisor.wait(60), 0)

    def test_what_cannot_be_served_is_said(self):
        for arguments, text in (
            (["--reserve", "orders"], "use --processes 2 or more"),
            (["--reserve", "orders", "--processes", "4", "--until-empty"], "needs several processes"),
            (["-d", ","], "No database: name one or several"),
        ):
            done = self.command(*arguments)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(text, done.stderr)

    def test_a_missing_database_does_not_hold_up_the_others(self):
        missing = f"{self.dbname}_not_there"
        self.events(3)
        process = self.start_worker("-d", f"{missing},{self.dbname}")
        self.wait_for("the jobs of the other database are run", lambda: self.states() == {"done": 3})
        self.read_until(process, f"Waiting: There is no database {missing} on this server")
        drained = self.command("-d", f"{self.dbname},{missing}", "--drain")
        self.assertEqual(drained.returncode, 1)
        self.assertIn(f"{missing}: ", drained.stderr)
        self.assertEqual(self.query("SELECT count(*) FROM dist_worker_drain"), [(0,)], "all are drained or none")

    def test_several_databases_are_worked_off_one_after_the_other(self):
        self.events(3)
        other = f"{self.dbname}_two"
        self.addCleanup(drop, other)
        self.copy_to(other)
        done = self.command("-d", f"{self.dbname},{other}", "--until-empty")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.states(), {"done": 3})
        with closing(db_connect(other).cursor()) as cr:
            cr.execute("SELECT state, count(*) FROM dist_job GROUP BY state")
            self.assertEqual(cr.fetchall(), [("done", 3)])
        self.assertIn(f"{self.dbname}: {{'done': 3", done.stdout)
        self.assertIn(f"{other}: {{'done': 3", done.stdout)

    def copy_to(self, name: str) -> None:
        """The test's database with what is in it now."""
        close_db(self.dbname)
        hang_up(self.dbname)
        drop(name)
        with closing(db_connect("postgres").cursor()) as cr:
            cr._cnx.autocommit = True
            cr.execute(SQL("CREATE DATABASE %s TEMPLATE %s", SQL.identifier(name), SQL.identifier(self.dbname)))

    def read_until(self, process: subprocess.Popen, pattern: str) -> None:
        """Read a worker's log up to a line; fail when it ends before, or says nothing of the kind for three minutes."""
        seen, limit = [], threading.Timer(180, process.kill)
        limit.start()
        try:
            for line in process.stdout:
                seen.append(line)
                if re.search(pattern, line):
                    return
        finally:
            limit.cancel()
        self.fail(f"It ended without {pattern!r}: {''.join(seen[-20:])}")

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
