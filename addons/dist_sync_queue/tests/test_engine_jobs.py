# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What a developer of another addon relies on: enqueueing, running, retrying, giving up."""

from __future__ import annotations

import doctest
import json
from datetime import datetime, timedelta
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..api import EnqueueError, Permanent, RetryLater, Snooze, job, on_event
from ..engine import backoff, control, delay, handlers, isolate, lanes
from ..engine.batch import Batches
from ..engine.claim import Row, ready_groups
from ..engine.handlers import Handler, override
from ..engine.quarantine import Overrun, Poison, suspects
from .common import SyncCase, put_event

THING = "test.thing.v1"
NAMES = "res.partner:_book"


@tagged("post_install", "-at_install")
class TestJobs(SyncCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, "tracking_disable": True})
        cls.partners = cls.env["res.partner"].create([{"name": f"P{n}"} for n in range(3)])
        cls.connection = cls.env["dist.connection"]
        cls.calls = []

    def setUp(self) -> None:
        super().setUp()
        self.calls.clear()
        calls = self.calls

        @job(lane="orders", batch=2, max_attempts=3)
        def _book(self, *args, **kwargs):
            calls.append((self, args, kwargs))
            if kwargs.get("boom"):
                raise ValueError("boom")

        model = type(self.env["res.partner"])
        self.startPatcher(patch.object(model, "_book", _book, create=True))
        self.env.registry.__dict__.pop("_dist_handlers", None)
        self.addCleanup(self.env.registry.__dict__.pop, "_dist_handlers", None)

    def events(self, *numbers, key=None, **values):
        return [put_event(self.env, self.connection, THING, {"n": n}, key, **values) for n in numbers]

    # -- enqueue -------------------------------------------------------------------------------------------------------
    def test_delayed_call_keeps_records_arguments_and_company(self):
        with self.trap_jobs() as trap:
            job_ = self.partners.with_context(lang="en_US").delayed(key="k", identity="i", priority=2)._book(1, two="2")
        trap.assert_enqueued(self.partners, "_book", key="k", identity="i", priority=2, args=(1,), kwargs={"two": "2"})
        trap.assert_enqueued(self.partners, "_book", args=[1])
        self.assertEqual((job_.lane, job_.state, job_.company_id), ("orders", "pending", self.env.company))
        self.run_jobs()
        self.assertEqual((job_.state, job_.attempts), ("done", 1))
        records, args, kwargs = self.calls[0]
        self.assertEqual((records.ids, args, kwargs), (self.partners.ids, (1,), {"two": "2"}))
        self.assertEqual(records.env.context["allowed_company_ids"], [self.env.company.id])
        self.assertEqual(records.env.context["lang"], "en_US")
        self.assertTrue(records.env.su)

    def test_one_insert_for_a_job_per_record(self):
        self.env.flush_all()
        with self.assertQueryCount(2):  # whose the records are, as nobody has read them yet, and the INSERT
            jobs = self.partners.delayed(each=1, key=lambda p: f"p{p.id}", identity=lambda p: p.id)._book()
        self.assertEqual(jobs.mapped("res_id"), self.partners.ids)
        self.assertEqual(jobs.mapped("key"), [f"p{p.id}" for p in self.partners])
        with self.assertQueryCount(1):
            self.partners.delayed(each=1)._book()

    def test_neighbouring_calls_with_equal_arguments_are_one_call(self):
        self.partners.delayed(each=1)._book("same")
        self.partners[0].delayed()._book("other")
        self.run_jobs()
        self.assertEqual([(r.ids, a) for r, a, _k in self.calls], [
            (self.partners[:2].ids, ("same",)),
            (self.partners[2].ids, ("same",)),
            (self.partners[0].ids, ("other",)),
        ])  # fmt: skip

    def test_wrong_requests_are_refused_at_once(self):
        with self.assertRaisesRegex(EnqueueError, "not decorated with @job"):
            self.partners.delayed().write({})
        with self.assertRaisesRegex(EnqueueError, "JSON"):
            self.partners.delayed()._book(self.partners)
        with self.assertRaisesRegex(EnqueueError, "not saved"):
            self.env["res.partner"].new({}).delayed()._book()
        with self.assertRaisesRegex(EnqueueError, "bytes"):
            self.partners.delayed()._book("x" * (delay.MAX_PAYLOAD_BYTES + 1))

    def test_arguments_the_method_does_not_take_are_refused_at_once(self):
        @job()
        def _weigh(records, unit, results): ...

        self.patch(type(self.partners), "_book", _weigh)
        with self.assertRaisesRegex(EnqueueError, "_book cannot be called so: .*'unit'"):
            self.partners.later()._book()
        with self.assertRaisesRegex(EnqueueError, "'results'.* use later"):
            self.partners.delayed()._book("kg")
        with self.assertRaisesRegex(EnqueueError, "'colour'"):
            self.partners.later()._book("kg", colour="red")
        self.partners.later()._book("kg")

    def test_a_screen_cannot_write_a_job(self):
        job_ = self.partners.delayed()._book()
        manager = self.env.ref("dist_sync_queue.group_dist_manager")
        user = self.env["res.users"].create({"name": "m", "login": "m", "group_ids": [(6, 0, manager.ids)]})
        with self.assertRaises(UserError):
            job_.with_user(user).write({"priority": 0})
        job_.with_user(user).action_set_priority(0)
        self.run_jobs()
        self.assertEqual(job_.priority, 0)

    def test_the_journey_is_passed_on(self):
        def handler(env, items):
            for item in items:
                item.bind(self.partners.with_env(env)).delayed()._book()

        trace = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"
        with self.handler(THING, handler):
            self.events(1, correlation_id=trace)
            self.events(2, correlation_id=trace[:-2] + "00")
            self.run_jobs()
        made = self.env["dist.job"].search([("handler", "=", NAMES)], order="id")
        self.assertEqual(made.mapped("correlation_id"), [trace, trace[:-2] + "00"])
        context = self.calls[0][0].env.context
        self.assertNotIn("dist_correlation_id", context, "one call for two journeys")
        self.assertEqual(context["dist_correlation_ids"], dict.fromkeys(self.partners.ids, trace[:-2] + "00"))

    # -- running -------------------------------------------------------------------------------------------------------
    def test_one_bad_item_of_fifty_is_isolated(self):
        def handler(env, items):
            self.partners[0].write({"color": self.partners[0].color + len(items)})
            for item in items:
                if item.payload["n"] == 31:
                    raise ValueError("unlucky")
                self.partners[1].write({"ref": str(item.payload["n"])})

        with self.handler(THING, handler, batch=50):
            jobs = self.events(*range(50))
            report = self.run_jobs()
        self.assertEqual((len(report.done), len(report.retried), len(report.dead)), (49, 1, 0))
        bad = jobs[31]
        self.assertEqual(
            (bad.state, bad.attempts, bad.error_type, bad.error_message), ("pending", 1, "ValueError", "unlucky")
        )
        self.assertIn("unlucky", bad.error_trace)
        self.assertGreater(bad.eta, datetime(2000, 1, 1))
        self.assertEqual(self.partners[1].ref, "49")
        self.assertEqual(self.partners[0].color, 49, "the effects of undone calls are undone: each item counts once")

    def test_order_holds_when_an_item_of_a_key_fails(self):
        seen = []

        def handler(env, items):
            for item in items:
                if item.payload["n"] == 1 and item.attempt == 1:
                    raise RetryLater(60, "not yet")
            seen.extend((item.key, item.payload["n"]) for item in items)

        with self.handler(THING, handler, batch=50):
            for n in range(4):
                self.events(n, key="a")
                self.events(n, key="b" if n != 1 else "c")
            self.run_jobs()
            self.assertEqual([n for key, n in seen if key == "a"], [0])
            self.assertEqual([n for key, n in seen if key == "b"], [0, 2, 3])
            self.run_jobs(later=True)
        self.assertEqual([n for key, n in seen if key == "a"], [0, 1, 2, 3])

    def test_the_exception_decides(self):
        errors = {0: RetryLater(90, "r"), 1: Snooze(90, "s"), 2: Permanent("p"), 3: ValueError("v")}

        def handler(env, items):
            for item in items:
                raise errors[item.payload["n"]]

        with self.handler(THING, handler, max_attempts=2):
            retry, snooze, permanent, other = self.events(0, 1, 2, 3)
            with self.assertLogs("odoo.addons.dist_sync_queue.engine.settle", "WARNING") as logs:
                self.run_jobs()
            self.assertIn(f"Job {permanent.id} {THING} is dead after 1 attempts: Permanent", "".join(logs.output))
            self.assertEqual(
                [j.state for j in (retry, snooze, permanent, other)], ["pending", "pending", "dead", "pending"]
            )
            self.assertEqual([j.attempts for j in (retry, snooze, permanent, other)], [1, 0, 1, 1])
            soon = datetime.now() + timedelta(days=1)
            self.assertTrue(all(j.eta < soon for j in (retry, snooze, other)))
            self.run_jobs(later=True)
        self.assertEqual([j.state for j in (retry, snooze, permanent, other)], ["dead", "pending", "dead", "dead"])
        exceptions = self.env["dist.exception"].search([("res_model", "=", "dist.job"), ("state", "=", "open")])
        self.assertEqual(set(exceptions.mapped("res_id")), {retry.id, permanent.id, other.id})

    def test_followers_are_parked_and_released(self):
        def handler(env, items):
            if items[0].payload["n"] == 0 and not fixed:
                raise Permanent("broken")

        fixed = []
        with self.handler(THING, handler):
            jobs = [self.events(n, key="a")[0] for n in range(3)]
            self.run_jobs()
            self.assertEqual([j.state for j in jobs], ["dead", "parked", "parked"])
            fixed.append(True)
            jobs[0].action_requeue()
            self.run_jobs()
        self.assertEqual([j.state for j in jobs], ["done"] * 3)
        self.assertEqual(self.env["dist.job.request"].search([]).mapped("state"), ["applied"])

    def test_cancelling_the_dead_releases_what_waits_behind_it(self):
        def handler(env, items):
            if items[0].payload["n"] == 0:
                raise Permanent("broken")

        with self.handler(THING, handler):
            jobs = [self.events(n, key="a")[0] for n in range(3)]
            self.run_jobs()
            jobs[0].action_cancel()
            self.run_jobs()
            self.assertEqual([j.state for j in jobs], ["cancelled", "done", "done"])
            jobs[1].action_cancel()
            self.run_jobs()
        request = self.env["dist.job.request"].search([("job_id", "=", jobs[1].id)])
        self.assertEqual((request.state, request.answer), ("refused", "The job was done."))

    def test_unknown_handlers_say_what_is_missing(self):
        event = self.receive(self.connection, "nobody.cares.v1", {}, "k")
        self.assertEqual((event.state, event.error_type), ("dead", "UnknownHandler"))
        self.assertIn("No installed addon handles 'nobody.cares.v1'", event.error_message)
        gone = self.env["dist.job"].enqueue([{"handler": "no.model:method", "payload": {"ids": []}}])
        self.run_jobs()
        self.assertIn("uninstalled", gone.error_message)
        with self.handler("nobody.cares.v1", lambda env, items: None):
            event.action_requeue()
            self.run_jobs()
        self.assertEqual((event.state, event.attempts), ("done", 1))

    def test_deleted_records_end_in_a_dead_letter_that_says_so(self):
        partner = self.partners[2]

        @job()
        def _read(self):
            return self.mapped("name")

        self.startPatcher(patch.object(type(partner), "_read_name", _read, create=True))
        job_ = partner.delayed()._read_name()
        partner.unlink()
        self.run_jobs()
        self.assertEqual(job_.state, "dead")
        self.assertIn("deleted before it ran", job_.error_message)

    def test_several_methods_of_one_event_type(self):
        seen = []

        @on_event(THING)
        def _first(self, items):
            seen.append("first")

        @on_event(THING)
        def _second(self, items):
            seen.append("second")

        definition = next(k for k in type(self.env["res.partner"]).__mro__ if k.__dict__.get("_name") == "res.partner")
        for name, method in (("_first_thing", _first), ("_second_thing", _second)):
            handlers.DECORATED.add(name)
            self.addCleanup(handlers.DECORATED.discard, name)
            self.startPatcher(patch.object(definition, name, method, create=True))
        self.events(1)
        self.run_jobs()
        self.assertEqual(seen, ["first", "second"])

    def test_identity_runs_the_newest_once(self):
        jobs = [self.partners[:1].delayed(identity="x")._book(n) for n in range(3)]
        self.run_jobs()
        self.assertEqual([args for _r, args, _k in self.calls], [(2,)])
        self.assertEqual([j.state for j in jobs], ["done", "cancelled", "cancelled"])
        self.assertEqual([j.merged_into for j in jobs[1:]], [jobs[0].id] * 2)

    def test_identity_that_failed_is_run_again_with_the_newest(self):
        jobs = [self.partners[:1].delayed(identity="x")._book(n, boom=n == 2) for n in range(3)]
        self.run_jobs()
        self.assertEqual([j.state for j in jobs], ["pending", "cancelled", "cancelled"])
        self.run_jobs(later=True)
        self.assertEqual({args for _r, args, _k in self.calls}, {(2,)})
        self.assertGreater(len(self.calls), 1)

    def test_time_budget_leaves_the_rest(self):
        jobs = self.partners.delayed(each=1)._book()
        group = next(g for g in ready_groups(self.env.cr) if g.handler == NAMES)
        report = Batches(self.env.registry, budget=0.0).run_in(self.env.cr, group)
        jobs.invalidate_recordset()
        self.assertEqual((len(report.done), len(report.left)), (2, 1), "one call, then the time is up")
        self.assertEqual(jobs.mapped("state"), ["done", "done", "pending"])
        self.assertEqual(jobs[2].attempts, 0)

    def test_eta_waits(self):
        job_ = self.partners.delayed(eta=timedelta(hours=1))._book()
        self.run_jobs()
        self.assertEqual(job_.state, "pending")
        self.run_jobs(later=True)
        self.assertEqual(job_.state, "done")

    def test_hooks_of_undone_work_do_not_run(self):
        rung = []

        def handler(env, items):
            for item in items:
                env.cr.postcommit.add(lambda n=item.payload["n"]: rung.append(n))
                if item.payload["n"] == 1:
                    raise ValueError("unlucky")

        self.env.flush_all()
        self.env.cr.postcommit.clear()
        with self.handler(THING, handler, batch=50):
            self.events(0, 1, 2)
            self.run_jobs()
        hooks = [hook for hook in self.env.cr.postcommit._funcs if hook.__defaults__]
        for hook in hooks:
            hook()
        self.assertEqual(sorted(rung), [0, 2])
        self.env.cr.postcommit.clear()

    # -- dirty marks ---------------------------------------------------------------------------------------------------
    def test_a_failing_key_waits_alone_and_dies_alone(self):
        def compute(env, connection, keys):
            if "bad" in keys:
                raise ValueError("cannot")
            return {}

        connection = self.env["dist.connection"].search([], limit=1) or _connection(self.env)
        name = "availability.changed.v1"
        with override(_dirty(name, compute, max_attempts=2)):
            self.env["dist.dirty.mark"].mark(connection, name, ["a", "bad", "b"])
            self.run_jobs()
            mark = self.env["dist.dirty.mark"].search([])
            self.assertEqual((mark.mapped("key"), mark.attempts), (["bad"], 1))
            self.run_jobs(later=True)
            dead = self.env["dist.job"].search([("handler", "=", name + "#dirty")])
            self.assertEqual((dead.state, dead.payload), ("dead", {"keys": ["bad"]}))
            self.assertFalse(self.env["dist.dirty.mark"].search([]))
        with override(_dirty(name, lambda env, connection, keys: {}, max_attempts=2)):
            dead.action_requeue()
            self.run_jobs()
        self.assertEqual(dead.state, "done")
        self.assertFalse(self.env["dist.dirty.mark"].search([]), "marked again, and computed")

    def test_marks_go_with_their_connection(self):
        """They have no foreign key: those of a transaction that commits later are found by the engine."""
        connection, name, computed = _connection(self.env), "availability.changed.v1", []
        left = "SELECT count(*) FROM dist_dirty_mark WHERE connection_id = %s"
        with override(_dirty(name, lambda env, connection, keys: computed.extend(keys) or {}, max_attempts=2)):
            self.env["dist.dirty.mark"].mark(connection, name, ["a"])
            gone = connection.id
            connection.unlink()
            self.env.cr.execute(left, (gone,))
            self.assertEqual(self.env.cr.fetchone()[0], 0)
            self.env["dist.dirty.mark"].mark(connection, name, ["b", "c"])
            report = self.run_jobs()
        self.env.cr.execute(left, (gone,))
        self.assertEqual(self.env.cr.fetchone()[0], 0)
        self.assertEqual((computed, report.dead), ([], []), "nothing to compute, and nobody to tell")

    # -- parts ---------------------------------------------------------------------------------------------------------
    def test_suspects_run_alone_and_the_culprit_is_quarantined(self):
        def row(id_, crashes=0, order_key=None):
            return Row(
                id_, "h", {}, None, None, None, order_key, None, 0, None, None, None, datetime.now(), None, crashes
            )

        both, poison = suspects(self.env, [row(1), row(2)])
        self.assertEqual(([r.id for r in both], poison), ([1, 2], None))
        alone, poison = suspects(self.env, [row(1), row(2, crashes=1), row(3)])
        self.assertEqual(([r.id for r in alone], poison), ([2], None))
        before, poison = suspects(self.env, [row(1, order_key="a"), row(2, crashes=1, order_key="a")])
        self.assertEqual(([r.id for r in before], poison), ([1], None), "what comes before it in its key comes first")
        none, poison = suspects(self.env, [row(1), row(2, crashes=3)])
        self.assertEqual((none, poison[0].id), ([], 2))
        self.assertIsInstance(poison[1], Poison)

    def test_a_job_whose_worker_was_ended_for_its_timeout_has_as_many_tries_as_it_says(self):
        """Never more than the poison limit; a crash nobody knows the reason of is judged by that alone."""

        def verdict(crashes, attempts=0, most=None, reason=True):
            why = {"type": "JobTimeout", "message": "The job ran past its timeout of 5 s."} if reason else None
            self.env.cr.execute(
                """INSERT INTO dist_job_crash (job_id, crashes, reason) VALUES (1, %s, %s)
                   ON CONFLICT (job_id) DO UPDATE SET crashes = excluded.crashes, reason = excluded.reason""",
                (crashes, json.dumps(why) if why else None),
            )
            now = datetime.now()
            row = Row(1, "h", {}, None, None, None, None, None, attempts, most, None, None, now, None, crashes)
            _rows, poison = suspects(self.env, [row])
            return poison and type(poison[1])

        self.assertEqual(verdict(1, most=1), Overrun)
        self.assertIsNone(verdict(1, most=2))
        self.assertEqual(verdict(1, attempts=1, most=2), Overrun)
        self.assertEqual(verdict(3, most=8), Overrun)
        self.assertIsNone(verdict(1, most=1, reason=False))
        self.assertEqual(verdict(3, most=1, reason=False), Poison)

    def test_examples_in_the_pure_modules(self):
        for module in (backoff, control, delay, isolate, lanes):
            self.assertEqual(doctest.testmod(module).failed, 0, module.__name__)


def _dirty(name, target, **options):
    from ..api import HandlerSpec

    return Handler(name + "#dirty", HandlerSpec("dirty", name + "#dirty", **options), (target,))


def _connection(env):
    adapter = env["dist.adapter"].search([], limit=1) or env["dist.adapter"].create(
        {"code": "test", "label": "Test", "kind": "channel"}
    )
    return env["dist.connection"].create({"name": "Test", "adapter_id": adapter.id, "company_id": env.company.id})
