"""The lane of pulls: a request from a schedule → pages of the adapter → events in the results, then ``pull_done``.

A page's events are in the results stream before the next page is asked for; ``pull_done`` comes last and names all of
them, so that the cursor advances only when PostgreSQL has stored every one. What was read before a failure counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, cast
from uuid import uuid4, uuid5

from pydantic import ValidationError

from dist_contracts import MAX_PAYLOAD_BYTES, Envelope, Verdict, event_id, explain, new_traceparent
from dist_contracts.identity import NAMESPACE
from dist_relay import crash, metrics, telemetry
from dist_relay.errors import Broken, RelayError, RetryLater, Snoozed
from dist_relay.http.deadline import within
from dist_relay.logging import bound_contextvars
from dist_relay.ports import Cursor, Incoming, Malformed, Page, Source

from .flows import PULLS
from .keys import F_REQUEST
from .lane import Lane, dump
from .redis_client import RedisError
from .streams import LOST, OTHERS, Entry

CHUNK = 50
RAW_LIMIT = 32_000


@dataclass
class Run:
    """How far a run has come."""

    cursor: Cursor | None
    id: str = ""
    """The run's, as PostgreSQL gave it out."""
    reading: str = ""
    """Of this worker: one that takes a run over reads it anew, and its reading has the larger name."""
    ids: list[str] = field(default_factory=list)
    pages: int = 0
    more: bool = False
    added: int = 0
    """Entries the results stream had got in its life after the last page."""


