"""Names derived from facts: event ids and trace parents."""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timezone
from enum import Enum
from uuid import UUID, uuid5

NAMESPACE = UUID("6f0c2f0e-4a53-5c0f-9d5b-3f6a4c1f7d19")
_SEPARATOR, _ESCAPE = "\x1f", "\x1b"
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_TRACE_ID = re.compile(r"[0-9a-f]{32}")


def event_id(database: str | UUID, connection: str, type_: str, *fact: object) -> UUID:
    """The id of an event, the same for every repetition of the same fact.

    Parts of the fact are texts, integers, UUIDs, decimals and moments; the same moment in another time zone is the same
    part. Ids are stored, so this function never changes its answer for the same arguments.

    >>> database = "6f0c2f0e-4a53-5c0f-9d5b-3f6a4c1f7d19"
    >>> one = event_id(database, "c", "order.received.v1", "#1001", "2026-01-01T00:00:00Z")
    >>> one == event_id(database, "c", "order.received.v1", "#1001", "2026-01-01T00:00:00Z")
    True
    >>> one == event_id(database, "c", "order.received.v1", "#1001", "2026-01-02T00:00:00Z")
    False

    :raises TypeError: for a part whose text is not stable (a float, a naive moment, a dict, a list).
    """
    parts = (str(database).lower(), connection, type_, *map(_part, fact))
    return uuid5(NAMESPACE, _SEPARATOR.join(map(_escape, parts)))


def new_traceparent(trace_id: str | None = None) -> str:
    """A W3C ``traceparent``: of a new journey, or a new span of the journey ``trace_id`` (32 hex digits).

    >>> new_traceparent("ab" * 16)[:36]
    '00-abababababababababababababababab-'

    :raises ValueError: when ``trace_id`` is not 32 lower-case hex digits.
    """
    if trace_id is not None and not _TRACE_ID.fullmatch(trace_id):
        raise ValueError(f"not a trace id of 32 lower-case hex digits: {trace_id!r}")
    return f"00-{trace_id or secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def trace_id(traceparent: str) -> str:
    """The journey a ``traceparent`` belongs to.

    >>> trace_id("00-abababababababababababababababab-1111111111111111-01")
    'abababababababababababababababab'

    :raises ValueError: when it is not a ``traceparent``.
    """
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None:
        raise ValueError(f"not a W3C traceparent: {traceparent!r}")
    return match[1]


def _part(value: object) -> str:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError("a naive moment does not identify a fact; give it a time zone")
        return value.astimezone(timezone.utc).isoformat()
    if isinstance(value, float | dict | list | set | bytes):
        raise TypeError(f"a {type(value).__name__} does not identify a fact: its text is not stable")
    return str(value.value if isinstance(value, Enum) else value)


def _escape(part: str) -> str:
    """Keep the joined parts unambiguous whatever an outside system puts into them."""
    return part.replace(_ESCAPE, _ESCAPE * 2).replace(_SEPARATOR, _ESCAPE + _SEPARATOR)
