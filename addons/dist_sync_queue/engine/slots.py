# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
# ruff: noqa: S608 - the statements are put together from constants of this file; values are parameters
"""The side connection of a worker: it commits by itself, so what it writes is seen at once and outlives a crash."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import uuid
from collections.abc import Sequence
from typing import Any

import psycopg2

from odoo.sql_db import connection_info_for

from .attempts import CRASHED

LOCK_CLASS = 1684632436
"""First key of all our two-part advisory locks ("dist" in ASCII)."""
LOCK_DRAIN = 1
NOW = "(clock_timestamp() AT TIME ZONE 'UTC')"


class Side:
    """An autocommit connection with ``synchronous_commit=off``, outside Odoo's pool. Reconnects on demand."""

    def __init__(self, dbname: str, application: str = "dist_worker") -> None:
        self.dbname, self._application = dbname, application
        self._connection: Any = None
        self._listening: list[str] = []
        self.on_connect: list[Any] = []

    @property
    def connection(self) -> Any:
        if self._connection is None or self._connection.closed:
            _name, info = connection_info_for(self.dbname)
            info = {**info, "connect_timeout": 5, "application_name": self._application}
            self._connection = psycopg2.connect(**info)
            self._connection.autocommit = True
            with self._connection.cursor() as cr:
                cr.execute("SET synchronous_commit = off")
                for channel in self._listening:
                    cr.execute(f'LISTEN "{channel}"')  # pylint: disable=sql-injection
            for hook in self.on_connect:
                hook()
        return self._connection

    def cursor(self) -> Any:
        """A plain psycopg2 cursor; every statement is a transaction."""
        return self.connection.cursor()

    def execute(self, query: str, params: Any = None) -> list[tuple]:
        with self.cursor() as cr:
            cr.execute(query, params)
            return cr.fetchall() if cr.description else []

    def listen(self, channel: str) -> None:
        self._listening.append(channel)
        self.execute(f'LISTEN "{channel}"')

    def wait(self, seconds: float, *also: int) -> set[str]:
        """Sleep until a notification, something to read on ``also``, or the end of the time.

        :return: the payloads of what was rung; empty when nothing was
        """
        connection = self.connection
        connection.poll()
        if not connection.notifies and seconds > 0:
            select.select([connection, *also], [], [], seconds)
            connection.poll()
        rung = {notify.payload for notify in connection.notifies}
        connection.notifies.clear()
        return rung

    def close(self) -> None:
        if self._connection is not None and not self._connection.closed:
            self._connection.close()


class Slot:
    """A worker's row in ``dist_worker_slot``, and the lock that says it lives.

    :param scheduled: it is a run of the scheduled action, which works where no worker does and is none itself
    """

    def __init__(self, side: Side, lanes: list[str] | None = None, *, scheduled: bool = False) -> None:
        self.side, self._scheduled = side, scheduled
        self.worker = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self._lanes = ",".join(lanes or [])
        self.id: int | None = None
        self.done = self.failed = 0
        self._busy = False

    def open(self) -> None:
        """Make the row and hold its lock; again after a reconnect."""
        row = self.side.execute(
            f"""INSERT INTO dist_worker_slot (worker, host, pid, lanes, scheduled, alive_since, seen_at, done_count,
                                              failed_count)
                VALUES (%s, %s, %s, %s, %s, {NOW}, {NOW}, 0, 0)
                ON CONFLICT (worker) DO UPDATE SET seen_at = {NOW} RETURNING id""",
            (self.worker, socket.gethostname(), os.getpid(), self._lanes or None, self._scheduled),
        )
        self.id = row[0][0]
        self.side.execute("SELECT pg_advisory_lock(%s, %s)", (LOCK_CLASS + 1, self.id))
        if self.side.on_connect == []:
            self.side.on_connect.append(self.open)

    def begin(
        self, handler: Any, connection: int, job_ids: list[int], backend_pid: int, keys: Sequence[str] | None = None
    ) -> None:
        """Say what is in hand: jobs, or ``keys`` of dirty marks."""
        self._busy = True
        self.side.execute(
            f"""UPDATE dist_worker_slot SET lane = %s, handler = %s, connection_id = %s, job_ids = %s, keys = %s,
                       backend_pid = %s, started_at = {NOW}, seen_at = {NOW} WHERE id = %s""",
            (
                handler.lane,
                handler.name,
                max(connection, 0) or None,
                json.dumps(job_ids),
                json.dumps(keys) if keys else None,
                backend_pid,
                self.id,
            ),
        )

    def end(self) -> None:
        """Nothing is in hand any more."""
        if not self._busy:
            return
        self._busy = False
        self.side.execute(
            f"""UPDATE dist_worker_slot SET lane = NULL, handler = NULL, connection_id = NULL, job_ids = NULL,
                       keys = NULL, started_at = NULL, backend_pid = NULL, progress_done = NULL, progress_total = NULL,
                       progress_text = NULL, seen_at = {NOW}, done_count = %s, failed_count = %s
                 WHERE id = %s""",
            (self.done, self.failed, self.id),
        )

    def beat(self) -> None:
        """Still alive; with the counts, which :meth:`end` wrote before those of its own batch were known."""
        self.side.execute(
            f"UPDATE dist_worker_slot SET seen_at = {NOW}, done_count = %s, failed_count = %s WHERE id = %s",
            (self.done, self.failed, self.id),
        )

    def close(self) -> None:
        """Leave in order."""
        with contextlib.suppress(psycopg2.Error):  # else the row is found dead by the next worker
            self.side.execute("DELETE FROM dist_worker_slot WHERE id = %s", (self.id,))
        self.side.close()


