# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What docs/developer-guide.md says, run."""

from __future__ import annotations

import re
from pathlib import Path

from odoo.tests import BaseCase, tagged
from odoo.tools import file_path

from odoo.addons.dist_sync_queue.tests.common import SyncCase
from odoo.addons.dist_sync_queue.tests.relay_kit import RelayKit


class GuideCase(RelayKit, SyncCase):
    def setUp(self):
        super().setUp()
        self.bins = self.env["dist.example.bin"].create(
            [{"name": f"A-{n}", "aisle": "A" if n < 3 else "B", "quantity": 10} for n in range(4)]
        )
        self.bin = self.bins[0]


class TestJobs(GuideCase):
    def test_a_job_is_run_later(self):
        with self.trap_jobs() as trap:
            self.bin.action_count_later()
        trap.assert_enqueued(self.bin, "_count", priority=3, kwargs={"source": "robot"})
        self.assertFalse(self.bin.counted_at)

        self.run_jobs()
        self.assertTrue(self.bin.counted_at)
        self.assertEqual(self.bin.log, "counted by robot\n")

    def test_trapped_jobs_run_in_the_order_they_were_made(self):
        with self.trap_jobs() as trap:
            self.bin.delayed(priority=9, eta=3600)._count(source="first")
            self.bin.delayed(priority=0)._count(source="second")
        trap.run()
        self.assertEqual(self.bin.log, "counted by first\ncounted by second\n")

    def test_what_a_trapped_job_makes_is_left_and_what_is_stuck_is_told(self):
        earlier = self.bin.delayed(key="bin")._count(source="earlier")
        with self.trap_jobs() as trap:
            self.bin.delayed()._count(source="free")
            self.bin.delayed(key="bin")._count(source="behind")
        with self.assertRaisesRegex(AssertionError, "an earlier one of its key"):
            trap.run()
        self.assertEqual((earlier.state, self.bin.log), ("pending", "counted by free\n"))

    def test_many_jobs_in_order_and_requests_merged(self):
        first = self.bins.action_count_each()
        again = self.bin.action_count_each()
        self.assertEqual(first.mapped("key"), ["aisle:A", "aisle:A", "aisle:A", "aisle:B"])

        self.run_jobs(later=True)
        self.assertEqual(self.bin.log, "counted by hand\n", "two requests of one identity, one run")
        self.assertEqual(set((first | again).mapped("state")), {"done", "cancelled"})

    def test_jobs_in_one_call(self):
        self.bins.delayed(each=1)._empty()
        self.run_jobs()
        self.assertEqual(self.bins.mapped("log"), ["emptied with 4\n"] * 4)

    def test_what_is_raised_decides(self):
        taken = self.bin.delayed()._take(3)
        short = self.bin.delayed()._take(30)
        wrong = self.bin.delayed()._take(-1)
        self.run_jobs()
        self.assertEqual((taken.state, self.bin.quantity), ("done", 7))
        self.assertEqual((short.state, short.attempts, bool(short.eta)), ("pending", 1, True))
        self.assertEqual((wrong.state, wrong.error_type), ("dead", "Permanent"))

        self.bin.closed = True
        waiting = self.bin.delayed()._take(1)
        self.run_jobs()
        self.assertEqual((waiting.state, waiting.attempts), ("pending", 0), "a snooze is not counted")

    def test_progress_is_told_where_a_worker_runs_it(self):
        job = self.bins.delayed()._count_all()
        self.run_jobs()
        self.assertEqual(job.state, "done", job.error_message)
        self.assertTrue(all(self.bins.mapped("counted_at")))

    def test_jobs_wait_for_jobs(self):
        jobs = self.bins.action_inventory(40)
        self.assertEqual(jobs.mapped("state"), ["pending", *["waiting"] * 4])
        self.run_jobs()
        self.assertEqual(set(jobs.mapped("state")), {"done"})
        self.assertEqual(self.bins.mapped("log"), ["as expected\n"] * 4)

    def test_what_was_done_is_undone(self):
        jobs = self.bins.action_inventory(41)
        self.run_jobs()
        self.assertEqual(jobs.mapped("state"), ["done", "done", "done", "dead", "cancelled"])
        self.assertEqual(set(self.bins.mapped("closed")), {False}, "the undo of the first step has run")

    def test_recurring_jobs_are_there(self):
        schedules = self.env["dist.schedule"].search([("handler", "=like", "dist.example.bin:%")])
        self.assertEqual(
            set(schedules.mapped("handler")), {"dist.example.bin:_tidy", "dist.example.bin:_count_at_night"}
        )


