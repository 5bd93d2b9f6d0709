# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A connection is deleted, and its jobs with it: what waited for them in a graph ends as it declared."""

from __future__ import annotations

from odoo.tests import tagged

from ..api import chain, group
from ..engine.release import release
from .relay_kit import RelayKit
from .test_graph import GraphCase


@tagged("post_install", "-at_install")
class TestParting(RelayKit, GraphCase):
    def setUp(self) -> None:
        super().setUp()
        self.gone = self.make_connection(name="Gone")
        self.stays = self.make_connection(name="Stays")
        self.gone.action_pause()

    def theirs(self, name, **options):
        return self.step(name, connection=self.gone, **options)

    def ours(self, name, **options):
        return self.step(name, connection=self.stays, **options)

    def delete(self):
        self.gone.unlink()
        release(self.env.cr)
        self.env.invalidate_all()

    def test_a_follower_is_cancelled_with_what_follows_it(self):
        jobs = chain(self.theirs("a"), self.ours("b"), self.step("c")).enqueue()
        self.delete()
        left = jobs.exists()
        self.assertEqual(self.states(left), ["cancelled", "cancelled"])
        self.assertIn(f"job {jobs[0].id} (res.partner:_step) before it was deleted", left[0].error_message)
        self.assertEqual((left[0].stopped_by, left[1].stopped_by), (0, left[0].id))
        self.run_jobs()
        self.assertEqual(self.seen, [])
        left[0].action_requeue()
        self.run_jobs()
        self.assertEqual(self.seen, ["b", "c"], "somebody may decide otherwise")

    def test_a_follower_that_does_not_mind_goes_on(self):
        jobs = chain(self.theirs("a"), self.ours("b"), on_failure="continue").enqueue()
        self.delete()
        self.run_jobs()
        self.assertEqual((self.states(jobs.exists()), self.seen), (["done"], ["b"]))

    def test_a_follower_of_one_that_had_succeeded_goes_on(self):
        jobs = chain(group(self.theirs("a"), self.ours("b")), self.ours("c")).enqueue()
        jobs[0].sudo().write({"state": "done"})
        self.env.flush_all()
        self.delete()
        self.assertEqual(self.states(jobs.exists()), ["pending", "waiting"])
        self.run_jobs()
        self.assertEqual(self.seen, ["b", "c"])

    def test_steps_that_were_done_are_taken_back(self):
        jobs = chain(self.ours("a").undo(self.ours("not a")), self.theirs("b"), self.ours("c")).enqueue()
        self.run_jobs()
        self.delete()
        self.run_jobs()
        self.assertEqual(self.seen, ["a", "not a"])
        self.assertEqual(self.states(jobs.exists()), ["done", "cancelled"])

    def test_steps_before_a_last_one_that_goes_are_taken_back(self):
        for make in (
            lambda: chain(self.ours("a").undo(self.ours("not a")), self.theirs("b")),
            lambda: group(self.ours("a").undo(self.ours("not a")), self.theirs("b")),
            lambda: chain(self.ours("a").undo(self.ours("not a")), self.theirs("b"), self.theirs("c")),
        ):
            with self.subTest(), self.env.cr.savepoint() as savepoint:
                self.seen.clear()
                jobs = make().enqueue()
                self.run_jobs()
                self.delete()
                self.run_jobs()
                self.assertEqual(self.seen, ["a", "not a"])
                left = jobs.exists()
                self.assertEqual(self.states(left), ["done", "cancelled"], "it stays as what failed")
                self.assertFalse(left.connection_id - self.stays)
                savepoint.rollback()
                self.env.invalidate_all()

    def test_a_last_one_that_goes_leaves_nothing_where_nothing_is_to_be_taken_back(self):
        jobs = chain(self.ours("a"), self.theirs("b")).enqueue()
        self.run_jobs()
        self.delete()
        self.assertEqual(self.states(jobs.exists()), ["done"])

    def test_what_was_to_be_undone_through_a_connection_that_is_gone_holds_up_nothing(self):
        chain(
            self.ours("a").undo(self.theirs("not a")),
            self.ours("b").undo(self.ours("not b")),
            self.theirs("c"),
            self.ours("d"),
        ).enqueue()
        self.run_jobs()
        self.delete()
        self.run_jobs()
        self.assertEqual(self.seen, ["a", "b", "not b"])

    def test_what_a_failed_one_had_stopped_can_be_run_again(self):
        self.broken.add("a")
        self.gone.action_resume()
        jobs = chain(self.theirs("a"), self.ours("b")).enqueue()
        self.run_jobs()
        self.assertEqual(self.states(jobs), ["dead", "cancelled"])
        self.gone.action_pause()
        self.delete()
        jobs[1].action_requeue()
        self.run_jobs()
        self.assertEqual((self.states(jobs[1]), self.seen), (["done"], ["b"]))

    def test_a_company_parts_with_its_jobs_the_same_way(self):
        jobs = chain(self.step("a"), self.ours("b")).enqueue()
        jobs[0].sudo().unlink()
        release(self.env.cr)
        self.assertEqual(self.states(jobs[1]), ["cancelled"])
