# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Tell a listening process that there is work, after commit and as a courtesy: everybody polls as well.

A NOTIFY inside a business transaction takes a lock that all commits share, so it goes out on a connection of its own
(autocommit, ``synchronous_commit=off``), at most one per :data:`QUIET_SECONDS`, process and bell. A ring within the
quiet time is not lost: one follows at its end, sent by a thread, so that nobody waits for the poll. Whatever goes wrong
is logged at debug level and nothing else.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import psycopg2

from odoo.sql_db import connection_info_for

_logger = logging.getLogger(__name__)

QUIET_SECONDS = 0.01
"""Shortest time between two rings of one bell by one process."""
REQUEST = "!request"
"""Payload of ``dist_job``: somebody asks something of a job. Other payloads are the lane of the new jobs."""


class Bell(NamedTuple):
    """What is rung: a channel (``dist_outbox``, ``dist_job``) of a database, with a short payload."""

    dbname: str
    channel: str
    payload: str = ""


class Doorbell:
    """Rings bells, each at most once per quiet time; the last ring of a burst is sent when the quiet time is over.

    :param send: tells the listeners; may raise
    """

    def __init__(
        self, send: Callable[[Bell], None], quiet: float = QUIET_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._send, self._quiet, self._clock = send, quiet, clock
        self._lock, self._more = threading.Lock(), threading.Event()
        self._last: dict[Bell, float] = {}
        self._late: dict[Bell, float] = {}
        self._thread: threading.Thread | None = None

    def ring(self, bell: Bell) -> bool:
        """Whether it was sent at once; False: it will be, or it could not be. Never raises."""
        # a bell is taken out before it is sent, so what is sent comes after this ring; no need to wait for the lock
        if bell in self._late and self._thread is not None and self._thread.is_alive():
            return False
        with self._lock:
            now = self._clock()
            free = self._last.get(bell, now - self._quiet) + self._quiet
            if now >= free:
                return self._try(bell, now)
            self._late.setdefault(bell, free)
        try:
            self._follow()
        except RuntimeError as error:  # no more threads: the poll is the net
            _logger.debug("Nobody rings %s later: %s", bell, error)
        return False

    def ring_late(self) -> float | None:
        """Send what is due; the seconds until the next one is, None when there is none."""
        with self._lock:
            now = self._clock()
            for bell in [bell for bell, due in self._late.items() if due <= now]:
                del self._late[bell]
                self._try(bell, now)
            return min(self._late.values()) - now if self._late else None

    def _try(self, bell: Bell, now: float) -> bool:
        self._last[bell] = now
        try:
            self._send(bell)
            return True
        except Exception as error:
            _logger.debug("Doorbell %s not rung: %s", bell, error)
            return False

    def _follow(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="dist.doorbell", daemon=True)
            self._thread.start()
        self._more.set()

    def _run(self) -> None:
        while True:
            self._more.clear()
            self._more.wait(self.ring_late())


_connections: dict[str, Any] = {}


def _notify(bell: Bell) -> None:
    connection = _connections.get(bell.dbname)
    if connection is None or connection.closed:
        connection = _connections[bell.dbname] = _connect(bell.dbname)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", (bell.channel, bell.payload))
    except Exception:
        _connections.pop(bell.dbname).close()
        raise


def _connect(dbname: str) -> Any:
    _name, info = connection_info_for(dbname)
    connection = psycopg2.connect(**{**info, "connect_timeout": 2})
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    return connection


_doorbell = Doorbell(_notify)


def _forked() -> None:
    """A child has neither the parent's thread nor a right to its connections (psycopg2 leaves those alone)."""
    global _doorbell, _connections
    _doorbell, _connections = Doorbell(_notify), {}


os.register_at_fork(after_in_child=_forked)


def ring(cr: Any, channel: str, *payloads: str) -> None:
    """Ring ``channel`` once per payload after ``cr`` commits; nothing happens on rollback."""
    rung = cr.postcommit.data.setdefault("dist_sync_queue.doorbell", set())
    for payload in payloads or ("",):
        if (channel, payload) not in rung:
            rung.add((channel, payload))
            cr.postcommit.add(lambda payload=payload: notify(cr.dbname, channel, payload))


def notify(dbname: str, channel: str, payload: str = "") -> bool:
    """Ring now; whether it was sent at once. Never raises."""
    return _doorbell.ring(Bell(dbname, channel, payload))


def hang_up(dbname: str) -> None:
    """Close this process's connection to a database, so that it can be copied or dropped; the next ring reopens it."""
    if connection := _connections.pop(dbname, None):
        connection.close()
