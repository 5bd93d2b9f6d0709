# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Concurrent transactions, interleaved by hand in one thread: what must not happen between two workers."""

from __future__ import annotations

from contextlib import closing
from unittest.mock import patch

import psycopg2
from psycopg2 import errors as pg

from odoo import SUPERUSER_ID, api
from odoo.tests import tagged

from ..engine import claim, drain, maintain, marks, settle
from ..engine.batch import Again, Drained, RegistryChanged
from ..engine.slots import LOCK_CLASS, LOCK_DRAIN, Side, Slot, live_workers, reap
from .worker_kit import EngineCase, put_event

AVAILABILITY = "availability.changed.v1"


@tagged("post_install", "-at_install", "dist_engine")
class TestConcurrency(EngineCase):
    # -- claim ---------------------------------------------------------------------------------------------------------
    def test_two_claims_never_share_a_job(self):
        self.events(10)
        group = self.group()
        one, two = self.cursor(), self.cursor()
        first = {row.id for row in claim.claim(one, group, 4)[0]}
        second = {row.id for row in claim.claim(two, group, 100)[0]}
        self.assertEqual((len(first), len(second)), (4, 6))
        self.assertFalse(first & second)

    def test_a_key_in_hand_is_left_alone_and_the_others_are_served(self):
        self.events(12, keys=3)  # k0: 0 3 6 9, k1: 1 4 7 10, k2: 2 5 8 11
        group = self.group()
        one, two = self.cursor(), self.cursor()
        mine, _end = claim.claim(one, group, 1)
        self.assertEqual([row.payload["n"] for row in mine], [0])
        theirs, _end = claim.claim(two, group, 100)
        self.assertEqual({row.key for row in theirs}, {"k1", "k2"}, "nothing of k0, whose head is in other hands")
        self.assertEqual([row.payload["n"] for row in theirs if row.key == "k1"], [1, 4, 7, 10])

    def test_a_job_settled_after_our_snapshot_is_not_run_again(self):
        self.events(3, keys=1)
        group = self.group()
        late = self.cursor()
        late.execute("SELECT 1")  # the snapshot
        self.batches().run(group)
        with self.assertRaises(pg.SerializationFailure):
            claim.claim(late, group, 10)
        self.assertEqual(self.states(), {"done": 3})

    def test_keys_take_turns(self):
        self.events(6, keys=6)
        group = self.group()
        with closing(self.registry.cursor()) as cr:
            first, end = claim.claim(cr, group, 2)
            second, end = claim.claim(cr, group, 2, end)
            third, end = claim.claim(cr, group, 4, end)
        self.assertEqual([row.key for row in first + second + third], ["k0", "k1", "k2", "k3", "k4", "k5"])
        self.assertEqual(end, claim.START)

    # -- collisions ----------------------------------------------------------------------------------------------------
    def test_serialization_failure_takes_the_batch_again_and_counts_no_attempt(self):
        self.events(5)
        other = self.cursor()
        with self.committed() as env:
            env.cr.execute("INSERT INTO dist_test_ledger (name) VALUES ('row')")
        collide = [True]

        def handler(env, items):
            if collide:
                collide.clear()
                other.execute("UPDATE dist_test_ledger SET key = 'other'")
                other.commit()
            env.cr.execute("UPDATE dist_test_ledger SET key = 'ours'")

        with self.handler("test.thing.v1", handler):
            batches = self.batches()
            with self.assertRaises(Again), self.assertLogs("odoo.sql_db", "ERROR"):
                batches.run(self.group())
            self.assertEqual(self.query("SELECT DISTINCT state, attempts FROM dist_job"), [("pending", 0)])
            batches.run(self.group())
        self.assertEqual(self.query("SELECT DISTINCT state, attempts FROM dist_job"), [("done", 1)])

    def test_identity_requested_while_it_runs_causes_one_further_run(self):
        with self.committed() as env:
            ledger = env["dist.test.ledger"]
            for _n in range(5):
                ledger.delayed(identity="same")._write_name("before")
        name = "dist.test.ledger:_write_name"
        group = self.group(name)
        running, others = self.cursor(), self.cursor()
        batches = self.batches()
        report = batches.run_in(running, group)
        self.assertEqual(len(report.done), 1)
        with self.committed() as env:
            for _n in range(3):
                env["dist.test.ledger"].delayed(identity="same")._write_name("while")
        self.assertEqual(self.batches().run_in(others, self.group(name)).touched, 0, "not beside the running one")
        others.rollback()
        running.commit()
        batches.run(self.group(name))
        self.assertEqual([name for name, _key in self.ledger()], ["before", "while"])
        self.assertEqual(self.states(), {"done": 2, "cancelled": 6})

    def test_a_request_waits_for_an_older_one_that_another_worker_has_in_hand(self):
        with self.committed() as env:
            for name in ("older", "newer"):
                env["dist.test.ledger"].delayed(identity="same")._write_name(name)
        group = self.group("dist.test.ledger:_write_name")
        other, mine = self.cursor(), self.cursor()
        other.execute("SELECT id FROM dist_job ORDER BY id LIMIT 1 FOR NO KEY UPDATE")
        self.assertEqual(self.batches().run_in(mine, group).touched, 0, "else the older one is run last")
        mine.rollback()
        other.rollback()
        self.batches().run(group)
        self.assertEqual([name for name, _key in self.ledger()], ["newer"])
        self.assertEqual(self.states(), {"done": 1, "cancelled": 1})

    # -- dirty marks ---------------------------------------------------------------------------------------------------
    def availability(self, env, connection, keys):
        """A value that is read from the snapshot: how many rows the ledger shows."""
        env.cr.execute("SELECT count(*) FROM dist_test_ledger")
        count = env.cr.fetchone()[0]
        value = {"location_id": "L", "quantity": str(count), "as_of": "2026-01-01T00:00:00Z"}
        return {key: {"listing": {"inventory_id": key}, **value} for key in keys}

    def change(self, env, connection, *keys):
        env.cr.execute("INSERT INTO dist_test_ledger (name) VALUES ('change')")
        env["dist.dirty.mark"].mark(connection, AVAILABILITY, keys)

    def connection(self):
        with self.committed() as env:
            connection = env["dist.connection"].search([], limit=1) or new_connection(env)
            return connection.id

    def test_an_older_value_never_gets_the_newer_version(self):
        """Worker A computes; a change is committed; worker B must wait for A, then see the change."""
        connection_id = self.connection()
        with self.handler(AVAILABILITY + "#dirty", self.availability, kind="dirty", batch=10):
            with self.committed() as env:
                self.change(env, env["dist.connection"].browse(connection_id), "i@L")
            a, b = self.cursor(), self.cursor()
            group = self.group(AVAILABILITY + "#dirty", "marks")
            batches = self.batches()
            self.assertEqual(len(batches.run_in(a, group).done), 1)
            with self.committed() as env:
                self.change(env, env["dist.connection"].browse(connection_id), "i@L")
            self.assertEqual(self.batches().run_in(b, group).touched, 0, "A holds the key")
            b.rollback()
            a.commit()
            self.assertEqual(len(self.batches().run(group).done), 1)
        rows = self.query("SELECT version, payload->>'quantity' FROM dist_outbox_event ORDER BY version")
        self.assertEqual([value for _version, value in rows], ["1", "2"])
        self.assertEqual(self.query("SELECT count(*) FROM dist_dirty_mark")[0][0], 0)

    def test_a_stale_snapshot_cannot_compute(self):
        """B took its snapshot before A committed: it may not compute, although the key is free by now."""
        connection_id = self.connection()
        with self.handler(AVAILABILITY + "#dirty", self.availability, kind="dirty", batch=10):
            with self.committed() as env:
                self.change(env, env["dist.connection"].browse(connection_id), "i@L")
            group = self.group(AVAILABILITY + "#dirty", "marks")
            stale = self.cursor()
            stale.execute("SELECT 1")
            self.batches().run(group)
            with self.assertRaises(pg.SerializationFailure):
                self.batches().run_in(stale, group)
        self.assertEqual(self.query("SELECT count(*) FROM dist_outbox_event")[0][0], 1)

    def test_a_mark_of_an_open_transaction_is_kept(self):
        connection_id = self.connection()
        with self.handler(AVAILABILITY + "#dirty", self.availability, kind="dirty", batch=10):
            with self.committed() as env:
                self.change(env, env["dist.connection"].browse(connection_id), "i@L", "j@L")
            writer = self.cursor()
            env = api.Environment(writer, SUPERUSER_ID, {})
            self.change(env, env["dist.connection"].browse(connection_id), "i@L")
            group = self.group(AVAILABILITY + "#dirty", "marks")
            self.batches().run(group)
            writer.commit()
            self.batches().run(self.group(AVAILABILITY + "#dirty", "marks"))
        rows = self.query("SELECT key, payload->>'quantity' FROM dist_outbox_event ORDER BY version")
        self.assertEqual(rows, [("i@L", "1"), ("j@L", "1"), ("i@L", "2")])

    # -- drain, slots, requests ----------------------------------------------------------------------------------------
    def test_drain_waits_for_the_running_batch_and_keeps_the_next_out(self):
        self.events(2)
        batches, group = self.batches(), self.group()
        side = Side(self.dbname)
        self.addCleanup(side.close)
        running = self.cursor()
        running.execute("SELECT pg_try_advisory_xact_lock_shared(%s, %s)", (LOCK_CLASS, LOCK_DRAIN))
        self.assertFalse(drain.drain(side, timeout=0.0), "a batch is running")
        batches.run_in(running, group)
        running.commit()
        self.assertTrue(drain.drain(side, timeout=0.0))
        self.events(1)
        with self.assertRaises(Drained):
            batches.run(self.group())
        self.assertFalse(drain.lift_if_upgraded(side), "nothing was upgraded")
        side.execute("INSERT INTO orm_signaling_registry DEFAULT VALUES")
        self.assertTrue(drain.lift_if_upgraded(side), "the registry changed: the upgrade is over")
        with self.assertRaises(RegistryChanged):
            batches.run(self.group())
        self.registry.registry_sequence += 1
        self.assertEqual(batches.run(self.group()).touched, 1)

    def test_a_dead_worker_is_found_by_its_free_lock(self):
        living, dying, reaper = Side(self.dbname), Side(self.dbname), Side(self.dbname)
        for side in (living, reaper):
            self.addCleanup(side.close)
        self.events(1)
        job_id = self.query("SELECT id FROM dist_job")[0][0]
        slots = [Slot(living), Slot(dying)]
        for slot in slots:
            slot.open()
            slot.side.execute("UPDATE dist_worker_slot SET job_ids = %s WHERE id = %s", (f"[{job_id}]", slot.id))
        self.assertEqual(reap(reaper), 0)
        self.assertEqual(live_workers(self.cursor()), 2)
        dying.close()
        watching = self.cursor()

        def others() -> bool:
            watching.rollback()
            return live_workers(watching) == 1

        self.wait_for("the server lets go of the dead one's lock", others)
        self.assertEqual(reap(reaper), 1)
        self.assertEqual(reap(reaper), 0, "a crash is counted once")
        self.assertEqual(self.query("SELECT job_id, crashes FROM dist_job_crash"), [(job_id, 1)])

    def test_a_request_about_a_running_job_waits_for_it(self):
        self.events(1)
        running, side = self.cursor(), Side(self.dbname)
        self.addCleanup(side.close)
        with self.committed() as env:
            env["dist.job"].search([]).action_cancel()
        claim.claim(running, self.group(), 1)
        with side.cursor() as cr:
            self.assertEqual(maintain.apply_requests(cr), 0)
        running.rollback()
        with side.cursor() as cr:
            self.assertEqual(maintain.apply_requests(cr), 1)
        self.assertEqual(self.states(), {"cancelled": 1})

    def test_cron_runs_the_same_batches_unless_a_worker_lives(self):
        self.events(120, keys=7)
        side = Side(self.dbname)
        slot = Slot(side)
        slot.open()
        with self.committed() as env:
            self.assertEqual(env["dist.job"]._cron_run_jobs(), 0)
        slot.close()
        with self.committed() as env:
            self.assertEqual(env["dist.job"]._cron_run_jobs(), 120)
        self.assertEqual(self.states(), {"done": 120})

    def test_enqueue_is_part_of_the_callers_transaction(self):
        cr = self.cursor()
        api.Environment(cr, SUPERUSER_ID, {})["dist.test.ledger"].delayed()._noop()
        self.assertEqual(self.states(), {})
        cr.rollback()
        self.assertEqual(self.states(), {})

    def test_hundred_requests_of_one_identity_do_not_abort_each_other(self):
        cursors = [self.registry.cursor() for _n in range(20)]
        try:
            for cr in cursors:
                api.Environment(cr, SUPERUSER_ID, {})["dist.test.ledger"].delayed(identity="one")._write_name("x")
            for cr in cursors:
                cr.commit()
        except psycopg2.Error as error:
            self.fail(f"an enqueue was aborted: {error}")
        finally:
            for cr in cursors:
                cr.close()
        self.batches().run(self.group("dist.test.ledger:_write_name"))
        self.assertEqual(self.states(), {"done": 1, "cancelled": 19})

    def test_handler_is_not_called_for_others_of_a_key_whose_head_is_dead(self):
        self.events(5, keys=1)

        def handler(env, items):
            raise ValueError("always")

        with self.handler("test.thing.v1", handler, max_attempts=1):
            self.batches().run(self.group())
            side = Side(self.dbname)
            self.addCleanup(side.close)
            with self.registry.cursor() as cr:
                self.assertEqual(claim.claim(cr, self.group(), 10)[0], [], "not parked yet, but nothing overtakes")
            with side.cursor() as cr:
                maintain.sweep(cr)
        self.assertEqual(self.states(), {"dead": 1, "parked": 4})
        with self.committed() as env:
            env["dist.job"].search([("state", "=", "dead")]).action_requeue()
        with side.cursor() as cr:
            maintain.sweep(cr)
        self.batches().run(self.group())
        self.assertEqual([name for name, _key in self.ledger()], list("01234"))

    def test_a_job_that_meets_a_lock_waits_longer_each_time_and_the_others_go_on(self):
        self.events(3)
        holder = self.cursor()
        holder.execute("SELECT 1 FROM res_users WHERE id = 1 FOR UPDATE")
        times = []

        def wait(number, base, longest):
            times.append(number)
            return 3600.0

        def handler(env, items):
            if any(item.payload["n"] == 0 for item in items):
                env.cr.execute("SELECT 1 FROM res_users WHERE id = 1 FOR UPDATE NOWAIT", log_exceptions=False)

        with self.handler("test.thing.v1", handler, batch=3), patch.object(settle, "full_jitter", wait):
            report = self.batches().run(self.group())
            self.assertEqual((len(report.done), len(report.retried)), (2, 1))
            self.query("UPDATE dist_job SET eta = NULL")
            self.batches().run(self.group())
            rows = self.query("SELECT attempts, error_type FROM dist_job WHERE state = 'pending' AND eta > now()")
            self.assertEqual((rows, times), ([(0, "LockNotAvailable")], [1, 2]))
            holder.rollback()
            self.query("UPDATE dist_job SET eta = NULL")
            self.batches().run(self.group())
        self.assertEqual(self.states(), {"done": 3})

    def test_a_lock_odoo_could_not_grab_is_no_failure(self):
        self.events(2)
        connection_id = self.connection()
        with self.committed() as env:
            self.change(env, env["dist.connection"].browse(connection_id), "a", "b")
        holder = self.cursor()
        holder.execute("SELECT 1 FROM res_users WHERE id = 1 FOR NO KEY UPDATE")

        def handler(env, items):
            if any(item.payload["n"] == 0 for item in items):
                env["res.users"].browse(1).lock_for_update()

        def compute(env, connection, keys):
            if "a" in keys:
                env["res.users"].browse(1).lock_for_update()

        with (
            self.handler("test.thing.v1", handler, batch=2, max_attempts=1),
            self.handler(AVAILABILITY + "#dirty", compute, kind="dirty", batch=9, max_attempts=1),
        ):
            self.batches().run(self.group())
            self.batches().run(self.group(AVAILABILITY + "#dirty", "marks"))
        told = self.query("SELECT state, attempts, error_type FROM dist_job ORDER BY id")
        self.assertEqual(told, [("pending", 0, "LockNotAvailable"), ("done", 1, None)])
        self.assertEqual(self.query("SELECT key, attempts, eta IS NULL FROM dist_dirty_mark"), [("a", 0, False)])

    def test_a_key_that_meets_a_lock_waits_and_the_others_go_on(self):
        connection_id = self.connection()
        with self.committed() as env:
            self.change(env, env["dist.connection"].browse(connection_id), "a", "b")

        def compute(env, connection, keys):
            if "a" in keys:
                raise pg.LockNotAvailable()

        with self.handler(AVAILABILITY + "#dirty", compute, kind="dirty", batch=9):
            report = self.batches().run(self.group(AVAILABILITY + "#dirty", "marks"))
        self.assertEqual((len(report.done), len(report.retried)), (1, 1))
        self.assertEqual(self.query("SELECT key, attempts, eta IS NULL FROM dist_dirty_mark"), [("a", 0, False)])

    def test_marks_claim_is_by_key(self):
        connection_id = self.connection()
        with self.committed() as env:
            for _n in range(10):
                self.change(env, env["dist.connection"].browse(connection_id), "a", "b")
        one, two = self.cursor(), self.cursor()
        group = self.group(AVAILABILITY + "#dirty", "marks")
        keys, after = marks.claim(one, group, 1)
        self.assertEqual([(key.order_key, after) for key in keys], [("a", "a")])
        self.assertEqual([key.order_key for key in marks.claim(two, group, 10)[0]], ["b"])


def new_connection(env):
    adapter = env["dist.adapter"].search([], limit=1) or env["dist.adapter"].create(
        {"code": "test", "label": "Test", "kind": "channel"}
    )
    return env["dist.connection"].create({"name": "Test", "adapter_id": adapter.id, "company_id": env.company.id})


__all__ = ["TestConcurrency", "put_event"]
