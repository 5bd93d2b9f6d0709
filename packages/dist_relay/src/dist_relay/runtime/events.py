"""The lane of outgoing events: envelope → adapter → outcome."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import ValidationError

from dist_contracts import Envelope, Outcome, Verdict, explain
from dist_relay import crash, metrics, telemetry
from dist_relay.errors import Broken, OutcomeUnknown, RelayError, Snoozed
from dist_relay.logging import bound_contextvars
from dist_relay.ports import Adapter

from .connection import Config
from .flows import Route, call, groups, refuse, together, worst
from .keys import F_ENVELOPE, F_LIFE
from .lane import READ_COUNT, Deps, Lane, dump
from .streams import Entry
from .suspects import Suspects

RAW_LIMIT = 4_000
MAX_ITEM = 200_000
"""Longest outcome as JSON; an adapter's data beyond it is left out."""

TOGETHER_SECONDS = 0.05
"""Calls that are over so soon are begun and told together: one step in Redis for many. A slow one ends it."""

_COMES_AGAIN = frozenset({Verdict.RETRY, Verdict.UNKNOWN, Verdict.SNOOZE})

CONFIG_SECONDS = 2.0
"""When an event that came ahead of its connection's configuration is looked at again."""


class Held(NamedTuple):
    """An entry in hand with its envelope, and how often the event was begun before without a result."""

    entry: Entry
    event: Envelope
    begun: int = 0


class Done(NamedTuple):
    """What was called, with its outcomes."""

    held: list[Held]
    outcomes: list[Outcome]


