# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The job engine by random histories that hypothesis makes and shortens.

Promises, not a second engine: each job that is done was done once, jobs of a key in their order, the last request of
an identity is not lost and no older one is run after it, states change along docs/state-machines.md only, attempts are
counted as declared, and a batch that is rolled back leaves nothing.
"""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from ..engine import claim, maintain
from ..engine.batch import Batches
from ..errors import Permanent, RetryLater, Snooze
from .common import FAR, SyncCase

HANDLER = "test.machine.v1"
MAX_ATTEMPTS = 3
UNSETTLED = ("pending", "parked", "dead")
LEGAL = {
    "pending": {"pending", "done", "dead", "parked", "cancelled"},
    "parked": {"parked", "pending", "cancelled"},
    "dead": {"dead", "pending", "cancelled"},
    "done": {"done"},
    "cancelled": {"cancelled"},
}


JOBS = st.lists(
    st.tuples(
        st.sampled_from([None, "a", "b"]),  # key
        st.sampled_from([None, None, "x", "y"]),  # identity
        st.sampled_from(["ok", "ok", "retry", "broken", "permanent", "snooze"]),
        st.integers(1, 4),  # fails so often
        st.sampled_from([False, False, True]),  # not before a later time
        st.integers(3, 6),  # priority
    ),
    min_size=3,
    max_size=8,
)


class RolledBack(Exception):
    """A crash before the commit."""


class JobMachine(RuleBasedStateMachine):
    """One handler; what a job does stands in its payload: ``fails`` times by ``how``, then it books its number."""

    case: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.cr = self.case.env.cr
        self.cr.execute(
            "SAVEPOINT history; DELETE FROM dist_job; CREATE TEMP TABLE machine_ledger (n serial, job int, number int)"
        )
        self.batches = Batches(self.case.env.registry, budget=3600.0)
        self.number = 0
        self.snoozing = False
        self.asked: dict[str, int] = {}
        self.identity_of: dict[int, str] = {}
        self.before: dict[int, str] = {}
        self.replayed: set[int] = set()

    def teardown(self) -> None:
        try:
            self.work_off()
        finally:
            self.case.env.invalidate_all(flush=False)
            self.cr.execute("ROLLBACK TO SAVEPOINT history; RELEASE SAVEPOINT history")

    # -- what is known -------------------------------------------------------------------------------------------------
    def jobs(self) -> dict[int, dict[str, Any]]:
        self.cr.execute(
            "SELECT id, state, attempts, key, identity, payload, merged_into, eta, priority FROM dist_job ORDER BY id"
        )
        names = [column.name for column in self.cr.description]
        return {row[0]: dict(zip(names, row, strict=True)) for row in self.cr.fetchall()}

    def ledger(self) -> list[tuple[int, int]]:
        self.cr.execute("SELECT job, number FROM machine_ledger ORDER BY n")
        return self.cr.fetchall()

    def run_items(self, env: Any, items: Any) -> None:
        for item in items:
            if item.payload["how"] == "snooze" and self.snoozing:
                raise Snooze(60, "later")
            if item.attempt <= item.payload["fails"]:
                raise {"retry": RetryLater(60, "again"), "permanent": Permanent("never")}.get(
                    item.payload["how"], ValueError("broken")
                )
            env.cr.execute(
                "INSERT INTO machine_ledger (job, number) VALUES (%s, %s)", (item.id, item.payload["number"])
            )

    # -- what may happen -----------------------------------------------------------------------------------------------
    @initialize(jobs=JOBS)
    def begin(self, jobs: list[tuple]) -> None:
        self.enqueue(jobs)

    @rule(jobs=JOBS)
    def enqueue(self, jobs: list[tuple]) -> None:
        rows = []
        for key, identity, how, fails, later, priority in jobs:
            self.number += 1
            payload = {"number": self.number, "how": how, "fails": 0 if how in ("ok", "snooze") else fails}
            if identity:
                identity = f"{identity}{key or ''}"  # requests of an identity share the key, as they do in real life
                self.asked[identity] = self.number
                self.identity_of[self.number] = identity
            row = {"handler": HANDLER, "payload": payload, "key": key, "identity": identity, "priority": priority}
            rows.append({**row, "max_attempts": MAX_ATTEMPTS, "eta": FAR if later else None})
        self.case.env["dist.job"].enqueue(rows)

    def batch(self) -> None:
        groups = claim.ready_groups(self.cr)
        for group in groups:
            if group.handler == HANDLER:
                self.batches.run_in(self.cr, group)

    @rule()
    def work(self) -> None:
        self.batch()

    @rule()
    def work_and_crash(self) -> None:
        before = self.jobs(), self.ledger()
        with contextlib.suppress(RolledBack), self.cr.savepoint():
            self.batch()
            raise RolledBack
        self.case.assertEqual((self.jobs(), self.ledger()), before)

    @rule()
    def sweep(self) -> None:
        maintain.sweep(self.cr, recurring=False)

    @rule()
    def time_passes(self) -> None:
        maintain.wake_due(self.cr, FAR)

    @rule(on=st.booleans())
    def the_outside_asks_to_wait(self, on: bool) -> None:
        self.snoozing = on

    @rule(data=st.data(), action=st.sampled_from(["cancel", "requeue", "priority"]))
    def somebody_asks(self, data: Any, action: str) -> None:
        jobs = self.jobs()
        # a cancelled job that is run again stands behind those that overtook it: no order is promised then
        pool = [
            id_ for id_, job in jobs.items() if action != "requeue" or job["state"] in ("dead", "parked", "pending")
        ]
        if not pool:
            return
        job = data.draw(st.sampled_from(pool))
        if action == "requeue":
            self.replayed.add(job)
        if action == "cancel" and jobs[job]["identity"] and jobs[job]["state"] in UNSETTLED:
            self.asked.pop(jobs[job]["identity"], None)  # the request was withdrawn
        self.case.env["dist.job"].browse(job)._request(action, 4)
        self.case.env.flush_all()
        maintain.sweep(self.cr, recurring=False)

    # -- what holds ----------------------------------------------------------------------------------------------------
    @invariant()
    def states_are_legal(self) -> None:
        jobs = self.jobs()
        for id_, job in jobs.items():
            before = self.before.get(id_, "pending")
            # several steps may lie between two looks: dead and run again, parked and let go
            reachable = LEGAL[before] | {then for step in LEGAL[before] for then in LEGAL[step]}
            self.case.assertIn(job["state"], reachable, f"job {id_}")
        self.before = {id_: job["state"] for id_, job in jobs.items()}

    @invariant()
    def done_means_booked_once(self) -> None:
        booked = [job for job, _number in self.ledger()]
        self.case.assertEqual(len(booked), len(set(booked)), "an effect twice")
        self.case.assertEqual(set(booked), {id_ for id_, job in self.jobs().items() if job["state"] == "done"})

    @invariant()
    def keys_are_in_order(self) -> None:
        jobs = self.jobs()
        for key in ("a", "b"):
            order = [job for job, _number in self.ledger() if jobs[job]["key"] == key]
            self.case.assertEqual(order, sorted(order), "overtaken")
            open_or_dead = [
                id_ for id_, job in jobs.items() if job["key"] == key and job["state"] in ("pending", "parked", "dead")
            ]
            if order and open_or_dead:
                self.case.assertLess(
                    order[-1], max(order[-1] + 1, min(open_or_dead)), "overtook one that is not settled"
                )
                self.case.assertFalse(
                    [id_ for id_ in open_or_dead if id_ < order[-1]], "overtook one that is not settled"
                )

    @invariant()
    def no_request_comes_after_a_newer_one(self) -> None:
        """Of an identity, unless somebody had the old one run again."""
        last: dict[str, int] = {}
        for job, number in self.ledger():
            if (identity := self.identity_of.get(number)) and job not in self.replayed:
                self.case.assertLess(last.get(identity, 0), number, f"{identity} is what it was before")
                last[identity] = number

    @invariant()
    def attempts_are_counted(self) -> None:
        for id_, job in self.jobs().items():
            self.case.assertLessEqual(job["attempts"], MAX_ATTEMPTS, f"job {id_}")
            if job["state"] == "dead" and job["payload"]["how"] == "permanent" and id_ not in self.replayed:
                self.case.assertEqual(job["attempts"], 1, "permanent is dead at once")

    def work_off(self) -> None:
        """Nothing waits for ever, and nobody's last request is lost."""
        self.snoozing = False
        for _round in range(200):
            maintain.wake_due(self.cr, FAR)
            maintain.sweep(self.cr, recurring=False)
            if not claim.ready_groups(self.cr):
                break
            self.batch()
        jobs = self.jobs()
        for id_, job in jobs.items():
            dead_before = any(
                other["state"] == "dead" and other["key"] == job["key"] and before < id_
                for before, other in jobs.items()
                if job["key"]
            )
            self.case.assertNotEqual(job["state"], "pending", f"job {id_} is forgotten: {job}")
            if job["state"] == "parked":
                self.case.assertTrue(dead_before, f"job {id_} is parked behind nothing")
        done = {number for _job, number in self.ledger()}
        kept = {job["payload"]["number"] for job in jobs.values() if job["state"] in ("dead", "parked")}
        for identity, number in self.asked.items():
            self.case.assertIn(number, done | kept, f"the last request of {identity} is lost")
        self.done_means_booked_once()
        self.keys_are_in_order()
        self.no_request_comes_after_a_newer_one()


class TestJobMachine(SyncCase):
    def run_histories(self, *phases: Phase) -> None:
        machine = type("Machine", (JobMachine,), {"case": self})
        limits = settings(
            max_examples=60,
            stateful_step_count=30,
            phases=phases,
            derandomize=True,
            deadline=None,
            database=None,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        )

        def target(env: Any, items: Any) -> None:
            self.machine.run_items(env, items)

        original = machine.__init__

        def remembering(machine_self: Any) -> None:
            original(machine_self)
            self.machine = machine_self

        machine.__init__ = remembering
        with self.handler(HANDLER, target, batch=4):
            run_state_machine_as_test(machine, settings=limits)

    def test_random_histories(self):
        self.run_histories(Phase.generate, Phase.shrink)

    def test_an_engine_that_forgets_is_noticed(self):
        """Without the head-of-line rule the histories find an overtaking."""
        for name in ("_CLAIM_HEADS", "_CLAIM_RUNS"):
            query = getattr(claim, name)
            self.assertIn(claim.BLOCKING, query)
            self.patch(claim, name, query.replace(claim.BLOCKING, claim.READY))
        with self.assertRaises(AssertionError):
            self.run_histories(Phase.generate)
