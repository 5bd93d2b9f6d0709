"""Puts the parts together: what ``run``, ``pump`` and ``worker`` start, and how they stop."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from dist_relay import __version__, adapters, crypto, telemetry
from dist_relay.clock import SystemClock
from dist_relay.errors import SettingsError
from dist_relay.logging import get
from dist_relay.ports import Adapter
from dist_relay.pump.pg import Pg
from dist_relay.pump.port import PgPort
from dist_relay.pump.pump import Pump
from dist_relay.runtime.redis_client import RedisClient, RedisError, connect, refuse_eviction
from dist_relay.runtime.worker import Worker
from dist_relay.server import Server
from dist_relay.settings import Settings

ALIVE_SECONDS = 30.0

PgFactory = Callable[[str], PgPort]


class Service:
    """One process of the relay: pump, worker, or both."""

    def __init__(
        self,
        settings: Settings,
        *,
        pump: bool,
        worker: bool,
        pg: PgFactory | None = None,
        installed: Mapping[str, Adapter] | None = None,
    ) -> None:
        self._settings, self._log = settings, get()
        self.stop = threading.Event()
        self._pump_stop = threading.Event()
        found = adapters.discover(self._log) if installed is None else dict(installed)
        private = private_key(settings)
        if settings.otel:
            telemetry.start()
        self.redis: RedisClient = connect(
            settings.redis_url.get_secret_value(), max_connections=settings.threads * 2 + 32
        )
        _policy_now(self.redis)
        self.pump: Pump | None = None
        self.worker: Worker | None = None
        if pump:
            self.pump = Pump(
                self.redis,
                pg or _pg_factory(settings),
                settings,
                [adapter.manifest for adapter in found.values()],
                crypto.public_of(private) if private else None,
                self._pump_stop,
            )
        if worker:
            clock = SystemClock(self.stop)
            self.worker = Worker(self.redis, settings, found, clock, self.stop, private)
            if not private:
                self._log.warning("no private key: connections with credentials wait; make one with dist-relay keygen")
        self._server: Server | None = None
        if settings.http_enabled:
            self._server = Server(settings.http_host, settings.http_port, self.health)

    def run(self) -> None:
        """Start, wait for SIGTERM or SIGINT, stop gracefully. A second signal ends the process at once."""
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._signalled)
        self.start()
        while not self.stop.wait(1.0):
            pass
        self.end()

    def start(self) -> None:
        """Start all parts."""
        if self.pump:
            self.pump.start()
        if self.worker:
            self.worker.start()
        if self._server:
            self._server.start()
        self._log.info(
            "started",
            version=__version__,
            pump=bool(self.pump),
            worker=self.worker.name if self.worker else None,
            http=f"{self._settings.http_host}:{self._server.port}" if self._server else None,
        )

    def end(self) -> None:
        """Finish or release what is in hand: the worker first, so that the pump still takes its results."""
        self.stop.set()
        if self.worker:
            self.worker.join()
        self._pump_stop.set()
        if self.pump:
            self.pump.join()
        if self._server:
            self._server.stop()
        self.redis.close()
        self._log.info("stopped")

    def health(self) -> dict[str, Any]:
        """Whether every loop made a turn lately."""
        now = time.monotonic()
        parts: dict[str, Any] = {}
        if self.pump:
            for loop in self.pump.loops:
                age = now - loop.alive_at
                parts[loop.name] = {"ok": age < ALIVE_SECONDS, "seconds": round(age, 1), "error": loop.error}
        if self.worker:
            age = now - self.worker.alive_at
            parts["worker"] = {"ok": age < ALIVE_SECONDS, "seconds": round(age, 1), "lanes": len(self.worker.lanes())}
        return {"ok": all(part["ok"] for part in parts.values()), "version": __version__, "parts": parts}

    def _signalled(self, number: int, _frame: Any) -> None:
        if self.stop.is_set():
            raise SystemExit(128 + number)
        self._log.info("stopping: finishing what is in hand", signal=signal.Signals(number).name)
        self.stop.set()


def private_key(settings: Settings) -> str | None:
    """The private key from the settings, checked.

    :raises SettingsError: when there is one and it is unusable.
    """
    if settings.private_key:
        text = settings.private_key.get_secret_value().strip()
        crypto.public_of(text)
        return text
    return crypto.read_key(settings.key_file) if settings.key_file else None


def _pg_factory(settings: Settings) -> PgFactory:
    dsn = settings.dsn.get_secret_value()
    if not dsn:
        raise SettingsError(
            "dsn is not set: give the database, DIST_RELAY_DSN=postgresql://dist_relay:PASSWORD@HOST/DATABASE"
        )
    return lambda name: Pg(dsn, name)


def _policy_now(client: RedisClient) -> None:
    """Refuse an evicting Redis at once where it can be reached; otherwise the loops check when it comes."""
    try:
        refuse_eviction(client)
    except RedisError as error:
        get().warning("Redis cannot be reached yet", error=str(error))
