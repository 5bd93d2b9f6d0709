# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Our side: the engine in this process, and ``odoo dist_worker`` as it is run in production."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from . import bench

HANDLER = "dist.test.ledger:"


class Ours:
    """The queue of one database, emptied."""

    def __init__(self, options: argparse.Namespace) -> None:
        from odoo.modules import initialize_sys_path
        from odoo.tools import config

        config.parse_config(["-c", options.config, "-d", options.database, "--no-http", "--log-level=warn"])
        initialize_sys_path()
        from odoo.modules.registry import Registry

        self.config, self.database = options.config, options.database
        self.registry = Registry(options.database)
        self.sql = bench.Sql(options.database)
        self.empty()

    def empty(self) -> None:
        self.sql("TRUNCATE dist_job, dist_job_crash, dist_test_ledger CASCADE")

    def env(self, cr: Any) -> Any:
        from odoo import SUPERUSER_ID, api

        return api.Environment(cr, SUPERUSER_ID, {})

    def enqueue(self, rows: list[dict[str, Any]]) -> float:
        """Enqueue in one transaction. :return: the moment it was committed, as seconds since the epoch"""
        committed: list[float] = []
        with self.registry.cursor() as cr:
            # registered first, so it is called before the doorbell: nothing of the way to the worker is left out
            cr.postcommit.add(lambda: committed.append(time.time()))
            self.env(cr)["dist.job"].enqueue(rows)
        return committed[0]

    def fill(self, jobs: int, method: str, keys: int = 0, ids: bool = False) -> float:
        """Enqueue no-op jobs; their keys, if any, take turns. :return: see :meth:`enqueue`"""
        return self.enqueue(
            [
                {
                    "handler": HANDLER + method,
                    "payload": {"ids": [n + 1] if ids else []},
                    "key": f"k{n % keys}" if keys else None,
                    "company_id": 1,
                }
                for n in range(jobs)
            ]
        )

    def pending(self) -> bool:
        return self.sql.value("SELECT EXISTS (SELECT 1 FROM dist_job WHERE state = 'pending')")

    def work_off(self, limit: float = 600) -> None:
        bench.wait_until(lambda: not self.pending(), limit, "the end of our jobs")

    @contextmanager
    def workers(self, processes: int, *more: str) -> Iterator[subprocess.Popen]:
        """``odoo dist_worker --processes N`` with its supervisor, ready to work."""
        argv = [sys.executable, "-m", "odoo", "dist_worker", "-c", self.config, "-d", self.database]
        argv += ["--processes", str(processes), "--log-level=warn", *more]
        with ended(subprocess.Popen(argv, env={**os.environ, "ODOO_RC": self.config})) as supervisor:
            slots = "SELECT count(*) FROM dist_worker_slot"
            bench.wait_until(lambda: self.sql.value(slots) >= processes, 120, "our workers")
            yield supervisor


@contextmanager
def ended(process: subprocess.Popen) -> Iterator[subprocess.Popen]:
    """End the process when it is no longer needed."""
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
