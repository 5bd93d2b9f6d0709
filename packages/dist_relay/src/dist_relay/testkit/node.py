"""A relay process for tests that kill: a real pump or worker with adapters of the tests.

``python -m dist_relay.testkit.node pump|worker|run``. Its PostgreSQL is that of ``DIST_RELAY_DSN``, or a
:class:`MemoryPg` of the test with ``DIST_TEST_PG=port`` and ``DIST_TEST_PG_KEY``. ``DIST_TEST_CLOCK`` names a file with
the seconds by which this host's wall clock is wrong; ``DIST_TEST_TAKE_OVER`` says after how many seconds results in
the hands of a dead pump are taken over; ``DIST_TEST_PREPARE`` (``module:function``) is called first, so that a test can
break the relay on purpose.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime, timedelta
from importlib import import_module
from multiprocessing.managers import BaseManager
from pathlib import Path
from typing import Any

from dist_relay import logging as logs
from dist_relay import service
from dist_relay.clock import SystemClock
from dist_relay.pump import intake
from dist_relay.pump.port import Unavailable
from dist_relay.settings import load

from . import counterpart_adapter, fake_adapter
from .memory_pg import MemoryPg


class PgManager(BaseManager):
    """Serves one MemoryPg to other processes."""


def serve(pg: MemoryPg, key: bytes) -> tuple[Any, int]:
    """Serve ``pg`` on a free port: the server, to be run in a thread, and its port."""
    PgManager.register("pg", callable=lambda: pg)
    server = PgManager(address=("127.0.0.1", 0), authkey=key).get_server()
    return server, int(server.address[1])  # type: ignore[index]


class RemotePg:
    """A session of a node: the manager's object, with losses of it as losses of PostgreSQL."""

    def __init__(self, port: int, key: bytes) -> None:
        self._port, self._key = port, key
        self._pg: Any = None

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any) -> Any:
            try:
                if self._pg is None:
                    PgManager.register("pg")
                    manager = PgManager(address=("127.0.0.1", self._port), authkey=self._key)
                    manager.connect()
                    self._pg = manager.pg()  # type: ignore[attr-defined]
                return getattr(self._pg, name)(*args)
            except (ConnectionError, EOFError) as error:
                self._pg = None
                raise Unavailable(str(error)) from error

        return call

    def try_lock(self, connection: str) -> bool:
        """The lock belongs to this process."""
        return bool(self.lock_for(connection, os.getpid()))

    def close(self) -> None:
        """End the session."""
        self._pg = None


class WrongClock(SystemClock):
    """A wall clock that is as wrong as the file ``DIST_TEST_CLOCK`` says at the moment."""

    def now(self) -> datetime:
        """The moment this host believes it is."""
        text = Path(os.environ["DIST_TEST_CLOCK"]).read_text() or "0"
        return super().now() + timedelta(seconds=float(text))


def main() -> None:
    """Run one node."""
    what = sys.argv[1]
    settings = load()
    logs.configure(settings.log_format, settings.log_level)
    if "DIST_TEST_CLOCK" in os.environ:
        vars(service)["SystemClock"] = WrongClock
    if seconds := os.environ.get("DIST_TEST_TAKE_OVER"):
        intake.TAKE_OVER_IDLE_MS, intake.TAKE_OVER_EVERY = int(float(seconds) * 1000), float(seconds) / 2
    if prepare := os.environ.get("DIST_TEST_PREPARE"):
        module, _, function = prepare.partition(":")
        getattr(import_module(module), function)()
    service.Service(
        settings,
        pump=what in ("pump", "run"),
        worker=what in ("worker", "run"),
        pg=_memory_pg() if "DIST_TEST_PG" in os.environ else None,
        installed={"fake": fake_adapter.adapter, "counterpart": counterpart_adapter.adapter},
    ).run()


def _memory_pg() -> service.PgFactory:
    port, key = int(os.environ["DIST_TEST_PG"]), os.environ["DIST_TEST_PG_KEY"].encode()
    return lambda _name: RemotePg(port, key)


if __name__ == "__main__":
    main()
