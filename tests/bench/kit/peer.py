# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The peer's side: the OCA's ``queue_job``, set up as its documentation says.

Odoo with ``--workers=4``, ``queue_job`` among the server-wide modules and ``channels = root:4``. Jobs call its own test
method, ``queue.job._test_job``, and are made by ``with_delay`` in a process of their own, so making them takes none of
the HTTP workers' time. Its times are those it writes on its own rows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket
from typing import Any

from . import bench
from .ours import ended

WORKERS = 4
CHANNELS = "root:4"
WARM_UP = 60
"""Jobs that are run before anything is measured: every worker has then loaded what it needs."""


class Peer:
    """The peer's queue in its own database."""

    def __init__(self, config: str, database: str, path: str) -> None:
        self.config, self.database = config, database
        self._env = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        self._env |= {"PYTHONPATH": path, "ODOO_QUEUE_JOB_CHANNELS": CHANNELS}
        self.sql = bench.Sql(database)

    @classmethod
    def present(cls) -> Peer | None:
        """The peer that ``make bench`` made ready; None when only ours is measured."""
        config = os.environ.get("DIST_BENCH_PEER_CONF")
        return cls(config, os.environ["DIST_BENCH_PEER_DB"], os.environ["DIST_BENCH_PEER_PATH"]) if config else None

    def make(self, **arguments: Any) -> Any:
        """Make jobs; see ``peer_client.py``."""
        client = Path(__file__).with_name("peer_client.py")
        argv = [sys.executable, str(client), self.config, self.database, json.dumps(arguments)]
        # its own statements are not those of running jobs: see engine_sql
        env = {**self._env, "PGOPTIONS": "-c log_statement=none"}
        done = subprocess.run(argv, env=env, stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(done.stdout.splitlines()[-1])

    def left(self) -> int:
        return self.sql.value("SELECT count(*) FROM queue_job WHERE state NOT IN ('done', 'failed', 'cancelled')")

    def work_off(self, limit: float = 900) -> None:
        bench.wait_until(lambda: not self.left(), limit, "the end of the peer's jobs")

    def empty(self) -> None:
        self.sql("TRUNCATE queue_job CASCADE")

    @contextmanager
    def server(self) -> Iterator[subprocess.Popen]:
        """Odoo with its HTTP workers and the job runner, warm, its queue empty."""
        main = Path(__file__).with_name("odoo_server.py")
        argv = [sys.executable, str(main), "-c", self.config, "-d", self.database, "--log-level=warn"]
        argv += [f"--workers={WORKERS}", f"--http-port={free_port()}", f"--gevent-port={free_port()}"]
        with ended(subprocess.Popen(argv, env=self._env)) as server:
            self.make(jobs=WARM_UP)
            self.work_off(180)
            self.empty()
            yield server


def free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
