"""What :class:`dist_relay.testkit.memory_pg.MemoryPg` keeps."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from dist_contracts import new_traceparent


@dataclass
class Row:
    """An outbox row."""

    id: int
    event_id: str
    type: str
    connection: str
    key: str
    payload: dict[str, Any]
    priority: int = 5
    version: int | None = None
    state: str = "pending"
    attempts: int = 0
    max_attempts: int = 8
    next_try: float = 0.0
    lease_until: float = 0.0
    acted: bool = False
    outcome: dict[str, Any] | None = None
    history: list[str] = field(default_factory=list)
    correlation_id: str = field(default_factory=new_traceparent)
    occurred_at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))


@dataclass
class Schedule:
    """A pull schedule."""

    connection: str
    capability: str
    every: float
    cursor: dict[str, Any] | None = None
    next_run: float = 0.0
    run_id: str | None = None
    reading: str | None = None
    stored: int = 0
    deadline: float = 0.0
    results: list[str] = field(default_factory=list)


def alive(pid: int) -> bool:
    """Whether a process runs (one that is dead and not yet waited for does not)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rsplit(")", 1)[1].split()[0] != "Z"