class TestEvents(GuideCase):
    def test_from_outside(self):
        job = self.receive(self.make_connection(), "example.counted.v1", {"quantity": 4}, key="A-0")
        self.assertEqual(job.state, "done", job.error_message)
        self.assertEqual(self.bin.quantity, 4)

    def test_a_fact_and_its_outcome(self):
        connection = self.make_connection()
        self.bin.action_refuse_order(connection, "1001")
        (event,) = self.claim(connection)
        self.answer(event, "delivered")
        self.run_jobs()
        self.assertEqual(self.bin.log, "order 1001: delivered\n")

    def test_what_goes_out_is_seen(self):
        connection = self.make_connection()
        with self.trap_events() as trap:
            self.bin.action_refuse_order(connection, "1001")
            self.bin.quantity = 3
        trap.assert_emitted(connection, "order.cancel.v1", key="1001", reason="stock", report=True)
        trap.assert_marked(connection, "availability.changed.v1", "A-0")

    def test_a_trap_tells_what_is_not_as_expected(self):
        connection, other = self.make_connection(), self.make_connection(name="Other")
        self.bins[1].quantity = 3
        with self.trap_events() as trap:
            self.bin.action_refuse_order(connection, "1001")
            self.bin.quantity = 3
        self.run_jobs()
        trap.assert_emitted(connection, "order.cancel.v1")
        trap.assert_emitted(other, "order.cancel.v1", count=0)
        for wrong in (
            lambda: trap.assert_emitted(connection, "order.cancel.v1", reason="price"),
            lambda: trap.assert_emitted(connection, "order.cancel.v1", count=2),
            lambda: trap.assert_marked(connection, "availability.changed.v1"),
            lambda: trap.assert_marked(connection, "availability.changed.v1", "A-0", "A-1"),
            lambda: trap.assert_emitted(connection, "availability.changed.v1"),
        ):
            with self.assertRaises(AssertionError):
                wrong()

    def test_a_state_is_computed_once_for_many_changes(self):
        connection = self.make_connection()
        for quantity in (3, 2, 1):
            self.bin.quantity = quantity
        self.run_jobs()
        (event,) = self.claim(connection)
        self.assertEqual((event["key"], event["payload"]["quantity"]), ("A-0", "1"))


@tagged("post_install", "-at_install")
class TestGuide(BaseCase):
    """The guide shows the code that is tested, and no other."""

    def test_every_snippet_is_code_of_this_addon(self):
        guide = Path(file_path("dist_example_jobs")).parents[1] / "docs" / "developer-guide.md"
        code = "\n".join(path.read_text("utf-8") for path in sorted(Path(file_path("dist_example_jobs")).rglob("*.py")))
        squeezed = self._squeeze(code)
        snippets = re.findall(r"```python\n(.*?)```", guide.read_text("utf-8"), re.DOTALL)
        self.assertGreater(len(snippets), 10)
        for snippet in snippets:
            for part in re.split(r"^\s*\.\.\.\s*$", snippet, flags=re.MULTILINE):
                self.assertIn(self._squeeze(part), squeezed, f"not in the example addon:\n{part}")

    def _squeeze(self, text):
        """Without indentation and empty lines."""
        return "\n".join(line.strip() for line in text.splitlines() if line.strip())
