"""The ports adapters fill, and what an adapter is given. An adapter sees nothing of Redis, PostgreSQL or Odoo.

An adapter is one :class:`Adapter`: a manifest and, per capability, a callable that builds the flow from a
:class:`Context`. A flow is built once per connection and version of its configuration and used by one thread at a time.
Every method says what went wrong by raising from :mod:`dist_relay.errors`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeAlias, TypeVar

from dist_contracts import Capability, Contract, Envelope, Manifest, Outcome

T = TypeVar("T")

Cursor: TypeAlias = dict[str, Any]
"""A resumable read position, as JSON; only the adapter knows what is in it."""


class Clock(Protocol):
    """Time and sleep, injected so that tests decide about them."""

    def now(self) -> datetime:
        """The current moment, aware, UTC."""

    def monotonic(self) -> float:
        """Seconds that never go backwards."""

    def sleep(self, seconds: float) -> None:
        """Wait; returns early when the process is asked to stop."""


class Throttle(Protocol):
    """The budget of one connection, shared by all workers. ``operation`` names a rate limit of the manifest."""

    def acquire(self, operation: str, cost: float = 1.0, priority: int = 5) -> None:
        """Take ``cost`` units, waiting a few seconds if need be.

        :raises dist_relay.errors.Snoozed: when the wait would be longer than is worth holding a thread for.
        """

    def feedback(self, operation: str, available: float, restore_rate: float) -> None:
        """Tell the units the other side says are left and how many come back each second."""

    def penalise(self, operation: str, retry_after: float) -> None:
        """The other side refused for its rate: nobody calls for ``retry_after`` seconds, then at half the rate."""


@dataclass(frozen=True)
class Response:
    """An answer over HTTP. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    elapsed: float

    def json(self) -> Any:
        """The body as JSON.

        :raises ValueError: when it is not; use :meth:`Session.json`, which turns that into a named error.
        """
        return json.loads(self.body)


class Session(Protocol):
    """HTTP with bounds, to one origin. See :mod:`dist_relay.http.session`."""

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        data: bytes | None = None,
        effect: bool | None = None,
        operation: str | None = None,
    ) -> Response:
        """Send one request and return its answer of a 2xx status; every other answer is raised as a named error.

        ``effect`` says whether the call changes something outside; the default is by method (GET and HEAD do not).
        A lost answer of a call with an effect raises ``OutcomeUnknown``, of one without ``RetryLater``. ``operation``
        labels the metrics and is penalised in the throttle on 429. A call without an effect is tried again in place,
        a few times and within the deadline, when the connection or the other side fails.
        """

    def json(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        effect: bool | None = None,
        operation: str | None = None,
    ) -> Any:
        """As :meth:`request`, and the body as JSON; a page of HTML instead is a named error, not a crash."""

    def read(self, call: Callable[[], T], operation: str = "read") -> T:
        """What ``call`` returns, tried again in place as a single read is.

        For reads of more than a request: one whose failure stands in the body of a good answer, or that takes its cost
        from the budget anew each time. Requests inside are not repeated on their own. ``call`` must change nothing
        outside.
        """

    def close(self) -> None:
        """Close its connections."""


class SessionFactory(Protocol):
    """Makes a session to one origin (``https://shop.example``) with headers sent on every request."""

    def __call__(self, base_url: str, headers: Mapping[str, str] | None = None) -> Session: ...


class Log(Protocol):
    """A structured logger: an event name and key-value pairs (structlog's)."""

    def debug(self, event: str, **values: Any) -> Any: ...
    def info(self, event: str, **values: Any) -> Any: ...
    def warning(self, event: str, **values: Any) -> Any: ...
    def error(self, event: str, **values: Any) -> Any: ...


@dataclass(frozen=True)
class Context:
    """All that a flow is built from. ``credentials`` are unsealed and never leave the process; do not log them."""

    connection: str
    database: str
    settings: Mapping[str, Any]
    credentials: Mapping[str, Any] = field(repr=False)
    clock: Clock
    throttle: Throttle
    session_factory: SessionFactory
    log: Log


@dataclass(frozen=True)
class Incoming:
    """One thing read outside, before the runtime puts it into an envelope.

    ``fact`` names what happened so that a repetition has the same event id: for an order its id, its time of update and
    :func:`digest` of the payload. ``key`` is what order is kept by.
    """

    type: str
    key: str
    occurred_at: datetime
    payload: Contract
    fact: tuple[str, ...]


@dataclass(frozen=True)
class Malformed:
    """One thing read outside that has no meaning for us. It becomes a dead letter and holds nothing else up.

    ``reason`` names the field that is wrong; ``raw`` is what the channel sent, as text.
    """

    type: str
    key: str
    fact: tuple[str, ...]
    reason: str
    raw: str


@dataclass(frozen=True)
class Page:
    """Part of what a pull reads. ``cursor`` is where to go on once this page is stored; ``more`` announces another."""

    events: tuple[Incoming | Malformed, ...]
    cursor: Cursor
    more: bool


def digest(payload: Contract) -> str:
    """A short fingerprint of a payload, the same for equal content, to put into ``Incoming.fact``."""
    text = json.dumps(payload.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class ConnectionChecker(Protocol):
    """``connection.check``: try settings and credentials, changing nothing outside."""

    def check(self) -> dict[str, Any]:
        """Facts shown to the user, as JSON: shop name, api version, scopes, ``locations: [{id, name}]``."""


class Source(Protocol):
    """``orders.pull`` and ``listings.pull``: read what changed since ``cursor``."""

    def pull(self, cursor: Cursor | None, deadline: datetime) -> Iterator[Page]:
        """Yield pages, oldest change first. ``None`` starts from the beginning the settings name.

        The caller stores a page before it asks for the next one, and may stop asking at any time.
        """


OrderSource = Source


class AvailabilityPublisher(Protocol):
    """``availability.push``: tell the channel quantities."""

    def publish(self, events: Sequence[Envelope]) -> list[Outcome]:
        """One outcome per event; at most ``manifest.batch["availability.changed.v1"]`` events. A raise is for all."""


class ShipmentConfirmer(Protocol):
    """``shipment.confirm``: tell the channel what was shipped."""

    def confirm(self, event: Envelope) -> Outcome:
        """Confirm one shipment; with ``event.read_back`` look first whether an earlier attempt did."""


class OrderCanceller(Protocol):
    """``order.cancel``: cancel an order at the channel."""

    def cancel(self, event: Envelope) -> Outcome:
        """Cancel one order; an order that is cancelled already is delivered."""


class OrderAcknowledger(Protocol):
    """``order.acknowledge``: tell the channel that an order is accepted, or which lines are not."""

    def acknowledge(self, event: Envelope) -> Outcome:
        """Acknowledge one order; one that is acknowledged already is delivered."""


Flow: TypeAlias = (
    ConnectionChecker | Source | AvailabilityPublisher | ShipmentConfirmer | OrderCanceller | OrderAcknowledger
)


@dataclass(frozen=True)
class Adapter:
    """Code for one outside system; found by entry point in the group ``dist_relay.adapters``."""

    manifest: Manifest
    flows: Mapping[Capability, Callable[[Context], Flow]]

    def __post_init__(self) -> None:
        if missing := set(self.manifest.capabilities) ^ set(self.flows):
            names = ", ".join(sorted(c.value for c in missing))
            raise ValueError(f"adapter {self.manifest.code}: manifest and flows disagree about {names}")
