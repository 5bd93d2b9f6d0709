# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What is finished leaves the hot tables, stays findable, and is forgotten in the end; what is not, stays."""

from __future__ import annotations

import doctest
from datetime import timedelta
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo import fields

from dist_contracts import new_traceparent

from ..engine import archive, maintain, schema
from ..engine.slots import Side
from .common import SyncCase, put_event
from .relay_kit import RelayKit
from .worker_kit import EngineCase

TRACE = new_traceparent()


class Explaining:
    """A cursor that has statements planned instead of run."""

    def __init__(self, cr):
        self._cr, self.plans, self.rowcount = cr, [], 0

    def execute(self, statement, params=None):
        self._cr.execute(f"EXPLAIN {statement}", params)
        self.plans.append("\n".join(row[0] for row in self._cr.fetchall()))


class TestArchive(RelayKit, SyncCase):
    def setUp(self):
        super().setUp()
        self.connection = self.make_connection()
        self.env.cr.execute("DELETE FROM dist_job")

    def job(self, state, days, made=0, **values):
        """A job that was made and ended so many days ago."""
        ended = fields.Datetime.now() - timedelta(days=days)
        values = {"state": state, "done_at": ended, "created_at": ended - timedelta(days=made), **values}
        return put_event(self.env, self.connection, "test.thing.v1", {"n": days}, **values)

    def archived(self, jobs):
        return self.env["dist.job.archive"].browse(jobs.ids).exists()

    def test_finished_jobs_are_moved_by_the_day_they_ended(self):
        old, cancelled = self.job("done", 8, correlation_id=TRACE, key="k"), self.job("cancelled", 8)
        stays = (
            self.job("done", 6, made=100) | self.job("dead", 200) | self.job("pending", 200) | self.job("waiting", 9)
        )
        self.env["dist.job"]._gc_done_jobs()
        self.assertEqual((old | cancelled | stays).exists(), stays)
        moved = self.env["dist.job.archive"].browse(old.id)
        self.assertEqual(
            (moved.state, moved.key, moved.payload, moved.handler), ("done", "k", {"n": 8}, "test.thing.v1")
        )
        self.assertTrue(moved.archived_at)
        self.assertEqual(self.env["dist.job"]._gc_done_jobs(), (0, 0))

    def test_reports_tell_the_same_of_what_is_archived(self):
        job, event = self.job("done", 8, made=1, run_seconds=2.0), self.emit_fact(self.connection)
        self.answer(self.claim(self.connection)[0], "delivered")
        self.env.cr.execute(
            """UPDATE dist_outbox_event SET settled_at = settled_at - interval '8 days',
                      occurred_at = occurred_at - interval '9 days' WHERE id = %s""",
            (event.id,),
        )
        self.env.invalidate_all()

        def told():
            self.env.invalidate_all()
            lines = (self.env["dist.job.report"].browse(job.id), self.env["dist.outbox.report"].browse(event.id))
            return [{k: v for k, v in line.read()[0].items() if k != "id"} for line in lines]

        before = told()
        self.assertEqual((before[0]["done"], before[0]["run_seconds"], before[1]["delivered"]), (1, 2.0, 1))
        self.env["dist.job"]._gc_done_jobs()
        self.env["dist.outbox.event"]._gc_settled()
        self.assertFalse(job.exists() or event.exists())
        self.assertEqual(told(), before)

    def test_archived_jobs_are_forgotten_after_all_their_days(self):
        old, older = self.job("done", 89), self.job("done", 91)
        self.env["dist.job"]._gc_done_jobs()
        self.assertEqual(self.archived(old | older).ids, old.ids)

    def test_parameters_by_state_and_the_name_of_old(self):
        set_param = self.env["ir.config_parameter"].set_param
        set_param("dist_sync_queue.job_hot_days_cancelled", "1")
        set_param("dist_sync_queue.job_retention_days_done", "3")
        jobs = self.job("cancelled", 2) | self.job("done", 2) | self.job("done", 4)
        self.env["dist.job"]._gc_done_jobs()
        self.assertEqual(jobs.exists(), jobs[1])
        self.assertEqual(self.archived(jobs).ids, jobs[0].ids, "no archive where it would be forgotten at once")
        set_param("dist_sync_queue.job_retention_days", "1")
        self.env["dist.job"]._gc_done_jobs()
        self.assertFalse(self.archived(jobs))

    def test_a_graph_is_moved_as_a_whole_with_its_history(self):
        first, second = self.job("done", 20, graph="g"), self.job("dead", 20, graph="g")
        self.env.cr.execute(
            """INSERT INTO dist_job_edge (parent_id, child_id, on_failure) VALUES (%s, %s, 'stop');
               INSERT INTO dist_job_attempt (job_id, number, outcome, error_message) VALUES (%s, 1, 'retry', 'boom')""",
            (first.id, second.id, second.id),
        )
        second.action_cancel()
        self.env["dist.job"]._gc_done_jobs()
        self.assertTrue(first.exists(), "the other one is still dead")
        self.run_jobs()
        self.env.cr.execute("UPDATE dist_job SET done_at = done_at - interval '20 days' WHERE id = %s", (second.id,))
        self.env["dist.job"]._gc_done_jobs()
        history = self.archived(second).history
        self.assertEqual((self.archived(first).history, history["after"]), ({}, [first.id]), "told once")
        self.assertEqual([(a["outcome"], a["error_message"]) for a in history["attempts"]], [("retry", "boom")])
        self.assertEqual([(r["action"], r["state"]) for r in history["requests"]], [("cancel", "applied")])

    def test_a_graph_stays_as_long_as_one_of_it_may_be_run_again(self):
        first, second = self.job("done", 20, graph="g"), self.job("cancelled", 3, graph="g")
        third = self.job("done", 20, graph="other") | self.job("cancelled", 20, graph="other")
        self.env["ir.config_parameter"].set_param("dist_sync_queue.job_hot_days_cancelled", "30")
        self.env["dist.job"]._gc_done_jobs()
        self.assertEqual((first | second | third).exists(), first | second | third)
        self.env["ir.config_parameter"].set_param("dist_sync_queue.job_hot_days_cancelled", "1")
        self.env.flush_all()
        self.env["dist.job"]._gc_done_jobs()
        self.assertEqual((first | second | third).exists(), first | second, "the second ended three days ago")

    def test_what_is_not_due_is_not_read(self):
        """Every few seconds somebody looks whether there is something to do; mostly there is not."""
        self.env.cr.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        explaining = Explaining(self.env.cr)
        for kind in archive.KINDS:
            for state in set(kind.states) - {"rejected"}:  # those are few, and have an index of their own
                archive.move(explaining, kind, state, archive.Days(7, 90), 7)
                archive.forget(explaining, kind, state, archive.Days(7, 90))
        maintain.wake_due(explaining)
        self.assertEqual(len(explaining.plans), 10)
        for plan in explaining.plans:
            self.assertRegex(plan, r"Index Cond: .*(done_at|settled_at|eta) <", plan)

    def test_a_chunk_at_a_time(self):
        jobs = self.env["dist.job"].union(*(self.job("done", 8) for _n in range(5)))
        self.assertEqual(self.env["dist.job"]._gc_done_jobs(limit=3), (3, 3))
        self.assertEqual(self.env["dist.job"]._gc_done_jobs(limit=3), (2, 0))
        self.assertFalse(jobs.exists())

    # -- events --------------------------------------------------------------------------------------------------------
    def settled(self, verdict="delivered", days=8):
        event = self.emit_fact(self.connection, correlation_id=TRACE)
        self.answer(self.claim(self.connection)[0], verdict)
        self.env.cr.execute(
            "UPDATE dist_outbox_event SET settled_at = settled_at - make_interval(days => %s) WHERE id = %s",
            (days, event.id),
        )
        return event

    def test_settled_events_are_moved_and_the_journey_still_shows_them(self):
        event = self.settled()
        job = self.job("done", 8, correlation_id=TRACE)
        before = self.env["dist.journey.step"].of(TRACE)
        self.env["dist.outbox.event"]._gc_settled()
        self.env["dist.job"]._gc_done_jobs()
        self.assertFalse(event.exists() or job.exists())
        after = self.env["dist.journey.step"].of(TRACE)
        after.invalidate_recordset()
        self.assertEqual(len(after), len(before))
        models = {(step.res_model, step.res_id) for step in after}
        self.assertLessEqual({("dist.outbox.archive", event.id), ("dist.job.archive", job.id)}, models)
        self.assertTrue(self.env["dist.outbox.archive"].browse(event.id).action_open_journey()["domain"])

    def test_a_fact_told_again_is_found_in_the_archive_and_not_sent_twice(self):
        event = self.settled()
        self.env["dist.outbox.event"]._gc_settled()
        again = self.emit_fact(self.connection)
        self.assertEqual((again.id, again.state), (event.id, "delivered"))
        self.assertFalse(self.claim(self.connection))
        self.assertFalse(self.env["dist.outbox.archive"].browse(event.id).exists())

    def test_a_rejected_event_can_be_sent_again_for_longer(self):
        event = self.settled("rejected", days=20)
        self.env["dist.outbox.event"]._gc_settled()
        event.action_replay()
        self.assertEqual(event.state, "pending")

    def test_event_ids_are_remembered_longer_than_anybody_repeats(self):
        self.env["ir.config_parameter"].set_param("dist_sync_queue.seen_retention_days", "1")
        item = self.envelope(self.connection, "1")
        self.intake(item)
        for days, status in ((29, "duplicate"), (31, "stored")):
            self.env.cr.execute("UPDATE dist_relay.seen_event SET seen_at = now() - make_interval(days => %s)", (days,))
            self.env["dist.relay"]._gc_seen_events()
            self.assertEqual(self.intake(item), [status])

    def test_somebody_is_told_before_the_numbers_run_out(self):
        problems = self.env["dist.exception"].search([("kind", "=", "engine.ids")])
        self.env["dist.job"]._check_ids()
        self.assertEqual(self.env["dist.exception"].search([("kind", "=", "engine.ids")]), problems)
        with patch.object(schema, "ids_used", lambda cr: {"dist_job": 0.8, "dist_dirty_mark": 0.1}):
            self.env["dist.job"]._check_ids()
        problem = self.env["dist.exception"].search([("kind", "=", "engine.ids"), ("state", "=", "open")])
        self.assertIn("80 % of the numbers for dist_job", problem.name)
        self.env["dist.job"]._check_ids()
        self.assertEqual(problem.state, "done")

    def test_examples(self):
        self.assertEqual(doctest.testmod(archive).failed, 0)


