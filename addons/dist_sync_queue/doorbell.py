# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Tell a listening process that there is work, after commit and as a courtesy: everybody polls as well.

A NOTIFY inside a business transaction takes a lock that all commits share, so it goes out on a connection of its own
(autocommit, ``synchronous_commit=off``), at most one per 20 ms, process and channel; whatever goes wrong is logged at
debug level and nothing else.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import Any

import psycopg2
from psycopg2 import sql

from odoo.sql_db import connection_info_for

_logger = logging.getLogger(__name__)

QUIET_SECONDS = 0.02
"""Shortest time between two rings of one channel by one process."""

_lock = threading.Lock()
_connections: dict[tuple[int, str], Any] = {}
_last_rung: dict[tuple[int, str, str], float] = {}


def ring(cr: Any, channel: str) -> None:
    """Ring ``channel`` (``dist_outbox``, ``dist_job``) once after ``cr`` commits; nothing happens on rollback."""
    rung = cr.postcommit.data.setdefault("dist_sync_queue.doorbell", set())
    if channel not in rung:
        rung.add(channel)
        cr.postcommit.add(lambda: notify(cr.dbname, channel))


def notify(dbname: str, channel: str, now: float | None = None) -> bool:
    """Send the NOTIFY at once; whether it was sent. Never raises."""
    try:
        now = time.monotonic() if now is None else now
        pid = os.getpid()
        with _lock:
            if now - _last_rung.get((pid, dbname, channel), -QUIET_SECONDS) < QUIET_SECONDS:
                return False
            _last_rung[pid, dbname, channel] = now
            connection = _connections.get((pid, dbname))
            if connection is None or connection.closed:
                connection = _connections[pid, dbname] = _connect(dbname)
            try:
                with connection.cursor() as cursor:
                    cursor.execute(sql.SQL("NOTIFY {}").format(sql.Identifier(channel)))
            except Exception:
                _connections.pop((pid, dbname)).close()
                raise
        return True
    except Exception as error:
        _logger.debug("Doorbell %s of %s not rung: %s", channel, dbname, error)
        return False


def _connect(dbname: str) -> Any:
    _name, info = connection_info_for(dbname)
    connection = psycopg2.connect(**{**info, "connect_timeout": 2})
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    return connection
