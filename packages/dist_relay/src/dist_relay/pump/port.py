"""What the pump needs of PostgreSQL: the SQL functions of schema ``dist_relay``, a lock, and a doorbell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

API_VERSION = 1


@dataclass(frozen=True)
class Hello:
    """Who the database is."""

    database: str
    api_version: int
    addon_version: str


@dataclass(frozen=True)
class Pending:
    """Work of one connection."""

    connection: str
    ready: int
    in_flight: int
    oldest_seconds: float


@dataclass(frozen=True)
class Claimed:
    """An event marked published, to be put into Redis under ``seq``.

    ``payload`` is JSON text as PostgreSQL wrote it: nobody between it and the worker looks inside. ``config_version``
    is the connection's, read no earlier than the event (0: the addon is older and does not say).
    """

    seq: int
    event_id: str
    type: str
    connection: str
    key: str
    priority: int
    version: int | None
    occurred_at: datetime
    correlation_id: str
    deadline: datetime | None
    attempt: int
    read_back: bool
    payload: str
    config_version: int = 0


@dataclass(frozen=True)
class ClaimedPull:
    """A due schedule; ``seconds`` is the time its run has, by PostgreSQL's clock."""

    seq: int
    run_id: str
    connection: str
    capability: str
    cursor: dict[str, Any] | None
    correlation_id: str
    seconds: float


class Refused(Exception):
    """PostgreSQL refuses the data itself: sending the same again cannot help."""


class Unavailable(Exception):
    """PostgreSQL cannot be reached or does not have what we need now; trying again may help."""


class PgPort(Protocol):
    """One session. Every call is its own transaction at READ COMMITTED; :class:`Unavailable` after any lost session."""

    def hello(self) -> Hello:
        """Uuid and version of the other side."""

    def connections(self) -> list[dict[str, Any]]:
        """All connections, as JSON rows."""

    def ready(self) -> list[str]:
        """Connections with something to claim now; asked at every turn, so it costs little."""

    def pending(self) -> list[Pending]:
        """Backlog of the connections with something ready or in flight, for the metrics."""

    def claim(self, connection: str, limit: int, lease_seconds: int) -> list[Claimed]:
        """Mark events published and return them in the order to publish."""

    def claim_pulls(self, limit: int) -> list[ClaimedPull]:
        """Start due pulls."""

    def intake(self, items: Sequence[str]) -> list[str]:
        """Store items (JSON texts) in one transaction; a status each, in order."""

    def announce(self, manifests: Sequence[dict[str, Any]], public_key: str | None, version: str) -> None:
        """Tell Odoo what is installed here and what to seal credentials to."""

    def replay(self, event_ids: Sequence[str]) -> int:
        """Dead and rejected events pending again; how many."""

    def raise_seq(self, floor: int) -> None:
        """Let the sequence of stream ids go on at ``floor`` or above."""

    def status(self) -> dict[str, Any]:
        """Counts by state."""

    def try_lock(self, connection: str) -> bool:
        """Become the one writer of a connection's streams; false when another pump is."""

    def unlock(self, connection: str) -> None:
        """Let others write."""

    def wait(self, seconds: float) -> bool:
        """Wait for the outbox' doorbell; true when it rang."""

    def close(self) -> None:
        """End the session; the next call begins another."""
