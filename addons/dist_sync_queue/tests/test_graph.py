# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What a developer relies on when jobs wait for jobs: order, results, failures, undoing, and what is refused."""

from __future__ import annotations

import doctest
from datetime import timedelta
from unittest.mock import patch

from odoo.tests import tagged

from ..api import EnqueueError, Permanent, RetryLater, Snooze, chain, group, job
from ..engine import attempts, execute, graph, insert, release, schema
from .common import SyncCase
from .plan_kit import looked_at


class GraphCase(SyncCase):
    """Steps that tell what they did."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.partner = cls.env["res.partner"].create({"name": "P"})

    def setUp(self) -> None:
        super().setUp()
        self.seen = seen = []
        self.broken = broken = set()

        @job(batch=10, max_attempts=1)
        def _step(self, name, value=None):
            if name in broken:
                raise Permanent(f"{name} is broken")
            seen.append(name)
            return value

        @job()
        def _sum(self, name, results):
            seen.append(name)
            self.env.context["dist_depth"]
            return sum(result.value for result in results)

        @job()
        def _look(self, name, results):
            seen.append((name, [(result.state, result.value, result.error) for result in results]))

        @job(max_attempts=2)
        def _again(self, times):
            if times:
                self.delayed()._again(times - 1)

        model = type(self.env["res.partner"])
        for method in (_step, _sum, _look, _again):
            self.startPatcher(patch.object(model, method.__name__, method, create=True))
        self.forget_handlers()
        self.addCleanup(self.forget_handlers)

    def forget_handlers(self):
        self.env.registry.__dict__.pop("_dist_handlers", None)

    def step(self, name, value=None, **options):
        return self.partner.later(**options)._step(name, value)

    def states(self, jobs):
        jobs.invalidate_recordset()
        return [job_.state for job_ in jobs]


@tagged("post_install", "-at_install")
class TestGraph(GraphCase):
    # -- order and results ---------------------------------------------------------------------------------------------
    def test_a_diamond_runs_in_order_and_passes_results_on(self):
        jobs = chain(
            self.step("a"), group(self.step("b", 3), self.step("c", 4)), self.partner.later()._sum("d")
        ).enqueue()
        self.assertEqual(self.states(jobs), ["pending", "waiting", "waiting", "waiting"])
        self.assertEqual(len(set(jobs.mapped("graph"))), 1)
        self.run_jobs()
        self.assertEqual(self.states(jobs), ["done"] * 4)
        self.assertEqual((self.seen[0], set(self.seen[1:3]), self.seen[3]), ("a", {"b", "c"}, "d"))
        self.assertEqual(jobs.mapped("result"), [False, 3, 4, False], "kept only where somebody asks for it")

    def test_a_result_can_be_asked_for(self):
        job_ = self.step("a", {"total": [1, 2]}).keep().enqueue()
        self.run_jobs()
        self.assertEqual((job_.state, job_.result), ("done", {"total": [1, 2]}))

    def test_a_result_that_is_no_json_fails_the_job_that_returned_it(self):
        jobs = chain(self.step("a"), self.partner.later()._sum("b")).enqueue()

        @job()
        def _step(self, name, value=None):
            return self

        with patch.object(type(self.partner), "_step", _step):
            self.run_jobs()
        self.assertEqual(self.states(jobs), ["dead", "cancelled"])
        self.assertIn("Return ids instead of records", jobs[0].error_message)

    def test_a_result_postgresql_does_not_take_fails_its_job_and_not_the_batch(self):
        wrong = {"nan": float("nan"), "half a character": "\ud800", "nul": "\x00"}

        @job(batch=10)
        def _step(self, name, value=None):
            return wrong.get(name, name)

        with patch.object(type(self.partner), "_step", _step):
            jobs = group(*(self.step(name).keep() for name in (*wrong, "fine"))).enqueue()
            self.run_jobs()
        self.assertEqual(self.states(jobs), ["dead"] * 3 + ["done"])
        self.assertEqual(jobs[-1].result, "fine")
        for value in (float("inf"), "\udfff"):
            with self.assertRaisesRegex(EnqueueError, "cannot be stored as JSON"):
                self.step("a", value)

    def test_many_jobs_cost_two_statements(self):
        self.env.flush_all()
        self.partner.fetch(["company_id"])
        with self.assertQueryCount(2):
            jobs = chain(self.step("a"), group(*(self.step(str(n)) for n in range(50))), self.step("z")).enqueue()
        self.assertEqual(len(jobs), 52)
        self.assertEqual(len(jobs.parent_edge_ids), 100)

    def test_each_makes_a_group(self):
        partners = self.partner | self.partner.copy()
        jobs = chain(self.step("a"), partners.later(each=1)._step("b"), self.step("c")).enqueue()
        self.assertEqual(len(jobs), 4)
        self.run_jobs()
        self.assertEqual(self.seen, ["a", "b", "c"], "neighbouring calls are still one call")

    def test_keys_hold_across_graphs_without_a_circle(self):
        one = chain(self.step("1a", key="A"), self.step("1b", key="B")).enqueue()
        two = chain(self.step("2a", key="B"), self.step("2b", key="A")).enqueue()
        self.run_jobs()
        self.assertEqual(self.states(one + two), ["done"] * 4)
        self.assertEqual(self.seen, ["1a", "1b", "2a", "2b"], "what waits holds its key back")

    def test_a_time_holds_for_a_job_that_waited(self):
        jobs = chain(self.step("a"), self.step("b", eta=timedelta(hours=1))).enqueue()
        self.run_jobs()
        self.assertEqual(self.states(jobs), ["done", "pending"])
        self.run_jobs(later=True)
        self.assertEqual(self.seen, ["a", "b"])

    # -- failures ------------------------------------------------------------------------------------------------------
    def test_a_failure_cancels_what_comes_after_and_its_replay_brings_it_back(self):
        self.broken.add("b")
        a, b, c, d = chain(self.step("a"), group(self.step("b"), self.step("c")), self.step("d")).enqueue()
        self.run_jobs()
        self.assertEqual(self.states(a + b + c + d), ["done", "dead", "done", "cancelled"])
        self.assertIn(f"job {b.id} (res.partner:_step)", d.error_message)
        self.assertEqual(d.stopped_by, b.id)
        d.action_requeue()
        self.run_jobs()
        request = self.env["dist.job.request"].search([("job_id", "=", d.id)])
        self.assertEqual(request.state, "refused")
        self.assertIn(f"job {b.id}", request.answer)
        self.broken.clear()
        b.action_requeue()
        self.run_jobs()
        self.assertEqual(self.states(b + d), ["done", "done"])
        self.assertEqual((self.seen[-1], d.error_message, d.stopped_by), ("d", False, 0))

    def test_everything_behind_a_failure_is_cancelled_however_far(self):
        self.broken.add("a")
        jobs = chain(self.step("a"), *(self.step(str(n)) for n in range(30))).enqueue()
        self.run_jobs()
        self.assertEqual(self.states(jobs), ["dead"] + ["cancelled"] * 30)
        self.assertEqual(set(jobs[1:].mapped("stopped_by")), {jobs[0].id})

    def test_looks_cost_by_what_they_find_and_not_by_its_square(self):
        parents = chain(group(*(self.step(str(n)) for n in range(50))), self.step("z")).enqueue()[:-1]
        self.env.flush_all()
        self.env.cr.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off")

        def plan(statement):
            self.env.cr.execute(f"EXPLAIN {statement}", {"ids": parents.ids})
            return "\n".join(row[0] for row in self.env.cr.fetchall())

        self.assertNotIn("SubPlan", plan(release._STOP), "one look for a cause, not one for each job it stops")
        self.assertIn("Backward using dist_job_edge_child_parent", plan(release._WAKE), "the newest parent first")

    def test_results_cost_by_what_is_asked_and_not_by_what_else_there_is(self):
        last = chain(group(*(self.step(str(n)) for n in range(5))), self.partner.later()._look("z")).enqueue()[-1]
        self.env.flush_all()
        self.env.cr.execute(
            "INSERT INTO dist_job (handler, state) SELECT 'other', 'done' FROM generate_series(1, 2000)"
        )
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        rows = looked_at(self.env.cr, execute._RESULTS, {"ids": last.ids}, "dist_job")
        self.assertEqual(rows, 6, "the job itself and the five before it")

    def test_two_failures_both_have_to_be_put_right(self):
        self.broken |= {"a", "b"}
        a, b, c = chain(group(self.step("a"), self.step("b")), self.step("c")).enqueue()
        self.run_jobs()
        self.broken.clear()
        a.action_requeue()
        self.run_jobs()
        self.assertEqual((self.states(a + b + c), c.stopped_by), (["done", "dead", "cancelled"], b.id))
        b.action_requeue()
        self.run_jobs()
        self.assertEqual(self.states(a + b + c), ["done"] * 3)

    def test_a_chain_may_go_on_after_a_failure_and_sees_it(self):
        self.broken.add("a")
        jobs = chain(
            group(self.step("a"), self.step("b", 2)), self.partner.later()._look("c"), on_failure="continue"
        ).enqueue()
        self.run_jobs()
        self.assertEqual(self.states(jobs), ["dead", "done", "done"])
        self.assertEqual(self.seen[-1], ("c", [("dead", None, "a is broken"), ("done", 2, None)]))

    def test_cancelling_by_hand_counts_as_a_failure(self):
        a, b, c = chain(self.step("a", eta=60), self.step("b"), self.step("c")).enqueue()
        b.action_cancel()
        self.run_jobs()
        self.assertEqual(self.states(a + b + c), ["pending", "cancelled", "cancelled"])
        b.action_requeue()
        self.run_jobs(later=True)
        self.assertEqual(self.states(a + b + c), ["done"] * 3)

    # -- undoing -------------------------------------------------------------------------------------------------------
    def saga(self):
        look = self.partner.later
        return chain(
            self.step("a", 1).undo(look()._look("undo a")),
            self.step("b", 2).undo(self.step("undo b", key="k")),
            self.step("c"),
            self.step("d").undo(self.step("undo d")),
        ).enqueue()

    def undoes(self, jobs):
        return self.env["dist.job"].search([("graph", "=", jobs[0].graph), ("undo_of", "!=", 0)], order="id")

    def test_steps_done_are_undone_in_reverse_once_and_see_what_they_undo(self):
        self.broken.add("c")
        jobs = self.saga()
        self.run_jobs()
        self.assertEqual(self.states(jobs), ["done", "done", "dead", "cancelled"])
        self.assertEqual(self.seen, ["a", "b", "undo b", ("undo a", [("done", 1, None)])])
        undoes = self.undoes(jobs)
        self.assertEqual(undoes.mapped("undo_of"), [jobs[1].id, jobs[0].id])
        self.assertEqual(undoes.mapped("key"), ["k", False])
        self.broken.clear()
        jobs[2].action_requeue()
        self.run_jobs()
        request = self.env["dist.job.request"].search([("job_id", "=", jobs[2].id)])
        self.assertEqual((request.state, len(self.undoes(jobs))), ("refused", 2))
        self.assertIn("taken back", request.answer)

    def test_nothing_is_undone_when_all_goes_well_or_before_the_others_have_ended(self):
        jobs = self.saga()
        self.run_jobs()
        self.assertEqual((self.seen, len(self.undoes(jobs))), (["a", "b", "c", "d"], 0))
        self.broken.add("x")
        jobs = group(self.step("x"), chain(self.step("y").undo(self.step("undo y")), self.step("z", eta=60))).enqueue()
        self.run_jobs()
        self.assertFalse(self.undoes(jobs), "z has not ended")
        self.run_jobs(later=True)
        self.assertEqual(self.undoes(jobs).mapped("undo_of"), [jobs[1].id])

    def test_an_undo_that_fails_keeps_no_other_from_being_undone(self):
        self.broken |= {"c", "undo b"}
        jobs = self.saga()
        self.run_jobs()
        self.assertEqual(self.undoes(jobs).mapped("state"), ["dead", "done"])

    def test_a_failure_that_is_put_up_with_undoes_nothing(self):
        self.broken.add("b")
        jobs = chain(
            self.step("a").undo(self.step("undo a")), self.step("b"), self.step("c"), on_failure="continue"
        ).enqueue()
        self.run_jobs()
        self.assertEqual((self.states(jobs), self.seen), (["done", "dead", "done"], ["a", "c"]))

    # -- what is refused -----------------------------------------------------------------------------------------------
    def test_wrong_graphs_are_refused_at_once(self):
        step = self.step("a")
        for build, why in (
            (lambda: chain(step, step).enqueue(), "twice"),
            (lambda: chain(self.partner.delayed()._step("x")), "use later"),
            (lambda: chain(step, on_failure="never"), "on_failure"),
            (lambda: group().enqueue(), "no job"),
            (lambda: step.undo(step), "itself"),
            (lambda: step.undo(group(self.step("b"))), "one job"),
            (lambda: self.partner.later().write({}), "not decorated"),
        ):
            with self.assertRaisesRegex(EnqueueError, why):
                build()
        with patch.object(graph, "MAX_EDGES", 8), self.assertRaisesRegex(EnqueueError, "one job between them"):
            chain(*(group(*(self.step(f"{n}{m}") for m in range(3))) for n in range(2))).enqueue()
        with self.assertRaises(TypeError):
            self.partner.later(identity="x")

    def test_jobs_that_make_themselves_again_have_an_end(self):
        self.env["ir.config_parameter"].set_param("dist_sync_queue.depth_limit", "5")
        self.partner.delayed()._again(50)
        self.run_jobs()
        made = self.env["dist.job"].search([("handler", "=", "res.partner:_again")], order="id")
        self.assertEqual(made.mapped("state"), ["done"] * 5 + ["dead"])
        self.assertEqual(made.mapped("depth"), [0, 1, 2, 3, 4, 5])
        self.assertEqual((made[-1].error_type, made[-1].attempts), ("TooDeep", 1))
        self.assertIn("depth_limit", made[-1].error_message)

    def test_a_job_works_for_the_company_of_its_records(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.partner.company_id = other
        connection = self.env["dist.connection"].search([("company_id", "=", self.env.company.id)], limit=1)
        if not connection:
            adapter = self.env["dist.adapter"].create({"code": "test", "label": "Test", "kind": "channel"})
            connection = self.env["dist.connection"].create(
                {"name": "Test", "adapter_id": adapter.id, "company_id": self.env.company.id}
            )
        with self.assertRaisesRegex(EnqueueError, "belongs to 'Other'"):
            self.partner.delayed(connection=connection)._step("a")
        with self.assertRaisesRegex(EnqueueError, "belongs to 'Other'"):
            self.partner.later(company=self.env.company)._step("a")
        with self.assertRaisesRegex(EnqueueError, "is a connection of"):
            self.partner.delayed(connection=connection, company=other)._step("a")
        self.assertEqual(self.partner.delayed(company=other)._step("a").company_id, other)

    def test_many_rows_are_inserted_in_chunks_and_keep_their_order(self):
        rows = [{"handler": "a", "payload": {"n": n}, "key": str(n % 3) if n % 2 else None} for n in range(7)]
        self.env.flush_all()
        with patch.object(insert.chunks, "__defaults__", (3, 10_000)), self.assertQueryCount(3):
            jobs = self.env["dist.job"].enqueue(rows)
        self.assertEqual([job_.payload["n"] for job_ in jobs], list(range(7)))
        self.assertEqual(jobs.mapped("id"), sorted(jobs.ids))
        self.assertEqual(jobs.mapped("key"), [row["key"] or False for row in rows])

    def test_an_upgrade_teaches_the_order_index_to_see_what_waits(self):
        self.env.cr.execute(
            """DROP INDEX dist_job_order_idx;
               CREATE INDEX dist_job_order_idx ON dist_job (order_key, id)
                WHERE order_key IS NOT NULL AND state IN ('pending', 'parked', 'dead')"""
        )
        for _time in range(2):
            schema.create(self.env.cr)
            self.env.cr.execute("SELECT pg_get_indexdef('dist_job_order_idx'::regclass)")
            self.assertIn("waiting", self.env.cr.fetchone()[0])

    # -- attempts ------------------------------------------------------------------------------------------------------
    def test_failures_are_kept_and_the_success_after_them(self):
        left = [RetryLater(60, "not yet"), ValueError("boom")]

        @job(max_attempts=5)
        def _flaky(self):
            if left:
                raise left.pop()

        with patch.object(type(self.partner), "_flaky", _flaky, create=True):
            failing = self.partner.delayed()._flaky()
            for _try in range(3):
                self.run_jobs(later=True)
            plain = self.partner.delayed()._flaky()
            self.run_jobs()
        self.assertFalse(plain.attempt_ids)
        self.assertEqual(
            [(a.number, a.outcome, a.error_type, a.error_message) for a in failing.attempt_ids],
            [
                (1, "retry", "ValueError", "boom"),
                (2, "retry", "RetryLater", "not yet"),
                (3, "done", False, False),
            ],
        )
        self.assertIn("boom", failing.attempt_ids[0].error_trace)
        self.assertTrue(all(a.started_at and a.worker and a.seconds >= 0 for a in failing.attempt_ids))

    def test_of_a_job_that_is_put_off_for_ever_the_last_tries_are_kept(self):
        tries = []

        @job()
        def _put_off(self):
            tries.append(1)
            raise Snooze(60, f"{len(tries)}")

        with patch.object(type(self.partner), "_put_off", _put_off, create=True):
            put_off = self.partner.delayed()._put_off()
            for _try in range(attempts.MOST_SNOOZES + 3):
                self.run_jobs(later=True)
        kept = put_off.attempt_ids.mapped("error_message")
        self.assertEqual((len(kept), kept[-1]), (attempts.MOST_SNOOZES, str(len(tries))))

    def test_examples_in_the_pure_modules(self):
        for module in (graph, insert):
            self.assertEqual(doctest.testmod(module).failed, 0, module.__name__)