_ALONE = """(SELECT (COALESCE(jsonb_array_length(job_ids), 0) + COALESCE(jsonb_array_length(keys), 0) = 1)::int
                                     FROM gone)"""
"""Further crashes count where the worker had nothing else in hand: several workers may die of one batch before the
first is found, and of its jobs only one is to blame."""


def reap(side: Side, own: int | None = None) -> int:
    """Record the crash of workers that are gone: their lock is free. The number of workers found dead.

    The advisory lock keeps two reapers from counting one crash twice.
    """
    dead = 0
    for slot_id, worker in side.execute("SELECT id, worker FROM dist_worker_slot WHERE id IS DISTINCT FROM %s", (own,)):
        if not side.execute("SELECT pg_try_advisory_lock(%s, %s)", (LOCK_CLASS + 1, slot_id))[0][0]:
            continue
        try:
            dead += len(
                side.execute(
                    f"""WITH gone AS (DELETE FROM dist_worker_slot WHERE id = %s
                                   RETURNING job_ids, keys, handler, connection_id, started_at, worker, end_reason)
                   , crashed AS (
                       INSERT INTO dist_job_crash (job_id, worker, reason)
                       SELECT j::int, %s, gone.end_reason
                         FROM gone, jsonb_array_elements_text(COALESCE(gone.job_ids, '[]')) j
                       ON CONFLICT (job_id) DO UPDATE SET crashes = dist_job_crash.crashes + {_ALONE},
                           worker = excluded.worker, reason = excluded.reason,
                           last_at = clock_timestamp() AT TIME ZONE 'UTC')
                   , lost AS (
                       INSERT INTO dist_mark_crash (connection_id, type, key, worker, reason)
                       SELECT gone.connection_id, split_part(gone.handler, '#', 1), k, %s, gone.end_reason
                         FROM gone, jsonb_array_elements_text(COALESCE(gone.keys, '[]')) k
                        WHERE gone.connection_id IS NOT NULL
                       ON CONFLICT (connection_id, type, key) DO UPDATE
                       SET crashes = dist_mark_crash.crashes + {_ALONE}, worker = excluded.worker,
                           reason = excluded.reason, last_at = clock_timestamp() AT TIME ZONE 'UTC')
                   , tried AS ({CRASHED})
                   SELECT 1 FROM gone""",
                    (slot_id, worker, worker),
                )
            )
        finally:
            side.execute("SELECT pg_advisory_unlock(%s, %s)", (LOCK_CLASS + 1, slot_id))
    return dead


def live_workers(cr: Any) -> int:
    """How many workers hold the lock of their slot; runs of the scheduled action are none."""
    cr.execute(
        """SELECT count(*) FROM dist_worker_slot s WHERE s.scheduled IS NOT TRUE AND EXISTS (
               SELECT 1 FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %s
                  AND l.objid = s.id AND l.objsubid = 2
                  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))""",
        (LOCK_CLASS + 1,),
    )
    return cr.fetchone()[0]
