# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Where ``outbox_throughput`` is measured: database, Valkey, the processes of the relay and the CPU they use."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from .ours import Ours

NODES = Path(__file__).with_name("relay_nodes.py")
ENGINE = Path(__file__).with_name("relay_engine.py")
UNSETTLED = "SELECT 1 FROM dist_outbox_event WHERE state IN ('pending', 'published', 'unknown') LIMIT 1"


class Stage:
    """Database, Valkey and the relay's processes of one run."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        from dist_relay.testkit.valkey import Valkey

        self.options, self.folder, self.ours = options, folder, Ours(options)
        self.valkey = Valkey(folder)
        self.valkey.start()
        self.dsn, self.role_dsn = addresses(options.database)
        self._prepare()
        self._postmaster = psutil.Process(self.ours.sql.value("SELECT pg_backend_pid()")).parent()

    def _prepare(self) -> None:
        """One active connection of the no-op adapter, and the relay's role with its rights."""
        from .relay_nodes import ADAPTER

        with self.ours.registry.cursor() as cr:
            cr.execute("SELECT 1 FROM pg_roles WHERE rolname = 'dist_relay'")
            if not cr.fetchone():
                cr.execute("CREATE ROLE dist_relay LOGIN")
            cr.execute("SELECT dist_relay.grant_to('dist_relay')")
            cr.execute("SELECT dist_relay.announce(%s, NULL, 'bench')", (json.dumps([ADAPTER.manifest.to_json()]),))
            env = self.ours.env(cr)
            env["dist.relay"]._confirm_identity()
            connection = env["dist.connection"].search([("name", "=", "Bench")]) or env["dist.connection"].create(
                {
                    "name": "Bench",
                    "adapter_id": env["dist.adapter"].search([("code", "=", "noop")]).id,
                    "settings": {},
                    "company_id": env.company.id,
                }
            )
            if connection.state == "draft":
                connection._activate()
            connection.max_in_flight = self.options.in_flight
            self.connection = connection.id
            env.flush_all()

    def empty(self) -> None:
        """No events, no marks, no streams."""
        import redis

        self.ours.empty()
        self.ours.sql("TRUNCATE dist_outbox_event, dist_dirty_mark, dist_relay.state_version CASCADE")
        redis.Redis(port=self.valkey.port).flushall()

    @contextlib.contextmanager
    def node(self, what: str) -> Iterator[subprocess.Popen[bytes]]:
        """A process of this script."""
        environment = {
            **os.environ,
            "DIST_RELAY_DSN": self.role_dsn,
            "DIST_BENCH_DSN": self.dsn,
            "DIST_RELAY_REDIS_URL": self.valkey.url,
            "DIST_RELAY_HTTP_ENABLED": "false",
            "DIST_RELAY_LOG_LEVEL": "INFO",
        }
        command = [sys.executable, str(NODES), what]
        if what == "engine":
            command = [sys.executable, str(ENGINE), self.options.config, self.options.database]
        with (self.folder / f"{what}.log").open("ab") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)

    def until_settled(self) -> float:
        """Wait until every event is settled; the moment the last one was, seconds since the epoch."""
        while self.ours.sql(UNSETTLED):
            time.sleep(0.05)
        query = "SELECT extract(epoch FROM max(settled_at) AT TIME ZONE 'UTC')::float8 FROM dist_outbox_event"
        return float(self.ours.sql.value(query))

    def cpu(self, **processes: Any) -> dict[str, float]:
        """CPU seconds used so far: PostgreSQL (all of it), Valkey, the named ones, this one with what it forked."""
        postgres = sum(spent(process) for process in [self._postmaster, *self._postmaster.children(recursive=True)])
        found = {"postgres": postgres, "valkey": spent(psutil.Process(self.valkey._process.pid))}
        found |= {name: spent(psutil.Process(process.pid)) for name, process in processes.items()}
        own = os.times()
        return {**found, "odoo": own.user + own.system + own.children_user + own.children_system}


def spent(process: Any) -> float:
    """CPU seconds of a process and of the children it waited for."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system + times.children_user + times.children_system


def used(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """CPU seconds between two moments."""
    return {name: round(after[name] - seconds, 2) for name, seconds in before.items()}


def addresses(database: str) -> tuple[str, str]:
    """Connection strings as owner and as the relay's role."""
    from psycopg import conninfo

    from odoo.tools import config

    own = {"host": config["db_host"], "port": config["db_port"], "user": config["db_user"], "dbname": database}
    own = {name: value for name, value in own.items() if value}
    owner = conninfo.make_conninfo(**own, **({"password": config["db_password"]} if config["db_password"] else {}))
    return owner, conninfo.make_conninfo(**{**own, "user": "dist_relay"})
