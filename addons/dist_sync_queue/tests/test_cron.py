# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The scheduled action, for installations without a worker process: what a worker survives, it survives, too."""

from __future__ import annotations

import signal
import subprocess
from unittest.mock import patch

from odoo.tests import tagged

from ..engine import worker
from ..engine.quarantine import POISON_PARAMETER
from ..engine.slots import live_workers
from .worker_kit import EngineCase, clean_environment, odoo_command

THING = "test.thing.v1"
ACTION = 'env["dist.job"]._cron_run_jobs()\n'
OTHERS = """SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'dist_cron'"""


@tagged("post_install", "-at_install", "dist_engine")
class TestCron(EngineCase):
    def run_jobs_by_cron(self) -> int:
        with self.committed() as env:
            return env["dist.job"]._cron_run_jobs()

    def odoo_runs_the_action(self) -> int:
        """The action in a process of Odoo's: its exit code."""
        return subprocess.run(
            odoo_command("shell", "--no-http", dbname=self.dbname),
            input=ACTION,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env=clean_environment(),
        ).returncode

    def test_a_job_that_ends_the_process_is_quarantined_and_the_others_run(self):
        with self.committed() as env:
            env["ir.config_parameter"].set_param(POISON_PARAMETER, "1")
            poison = env["dist.test.ledger"].delayed(priority=0)._poison()
            for n in range(3):
                env["dist.test.ledger"].delayed()._write_name(str(n))
        self.addCleanup(self.query, "DELETE FROM ir_config_parameter WHERE key = %s", POISON_PARAMETER)
        self.assertEqual(self.odoo_runs_the_action(), -signal.SIGKILL)
        self.wait_for("the server let go of the dead process", lambda: not self.query(OTHERS))
        self.assertEqual(self.odoo_runs_the_action(), 0)
        told = self.query("SELECT outcome, error_type FROM dist_job_attempt WHERE job_id = %s ORDER BY id", poison.id)
        self.assertEqual(told, [("crash", "WorkerDied"), ("dead", "Poison")])
        self.assertEqual(self.states(), {"dead": 1, "done": 3})
        self.assertEqual(sorted(name for name, _key in self.ledger()), list("012"))

    def test_a_handler_that_cannot_be_settled_keeps_no_other_back(self):
        self.events(30)
        self.query("INSERT INTO dist_job (handler, payload, priority) VALUES ('test.typo.v1', '{}', 0)")

        def typo(env, items):
            env.cr.execute("SELECT no_such_column FROM res_users")

        with (
            self.handler("test.typo.v1", typo, lane="high"),
            self.handler(THING, lambda env, items: None, batch=1, budget=0.000001),
            patch.multiple(worker, REST_SECONDS=3600.0, REST_MOST_SECONDS=3600.0),
            self.assertLogs("odoo.sql_db", "ERROR") as logs,
        ):
            self.assertEqual(self.run_jobs_by_cron(), 30)
        self.assertEqual(len(logs.records), 1, "it rests while the others are run")
        rows = self.query("SELECT state, attempts FROM dist_job WHERE handler = 'test.typo.v1'")
        self.assertEqual((rows, self.states()), ([("pending", 0)], {"pending": 1, "done": 30}))

    def test_what_it_runs_is_seen_and_it_counts_as_no_worker(self):
        self.events(1)
        seen = []

        def handler(env, items):
            with self.registry.cursor() as cr:
                seen.append(live_workers(cr))
            seen.extend(self.query("SELECT scheduled, job_ids FROM dist_worker_slot"))
            seen.append([item.id for item in items])

        with self.handler(THING, handler):
            self.run_jobs_by_cron()
        self.assertEqual(seen[0], 0)
        self.assertEqual(seen[1], (True, seen[2]))
        self.assertEqual(self.query("SELECT 1 FROM dist_worker_slot"), [], "and afterwards there is nothing left of it")
