# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""For tests that need real transactions and real processes: a copy of the test database with the ledger addon in it."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from psycopg2 import errors

from odoo.modules import initialize_sys_path
from odoo.modules.registry import Registry
from odoo.sql_db import close_db, db_connect
from odoo.tests import BaseCase, tagged
from odoo.tests.common import get_db_name
from odoo.tools import SQL, config

from ..doorbell import hang_up
from ..engine import claim
from ..engine.batch import Batches
from .common import SyncKit, put_event, run_jobs

TEST_ADDONS = str(Path(__file__).parent / "addons")
_made: dict[str, str] = {}


def addons_path() -> str:
    return ",".join(dict.fromkeys([*config["addons_path"], str(Path(__file__).parents[2]), TEST_ADDONS]))


def odoo_command(*args: str, dbname: str) -> list[str]:
    """An Odoo process for a database of the same server."""
    server = [
        f"--{name.replace('data_dir', 'data-dir')}={config[name]}"
        for name in ("db_host", "db_port", "db_user", "db_password", "data_dir")
        if config[name]
    ]
    path = f"--addons-path={addons_path()}"
    if args and args[0] in ("dist_worker", "dist_doctor", "shell"):
        return [sys.executable, "-m", "odoo", path, args[0], path, *server, "-d", dbname, *args[1:]]
    return [sys.executable, "-m", "odoo", path, *server, "-d", dbname, *args]


def engine_database() -> str:
    """A copy of the test database with ``dist_test_queue`` installed; made once per test run, dropped at its end."""
    source = get_db_name()
    if source not in _made:
        name = _made[source] = f"{source}_engine_{os.getpid()}"
        drop(name)
        close_db(source)
        hang_up(source)
        with closing(db_connect("postgres").cursor()) as cr:
            cr._cnx.autocommit = True
            cr.execute(SQL("CREATE DATABASE %s TEMPLATE %s", SQL.identifier(name), SQL.identifier(source)))
        atexit.register(drop, name)
        done = subprocess.run(
            odoo_command("-i", "dist_test_queue", "--stop-after-init", "--no-http", dbname=name),
            capture_output=True,
            text=True,
            check=False,
            env=clean_environment(),
        )
        if done.returncode:
            raise AssertionError(f"dist_test_queue was not installed:\n{done.stderr[-3000:]}")
    return _made[source]


def drop(name: str) -> None:
    close_db(name)
    hang_up(name)
    with closing(db_connect("postgres").cursor()) as cr:
        cr._cnx.autocommit = True
        cr.execute(SQL("DROP DATABASE IF EXISTS %s WITH (FORCE)", SQL.identifier(name)))


def clean_environment(**more: str) -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith(("DIST_CRASH", "ODOO_RC"))} | more


def load_registry(name: str) -> Registry:
    """The copy's registry in this process, without running tests at load."""
    if TEST_ADDONS not in config["addons_path"]:
        config["addons_path"] = [*config["addons_path"], TEST_ADDONS]
        initialize_sys_path()
    enabled, config["test_enable"] = config["test_enable"], False
    try:
        return Registry(name)
    finally:
        config["test_enable"] = enabled


EMPTY = """
    DELETE FROM dist_job_request; DELETE FROM dist_exception; DELETE FROM dist_job;
    DELETE FROM dist_dirty_mark; DELETE FROM dist_outbox_event; DELETE FROM dist_job_crash;
    DELETE FROM dist_mark_crash;
    DELETE FROM dist_worker_slot; DELETE FROM dist_worker_drain; DELETE FROM dist_job_control;
    DELETE FROM dist_test_ledger; DELETE FROM dist_schedule WHERE module IS NULL;
    UPDATE dist_schedule SET active = false;
"""


@tagged("post_install", "-at_install", "dist_engine")
class EngineCase(SyncKit, BaseCase):
    """Real, committed transactions on a copy of the database; each test starts with an empty queue."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.dbname = engine_database()
        cls.registry = load_registry(cls.dbname)
        cls.addClassCleanup(close_db, cls.dbname)

    def setUp(self) -> None:
        super().setUp()
        self.empty()
        self._cursors: list[Any] = []

    def empty(self) -> None:
        """Empty the queue. A process of the test before may be writing its last row yet: then again."""
        deadline = time.monotonic() + 30
        while True:
            try:
                with self.registry.cursor() as cr:
                    cr.execute(EMPTY)
                return
            except errors.SerializationFailure:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def tearDown(self) -> None:
        for cr in self._cursors:
            cr.close()
        super().tearDown()

    def cursor(self) -> Any:
        """A cursor of its own, closed after the test."""
        cr = self.registry.cursor()
        cr.execute("SET LOCAL lock_timeout = '5s'")  # a wait for another cursor of this thread would never end
        self._cursors.append(cr)
        return cr

    @contextmanager
    def committed(self):
        """An environment whose work is committed at the end of the block."""
        from odoo import SUPERUSER_ID, api

        with self.registry.cursor() as cr:
            yield api.Environment(cr, SUPERUSER_ID, {})

    def query(self, statement: str, *params: Any) -> list[tuple]:
        with self.registry.cursor() as cr:
            cr.execute(statement, params or None)
            return cr.fetchall() if cr.description else []

    def signal_registry(self) -> None:
        """Tell all processes, except this one, that modules changed."""
        self.registry.registry_sequence = self.query("INSERT INTO orm_signaling_registry DEFAULT VALUES RETURNING id")[
            0
        ][0]

    def states(self) -> dict[str, int]:
        return dict(self.query("SELECT state, count(*)::int FROM dist_job GROUP BY state"))

    def ledger(self) -> list[tuple[str, str]]:
        return self.query("SELECT name, key FROM dist_test_ledger ORDER BY id")

    def events(self, count: int, keys: int = 0) -> None:
        """Commit events ``n`` = 0…count-1 of type ``test.thing.v1``, spread over ``keys`` keys (0: without)."""
        with self.committed() as env:
            for n in range(count):
                key = f"k{n % keys}" if keys else None
                put_event(env, env["dist.connection"], "test.thing.v1", {"n": n}, key)

    def group(self, handler: str = "test.thing.v1", source: str | None = None) -> claim.Group:
        """The ready group of a handler."""
        with self.registry.cursor() as cr:
            groups = [g for g in claim.ready_groups(cr) if g.handler == handler and source in (None, g.source)]
        self.assertEqual(len(groups), 1, f"one ready group of {handler}")
        return groups[0]

    def batches(self, **options: Any) -> Batches:
        return Batches(self.registry, **options)

    def start_worker(self, *args: str, **environment: str) -> subprocess.Popen:
        """An ``odoo dist_worker`` process; killed after the test if it still lives."""
        process = subprocess.Popen(
            odoo_command("dist_worker", *args, dbname=self.dbname),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=clean_environment(**environment),
        )
        self.addCleanup(self._end, process)
        return process

    def run_worker(self, *args: str, **environment: str) -> tuple[int, str]:
        """The same, to its end: exit code and output."""
        process = self.start_worker(*args, **environment)
        output, _ = process.communicate(timeout=120)
        return process.returncode, output

    @staticmethod
    def _end(process: subprocess.Popen) -> None:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()

    def wait_for(self, what: str, condition: Callable[[], Any], seconds: float = 180.0) -> Any:
        """Look at the database until ``condition`` holds; fail with ``what`` after ``seconds``."""
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            if time.monotonic() > deadline:
                self.fail(f"Not seen in {seconds:g} s: {what}")
            time.sleep(0.02)
        return value


__all__ = ["EngineCase", "put_event", "run_jobs"]
