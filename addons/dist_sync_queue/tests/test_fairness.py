# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Whose turn it is, in simulated time and between real workers; and how many may work on one thing at once."""

from __future__ import annotations

from typing import NamedTuple

from odoo.tests import BaseCase, tagged

from ..engine.control import Limit, take_seats
from ..engine.hand import current
from ..engine.lanes import Turns
from ..engine.worker import Worker
from .test_engine_concurrency import new_connection
from .worker_kit import EngineCase

THING = "test.thing.v1"


class Ready(NamedTuple):
    """A group of work in the simulation."""

    handler: str
    connection: int
    source: str = "loose"
    priority: int = 5
    company: int = 1


class Simulation:
    """One worker and its clock. ``busy``: groups that never run dry; ``small``: one that has a job now and then."""

    def __init__(self, busy, small, every=10.0, batch=0.2):
        self.turns, self.busy, self.small, self.every, self.batch = Turns(), busy, small, every, batch
        self.now, self.waits, self.used = 0.0, [], {}

    def run(self, seconds, lane=lambda group: "default"):
        due = self.every / 2
        while self.now < seconds:
            waiting = self.now >= due
            group = self.turns.choose([*self.busy, *([self.small] if waiting else [])], lane)
            spent = 0.005 if group is self.small else self.batch
            if group is self.small:
                self.waits.append(self.now - due)
                due += self.every
            self.turns.charge(lane(group), group, spent)
            self.used[group] = self.used.get(group, 0.0) + spent
            self.now += spent
        return self


@tagged("post_install", "-at_install")
class TestTurns(BaseCase):
    def test_a_small_connection_does_not_wait_for_a_round_of_the_deep_ones(self):
        """A hundred connections with endless work, 0.2 s a batch: a round takes 20 s, the small one waits for one."""
        busy = [Ready("a", connection) for connection in range(1, 101)]
        run = Simulation(busy, Ready("a", 999)).run(300.0)
        self.assertGreaterEqual(len(run.waits), 25)
        self.assertLessEqual(max(run.waits), 0.5)
        shares = [run.used[group] for group in busy]
        self.assertLessEqual(max(shares) - min(shares), 0.21, "the others have equal shares")

    def test_a_company_with_many_connections_gets_no_larger_share(self):
        many = [Ready("a", connection, company=1) for connection in range(1, 51)]
        one = Ready("a", 99, company=2)
        run = Simulation([*many, one], Ready("a", 98, company=3)).run(100.0)
        self.assertAlmostEqual(run.used[one], sum(run.used[group] for group in many), delta=0.5)
        self.assertLessEqual(max(run.waits), 0.5)

    def test_urgent_work_of_one_connection_does_not_starve_the_others(self):
        noisy, patient = Ready("a", 1, priority=0), Ready("a", 2, priority=9)
        run = Simulation([noisy, patient], Ready("a", 3, priority=9)).run(60.0)
        self.assertGreater(run.used[patient], 0.2 * 60.0)
        self.assertGreater(run.used[noisy], 0.7 * 60.0)

    def test_lanes_share_by_weight_whoever_is_in_them(self):
        busy = [Ready("high", connection) for connection in (1, 2)] + [Ready("low", 3)]
        run = Simulation(busy, Ready("low", 4)).run(90.0, lane=lambda group: group.handler)
        self.assertAlmostEqual(run.used[Ready("low", 3)], 10.0, delta=1.0)

    def test_nobody_saves_up_time_and_nobody_escapes_a_debt(self):
        """One comes and goes every other turn, the other is always there: the one that goes has no advantage."""
        turns, always, sometimes = Turns(), Ready("a", 1), Ready("a", 2)
        used = {always: 0, sometimes: 0}
        for turn in range(1000):
            group = turns.choose([always, sometimes] if turn % 2 else [always], lambda group: "x")
            turns.charge("x", group, 1.0)
            used[group] += 1
        self.assertLessEqual(used[sometimes], 500)
        self.assertGreaterEqual(used[sometimes], 480)


