"""Names derived from facts: event ids and trace parents."""

from __future__ import annotations

import secrets
from uuid import UUID, uuid5

NAMESPACE = UUID("6f0c2f0e-4a53-5c0f-9d5b-3f6a4c1f7d19")


def event_id(database: str | UUID, connection: str, type_: str, *fact: object) -> UUID:
    """The id of an event, the same for every repetition of the same fact.

    >>> one = event_id("6f0c2f0e-4a53-5c0f-9d5b-3f6a4c1f7d19", "c", "order.received.v1", "#1001", "2026-01-01T00:00:00Z")
    >>> one == event_id("6f0c2f0e-4a53-5c0f-9d5b-3f6a4c1f7d19", "c", "order.received.v1", "#1001", "2026-01-01T00:00:00Z")
    True
    >>> one == event_id("6f0c2f0e-4a53-5c0f-9d5b-3f6a4c1f7d19", "c", "order.received.v1", "#1001", "2026-01-02T00:00:00Z")
    False
    """
    return uuid5(NAMESPACE, "\x1f".join(map(str, (database, connection, type_, *fact))))


def new_traceparent(trace_id: str | None = None) -> str:
    """A W3C ``traceparent``: of a new journey, or a new span of the journey ``trace_id`` (32 hex digits).

    >>> new_traceparent("ab" * 16)[:36]
    '00-abababababababababababababababab-'
    """
    return f"00-{trace_id or secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def trace_id(traceparent: str) -> str:
    """The journey a ``traceparent`` belongs to.

    >>> trace_id("00-abababababababababababababababab-1111111111111111-01")
    'abababababababababababababababab'
    """
    return traceparent.split("-")[1]
