"""A house whose every part may be killed: PostgreSQL, Valkey, workers of Odoo, pumps and workers of the relay.

The relay and Odoo's workers reach PostgreSQL and Valkey through proxies; the test itself goes straight.
"""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import cluster
import psycopg
import redis
import requests
from business import Business

from dist_dev import template
from dist_dev.layout import Layout
from dist_dev.postgres import RELAY_ROLE, Databases
from dist_dev.supervisor import Service, Supervisor, free_port, tcp_ready
from dist_relay.testkit.counterpart import Ledger
from dist_relay.testkit.proxy import Proxy

T = TypeVar("T")
PATIENCE = 120.0
"""Seconds until a wait fails. What is waited for takes a few; a loaded machine takes longer."""
QUICK = {
    "poll_ms": 50,
    "pull_poll_seconds": 0.1,
    "config_seconds": 0.5,
    "call_seconds": 2.5,
    "claim_idle_seconds": 3.0,
    "lease_seconds": 6,
    "threads": 16,
    "stream_limit": 200,
    "http_enabled": False,
    "breaker_seconds": 0.3,
    "throttle_wait_seconds": 0.2,
    "stop_seconds": 10.0,
    "log_format": "json",
}
RELAY_PARTS = ("pump", "worker")


class House:
    """The running parts. Services: ``postgres``, ``valkey``, ``counterpart``, ``pump``, ``worker``, ``engine``."""

    def __init__(self, layout: Layout, supervisor: Supervisor, folder: Path) -> None:
        self.layout, self.supervisor, self.folder = layout, supervisor, folder
        self._ports = {name: free_port() for name in ("postgres", "valkey", "counterpart")}
        self.pg_proxy = Proxy(self._ports["postgres"])
        self.redis_proxy = Proxy(self._ports["valkey"])
        self.counterpart_proxy = Proxy(self._ports["counterpart"])
        self.config = folder / "direct.conf"
        self.databases: Databases = cluster.ready(layout, supervisor, self._ports["postgres"], self.config)
        self._proxied = folder / "proxied.conf"
        template.write_config(layout, self.databases, self._proxied, **cluster.options(layout))
        text = self._proxied.read_text().replace(str(self._ports["postgres"]), str(self.pg_proxy.port))
        self._proxied.write_text(text)
        self.ledger = Ledger(folder / "ledger.db")
        self._environments: dict[str, dict[str, str]] = {}
        self._marks: dict[str, tuple[Any, ...]] = {}
        self._said: dict[str, int] = {}
        self._sql: psycopg.Connection[Any] | None = None
        self.redis = redis.Redis(port=self._ports["valkey"], socket_timeout=5)
        self.peeks: list[Callable[[], None]] = []
        self._start_outside()
        self.business = Business(self.config, cluster.DATABASE)
        self.sql("SELECT dist_relay.grant_to(%s)", RELAY_ROLE)
        self.business.run(lambda env: env["dist.relay"]._confirm_identity())
        self.normal()

    # -- services -----------------------------------------------------------------------------------------------------

    def _start_outside(self) -> None:
        self.start_valkey()
        port = self._ports["counterpart"]
        argv = [str(self.layout.python), "-m", "dist_relay.testkit.counterpart", str(port)]
        argv.append(str(self.folder / "ledger.db"))
        self.supervisor.start(Service("counterpart", argv, cwd=self.folder, ready=tcp_ready(port)))

    def start_valkey(self, *options: str) -> None:
        """Start Valkey (again), by default keeping nothing: whenever it dies it comes back empty."""
        self.supervisor.stop("valkey")
        port = self._ports["valkey"]
        argv = [self.layout.valkey_server, "--bind", "127.0.0.1", "--port", port, "--dir", self.folder]
        argv += ["--save", "", "--maxmemory-policy", "noeviction", *options]
        argv = [str(part) for part in argv]
        self.supervisor.start(Service("valkey", argv, cwd=self.folder, ready=tcp_ready(port), restart=True, grace=2))

    def normal(self) -> None:
        """Every part runs as it should, whatever a test left."""
        for proxy in (self.pg_proxy, self.redis_proxy, self.counterpart_proxy):
            proxy.heal()
        self.faults()
        self.part("pump")
        self.part("worker")
        self.engine()

    def part(self, what: str, name: str = "", *, crash_at: str = "", prepare: str = "", **settings: Any) -> None:
        """Let a part of the relay run with these settings; with others running it is replaced.

        ``crash_at`` holds for the first life only: the supervisor starts it again without.
        """
        environment = {
            "DIST_RELAY_DSN": self.relay_dsn(),
            "DIST_RELAY_REDIS_URL": f"redis://127.0.0.1:{self.redis_proxy.port}/0",
            "PYTHONPATH": str(Path(__file__).parent),
            "DIST_TEST_CLOCK": str(self.folder / "clock"),
            "DIST_TEST_PREPARE": prepare,
            "DIST_TEST_TAKE_OVER": "3",
            **{f"DIST_RELAY_{key.upper()}": str(value) for key, value in {**QUICK, **settings}.items()},
        }
        argv = [str(self.layout.python), "-m", "dist_relay.testkit.node", what]
        self._run(name or what, argv, environment, crash_at, grace=12)

    def relay_dsn(self, database: str = cluster.DATABASE) -> str:
        """The relay's way to a database."""
        return f"postgresql://{RELAY_ROLE}@127.0.0.1:{self.pg_proxy.port}/{database}"

    def engine(self, name: str = "engine", *, crash_at: str = "", entry: str = "odoo", lanes: str = "") -> None:
        """Let a ``dist_worker`` run. ``entry``: the module in place of ``odoo`` that breaks it on purpose."""
        argv = [str(self.layout.python), *self.worker_command(entry, "--child")]
        argv += ["--lanes", lanes] if lanes else []
        environment = {**self._login(), "PYTHONPATH": str(Path(__file__).parent)}
        self._run(name, argv, environment, crash_at, grace=30)

    def worker_command(self, entry: str, *more: str) -> list[str]:
        """Arguments of Python for a ``dist_worker``."""
        path = f"--addons-path={cluster.options(self.layout)['addons_path']}"
        options = ["-c", str(self._proxied), "-d", cluster.DATABASE, "--log-level=info", *more]
        return ["-m", entry, path, "dist_worker", *options]

    def odoo_environment(self) -> dict[str, str]:
        """The environment of an Odoo process that a test runs itself."""
        return {**os.environ, **self._login(), "PYTHONPATH": str(Path(__file__).parent)}

    def _login(self) -> dict[str, str]:
        return self.databases.cluster.environment(self.pg_proxy.port) | {"PGDATABASE": cluster.DATABASE}

    def _run(self, name: str, argv: list[str], environment: dict[str, str], crash_at: str, grace: float) -> None:
        mark = (tuple(argv), tuple(sorted(environment.items())))
        if not crash_at and self._marks.get(name) == mark and self.supervisor.runs(name):
            return
        self.supervisor.stop(name)
        (self.folder / "clock").touch()
        if self.supervisor.log_of(name).exists():
            self.listen(name)
        self._marks[name] = mark
        self._environments[name] = environment | ({"DIST_CRASH_AT": crash_at} if crash_at else {})
        self.supervisor.ended.pop(name, None)

        def cured() -> None:
            self._environments[name].pop("DIST_CRASH_AT", None)

        service = Service(
            name, argv, env=self._environments[name], cwd=self.layout.repo, restart=True, grace=grace,
            before_restart=cured,
        )  # fmt: skip
        self.supervisor.start(service)

    def stop(self, name: str) -> None:
        """End a part in an orderly way."""
        self._marks.pop(name, None)
        self.supervisor.stop(name)

    def kill(self, name: str) -> None:
        """SIGKILL; the next wait starts it again."""
        if name == "postgres":
            cluster.kill(self.supervisor)
        else:
            self.supervisor.kill(name)

    @contextmanager
    def halted(self, name: str) -> Iterator[None]:
        """SIGSTOP a part inside the block."""
        pid = self.supervisor.pid(name)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def died(self, name: str) -> int | None:
        """With what status a part died by itself since it was started by the test, if it did."""
        return self.supervisor.ended.get(name)

    def log(self, name: str) -> str:
        """What a part has said since the test replaced it, or ever."""
        return self.supervisor.log_of(name).read_text(errors="replace")[self._said.get(name, 0) :]

    def listen(self, name: str) -> None:
        """Let :meth:`log` begin here."""
        self._said[name] = self.supervisor.log_of(name).stat().st_size

    def faults(self, *faults: dict[str, Any]) -> None:
        """Script what the counterpart does wrong next."""
        requests.post(f"http://127.0.0.1:{self._ports['counterpart']}/faults", json=list(faults), timeout=30)

    @property
    def counterpart_url(self) -> str:
        """Where the relay finds the counterpart."""
        return f"http://127.0.0.1:{self.counterpart_proxy.port}"

    def clock(self, seconds: float) -> None:
        """Let the wall clock of the relay's host be wrong."""
        fresh = self.folder / "clock.new"
        fresh.write_text(str(seconds))
        shutil.move(fresh, self.folder / "clock")

    # -- looking ------------------------------------------------------------------------------------------------------

    def sql(self, text: str, *args: Any) -> list[tuple[Any, ...]]:
        """A statement of its own transaction, straight to PostgreSQL; waits while that is away."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                connection = self._sql  # writers of a storm ask from threads of their own
                if connection is None or connection.closed:
                    connection = self._sql = psycopg.connect(self.dsn, autocommit=True)
                cursor = connection.execute(text, args or None)
                return cursor.fetchall() if cursor.description else []
            except psycopg.OperationalError:
                self._sql = None
                if time.monotonic() > deadline:
                    raise
                if threading.current_thread() is threading.main_thread():
                    self.supervisor.tend()  # what another thread starts ends with it
                time.sleep(0.1)

    def forget_sql(self) -> None:
        """Close the test's own session."""
        if self._sql is not None:
            self._sql.close()

    @property
    def dsn(self) -> str:
        """The owner's way to the database, past the proxy."""
        password = self.databases.cluster.password
        return f"postgresql://odoo:{password}@127.0.0.1:{self._ports['postgres']}/{cluster.DATABASE}"

    def until(self, condition: Callable[[], T], what: str, patience: float = PATIENCE) -> T:
        """What ``condition`` gives as soon as it is true; whatever died meanwhile is started again.

        :raises AssertionError: after ``patience`` seconds, saying ``what`` was waited for.
        """
        deadline = time.monotonic() + patience
        while True:
            self.supervisor.tend()
            with suppress(redis.ConnectionError, redis.TimeoutError, redis.BusyLoadingError):
                for peek in self.peeks:
                    peek()
                if found := condition():
                    return found
            assert time.monotonic() < deadline, f"waited {patience:.0f} s in vain until {what}"
            time.sleep(0.05)

    def close(self) -> None:
        """Let go of what belongs to the test itself."""
        self.business.close()
        for proxy in (self.pg_proxy, self.redis_proxy, self.counterpart_proxy):
            proxy.close()