@tagged("post_install", "-at_install", "dist_engine")
class TestFairness(EngineCase):
    def companies(self, count):
        with self.committed() as env:
            return [env["res.company"].create({"name": f"Company {n}"}).id for n in range(count)]

    def test_companies_without_connections_take_turns(self):
        """A thousand jobs of one company do not stand before the one job of another."""
        noisy, small = self.companies(2)
        served = []
        with self.committed() as env:
            jobs = [{"handler": THING, "payload": {"n": n}, "company_id": noisy} for n in range(1000)]
            env["dist.job"].enqueue([*jobs, {"handler": THING, "payload": {"n": "small"}, "company_id": small}])
        with self.handler(THING, lambda env, items: served.append((env.company.id, len(items))), batch=50):
            Worker(self.registry, timeouts=False).until_empty()
        self.assertLessEqual([company for company, _count in served].index(small), 4, "in the second batch of 200")
        self.assertEqual(self.states(), {"done": 1001})

    def test_a_small_connection_is_served_while_two_workers_are_busy_with_deep_ones(self):
        with self.committed() as env:
            deep = [new_connection(env).id for _n in range(5)]
            small = new_connection(env).id
            call = {"handler": "dist.test.ledger:_write_name", "company_id": env.company.id}
            rows = [
                {**call, "connection_id": connection, "payload": {"ids": [], "args": [str(connection)]}}
                for connection in deep
                for _n in range(800)
            ]
            env["dist.job"].enqueue(rows)
            env["dist.job"].enqueue([{**call, "connection_id": small, "payload": {"ids": [], "args": ["small"]}}])
        workers = [self.start_worker("--until-empty") for _n in range(2)]
        for worker in workers:
            output, _ = worker.communicate(timeout=240)
            self.assertEqual(worker.returncode, 0, output)
        self.assertEqual(self.states(), {"done": 4001})
        names = [name for name, _key in self.ledger()]
        self.assertLess(names.index("small"), 2500, "before most of what was enqueued earlier")

    # -- capacity ------------------------------------------------------------------------------------------------------
    def test_seats_are_taken_until_the_transaction_ends(self):
        one, two, three = self.cursor(), self.cursor(), self.cursor()
        limits = [Limit("lane/reserve", 2), Limit("connection/7", 1)]
        self.assertEqual(take_seats(one, limits), [])
        self.assertEqual(take_seats(two, limits), ["connection/7"])
        self.assertEqual(take_seats(three, limits), ["lane/reserve", "connection/7"])
        one.rollback()
        self.assertEqual(take_seats(three, limits), [])

    def limit(self, **values):
        with self.committed() as env:
            env["dist.job.control"].create(values)

    def beside(self, handler_options=None, events=1):
        """What a second worker does while a first one is in the middle of a batch: the jobs it settled."""
        self.events(events)
        meanwhile = []

        def handler(env, items):
            if current() is not None and not meanwhile:
                meanwhile.append(None)
                self.events(1)
                meanwhile[0] = Worker(self.registry, timeouts=False).until_empty()["done"]

        with self.handler(THING, handler, **(handler_options or {})):
            Worker(self.registry, timeouts=False).until_empty()
        self.assertEqual(set(self.states()), {"done"}, "in the end all are run")
        return meanwhile[0]

    def test_a_lane_of_capacity_one_is_served_by_one_worker_at_a_time(self):
        self.limit(kind="lane", name="reserve", capacity=1)
        self.assertEqual(self.beside({"lane": "reserve"}), 0)
        self.query("UPDATE dist_job_control SET capacity = 2")
        self.assertEqual(self.beside({"lane": "reserve"}), 1, "changed without a restart")

    def test_a_handler_of_capacity_one(self):
        self.limit(kind="handler", name=THING, capacity=1)
        self.assertEqual(self.beside(), 0)

    def test_without_capacity_nothing_is_asked(self):
        self.limit(kind="lane", name="another", capacity=1)
        self.assertEqual(self.beside(), 1)

    def test_a_connection_of_capacity_one(self):
        with self.committed() as env:
            connection = new_connection(env)
            connection.job_capacity = 1
            connection_id = connection.id
        self.query("INSERT INTO dist_job (handler, payload, connection_id) VALUES (%s, '{}', %s)", THING, connection_id)
        meanwhile = []

        def handler(env, items):
            if not meanwhile:
                meanwhile.append(None)
                for connection in (connection_id, None):
                    self.query("INSERT INTO dist_job (handler, connection_id) VALUES (%s, %s)", THING, connection)
                meanwhile[0] = Worker(self.registry, timeouts=False).until_empty()["done"]

        with self.handler(THING, handler):
            Worker(self.registry, timeouts=False).until_empty()
        self.assertEqual(meanwhile, [1], "the job without the connection")
        self.assertEqual(self.states(), {"done": 3})

    def test_the_scheduled_action_obeys_pauses(self):
        self.events(2)
        self.limit(kind="lane", name="orders", paused=True)
        with self.committed() as env:
            self.assertEqual(env["dist.job"]._cron_run_jobs(), 0)
        self.assertEqual(self.states(), {"pending": 2})