class PullLane(Lane):
    """Runs the pulls of one connection, one after the other."""

    stream_name = "pull"

    def handle(self, entries: list[Entry]) -> None:
        """Run each request; one that cannot be read is dropped, for its run lapses in PostgreSQL."""
        for entry in entries:
            if self.deps.stop.is_set():
                return
            request = _request(entry)
            if request is None:
                self.log.error("unreadable pull request dropped", entry=entry.id)
                self.forget([entry.id])
                continue
            id_ = request.get("correlation_id")
            what = str(request["capability"])
            with (
                bound_contextvars(correlation_id=id_),
                telemetry.span("receive", self.config.name, [id_], messaging__operation__name=what),
            ):
                self._run(entry, request)

    def poison(self, entry: Entry) -> list[dict[str, Any]]:
        """The run failed for good; the schedule tells people."""
        request = _request(entry)
        text = f"begun {entry.begun} times without a result; a worker may die of it"
        return [_failed(request, Broken(text, code="poison"))] if request else []

    def _run(self, entry: Entry, request: dict[str, Any]) -> None:
        given = self._time_left(entry)
        if given is None:
            return
        now, left = given
        run = Run(request.get("cursor"), str(request["run_id"]), f"{now:015d}-{uuid4().hex[:8]}")
        try:
            self._pull(entry, request, left, run)
        except RedisError:
            raise
        except RelayError as error:
            self._end_badly(entry, request, run, error)
            return
        except Exception as failure:
            self.log.error("pull failed", capability=request["capability"], exc_info=failure)
            text = f"the adapter failed: {type(failure).__name__}: {failure}"
            self._end_badly(entry, request, run, RetryLater(None, text, code="adapter_error"))
            return
        self.finish([entry.id], [_done(request, run)])
        self.breaker.tell(Verdict.DELIVERED)
        self.log.info("pulled", capability=request["capability"], events=len(run.ids), pages=run.pages, more=run.more)

    def _pull(self, entry: Entry, request: dict[str, Any], left: float, run: Run) -> None:
        settings, clock = self.deps.settings, self.deps.clock
        capability = self._gate(request)
        until = clock.monotonic() + left - 1.0
        source = cast(Source, self.flows.get(capability))
        deadline = clock.now() + timedelta(seconds=max(left - 1.0, 0.0))
        pages = iter(source.pull(run.cursor, deadline))
        while True:
            page = self._next_page(pages, until)
            if page is None:
                return
            metrics.PULLED.labels(self.config.name, request["capability"]).inc(len(page.events))
            self._store(entry, page, run)
            run.cursor, run.more, run.pages = page.cursor, page.more, run.pages + 1
            late = clock.monotonic() > until - settings.call_seconds / 2
            if not page.more or run.pages >= settings.pull_pages or late or self.deps.stop.is_set():
                return

    def _next_page(self, pages: Iterator[Page], until: float) -> Page | None:
        clock = self.deps.clock
        with within(clock, min(self.deps.settings.call_seconds, until - clock.monotonic())):
            return next(pages, None)

    def _gate(self, request: dict[str, Any]) -> Any:
        if self.config.state != "active":
            raise Snoozed(60, f"the connection is {self.config.state}", code="paused")
        capability = PULLS.get(request["capability"])
        if capability is None:
            raise Broken(f"there is no pull {request['capability']!r}", code="no_flow")
        waiting = int(self.deps.client.xlen(self.keys.results))
        if waiting > self.deps.settings.results_limit:
            raise Snoozed(15, f"{waiting} results wait to be stored first", code="back_pressure")
        self.breaker.ask()
        return capability

    def _time_left(self, entry: Entry) -> tuple[int, float] | None:
        """Redis' time (ms) and the seconds this run has; ``None`` (and dropped) when it is late, or somebody else's."""
        begun = self.consumer.begin([(entry.id, "", None)], 1000)
        if not begun.mine[0]:
            self.in_hand.discard(entry.id)
            return None
        lapses = self.lapses(entry)
        if lapses is None:
            return begun.now, float(self.deps.settings.lease_seconds)
        if begun.now >= lapses - 1000:
            metrics.LAPSED.labels(self.config.name).inc()
            self.forget([entry.id])
            return None
        return begun.now, (lapses - begun.now) / 1000

    def _store(self, entry: Entry, page: Page, run: Run) -> None:
        """Write a page's events, unless pages before it may be lost: they would be read again, and come after it.

        :raises Snoozed: another worker has taken the run over meanwhile
        :raises RetryLater: Redis lost the request or results; the run is told to be over, and is asked for again
        """
        items: list[dict[str, Any]] = []
        for incoming in page.events:
            item, id_ = self._item(incoming)
            # PostgreSQL stores a run's events in this order or not at all, whatever becomes of Redis
            items.append({**item, "run_id": run.id, "reading": run.reading, "nth": len(run.ids)})
            run.ids.append(id_)
        texts = [dump(item) for item in items]
        witness, ttl = self.keys.page(entry.id), 2_000 * self.deps.settings.lease_seconds
        for start in range(0, max(1, len(texts)), CHUNK):
            part = texts[start : start + CHUNK]
            add = partial(self.consumer.add_page, self.keys.results, witness, entry.id, run.added, part, ttl)
            added = self.insist(add, len(part))
            if added == OTHERS:
                raise Snoozed(5, "another worker has taken this pull over", code="taken_over")
            if added == LOST:
                raise RetryLater(None, "Redis lost a part of what was read; it is read again", code="results_lost")
            run.added = added
        crash.point("worker.page")

    def _item(self, incoming: Incoming | Malformed) -> tuple[dict[str, Any], str]:
        """The intake item of one event and its id.

        One without meaning, or too large, goes without payload: PostgreSQL makes a dead letter of it, once however
        often it is read, and the pull goes on.
        """
        id_ = str(event_id(self.database, self.config.connection, incoming.type, incoming.key, *incoming.fact))
        journey = uuid5(NAMESPACE, f"{self.database}|{self.config.connection}|journey|{incoming.key}").hex
        envelope: dict[str, Any] = {
            "event_id": id_,
            "type": incoming.type,
            "database": self.database,
            "connection": self.config.connection,
            "key": incoming.key,
            "correlation_id": new_traceparent(journey),
        }
        if isinstance(incoming, Malformed):
            return self._refused(envelope, incoming.reason, incoming.raw), id_
        text = ""
        try:
            payload = incoming.payload.to_json()
            text = dump(payload)
            if len(text) > MAX_PAYLOAD_BYTES:
                why = f"{incoming.type} {incoming.key} has {len(text)} bytes; at most {MAX_PAYLOAD_BYTES} are taken"
                return self._refused(envelope, why, text), id_
            moment = incoming.occurred_at.isoformat()
            checked = Envelope.model_validate_json(dump({**envelope, "occurred_at": moment, "payload": payload}))
            return {"kind": "event", "envelope": checked.to_json()}, id_
        except ValueError as error:
            why = explain(error) if isinstance(error, ValidationError) else str(error)
            return self._refused(envelope, why[:1_000], text), id_

    def _refused(self, envelope: dict[str, Any], why: str, raw: str) -> dict[str, Any]:
        self.log.error("event cannot be taken", type=envelope["type"], key=envelope["key"], error=why)
        return {"kind": "event", "envelope": {"refused": why, **envelope, "payload": None, "raw": raw[:RAW_LIMIT]}}

    def _end_badly(self, entry: Entry, request: dict[str, Any], run: Run, error: RelayError) -> None:
        self.log.warning(
            "pull ended early",
            capability=request["capability"],
            pages=run.pages,
            verdict=error.verdict.value,
            code=error.code,
            error=error.message,
        )
        if error.code == "taken_over":
            return
        run.more = True
        self.finish([entry.id], [_done(request, run) if run.pages else _failed(request, error)])
        if error.code != "results_lost":
            self.breaker.tell_error(error)


def _request(entry: Entry) -> dict[str, Any] | None:
    try:
        request = json.loads(entry.fields[F_REQUEST])
        return request if request["run_id"] and request["capability"] else None
    except (KeyError, ValueError, TypeError):
        return None


def _done(request: dict[str, Any], run: Run) -> dict[str, Any]:
    return {
        "kind": "pull_done",
        "run_id": request["run_id"],
        "cursor": run.cursor,
        "event_ids": run.ids,
        "more": run.more,
    }


def _failed(request: dict[str, Any], error: RelayError) -> dict[str, Any]:
    verdict = error.verdict.value if error.verdict in (Verdict.RETRY, Verdict.SNOOZE, Verdict.BROKEN) else "retry"
    return {
        "kind": "pull_failed",
        "run_id": request["run_id"],
        "verdict": "broken" if error.verdict is Verdict.REJECTED else verdict,
        "code": error.code,
        "message": error.message,
        "retry_after": error.seconds,
    }
