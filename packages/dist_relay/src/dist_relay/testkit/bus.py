"""A bus without services: events go straight through an adapter's flows, as the worker would send them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from dist_contracts import Capability, Envelope, Outcome, event_id, new_traceparent
from dist_relay.errors import Snoozed
from dist_relay.http.session import HttpLimits, HttpSession
from dist_relay.logging import get
from dist_relay.ports import Adapter, Clock, Context, Cursor, Flow, Page, Session, Source
from dist_relay.runtime.flows import call, groups, refuse

from .clock import FakeClock

DATABASE = UUID("00000000-0000-4000-8000-000000000001")


class MemoryThrottle:
    """A throttle that lets everything through, notes it, and holds back an operation that was penalised."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.acquired: list[tuple[str, float, int]] = []
        self.heard: list[tuple[str, float, float]] = []
        self.penalties: list[tuple[str, float]] = []
        self._blocked: dict[str, float] = {}

    def acquire(self, operation: str, cost: float = 1.0, priority: int = 5) -> None:
        """Note it; raises ``Snoozed`` while the operation is penalised."""
        left = self._blocked.get(operation, 0.0) - self._clock.monotonic()
        if left > 0:
            raise Snoozed(left, f"{operation} is held back", code="throttled")
        self.acquired.append((operation, cost, priority))

    def feedback(self, operation: str, available: float, restore_rate: float) -> None:
        """Note it."""
        self.heard.append((operation, available, restore_rate))

    def penalise(self, operation: str, retry_after: float) -> None:
        """Hold the operation back for so long."""
        self.penalties.append((operation, retry_after))
        self._blocked[operation] = self._clock.monotonic() + retry_after


class MemoryBus:
    """One connection of an adapter, without Redis and PostgreSQL."""

    def __init__(
        self,
        adapter: Adapter,
        settings: Mapping[str, Any],
        credentials: Mapping[str, Any] | None = None,
        *,
        clock: Clock | None = None,
        limits: HttpLimits | None = None,
        connection: str = "test",
    ) -> None:
        self.adapter, self.connection = adapter, connection
        self.clock: Clock = clock or FakeClock()
        self.throttle = MemoryThrottle(self.clock)
        self._limits = limits or HttpLimits(read_seconds=5.0, total_seconds=10.0)
        self.context = Context(
            connection=connection,
            database=str(DATABASE),
            settings=settings,
            credentials=credentials or {},
            clock=self.clock,
            throttle=self.throttle,
            session_factory=self._session,
            log=get(),
        )
        self._flows: dict[Capability, Flow] = {}

    def flow(self, capability: Capability) -> Flow:
        """The adapter's flow, built once."""
        if capability not in self._flows:
            self._flows[capability] = self.adapter.flows[capability](self.context)
        return self._flows[capability]

    def event(self, type_: str, key: str, payload: Mapping[str, Any], **values: Any) -> Envelope:
        """An envelope as the pump would publish it."""
        return Envelope(
            event_id=event_id(DATABASE, self.connection, type_, key, values.get("version", "")),
            type=type_,
            database=DATABASE,
            connection=self.connection,
            key=key,
            occurred_at=self.clock.now(),
            correlation_id=new_traceparent(),
            payload=dict(payload),
            **values,
        )

    def deliver(self, events: Sequence[Envelope], seconds: float = 30.0) -> list[Outcome]:
        """Outcomes in the order of the events."""
        found: dict[UUID, Outcome] = {}
        for route, some in groups(events, self.adapter):
            outcomes = (
                call(self.flow, route, some, self.clock, seconds)[0]
                if route and route.capability in self.adapter.flows
                else [refuse(event, self.adapter) for event in some]
            )
            found.update({outcome.event_id: outcome for outcome in outcomes})
        return [found[event.event_id] for event in events]

    def pull(self, capability: Capability, cursor: Cursor | None = None, most: int = 100) -> list[Page]:
        """Pages, at most so many."""
        pages: list[Page] = []
        source = cast(Source, self.flow(capability))
        for page in source.pull(cursor, self.clock.now() + timedelta(minutes=5)):
            pages.append(page)
            if not page.more or len(pages) >= most:
                break
        return pages

    def _session(self, base_url: str, headers: Mapping[str, str] | None = None) -> Session:
        return HttpSession(base_url, headers, clock=self.clock, limits=self._limits, throttle=self.throttle)
