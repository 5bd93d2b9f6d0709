"""The envelope every event travels in, and the outcome that comes back."""

from __future__ import annotations

from enum import Enum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from .base import Amount, Contract, Diagnostic, JsonObject, Ref, UtcDatetime

EventType = Annotated[str, Field(pattern=r"^[a-z]+(\.[a-z_]+)+\.v[0-9]+$", max_length=64)]
TraceParent = Annotated[str, Field(pattern=r"^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$")]
"""W3C Trace Context ``traceparent``; the 32-digit trace id is the journey all steps of one order share."""


class Envelope(Contract):
    """One event on its way.

    ``event_id`` is derived from the fact (:func:`dist_contracts.identity.event_id`), so a repetition has the same id.
    Events of the same ``key`` on a ``connection`` keep their order. ``version`` is set for state events only.
    ``priority`` 0 is served first, 9 last. ``read_back`` asks the adapter to look whether an earlier attempt took
    effect before it acts again. ``database`` is the uuid of the Odoo database: a restored copy has another one.
    """

    event_id: UUID
    type: EventType
    database: UUID
    connection: Ref
    key: Ref
    occurred_at: UtcDatetime
    correlation_id: TraceParent
    priority: Annotated[int, Field(ge=0, le=9)] = 5
    version: Annotated[int, Field(ge=1)] | None = None
    attempt: Annotated[int, Field(ge=1)] = 1
    read_back: bool = False
    deadline: UtcDatetime | None = None
    payload: JsonObject


class Verdict(str, Enum):
    """What became of one event outside. Each has one meaning for the outbox row.

    ``delivered`` settles; ``rejected`` settles as refused for good, with the reason; ``retry`` counts an attempt;
    ``snooze`` does not; ``unknown`` may have taken effect and is read back first; ``broken`` cannot ever be sent
    (a defect of ours or of the settings) and goes to the dead letters.
    """

    DELIVERED = "delivered"
    REJECTED = "rejected"
    RETRY = "retry"
    SNOOZE = "snooze"
    UNKNOWN = "unknown"
    BROKEN = "broken"


class Outcome(Contract):
    """The answer to one envelope. ``data`` is what Odoo wants to keep (external ids); ``retry_after`` is in seconds."""

    event_id: UUID
    verdict: Verdict
    attempt: Annotated[int, Field(ge=1)] = 1
    version: Annotated[int, Field(ge=1)] | None = None
    code: Diagnostic | None = None
    message: Diagnostic | None = None
    retry_after: Annotated[Amount, Field(ge=0)] | None = None
    data: JsonObject = {}
