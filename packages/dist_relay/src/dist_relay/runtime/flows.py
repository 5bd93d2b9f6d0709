"""Which event is handled by which port, and what one call of a port means for each event. No Redis here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from dist_contracts import Capability, Envelope, Outcome, Verdict
from dist_relay.errors import Broken, OutcomeUnknown, Rejected, RelayError, RetryLater, Snoozed, delivered
from dist_relay.http.deadline import within
from dist_relay.ports import Adapter, Clock, Flow


class Route(NamedTuple):
    """Capability, method of its port, whether it takes many events, whether it changes something outside."""

    capability: Capability
    method: str
    batched: bool = False
    effect: bool = True


ROUTES: dict[str, Route] = {
    "connection.check.v1": Route(Capability.CHECK, "check", effect=False),
    "availability.changed.v1": Route(Capability.AVAILABILITY_PUSH, "publish", batched=True),
    "order.acknowledge.v1": Route(Capability.ORDER_ACKNOWLEDGE, "acknowledge"),
    "order.cancel.v1": Route(Capability.ORDER_CANCEL, "cancel"),
    "shipment.confirm.v1": Route(Capability.SHIPMENT_CONFIRM, "confirm"),
}

PULLS: dict[str, Capability] = {
    Capability.ORDERS_PULL.value: Capability.ORDERS_PULL,
    Capability.LISTINGS_PULL.value: Capability.LISTINGS_PULL,
}


def groups(events: Sequence[Envelope], adapter: Adapter) -> Iterator[tuple[Route | None, list[Envelope]]]:
    """Events in groups one call takes: most urgent first, else in their order; ``None`` for a type nobody handles."""
    by_type: dict[str, list[Envelope]] = {}
    for event in sorted(events, key=lambda e: e.priority):
        by_type.setdefault(event.type, []).append(event)
    for type_, some in by_type.items():
        route = ROUTES.get(type_)
        size = max(1, adapter.manifest.batch.get(type_, 1)) if route and route.batched else 1
        for start in range(0, len(some), size):
            yield route, some[start : start + size]


def together(
    found: Iterable[tuple[Route | None, list[Envelope]]], most: Callable[[], int]
) -> Iterator[tuple[Route | None, list[list[Envelope]]]]:
    """Neighbouring groups of one route, ``most()`` at a time; what takes a batch in one call already stands alone."""
    route: Route | None = None
    calls: list[list[Envelope]] = []
    for next_, events in found:
        if calls and (next_ != route or next_ is None or next_.batched or not next_.effect or len(calls) >= most()):
            yield route, calls
            calls = []
        route = next_
        calls.append(events)
    if calls:
        yield route, calls


def call(
    flow: Callable[[Capability], Flow], route: Route, events: Sequence[Envelope], clock: Clock, seconds: float
) -> tuple[list[Outcome], RelayError | None]:
    """One call of an adapter: an outcome for each event, and the error when the call raised instead of answering."""
    try:
        with within(clock, seconds):
            port: Any = flow(route.capability)
            method = getattr(port, route.method)
            if route.batched:
                answers = method(list(events))
            elif route.capability is Capability.CHECK:
                answers = [delivered(events[0], method())]
            else:
                answers = [method(events[0])]
        return _complete(events, answers), None
    except RelayError as error:
        told = _check_failed(error) if route.capability is Capability.CHECK else error
        return [told.outcome(event) for event in events], error
    except Exception as failure:
        defect = _defect(failure, route.effect)
        return [defect.outcome(event) for event in events], defect


def _defect(failure: Exception, effect: bool) -> RelayError:
    text = f"the adapter failed: {type(failure).__name__}: {failure}"
    error = OutcomeUnknown(text, code="adapter_error") if effect else RetryLater(None, text, code="adapter_error")
    error.__cause__ = failure
    return error


def _check_failed(error: RelayError) -> RelayError:
    """Somebody waits for the answer of a check: a failure is the answer, except that of a used-up budget."""
    if isinstance(error, Snoozed) and error.code in ("throttled", "rate_limited"):
        return error
    return Rejected(error.code or "check_failed", error.message)


def _complete(events: Sequence[Envelope], answers: Any) -> list[Outcome]:
    """Exactly one outcome per event, in the events' order; a missing one is unknown, a foreign one is dropped."""
    by_id = {answer.event_id: answer for answer in answers if isinstance(answer, Outcome)}
    found = []
    for event in events:
        answer = by_id.get(event.event_id)
        if answer is None:
            answer = OutcomeUnknown("the adapter gave no outcome for this event", code="no_outcome").outcome(event)
        elif answer.attempt != event.attempt or answer.version != event.version:
            answer = answer.model_copy(update={"attempt": event.attempt, "version": event.version})
        found.append(answer)
    return found


def refuse(event: Envelope, adapter: Adapter | None) -> Outcome:
    """The outcome of an event no flow exists for."""
    if adapter is None:
        return Snoozed(60, "this worker has no such adapter installed", code="adapter_missing").outcome(event)
    return Broken(f"{adapter.manifest.label} cannot handle {event.type}", code="no_flow").outcome(event)


def worst(outcomes: Sequence[Outcome]) -> Verdict:
    """The verdict of a call for the breaker: good when any event got a real answer."""
    verdicts = {outcome.verdict for outcome in outcomes}
    for verdict in (Verdict.DELIVERED, Verdict.REJECTED, Verdict.SNOOZE, Verdict.UNKNOWN, Verdict.RETRY):
        if verdict in verdicts:
            return verdict
    return Verdict.BROKEN
