# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The outbox's SQL functions against a model, by random histories that hypothesis makes and shortens.

The model is written from docs/state-machines.md, row by row and without SQL. Beside it stand the promises themselves,
asserted from what was claimed: facts of a key in order, no version after a newer one, nothing settled twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from odoo.exceptions import UserError

from .common import SyncCase
from .relay_kit import RelayKit

OPEN = ("pending", "published", "unknown")
VERDICTS = ("delivered", "rejected", "retry", "snooze", "unknown", "broken")
MAX_ATTEMPTS = 3


@dataclass
class Event:
    """What the model knows of one event. ``ready``: no pause; ``lapsed``: its lease is over."""

    id: int
    event_id: str
    kind: str
    key: str
    version: int = 0
    state: str = "pending"
    publication: int = 0
    attempts: int = 0
    read_back: bool = False
    ready: bool = True
    lapsed: bool = False

    @property
    def shown(self) -> tuple:
        return self.state, self.publication, self.attempts, self.read_back


class Outbox:
    """The model: a list of events and the newest version that was published of each state."""

    def __init__(self) -> None:
        self.events: dict[int, Event] = {}
        self.published: dict[str, int] = {}

    def of_key(self, event: Event) -> list[Event]:
        return [o for o in self.events.values() if (o.kind, o.key) == (event.kind, event.key) and o is not event]

    def may_be_claimed(self, event: Event) -> bool:
        due = (event.state in ("pending", "unknown") and event.ready) or (event.state == "published" and event.lapsed)
        if not due:
            return False
        if event.kind == "fact":
            return not any(o.id < event.id and o.state in (*OPEN, "dead") for o in self.of_key(event))
        return not any(
            o.state in OPEN and (o.version > event.version or (o.state == "published" and not o.lapsed))
            for o in self.of_key(event)
        )

    def claim(self) -> list[Event]:
        taken = [event for event in self.events.values() if self.may_be_claimed(event)]
        given = []
        for event in taken:
            if event.kind == "state":
                if self.published.get(event.key, 0) > event.version:
                    event.state = "cancelled"
                    continue
                for other in self.of_key(event):
                    if other.state in OPEN:
                        other.state = "cancelled"
                self.published[event.key] = event.version
            event.read_back = event.read_back or event.state in ("published", "unknown")
            event.state, event.ready, event.lapsed = "published", True, False
            event.publication += 1
            given.append(event)
        return given

    def answer(self, event: Event, publication: int, verdict: str, begun_before: bool) -> str:
        if event.publication != publication:
            return "stale"
        final = {"broken": "dead"}.get(verdict, verdict)
        if not (event.state == "published" or (event.state == "unknown" and verdict in VERDICTS[:2] + VERDICTS[5:])):
            return "duplicate" if event.state == final else "stale"
        event.attempts += verdict in ("retry", "unknown")
        event.read_back = event.read_back or begun_before or verdict == "unknown"
        if event.kind == "state" and self.published[event.key] > event.version:
            event.state = "cancelled"
            return "stale"
        if verdict in ("delivered", "rejected", "broken"):
            event.state = final
        elif verdict != "snooze" and event.attempts >= MAX_ATTEMPTS:
            event.state = "dead"
        else:
            event.state, event.ready = ("unknown" if verdict == "unknown" else "pending"), False
        return "released" if event.state in OPEN else "dead" if event.state == "dead" else "settled"


