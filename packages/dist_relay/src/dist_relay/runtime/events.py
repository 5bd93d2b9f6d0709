"""The lane of outgoing events: envelope → adapter → outcome."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import ValidationError

from dist_contracts import Envelope, Outcome, Verdict, explain
from dist_relay import crash, metrics, telemetry
from dist_relay.errors import Broken, OutcomeUnknown, RelayError, Snoozed
from dist_relay.logging import bound_contextvars
from dist_relay.ports import Adapter

from .flows import Route, call, groups, refuse, worst
from .keys import F_ENVELOPE
from .lane import Lane
from .streams import Entry

RAW_LIMIT = 4_000


class Held(NamedTuple):
    """An entry in hand with its envelope."""

    entry: Entry
    event: Envelope


class EventLane(Lane):
    """Delivers the events of one connection, most urgent first, order of a key kept."""

    stream_name = "out"

    def handle(self, entries: list[Entry]) -> None:
        """Every entry ends with an outcome, or is left to be read again."""
        held: dict[str, Held] = {}
        for entry in entries:
            if one := self._read(entry):
                held[str(one.event.event_id)] = one
        adapter = self.adapter
        if adapter is None or self.config.state == "paused":
            self._park(list(held.values()))
            return
        for route, events in self._groups(list(held.values()), adapter):
            if self.deps.stop.is_set():
                return
            rest = self._begin([held[str(event.event_id)] for event in events])
            if rest and route is None:
                self._finish(rest, [refuse(one.event, adapter) for one in rest])
            elif rest and route:
                self._deliver(route, rest)

    def poison(self, entry: Entry) -> list[dict[str, Any]]:
        """A broken outcome, or a dead letter when not even the envelope can be read."""
        event = _parse(entry)
        if isinstance(event, str):
            return [self._unreadable(entry, event)]
        error = Broken(f"begun {entry.begun} times without a result; a worker may die of it", code="poison")
        return [_item(error.outcome(event))]

    def _groups(self, held: list[Held], adapter: Adapter) -> Iterator[tuple[Route | None, list[Envelope]]]:
        """As :func:`groups`; then one by one those a worker may have died of, so that each stands for itself."""
        yield from groups([one.event for one in held if not one.entry.begun], adapter)
        for one in held:
            if one.entry.begun:
                yield from groups([one.event], adapter)

    def _read(self, entry: Entry) -> Held | None:
        event = _parse(entry)
        if isinstance(event, str):
            self.log.error("unreadable entry", entry=entry.id, error=event)
            self.finish([entry.id], [self._unreadable(entry, event)])
            return None
        if str(event.database) != self.database or event.connection != self.config.connection:
            self.log.error("foreign entry dropped", entry=entry.id, database=str(event.database))
            self.forget([entry.id])
            return None
        if entry.begun and not event.read_back:
            event = event.model_copy(update={"read_back": True})
        return Held(entry, event)

    def _unreadable(self, entry: Entry, why: str) -> dict[str, Any]:
        raw = entry.fields.get(F_ENVELOPE, b"").decode("utf-8", "replace")
        try:
            event_id = str(json.loads(raw)["event_id"])
        except (ValueError, KeyError, TypeError):
            event_id = None
        return {
            "kind": "invalid",
            "connection": self.config.connection,
            "event_id": event_id,
            "message": f"the relay cannot read this envelope: {why}"[:2_000],
            "raw": raw[:RAW_LIMIT],
        }

    def _begin(self, held: list[Held]) -> list[Held]:
        """Those still ours, in time and not overtaken; the others are dropped without a result."""
        asked = [
            (
                one.entry.id,
                self.keys.version(one.event.type, one.event.key) if one.event.version else "",
                one.event.version,
            )
            for one in held
        ]
        settings = self.deps.settings
        begun = self.consumer.begin(asked, int(settings.lease_seconds * 1000))
        margin = int(settings.call_seconds * 1000)  # the call ends before somebody else is given the event
        good, drop, over = [], [], []
        for one, mine, stale in zip(held, begun.mine, begun.stale, strict=True):
            lapses = self.lapses(one.entry)
            if not mine:
                self.log.info("another worker has this entry", entry=one.entry.id)
                self.in_hand.discard(one.entry.id)
            elif lapses is not None and begun.now > lapses - margin:
                metrics.LAPSED.labels(self.config.name).inc()
                drop.append(one)
            elif stale:
                drop.append(one)
            elif _is_over(one.event, begun.now):
                over.append(one)
            else:
                good.append(one)
        if drop:
            self.log.info("dropped late or overtaken entries", entries=len(drop))
            self.forget([one.entry.id for one in drop])
        error = Broken("The deadline passed before it could be sent.", code="deadline")
        self._finish(over, [error.outcome(one.event) for one in over])
        return good

    def _deliver(self, route: Route, held: list[Held]) -> None:
        events = [one.event for one in held]
        checking = not route.effect
        try:
            if not checking:
                self.breaker.ask()
        except RelayError as error:
            self._finish(held, [error.outcome(event) for event in events])
            return
        crash.point("worker.before_call")
        ids = [event.correlation_id for event in events]
        with (
            bound_contextvars(correlation_id=ids[0]),
            telemetry.span("process", self.config.name, ids, messaging__operation__name=events[0].type),
        ):
            outcomes, error_ = call(self.flows.get, route, events, self.deps.clock, self.deps.settings.call_seconds)
            if error_ is not None:
                self.log.warning(
                    "call failed",
                    type=events[0].type,
                    events=len(events),
                    verdict=error_.verdict.value,
                    code=error_.code,
                    error=error_.message,
                    exc_info=error_.__cause__ if error_.code == "adapter_error" else None,
                )
        crash.point("worker.after_call")
        self._finish(held, outcomes)
        if error_ is not None:
            self.breaker.tell_error(error_)
        else:
            self.breaker.tell(worst(outcomes))

    def _park(self, held: list[Held]) -> None:
        if self.config.state == "paused":
            outcomes = [Snoozed(60, "the connection is paused", code="paused").outcome(one.event) for one in held]
        else:
            outcomes = [refuse(one.event, None) for one in held]
        self._finish(held, outcomes)

    def _finish(self, held: list[Held], outcomes: list[Outcome]) -> None:
        if not held:
            return
        self.finish(
            [one.entry.id for one in held], [_safe_item(o, one.event) for one, o in zip(held, outcomes, strict=True)]
        )
        now = self.deps.clock.now()
        for one, outcome in zip(held, outcomes, strict=True):
            type_, verdict = one.event.type, outcome.verdict
            metrics.OUTCOMES.labels(self.config.name, type_, verdict.value).inc()
            if verdict is Verdict.DELIVERED:
                seconds = max(0.0, (now - one.event.occurred_at).total_seconds())
                metrics.DELIVERY.labels(self.config.name, type_).observe(seconds)
            elif verdict in (Verdict.RETRY, Verdict.UNKNOWN, Verdict.SNOOZE):
                metrics.RETRIES.labels(self.config.name, type_, verdict.value).inc()
            self.log.info(
                "outcome",
                type=type_,
                key=one.event.key,
                event_id=str(one.event.event_id),
                attempt=one.event.attempt,
                verdict=verdict.value,
                code=outcome.code,
                correlation_id=one.event.correlation_id,
            )


def _is_over(event: Envelope, now_ms: int) -> bool:
    """Whether it is too late to begin. What may have taken effect is looked up all the same."""
    return event.deadline is not None and not event.read_back and event.deadline.timestamp() * 1000 <= now_ms


def _parse(entry: Entry) -> Envelope | str:
    try:
        return Envelope.read(entry.fields[F_ENVELOPE])[0]
    except KeyError:
        return "the entry has no envelope"
    except ValidationError as error:
        return explain(error)[:1_000]
    except (ValueError, RecursionError) as error:
        return str(error)[:1_000]


def _item(outcome: Outcome) -> dict[str, Any]:
    return {"kind": "outcome", "outcome": outcome.to_json()}


def _safe_item(outcome: Outcome, event: Envelope) -> dict[str, Any]:
    """The item; an adapter's data that is no JSON or too large is left out, for the outcome itself must arrive."""
    try:
        item = _item(outcome)
        if len(json.dumps(item, default=str)) <= 200_000:
            return item
        why = "its data was too large"
    except (ValueError, TypeError) as error:
        why = f"its data is not JSON: {error}"
    if outcome.verdict is Verdict.DELIVERED:
        return _item(outcome.model_copy(update={"data": {"relay_note": why}}))
    return _item(OutcomeUnknown(why, code="bad_data").outcome(event))