class EventLane(Lane):
    """Delivers the events of one connection, most urgent first, order of a key kept."""

    stream_name = "out"

    def __init__(self, deps: Deps, database: str, config: Config) -> None:
        super().__init__(deps, database, config)
        self._suspects = Suspects(deps.client, self.keys)
        self._at_once = 1
        # short against the time after which others take over what seems left behind
        self._together_seconds = min(
            TOGETHER_SECONDS, (deps.settings.claim_idle_seconds - deps.settings.call_seconds) / 4
        )
        # from a begin to the end of the last call it stands for
        self._longest_seconds = deps.settings.call_seconds + self._together_seconds

    def handle(self, entries: list[Entry]) -> None:
        """Every entry ends with an outcome, or is left to be read again."""
        held: dict[str, Held] = {}
        early = []
        for entry in entries:
            if one := self._read(entry):
                held[str(one.event.event_id)] = one
                if self.needs_config(entry) > self.config.config_version:
                    early.append(held.pop(str(one.event.event_id)))
        early = self._begin(early, going_on=True)
        error = Snoozed(CONFIG_SECONDS, "it came ahead of its connection's configuration", code="config_late")
        self._finish(early, [error.outcome(one.event) for one in early])
        adapter = self.adapter
        if adapter is None or self.config.state == "paused":
            self._park(self._begin(list(held.values()), going_on=True))
            return
        for route, calls in self._runs(self._known(list(held.values())), adapter):
            if self.deps.stop.is_set():
                return
            good = {one.entry.id for one in self._begin([one for call in calls for one in call])}
            calls = [some for call in calls if (some := [one for one in call if one.entry.id in good])]
            if route is None:
                for some in calls:
                    self._finish(some, [refuse(one.event, adapter) for one in some])
            else:
                self._deliver_all(route, calls)

    def poison(self, entry: Entry) -> list[dict[str, Any]]:
        """A broken outcome, or a dead letter when not even the envelope can be read."""
        event = _parse(entry)
        if isinstance(event, str):
            return [self._unreadable(entry, event)]
        error = Broken(f"begun {entry.begun} times without a result; a worker may die of it", code="poison")
        return [_item(error.outcome(event), read_back=True)]

    def counts(self, entry: Entry) -> list[str]:
        """The count of its event."""
        event = _parse(entry)
        return [] if isinstance(event, str) else [self.keys.begun(str(event.event_id))]

    def _known(self, held: list[Held]) -> list[Held]:
        """With how often each was begun before, in earlier publications, too; what was begun too often is given up."""
        suspects = [one for one in held if one.event.read_back]
        if not suspects:
            return held
        begun = self._suspects.begun([str(one.event.event_id) for one in suspects])
        counted = {one.entry.id: max(one.entry.begun, number) for one, number in zip(suspects, begun, strict=True)}
        good = []
        for one in held:
            number = counted.get(one.entry.id, 0)
            if number >= self.deps.settings.max_deliveries:
                self.give_up(one.entry._replace(begun=number))
            else:
                good.append(one._replace(begun=number))
        return good

    def _runs(self, held: list[Held], adapter: Adapter) -> Iterator[tuple[Route | None, list[list[Held]]]]:
        """Calls that are begun and told together, with their route.

        Most urgent first. As many as this connection lately made in :data:`TOGETHER_SECONDS`; one where its last call
        was slow or bad. Those a worker may have died of come last and one by one, so that each stands for itself.
        """
        known = {one.event.event_id: one for one in held}
        fresh = groups([one.event for one in held if not one.begun], adapter)
        for route, calls in together(fresh, lambda: self._at_once):
            yield route, [[known[event.event_id] for event in call] for call in calls]
        for one in held:
            if one.begun:
                for route, _ in groups([one.event], adapter):
                    yield route, [[one]]

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

    def _begin(self, held: list[Held], *, going_on: bool = False) -> list[Held]:
        """Those still ours, in time and not overtaken; the others are dropped without a result.

        ``going_on``: they were begun before and not called, or will not be; only their time is renewed.
        """
        asked = [
            (
                one.entry.id,
                self.keys.version(one.event.type, one.event.key) if one.event.version else "",
                one.event.version,
            )
            for one in held
        ]
        lives = [one.entry.fields.get(F_LIFE, b"").decode("ascii", "replace") for one in held]
        begun = self.consumer.begin(asked, int(self.deps.settings.lease_seconds * 1000), lives=lives, going_on=going_on)
        # the last call ends before somebody else is given the event
        margin = int(self._longest_seconds * 1000)
        good, drop, over, foreign = [], [], [], []
        for one, mine, stale, elsewhere in zip(held, begun.mine, begun.stale, begun.foreign, strict=True):
            lapses = self.lapses(one.entry)
            if not mine:
                self.log.info("another worker has this entry", entry=one.entry.id)
                self.in_hand.discard(one.entry.id)
            elif elsewhere:
                foreign.append(one)
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
            self._remember(drop)
            self.log.info("dropped late or overtaken entries", entries=len(drop))
            self.forget([one.entry.id for one in drop])
        error = Broken("The deadline passed before it could be sent.", code="deadline")
        self._finish(over, [error.outcome(one.event) for one in over])
        if foreign:
            self._ask_again(foreign)
        return good

    def _remember(self, held: list[Held], more: int = 0) -> None:
        """How often these were begun: their next publication has an entry that was never begun.

        ``more``: how often they are begun now. Right before the call, not with the entry: what is not called after all,
        for the connection is given a rest, cannot have killed anybody.
        """
        numbers = {
            str(one.event.event_id): max(one.begun, one.entry.begun) + more for one in held if one.event.read_back
        }
        self._suspects.count({id_: number for id_, number in numbers.items() if number})

    def _ask_again(self, held: list[Held]) -> None:
        """Leave it to PostgreSQL whether these are still to be sent: Redis came back, maybe as it was before.

        It may have forgotten that they were begun, or settled and followed by newer ones. What is settled in PostgreSQL
        stays so; the rest comes again to be looked up first, when a call that another worker may be in the middle of
        is over: looked up before, it would be sent beside it. Also past its deadline, as whatever may have taken
        effect: that nobody began it is no more than what this life knows.
        """
        self.log.warning(
            "published in another life of Redis or given to a group that was lost; PostgreSQL is asked again",
            entries=len(held),
        )
        known = [one._replace(event=one.event.model_copy(update={"read_back": True})) for one in held]
        why = "Redis was restarted or replaced, or lost its consumer group, after this was published"
        error = Snoozed(self._longest_seconds, why, code="redis_restarted")
        self._finish(known, [error.outcome(one.event) for one in known])

    def _deliver_all(self, route: Route, calls: list[list[Held]]) -> None:
        """Make the calls. A slow or bad one ends what is told together, and the rest is asked for again."""
        while calls:
            calls = calls[self._deliver(route, calls) :]
            if not calls or self.deps.stop.is_set():
                return
            good = {one.entry.id for one in self._begin([one for some in calls for one in some], going_on=True)}
            calls = [left for some in calls if (left := [one for one in some if one.entry.id in good])]

    def _deliver(self, route: Route, calls: list[list[Held]]) -> int:
        """Make calls until one is bad or :data:`TOGETHER_SECONDS` are over, and tell their outcomes; how many."""
        try:
            if route.effect:
                self.breaker.ask()
        except RelayError as error:
            for some in calls:
                self._finish(some, [error.outcome(one.event) for one in some])
            return len(calls)
        began, done = self.deps.clock.monotonic(), Done([], [])
        number = 0
        for some in calls:
            number += 1
            self._remember(some, 1)
            outcomes, error_ = self._call(route, [one.event for one in some])
            done.held.extend(some)
            done.outcomes.extend(outcomes)
            verdict = worst(outcomes)
            bad = error_ is not None or verdict not in (Verdict.DELIVERED, Verdict.REJECTED)
            slow = self.deps.clock.monotonic() - began > self._together_seconds
            if bad or slow:
                break
        self._at_once = 1 if bad or slow else min(READ_COUNT, max(self._at_once, 2 * number))
        self._finish(*done, called=True)
        if bad and number > 1:
            self.breaker.tell(Verdict.DELIVERED)  # those before it were good: failures count in a row
        if error_ is not None:
            self.breaker.tell_error(error_)
        else:
            self.breaker.tell(verdict)
        return number

    def _call(self, route: Route, events: list[Envelope]) -> tuple[list[Outcome], RelayError | None]:
        crash.point("worker.before_call")
        ids = [event.correlation_id for event in events]
        with (
            bound_contextvars(correlation_id=ids[0]),
            telemetry.span("process", self.config.name, ids, messaging__operation__name=events[0].type),
        ):
            outcomes, error = call(self.flows.get, route, events, self.deps.clock, self.deps.settings.call_seconds)
            if error is not None:
                self.log.warning(
                    "call failed",
                    type=events[0].type,
                    events=len(events),
                    verdict=error.verdict.value,
                    code=error.code,
                    error=error.message,
                    exc_info=error.__cause__ if error.code == "adapter_error" else None,
                )
        crash.point("worker.after_call")
        return outcomes, error

    def _park(self, held: list[Held]) -> None:
        if self.config.state == "paused":
            outcomes = [Snoozed(60, "the connection is paused", code="paused").outcome(one.event) for one in held]
        else:
            outcomes = [refuse(one.event, None) for one in held]
        self._finish(held, outcomes)

    def _finish(self, held: list[Held], outcomes: list[Outcome], *, called: bool = False) -> None:
        if not held:
            return
        texts = [_text(outcome, one.event) for one, outcome in zip(held, outcomes, strict=True)]
        over = [called or outcome.verdict not in _COMES_AGAIN for outcome in outcomes]
        self._remember([one for one, ends in zip(held, over, strict=True) if not ends])
        # its worker has lived through the call, or it is not called any more
        suspects = [one for one, ends in zip(held, over, strict=True) if ends and one.event.read_back]
        counts = [self.keys.begun(str(one.event.event_id)) for one in suspects]
        self.finish_texts([one.entry.id for one in held], texts, counts)
        now = self.deps.clock.now()
        told: Counter[tuple[str, Verdict]] = Counter()
        for one, outcome in zip(held, outcomes, strict=True):
            type_, verdict = one.event.type, outcome.verdict
            told[type_, verdict] += 1
            delivered = verdict is Verdict.DELIVERED
            if delivered:
                seconds = max(0.0, (now - one.event.occurred_at).total_seconds())
                metrics.DELIVERY.labels(self.config.name, type_).observe(seconds)
            # what went well is told by the batch: at thousands a second its lines would be most of the work
            (self.log.debug if delivered else self.log.info)(
                "outcome",
                type=type_,
                key=one.event.key,
                event_id=str(one.event.event_id),
                attempt=one.event.attempt,
                verdict=verdict.value,
                code=outcome.code,
                correlation_id=one.event.correlation_id,
            )
        for (type_, verdict), times in told.items():
            metrics.OUTCOMES.labels(self.config.name, type_, verdict.value).inc(times)
            if verdict in _COMES_AGAIN:
                metrics.RETRIES.labels(self.config.name, type_, verdict.value).inc(times)
            elif verdict is Verdict.DELIVERED:
                self.log.info("delivered", type=type_, events=times, correlation_id=held[0].event.correlation_id)


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