class TestArchiveBesideTheClaim(RelayKit, EngineCase):
    def test_a_fact_that_is_told_again_while_it_is_archived_is_not_sent_twice(self):
        with self.committed() as self.env:
            connection = self.make_connection()
            event = self.emit_fact(connection)
        self.addCleanup(self.query, "DELETE FROM dist_connection WHERE id = %s", connection.id)

        side = Side(self.dbname)
        self.addCleanup(side.close)
        old = self.cursor()
        self.env = connection.env(cr=old)
        connection = connection.with_env(self.env)
        old.execute("SELECT 1")  # its snapshot
        side.execute(
            "UPDATE dist_outbox_event SET state = 'delivered', settled_at = clock_timestamp() - interval '8 days'"
        )
        self.assertEqual(self.emit_fact(connection).id, event.id, "an answer that comes meanwhile disturbs nobody")
        old.commit()
        old.execute("SELECT 1")
        with side.cursor() as cr:
            archive.run(cr, archive.EVENTS, 10)
        with self.assertRaises(SerializationFailure):
            self.emit_fact(connection)
        old.rollback()
        again = self.emit_fact(connection)
        self.assertEqual((again.id, again.state), (event.id, "delivered"))
        old.commit()
        self.assertEqual(self.query("SELECT count(*) FROM dist_outbox_event"), [(1,)])

    def test_what_is_locked_is_skipped_and_met_again(self):
        self.events(3)
        self.query("UPDATE dist_job SET state = 'done', done_at = clock_timestamp() - interval '8 days'")
        first = self.query("SELECT min(id) FROM dist_job")[0][0]
        holder = self.cursor()
        holder.execute("SELECT 1 FROM dist_job WHERE id = %s FOR UPDATE", (first,))
        side = Side(self.dbname)
        self.addCleanup(side.close)
        with side.cursor() as cr:
            self.assertFalse(archive.tick(cr))
            self.assertEqual(self.query("SELECT id FROM dist_job"), [(first,)])
            holder.rollback()
            with patch.object(archive, "CHUNK", 1):
                self.assertTrue(archive.tick(cr, seconds=0.0), "a full chunk and no time left")
        self.assertEqual(self.query("SELECT count(*) FROM dist_job_archive WHERE id >= %s", first), [(3,)])
        self.query("DELETE FROM dist_job_archive")
