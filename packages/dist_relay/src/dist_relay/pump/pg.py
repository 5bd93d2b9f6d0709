"""PostgreSQL by psycopg: autocommit, one function per call, a session that is begun anew when it was lost."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from psycopg.types.string import TextLoader

from dist_relay.logging import get

from .port import API_VERSION, Claimed, ClaimedPull, Hello, Pending, Refused, Unavailable

CHANNEL = "dist_outbox"
STATEMENT_SECONDS = 30
IDLE_SECONDS = 60
"""A session that says nothing for so long is ended by the server, and its locks with it: a pump that hangs or is
stopped must not keep others from publishing."""

_MISSING = (
    "this database has no dist_relay functions for this role: install the addon dist_sync_queue, create the role "
)
_MISSING += "and run SELECT dist_relay.grant_to('dist_relay')"


class Pg:
    """:class:`dist_relay.pump.port.PgPort` over one psycopg connection. Used by one thread."""

    def __init__(self, dsn: str, name: str = "dist-relay") -> None:
        self._dsn, self._name = dsn, name
        self._connection: psycopg.Connection[dict[str, Any]] | None = None
        self._listening = False
        self._has_ready: bool | None = None
        self._log = get(session=name)

    def hello(self) -> Hello:
        """Uuid and version of the other side; refuses one that speaks another version of the functions."""
        row = self._rows("SELECT database_uuid, api_version, addon_version FROM dist_relay.hello()")[0]
        if int(row["api_version"]) != API_VERSION:
            raise Unavailable(
                f"the addon dist_sync_queue speaks version {row['api_version']} and this relay version {API_VERSION}: "
                "update the older of the two"
            )
        return Hello(str(row["database_uuid"]), int(row["api_version"]), str(row["addon_version"]))

    def connections(self) -> list[dict[str, Any]]:
        """All connections, as JSON rows."""
        return self._rows("SELECT * FROM dist_relay.connections()")

    def ready(self) -> list[str]:
        """Connections with something to claim now. An older addon does not have the function: then from the backlog."""
        if self._has_ready is None:
            row = self._rows("SELECT to_regprocedure('dist_relay.ready()') IS NOT NULL AS there")[0]
            self._has_ready = bool(row["there"])
        if not self._has_ready:
            return [row.connection for row in self.pending() if row.ready or row.in_flight]
        return [str(r["connection"]) for r in self._rows("SELECT connection FROM dist_relay.ready()", prepare=True)]

    def pending(self) -> list[Pending]:
        """Connections with something ready or in flight."""
        rows = self._rows("SELECT connection, ready, in_flight, oldest_seconds FROM dist_relay.pending()")
        return [
            Pending(str(r["connection"]), int(r["ready"]), int(r["in_flight"]), float(r["oldest_seconds"] or 0))
            for r in rows
        ]

    def claim(self, connection: str, limit: int, lease_seconds: int) -> list[Claimed]:
        """Mark events published and return them in the order to publish."""
        rows = self._rows(
            "SELECT * FROM dist_relay.claim(%s, %s, %s)", (connection, limit, lease_seconds), True, json_as_text=True
        )
        return [
            Claimed(
                seq=int(r["seq"]),
                event_id=str(r["event_id"]),
                type=r["type"],
                connection=str(r["connection"]),
                key=r["key"],
                priority=int(r["priority"]),
                version=r["version"] or None,
                occurred_at=r["occurred_at"],
                correlation_id=r["correlation_id"],
                deadline=r["deadline"],
                attempt=max(1, int(r["attempt"] or 1)),
                read_back=bool(r["read_back"]),
                payload=r["payload"] or "{}",
                config_version=int(r.get("config_version") or 0),
            )
            for r in rows
        ]

    def claim_pulls(self, limit: int) -> list[ClaimedPull]:
        """Start due pulls."""
        rows = self._rows(
            "SELECT *, extract(epoch FROM deadline - clock_timestamp())::float8 AS seconds"
            " FROM dist_relay.claim_pulls(%s)",
            (limit,),
        )
        return [
            ClaimedPull(
                seq=int(r["seq"]),
                run_id=str(r["run_id"]),
                connection=str(r["connection"]),
                capability=r["capability"],
                cursor=r["cursor"] or None,
                correlation_id=r["correlation_id"],
                seconds=float(r["seconds"] or 0),
            )
            for r in rows
        ]

    def intake(self, items: Sequence[str]) -> list[str]:
        """Store items in one transaction; a status each."""
        rows = self._rows(
            "SELECT ordinal, status FROM dist_relay.intake(%s::jsonb) ORDER BY ordinal", (f"[{','.join(items)}]",)
        )
        return [str(r["status"]) for r in rows]

    def announce(self, manifests: Sequence[dict[str, Any]], public_key: str | None, version: str) -> None:
        """Tell Odoo what is installed here."""
        self._rows("SELECT dist_relay.announce(%s, %s, %s)", (Jsonb(list(manifests)), public_key, version))

    def replay(self, event_ids: Sequence[str]) -> int:
        """Dead and rejected events pending again."""
        rows = self._rows("SELECT dist_relay.replay(%s::text[]) AS n", (list(event_ids),))
        return int(rows[0]["n"])

    def raise_seq(self, floor: int) -> None:
        """Let the sequence of stream ids go on at ``floor`` or above."""
        self._rows("SELECT dist_relay.raise_seq(%s)", (floor,))

    def status(self) -> dict[str, Any]:
        """Counts by state."""
        found = self._rows("SELECT dist_relay.status() AS s")[0]["s"]
        return dict(json.loads(found) if isinstance(found, str) else found)

    def try_lock(self, connection: str) -> bool:
        """Become the one writer of a connection's streams."""
        return bool(self._rows("SELECT pg_try_advisory_lock(%s) AS got", (lock_id(connection),))[0]["got"])

    def unlock(self, connection: str) -> None:
        """Let others write; a session that was lost has let go already."""
        self._rows("SELECT pg_advisory_unlock(%s) AS was", (lock_id(connection),))

    def wait(self, seconds: float) -> bool:
        """Wait for the doorbell."""
        connection = self._open()
        try:
            if not self._listening:
                connection.execute("SET idle_session_timeout = 0")
                connection.execute(f"LISTEN {CHANNEL}")
                self._listening = True
            return any(True for _ in connection.notifies(timeout=seconds, stop_after=1))
        except psycopg.Error as error:
            self.close()
            raise Unavailable(_short(error)) from error

    def close(self) -> None:
        """End the session."""
        connection, self._connection, self._listening, self._has_ready = self._connection, None, False, None
        if connection is not None:
            connection.close()

    def _open(self) -> psycopg.Connection[dict[str, Any]]:
        if self._connection is not None and not self._connection.closed:
            return self._connection
        self._listening = False
        try:
            self._connection = psycopg.connect(
                self._dsn,
                autocommit=True,
                row_factory=dict_row,
                connect_timeout=5,
                application_name=self._name,
                keepalives_idle=10,
                keepalives_interval=5,
                keepalives_count=3,
                tcp_user_timeout=15_000,
                options=f"-c statement_timeout={STATEMENT_SECONDS}s -c timezone=UTC",
            )
            self._connection.execute("SET default_transaction_isolation = 'read committed'")
            if self._connection.info.server_version >= 140_000:
                self._connection.execute(f"SET idle_session_timeout = '{IDLE_SECONDS}s'")
        except psycopg.ProgrammingError:
            # its text repeats what it could not read, with the password
            raise Unavailable(
                "dsn is no address of a database: postgresql://USER:PASSWORD@HOST/DATABASE, with special characters "
                "of the password written as %40, %2F, …"
            ) from None
        except psycopg.Error as error:
            self.close()
            raise Unavailable(f"PostgreSQL cannot be reached: {_short(error)}") from error
        self._log.debug("connected")
        return self._connection

    def _rows(
        self, sql: str, args: Sequence[Any] = (), prepare: bool | None = None, *, json_as_text: bool = False
    ) -> list[dict[str, Any]]:
        cursor = self._open().cursor()
        if json_as_text:
            cursor.adapters.register_loader("jsonb", TextLoader)
        try:
            cursor.execute(sql, args or None, prepare=prepare)
            return cursor.fetchall() if cursor.description else []
        except psycopg.DataError as error:
            raise Refused(_short(error)) from error
        except (
            psycopg.errors.InvalidSchemaName,
            psycopg.errors.UndefinedFunction,
            psycopg.errors.InsufficientPrivilege,
        ) as error:
            self.close()
            raise Unavailable(f"{_MISSING} ({_short(error)})") from error
        except psycopg.Error as error:
            self.close()
            raise Unavailable(_short(error)) from error


def lock_id(connection: str) -> int:
    """The advisory lock of a connection: a signed 64-bit number of this use only."""
    return int.from_bytes(hashlib.sha256(f"dist_relay.publish:{connection}".encode()).digest()[:8], "big", signed=True)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:500]