def _item(outcome: Outcome, read_back: bool) -> dict[str, Any]:
    """``read_back`` goes with every outcome: only whoever holds the entry knows that work on it was begun before."""
    item = {"kind": "outcome", "outcome": outcome.to_json()}
    return {**item, "read_back": True} if read_back else item


def _text(outcome: Outcome, event: Envelope) -> str:
    """The item as JSON, the usual one written once and without a detour."""
    try:
        text = outcome.model_dump_json(exclude_none=True)
        if len(text) <= MAX_ITEM and "\\u" not in text:
            more = ',"read_back":true' if event.read_back else ""
            return f'{{"kind":"outcome","outcome":{text}{more}}}'
    except ValueError:
        pass  # said by the careful way
    return dump(_safe_item(outcome, event))


def _safe_item(outcome: Outcome, event: Envelope) -> dict[str, Any]:
    """The item; an adapter's data that is no JSON or too large is left out, for the outcome itself must arrive."""
    try:
        item = _item(outcome, event.read_back)
        if len(json.dumps(item, default=str)) <= MAX_ITEM:
            return item
        why = "its data was too large"
    except (ValueError, TypeError) as error:
        why = f"its data is not JSON: {error}"
    if outcome.verdict is Verdict.DELIVERED:
        return _item(outcome.model_copy(update={"data": {"relay_note": why}}), event.read_back)
    return _item(OutcomeUnknown(why, code="bad_data").outcome(event), event.read_back)
