"""The pump: four loops with a PostgreSQL session each. Several pumps may run at once."""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Sequence
from threading import Event
from typing import Any

from dist_contracts import Manifest
from dist_relay import __version__
from dist_relay.logging import get
from dist_relay.loop import Loop
from dist_relay.runtime import keys, scripts
from dist_relay.runtime.redis_client import RedisClient, now_ms, refuse_eviction
from dist_relay.settings import Settings

from .configs import publish_all
from .intake import Intake
from .measure import forget, measure, measure_streams
from .port import PgPort
from .publisher import Publisher

WORKER_FORGOTTEN_MS = 3_600_000


class Pump:
    """Publishes, takes results in, tells workers the connections and listens for the doorbell."""

    def __init__(
        self,
        client: RedisClient,
        pg: Callable[[str], PgPort],
        settings: Settings,
        manifests: Sequence[Manifest],
        public_key: str | None,
        stop: Event,
    ) -> None:
        self._client, self._settings, self._stop = client, settings, stop
        self._note = client.register_script(scripts.NOTE)
        self._manifests = [manifest.to_json() for manifest in manifests]
        self._public_key = public_key
        self.name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"
        self._log = get(pump=self.name)
        self._pgs = {name: pg(f"dist-relay {name}") for name in ("config", "publish", "intake", "doorbell")}
        self._publisher = Publisher(client, self._pgs["publish"], settings)
        self._intake = Intake(client, self._pgs["intake"], settings, self.name, self._settled)
        self._known = threading.Event()
        self._bell = threading.Event()
        self._rung = threading.Event()
        self._database = ""
        self._connections: list[str] = []
        self._labels: set[str] = set()
        self._announced = ""
        self._checked = False
        self._next_pulls = 0.0
        self.loops = [
            Loop("config", self._config_turn, stop, self._pgs["config"].close),
            Loop("publish", self._publish_turn, stop, self._pgs["publish"].close),
            Loop("intake", self._intake_turn, stop, self._reset_intake),
            Loop("doorbell", self._doorbell_turn, stop, self._pgs["doorbell"].close),
        ]

    def start(self) -> None:
        """Begin all loops."""
        for loop in self.loops:
            loop.start()

    def join(self) -> None:
        """After ``stop`` is set: let each loop end its turn, then close the sessions."""
        self._bell.set()
        until = time.monotonic() + self._settings.stop_seconds
        for loop in self.loops:
            if not loop.join(max(0.0, until - time.monotonic())):
                self._log.warning("a loop did not end in time", loop=loop.name)
                return
        for session in self._pgs.values():
            session.close()

    def _config_turn(self) -> float:
        if not self._checked:
            refuse_eviction(self._client)
            self._checked = True
        pg = self._pgs["config"]
        hello = pg.hello()
        if self._database and hello.database != self._database:
            self._log.warning("the database has another uuid now; its old streams are left alone", uuid=hello.database)
        if self._announced != hello.database:
            pg.announce(self._manifests, self._public_key, __version__)
            self._announced = hello.database
            self._log.info("announced", database=hello.database, adapters=[m["code"] for m in self._manifests])
        rows = publish_all(self._client, pg, hello.database)
        self._publisher.names = {str(r["connection"]): str(r["name"]) for r in rows}
        self._labels.update(self._publisher.names.values())
        # each time: the publisher may have been about to show one of them
        forget(self._labels.difference(self._publisher.names.values()))
        measure(pg.pending(), self._publisher.names)
        measure_streams(self._client, hello.database, self._publisher.names)
        self._connections = [str(r["connection"]) for r in rows]
        self._database = hello.database
        self._tell_workers(hello.database)
        self._known.set()
        return self._settings.config_seconds

    def _tell_workers(self, database: str) -> None:
        now = now_ms(self._client)
        self._note(keys=[keys.DATABASES], args=[database, str(now)])
        if self._manifests:
            manifests = [text for each in self._manifests for text in (each["code"], json.dumps(each))]
            self._note(keys=[keys.manifests(database)], args=manifests)
        workers: Any = self._client.hgetall(keys.workers(database))
        old = [w for w, about in workers.items() if now - json.loads(about).get("at", 0) > WORKER_FORGOTTEN_MS]
        if old:
            self._client.hdel(keys.workers(database), *old)

    def _publish_turn(self) -> float:
        if not self._known.wait(0.5):
            return 0.0
        self._bell.clear()
        if self._rung.is_set():
            self._rung.clear()
            self._publisher.look_again()
        count = self._publisher.turn(self._database)
        now = time.monotonic()
        if now >= self._next_pulls:
            self._next_pulls = now + self._settings.pull_poll_seconds
            self._publisher.pulls(self._database)
        if not count:
            self._bell.wait(self._settings.poll_ms / 1000)
        return 0.0

    def _settled(self, connections: set[str]) -> None:
        """Results were stored: the next of a key may go, and there is room again."""
        self._publisher.look_again(connections)
        self._bell.set()

    def _intake_turn(self) -> float:
        if not self._known.wait(0.5):
            return 0.0
        self._intake.use(self._database, self._connections, self._publisher.names)
        self._intake.turn(self._settings.poll_ms)
        return 0.0

    def _reset_intake(self) -> None:
        self._intake.reset()
        self._pgs["intake"].close()

    def _doorbell_turn(self) -> float:
        if self._pgs["doorbell"].wait(1.0):
            self._rung.set()
            self._bell.set()
        return 0.0
