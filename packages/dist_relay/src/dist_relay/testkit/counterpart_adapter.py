"""The adapter of :mod:`~dist_relay.testkit.counterpart`: every call over the real HTTP session.

Its pauses after a failure are short, so that a test with faults ends soon; what a failure means is left as it is.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone
from functools import partial
from typing import Any

from dist_contracts import AdapterKind, Capability, Envelope, ListingFound, ListingRef, Manifest, Outcome, RateLimit
from dist_relay.errors import CredentialsRefused, Rejected, RelayError, delivered
from dist_relay.ports import Adapter, Context, Cursor, Flow, Incoming, Page

PAGE = 20
PAUSE = 0.2
DIE = "die"
"""An event with this key kills the process that delivers it."""


class Flows:
    """Every port of the counterpart."""

    def __init__(self, context: Context) -> None:
        self._account = str(context.settings["account"])
        self._throttle = context.throttle
        self._session = context.session_factory(str(context.settings["url"]))

    def check(self) -> dict[str, Any]:
        """Its account."""
        return {"shop": self._account}

    def confirm(self, event: Envelope) -> Outcome:
        """Ship."""
        return self._act("ship", event, str(event.payload["reference"]))

    def publish(self, events: Sequence[Envelope]) -> list[Outcome]:
        """Show quantities, one call each."""
        self._throttle.acquire("publish", cost=len(events))
        found = []
        for event in events:
            try:
                found.append(self._act("show", event, str(event.payload["quantity"])))
            except RelayError as error:
                found.append(error.outcome(event))
        return found

    def pull(self, cursor: Cursor | None, deadline: datetime) -> Iterator[Page]:
        """What is offered, oldest first."""
        del deadline
        after, more = int((cursor or {}).get("after", 0)), True
        while more:
            params = {"account": self._account, "after": str(after), "limit": str(PAGE)}
            answer = self._told(partial(self._session.json, "GET", "offers", params=params))
            found = tuple(_incoming(key, token) for _seq, key, token in answer["offers"])
            after, more = max([after, *(seq for seq, _key, _token in answer["offers"])]), answer["more"]
            yield Page(found, {"after": after}, more=more)

    def _act(self, op: str, event: Envelope, token: str) -> Outcome:
        if event.key == DIE:
            os.kill(os.getpid(), signal.SIGKILL)
        id_ = str(event.event_id)
        if event.read_back and self._knows(id_):
            return delivered(event)
        body: dict[str, Any] = {"account": self._account, "op": op, "key": event.key, "event_id": id_}
        body |= {"token": token, "version": event.version}
        self._told(lambda: self._session.request("POST", "effects", json=body, operation="publish"))
        return delivered(event)

    def _knows(self, event_id: str) -> bool:
        try:
            self._told(lambda: self._session.request("GET", f"effects/{event_id}"))
        except Rejected:
            return False
        return True

    @staticmethod
    def _told(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except RelayError as error:
            if isinstance(error, CredentialsRefused) or error.seconds is None:
                error.seconds = PAUSE
            raise


def _incoming(key: str, token: str) -> Incoming:
    at = datetime(2026, 1, 1, tzinfo=timezone.utc)
    return Incoming("listing.found.v1", key, at, ListingFound(listing=ListingRef(sku=token)), (token,))


def _flow(context: Context) -> Flow:
    return Flows(context)


_CAPABILITIES = (
    Capability.CHECK,
    Capability.LISTINGS_PULL,
    Capability.AVAILABILITY_PUSH,
    Capability.SHIPMENT_CONFIRM,
)

adapter = Adapter(
    Manifest(
        code="counterpart",
        label="Counterpart",
        kind=AdapterKind.CHANNEL,
        version="1",
        capabilities=_CAPABILITIES,
        settings_schema={
            "type": "object",
            "required": ["url", "account"],
            "properties": {"url": {"type": "string"}, "account": {"type": "string"}},
        },
        credentials_schema={"type": "object"},
        rate_limits=(RateLimit(operation="publish", rate=5000.0, burst=5000.0),),
        batch={"availability.changed.v1": 10},
    ),
    dict.fromkeys(_CAPABILITIES, _flow),
)
