"""A relay process for tests that kill: a real pump or worker whose PostgreSQL is a :class:`MemoryPg` of the test.

``python -m dist_relay.testkit.node pump|worker|run`` with ``DIST_TEST_PG=port`` and ``DIST_TEST_PG_KEY``.
"""

from __future__ import annotations

import os
import sys
from multiprocessing.managers import BaseManager
from typing import Any

from dist_relay import logging as logs
from dist_relay.pump.port import Unavailable
from dist_relay.service import Service
from dist_relay.settings import load

from .fake_adapter import adapter
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


def main() -> None:
    """Run one node."""
    what = sys.argv[1]
    port, key = int(os.environ["DIST_TEST_PG"]), os.environ["DIST_TEST_PG_KEY"].encode()
    settings = load()
    logs.configure(settings.log_format, settings.log_level)

    def pg(_name: str) -> Any:
        return RemotePg(port, key)

    Service(
        settings,
        pump=what in ("pump", "run"),
        worker=what in ("worker", "run"),
        pg=pg,
        installed={"fake": adapter},
    ).run()


if __name__ == "__main__":
    main()
