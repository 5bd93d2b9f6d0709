# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Somebody runs a failed job again at the very moment its failure is followed up."""

from __future__ import annotations

import threading
from contextlib import contextmanager

from ..api import chain
from ..engine import maintain, release
from ..engine.slots import Side
from .worker_kit import EngineCase


class TestGraphRaces(EngineCase):
    def side(self):
        side = Side(self.dbname)
        self.addCleanup(side.close)
        return side

    def failed_graph(self):
        """A graph with an undo whose second job has failed; nobody has looked at what follows from it yet."""
        with self.committed() as env:
            later = env["dist.test.ledger"].later
            jobs = chain(
                later()._step("1").undo(later()._step("undo 1")), later()._step("2"), later()._step("3")
            ).enqueue()
        first, second, third = jobs.ids
        self.query("UPDATE dist_job SET state = 'done', done_at = now() AT TIME ZONE 'UTC' WHERE id = %s", first)
        self.query(
            "UPDATE dist_job SET state = 'dead', attempts = 1, done_at = now() AT TIME ZONE 'UTC', release = true"
            " WHERE id = %s",
            second,
        )
        return first, second, third

    def ask_to_run_again(self, job_id):
        with self.committed() as env:
            env["dist.job"].browse(job_id).action_requeue()

    @contextmanager
    def stopped_in_the_middle(self, statement, *params):
        """The look at marks, held up by ``statement`` of a transaction that is open for the length of the block."""
        holder, looker = self.cursor(), self.side()
        holder.execute(statement, params)
        pid = looker.connection.info.backend_pid

        def look():
            with looker.cursor() as cr:
                release.release(cr)

        thread = threading.Thread(target=look)
        thread.start()
        waiting = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'"
        try:
            self.wait_for("the look is held up", lambda: self.query(waiting, pid))
            yield
        finally:
            holder.rollback()
            thread.join()

    def run_all(self):
        with self.committed() as env:
            env["dist.job"]._cron_run_jobs()

    def test_what_follows_comes_back_when_it_is_cancelled_while_the_job_is_run_again(self):
        _first, second, third = self.failed_graph()
        self.query("UPDATE dist_job SET undo = NULL")
        with self.stopped_in_the_middle("SELECT 1 FROM dist_job WHERE id = %s FOR UPDATE", third):
            self.ask_to_run_again(second)
            with self.side().cursor() as cr:
                maintain.apply_requests(cr)
        self.run_all()
        self.assertEqual(self.states(), {"done": 3})
        self.assertEqual([name for name, _key in self.ledger()], ["2", "3"])

    def test_a_job_is_not_run_again_while_its_graph_is_taken_back(self):
        first, second, _third = self.failed_graph()
        with self.stopped_in_the_middle(
            "INSERT INTO dist_job (handler, undo_of, state) VALUES ('held', %s, 'done')", first
        ):
            self.ask_to_run_again(second)
            with self.side().cursor() as cr:
                maintain.apply_requests(cr)
        self.run_all()
        self.assertEqual(self.query("SELECT state FROM dist_job_request"), [("refused",)])
        self.assertEqual([name for name, _key in self.ledger()], ["undo 1"])