class OutboxMachine(RuleBasedStateMachine):
    """One connection; every rule does the same to the database and to the model."""

    case: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.case.env.flush_all()
        self.case.env.cr.execute("SAVEPOINT history")
        self.model = Outbox()
        self.tickets: list[tuple[Event, dict[str, Any]]] = []
        self.settled: dict[int, int] = {}
        self.version = 0
        self.held_back: list[int] = []

    def teardown(self) -> None:
        self.case.env.invalidate_all(flush=False)
        self.case.env.cr.execute("ROLLBACK TO SAVEPOINT history; RELEASE SAVEPOINT history")

    def record(self, event: Event) -> Any:
        return self.case.env["dist.outbox.event"].browse(event.id)

    def add(self, record: Any, kind: str, key: str, version: int = 0) -> None:
        self.model.events[record.id] = Event(record.id, record.event_id, kind, key, version)

    # -- what Odoo does ------------------------------------------------------------------------------------------------
    @rule(key=st.sampled_from("AB"))
    def emit_fact(self, key: str) -> None:
        count = len(self.model.events)
        self.add(self.case.emit_fact(self.case.connection, key, count, max_attempts=MAX_ATTEMPTS), "fact", key)

    @rule()
    def take_a_version_and_commit_late(self) -> None:
        self.version += 1
        self.held_back.append(self.version)

    @rule(key=st.sampled_from("XY"), late=st.booleans())
    def emit_state(self, key: str, late: bool) -> None:
        if late and self.held_back:
            version = self.held_back.pop(0)
        else:
            self.version += 1
            version = self.version
        record = self.case.emit_state(self.case.connection, key, version, max_attempts=MAX_ATTEMPTS)
        self.add(record, "state", key, version)

    @precondition(lambda self: self.model.events)
    @rule(data=st.data())
    def cancel(self, data: Any) -> None:
        self.decide(data, "action_cancel", "cancelled", ("pending", "unknown", "dead"))

    @precondition(lambda self: any(e.state in ("dead", "rejected") for e in self.model.events.values()))
    @rule(data=st.data())
    def replay(self, data: Any) -> None:
        event = self.decide(data, "action_replay", "pending", ("dead", "rejected"))
        if event:
            event.attempts, event.ready = 0, True
            self.settled.pop(event.id, None)

    def decide(self, data: Any, action: str, target: str, sources: tuple[str, ...]) -> Event | None:
        event = data.draw(st.sampled_from(list(self.model.events.values())))
        if event.state not in sources:
            with self.case.assertRaises(UserError):
                getattr(self.record(event), action)()
            return None
        getattr(self.record(event), action)()
        event.state = target
        return event

    # -- what the relay does -------------------------------------------------------------------------------------------
    @rule()
    def claim(self) -> None:
        before = {event.id: event.state for event in self.model.events.values()}
        newest = dict(self.model.published)
        claimed = self.case.claim(self.case.connection)
        expected = self.model.claim()
        self.case.assertEqual(
            sorted((row["event_id"], row["attempt"], row["read_back"]) for row in claimed),
            sorted((event.event_id, event.publication, event.read_back) for event in expected),
        )
        by_id = {event.event_id: event for event in expected}
        for row in claimed:
            event = by_id[row["event_id"]]
            self.tickets.append((event, row))
            if event.kind == "fact":
                earlier = {before[other.id] for other in self.model.of_key(event) if other.id < event.id}
                self.case.assertLessEqual(earlier, {"delivered", "rejected", "cancelled"}, "out of its turn")
            else:
                self.case.assertGreaterEqual(event.version, newest.get(event.key, 0), "an old value after a new one")

    @precondition(lambda self: self.tickets)
    @rule(data=st.data(), count=st.integers(1, 4))
    def answer(self, data: Any, count: int) -> None:
        """Any claim that ever was, in any order, repeated or not, several in one call."""
        tickets = [data.draw(st.sampled_from(self.tickets)) for _n in range(count)]
        verdicts = [data.draw(st.sampled_from(VERDICTS)) for _n in range(count)]
        begun = [data.draw(st.booleans()) for _n in range(count)]  # by a worker that died of it
        items = [
            {**self.case.outcome(row, verdict), **({"read_back": True} if before else {})}
            for (_event, row), verdict, before in zip(tickets, verdicts, begun, strict=True)
        ]
        statuses = self.case.intake(*items)
        for (event, row), verdict, before, status in zip(tickets, verdicts, begun, statuses, strict=True):
            self.case.assertEqual(status, self.model.answer(event, row["attempt"], verdict, before), verdict)
            if status in ("settled", "dead"):
                self.settled[event.id] = self.settled.get(event.id, 0) + 1
                self.case.assertEqual(self.settled[event.id], 1, "settled twice")

    @rule()
    def nobody_answers_in_time(self) -> None:
        self.case.lapse(*({"event_id": event.event_id} for event in self.model.events.values()))
        for event in self.model.events.values():
            event.lapsed = event.state == "published"

    @rule()
    def pauses_are_over(self) -> None:
        self.case.make_due()
        for event in self.model.events.values():
            event.ready = True

    @invariant()
    def the_database_is_the_model(self) -> None:
        self.case.env.flush_all()
        self.case.env.cr.execute(
            "SELECT id, state, publication, attempts, read_back FROM dist_outbox_event WHERE connection_id = %s",
            (self.case.connection.id,),
        )
        found = {id_: tuple(shown) for id_, *shown in self.case.env.cr.fetchall()}
        self.case.assertEqual(found, {event.id: event.shown for event in self.model.events.values()})


class TestOutboxMachine(RelayKit, SyncCase):
    def run_histories(self, *phases: Phase) -> None:
        self.connection = self.make_connection()
        machine = type("Machine", (OutboxMachine,), {"case": self})
        limits = settings(
            max_examples=60,
            stateful_step_count=35,
            phases=phases,
            derandomize=True,
            deadline=None,
            database=None,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        )
        run_state_machine_as_test(machine, settings=limits)

    def test_random_histories(self):
        self.run_histories(Phase.generate, Phase.shrink)

    def test_a_model_that_is_wrong_is_noticed(self):
        """The head-of-line rule left out of the claim: the histories find it (and need not be shortened)."""
        definition = "dist_relay._heads(integer,boolean,timestamp without time zone,integer,integer)"
        self.env.cr.execute("SELECT pg_get_functiondef(%s::regprocedure)", (definition,))
        source = self.env.cr.fetchone()[0]
        mutant = source.replace("WHEN 'fact' THEN e.id", "WHEN 'fact' THEN true OR e.id")
        self.assertNotEqual(mutant, source)
        self.env.cr.execute(mutant)
        with self.assertRaises(AssertionError):
            self.run_histories(Phase.generate)
