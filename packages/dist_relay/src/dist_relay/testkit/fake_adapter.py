"""A scriptable adapter: an outside world in a folder, with faults. It works across processes, so tests may kill them.

The folder (``settings["world"]``) holds ``ledger.jsonl`` (what took effect, in order), ``calls.jsonl`` (every call),
``faults.json`` and ``listings.json``. Like a good channel it knows event ids: a repeated one has no second effect.

Faults are objects ``{"op": …, "do": …, "times": n, "key": …}``: ``op`` is check, publish, confirm, cancel, acknowledge
or pull; ``do`` is one of :data:`FAULTS`.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from dist_contracts import AdapterKind, Capability, Envelope, ListingFound, ListingRef, Manifest, Outcome, RateLimit
from dist_relay.errors import Broken, CredentialsRefused, OutcomeUnknown, Rejected, RetryLater, Snoozed, delivered
from dist_relay.ports import Adapter, Context, Cursor, Flow, Incoming, Page, digest

FAULTS: dict[str, Callable[[], BaseException]] = {
    "reject": lambda: Rejected("no_such_thing", "the channel does not know it"),
    "retry": lambda: RetryLater(0.05, "the channel is out of order", code="unavailable"),
    "snooze": lambda: Snoozed(0.05, "too many requests", code="rate_limited"),
    "credentials": lambda: CredentialsRefused("the token was revoked", seconds=0.2),
    "unknown": lambda: OutcomeUnknown("no answer in time", seconds=0.05, code="timeout"),
    "broken": lambda: Broken("this can never be sent", code="defect"),
    "raise": lambda: ZeroDivisionError("a defect of the adapter"),
}
"""Raised before any effect. Besides: ``effect_unknown`` (effect, then the answer is lost), ``die`` and ``effect_die``
(SIGKILL before or after the effect), ``hang`` (``seconds``), ``missing`` (no outcome for the event)."""

PAGE = 10


class World:
    """The folder; every change under a file lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with open(self.folder / "lock", "a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def faults(self, *faults: dict[str, Any]) -> None:
        """Script the faults to come."""
        with self._locked():
            (self.folder / "faults.json").write_text(json.dumps(list(faults)))

    def listings(self, count: int) -> None:
        """Offer so many listings to pulls."""
        (self.folder / "listings.json").write_text(json.dumps(count))

    def ledger(self) -> list[dict[str, Any]]:
        """What took effect."""
        return self._lines("ledger.jsonl")

    def calls(self) -> list[dict[str, Any]]:
        """Every call that arrived."""
        return self._lines("calls.jsonl")

    def fault(self, op: str, key: str) -> dict[str, Any] | None:
        """The next fault for this call, used up."""
        path = self.folder / "faults.json"
        with self._locked():
            if not path.exists():
                return None
            faults = json.loads(path.read_text())
            for fault in faults:
                if fault["op"] == op and fault.get("key", key) == key and fault.get("times", 1) > 0:
                    fault["times"] = fault.get("times", 1) - 1
                    path.write_text(json.dumps(faults))
                    return dict(fault)
        return None

    def called(self, op: str, event: Envelope) -> None:
        """Note a call."""
        with self._locked():
            self._append("calls.jsonl", op, event)

    def effect(self, op: str, event: Envelope) -> bool:
        """Let an event take effect, once; false when it had."""
        with self._locked():
            if any(line["event_id"] == str(event.event_id) for line in self.ledger()):
                return False
            self._append("ledger.jsonl", op, event)
            return True

    def _append(self, name: str, op: str, event: Envelope) -> None:
        line = {
            "op": op,
            "event_id": str(event.event_id),
            "key": event.key,
            "version": event.version,
            "n": event.payload.get("n"),
            "read_back": event.read_back,
            "attempt": event.attempt,
            "pid": os.getpid(),
        }
        handle = os.open(self.folder / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(handle, json.dumps(line).encode() + b"\n")
        os.close(handle)

    def _lines(self, name: str) -> list[dict[str, Any]]:
        path = self.folder / name
        if not path.exists():
            return []
        # A reader without the lock may see half of a line that is being written: only whole lines count.
        return [json.loads(line) for line in path.read_text().split("\n")[:-1]]


class FakeFlows:
    """Every port, over a :class:`World`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._world = World(Path(str(context.settings["world"])))

    def check(self) -> dict[str, Any]:
        """The world's name."""
        fault = self._world.fault("check", "")
        if fault:
            raise FAULTS[fault["do"]]()
        return {"shop": self._world.folder.name, "token": "known" if self._context.credentials else "none"}

    def confirm(self, event: Envelope) -> Outcome:
        """Ship."""
        return self._one("confirm", event)

    def cancel(self, event: Envelope) -> Outcome:
        """Cancel."""
        return self._one("cancel", event)

    def acknowledge(self, event: Envelope) -> Outcome:
        """Acknowledge."""
        return self._one("acknowledge", event)

    def publish(self, events: Sequence[Envelope]) -> list[Outcome]:
        """Quantities; faults are per event."""
        self._context.throttle.acquire("publish", cost=1.0)
        found = []
        for event in events:
            try:
                found.append(self._one("publish", event))
            except (Rejected, RetryLater, Snoozed) as error:
                found.append(error.outcome(event))
            except LookupError:
                continue
        return found

    def pull(self, cursor: Cursor | None, deadline: datetime) -> Iterator[Page]:
        """Listings from number ``cursor["next"]`` on."""
        del deadline
        start = int((cursor or {}).get("next", 0))
        path = self._world.folder / "listings.json"
        count = int(path.read_text()) if path.exists() else 0
        while True:
            fault = self._world.fault("pull", "")
            if fault:
                self._act(fault)
            end = min(start + PAGE, count)
            events = tuple(_listing(number) for number in range(start, end))
            yield Page(events, {"next": end}, more=end < count)
            if end >= count:
                return
            start = end

    def _one(self, op: str, event: Envelope) -> Outcome:
        self._world.called(op, event)
        fault = self._world.fault(op, event.key)
        if fault and not fault["do"].startswith("effect_"):
            self._act(fault)
        fresh = self._world.effect(op, event)
        if fault and fault["do"] == "effect_die":
            os.kill(os.getpid(), signal.SIGKILL)
        if fault and fault["do"] == "effect_unknown":
            raise OutcomeUnknown("the answer was lost", seconds=0.05, code="timeout")
        return delivered(event, {"external_id": f"X-{event.key}", "repeated": not fresh})

    def _act(self, fault: dict[str, Any]) -> None:
        do = fault["do"]
        if do == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        elif do == "hang":
            time.sleep(float(fault["seconds"]))
        elif do == "missing":
            raise LookupError("no answer for this one")
        else:
            raise FAULTS[do]()


def _listing(number: int) -> Incoming:
    payload = ListingFound(listing=ListingRef(sku=f"SKU-{number}"))
    at = datetime(2026, 1, 1, tzinfo=timezone.utc)
    return Incoming("listing.found.v1", f"SKU-{number}", at, payload, (f"SKU-{number}", digest(payload)))


MANIFEST = Manifest(
    code="fake",
    label="Fake",
    kind=AdapterKind.CHANNEL,
    version="1",
    capabilities=tuple(Capability),
    settings_schema={"type": "object", "required": ["world"], "properties": {"world": {"type": "string"}}},
    credentials_schema={"type": "object"},
    rate_limits=(RateLimit(operation="publish", rate=1000.0, burst=1000.0),),
    batch={"availability.changed.v1": 25},
)


def _flow(context: Context) -> Flow:
    return FakeFlows(context)


adapter = Adapter(MANIFEST, dict.fromkeys(Capability, _flow))
