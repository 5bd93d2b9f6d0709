# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from datetime import datetime, timedelta

from .common import SyncCase
from .relay_kit import SHIPMENT, RelayKit


class TestClaim(RelayKit, SyncCase):
    def setUp(self):
        super().setUp()
        self.connection = self.make_connection()

    def keys(self, *args, **kwargs):
        return [(event["key"], event["version"]) for event in self.claim(self.connection, *args, **kwargs)]

    def test_row_of_a_claim(self):
        event = self.emit_fact(self.connection, deadline=datetime(2100, 1, 1), priority=3)
        (row,) = self.claim(self.connection, lease=30)
        self.assertEqual(row["event_id"], event.event_id)
        self.assertEqual((row["type"], row["connection"]), ("shipment.confirm.v1", self.connection.ref))
        self.assertEqual((row["priority"], row["version"], row["attempt"], row["read_back"]), (3, None, 1, False))
        self.assertEqual(row["deadline"].isoformat(), "2100-01-01T00:00:00+00:00")
        self.assertEqual(row["payload"]["order_id"], "1001")
        self.assertEqual(row["seq"], event.relay_seq)
        self.assertEqual(event.state, "published")
        self.assertAlmostEqual(
            event.lease_until, event.published_at + timedelta(seconds=30), delta=timedelta(seconds=5)
        )
        self.assertFalse(self.claim(self.connection))

    def ready(self):
        self.env.flush_all()
        self.env.cr.execute("SELECT connection FROM dist_relay.ready()")
        return {ref for (ref,) in self.env.cr.fetchall()}

    def test_ready_are_connections_with_something_to_claim_now(self):
        mine = {self.connection.ref}
        quiet, paused = self.make_connection(name="Quiet"), self.make_connection(name="Paused")
        self.assertFalse(self.ready())
        self.emit_fact(self.connection, "A")
        self.emit_fact(paused, "A")
        paused.action_pause()
        self.assertEqual(self.ready(), mine, f"neither {quiet.name} nor {paused.name}")
        (event,) = self.claim(self.connection)
        self.assertFalse(self.ready(), "it is under way")
        self.lapse(event)
        self.assertEqual(self.ready(), mine, "nobody answered")
        (event,) = self.claim(self.connection)
        self.answer(event, "unknown", retry_after="3600")
        self.assertFalse(self.ready(), "its time has not come")
        self.make_due()
        self.assertEqual(self.ready(), mine)
        self.env["ir.config_parameter"].set_param("dist_sync_queue.identity_confirmed", "another")
        self.assertFalse(self.ready(), "a copy publishes nothing")

    def test_a_claim_tells_the_configuration_its_events_need(self):
        self.emit_fact(self.connection, "A")
        self.assertEqual(self.claim(self.connection)[0]["config_version"], self.connection.config_version)
        self.connection.settings = {"shop_domain": "two.example"}
        self.emit_fact(self.connection, "B")
        self.assertEqual(self.claim(self.connection)[0]["config_version"], self.connection.config_version)

    def test_keys_held_back_in_front_hide_no_head(self):
        head = self.emit_fact(self.connection, "A", 0)
        self.claim(self.connection)
        for number in range(1, 13):
            self.emit_fact(self.connection, "A", number)
        self.emit_fact(self.connection, "B")
        self.assertEqual([event["key"] for event in self.claim(self.connection, 2)], ["B"], f"behind {head.key}")

    def test_facts_of_a_key_go_one_after_the_other(self):
        for number in range(3):
            self.emit_fact(self.connection, "A", number)
        self.emit_fact(self.connection, "B", 1)
        first = self.claim(self.connection)
        self.assertEqual([event["key"] for event in first], ["A", "B"])
        self.assertFalse(self.claim(self.connection))
        self.answer(first[0], "delivered")
        (second,) = self.claim(self.connection)
        self.answer(second, "retry", retry_after="3600")
        self.assertFalse(self.claim(self.connection), "the third waits while the second is tried again")
        self.make_due()
        (again,) = self.claim(self.connection)
        self.assertEqual(again["event_id"], second["event_id"])

    def test_a_dead_head_holds_its_key_until_replayed_or_cancelled(self):
        head, follower = self.emit_fact(self.connection, "A", 1), self.emit_fact(self.connection, "A", 2)
        self.answer(self.claim(self.connection)[0], "broken")
        self.assertFalse(self.claim(self.connection))
        head.action_replay()
        (again,) = self.claim(self.connection)
        self.assertEqual(again["event_id"], head.event_id)
        self.answer(again, "broken")
        head.action_cancel()
        self.assertEqual(self.claim(self.connection)[0]["event_id"], follower.event_id)

    def test_a_rejected_head_lets_its_key_go_on(self):
        self.emit_fact(self.connection, "A", 1)
        follower = self.emit_fact(self.connection, "A", 2)
        self.answer(self.claim(self.connection)[0], "rejected")
        self.assertEqual(self.claim(self.connection)[0]["event_id"], follower.event_id)

    def test_order_is_priority_then_age_and_seq_grows_with_it(self):
        for key, priority in (("late", 9), ("first", 0), ("middle", 5), ("second", 0)):
            self.emit_fact(self.connection, key, priority=priority)
        found = self.claim(self.connection)
        self.assertEqual([event["key"] for event in found], ["first", "second", "middle", "late"])
        self.assertEqual([event["seq"] for event in found], sorted(event["seq"] for event in found))

    def test_only_the_newest_state_of_a_key_is_sent(self):
        old = [self.emit_state(self.connection, "A", version) for version in (1, 2)]
        self.emit_state(self.connection, "A", 3)
        self.emit_state(self.connection, "B", 1)
        self.assertEqual(self.keys(), [("A", 3), ("B", 1)])
        self.assertEqual([event.state for event in old], ["cancelled", "cancelled"])
        self.assertEqual({event.outcome_code for event in old}, {"superseded"})

    def test_a_state_waits_for_the_one_under_way_and_replaces_it_when_its_lease_is_over(self):
        running = self.emit_state(self.connection, "A", 1)
        (claimed,) = self.claim(self.connection)
        self.emit_state(self.connection, "A", 2)
        self.assertFalse(self.keys())
        self.lapse(claimed)
        self.assertEqual(self.keys(), [("A", 2)])
        self.assertEqual(running.state, "cancelled")
        self.assertEqual(self.answer(claimed, "delivered"), "stale")
        self.assertEqual(running.state, "cancelled")

    def test_a_state_committed_late_is_never_sent_after_a_newer_one(self):
        self.emit_state(self.connection, "A", 5)
        self.answer(self.claim(self.connection)[0], "delivered")
        late = self.emit_state(self.connection, "A", 4)
        self.assertFalse(self.keys())
        self.assertEqual(late.state, "cancelled")

    def test_an_old_state_waiting_for_its_next_try_gives_way(self):
        old = self.emit_state(self.connection, "A", 1)
        self.answer(self.claim(self.connection)[0], "retry", retry_after="3600")
        self.emit_state(self.connection, "A", 2)
        self.assertEqual(self.keys(), [("A", 2)])
        self.assertEqual(old.state, "cancelled")

    def test_sweeper_publishes_again_what_nobody_answered(self):
        event = self.emit_fact(self.connection)
        (first,) = self.claim(self.connection)
        self.assertFalse(self.claim(self.connection))
        self.lapse(first)
        (second,) = self.claim(self.connection)
        self.assertEqual((second["attempt"], second["read_back"]), (2, True))
        self.assertGreater(second["seq"], first["seq"])
        self.assertEqual(self.answer(first, "delivered"), "stale")
        self.assertEqual(event.state, "published")
        self.assertEqual(self.answer(second, "delivered"), "settled")
        self.assertEqual((event.lapses, event.attempts), (1, 0))

    def test_what_is_never_answered_dies(self):
        event = self.emit_fact(self.connection)
        for _publication in range(25):
            (claimed,) = self.claim(self.connection)
            self.lapse(claimed)
        self.assertFalse(self.claim(self.connection))
        self.assertEqual((event.state, event.outcome_code), ("dead", "unanswered"))
        self.run_jobs()
        self.assertTrue(self.env["dist.exception"].search([("event_id", "=", event.event_id)]))

    def test_past_its_deadline_nothing_is_sent(self):
        event = self.emit_fact(self.connection, deadline=datetime(2020, 1, 1))
        self.assertFalse(self.claim(self.connection))
        self.assertEqual((event.state, event.outcome_code), ("dead", "deadline"))

    def test_back_pressure(self):
        self.connection.max_in_flight = 3
        for number in range(5):
            self.emit_fact(self.connection, str(number))
        first = self.claim(self.connection)
        self.assertEqual(len(first), 3)
        self.assertFalse(self.claim(self.connection))
        self.answer(first[1], "delivered")
        self.assertEqual(len(self.claim(self.connection)), 1)
        self.lapse(first[0])
        self.assertEqual([event["event_id"] for event in self.claim(self.connection)], [first[0]["event_id"]])

    def test_paused_sends_nothing_draft_only_checks(self):
        self.emit_fact(self.connection)
        self.connection.action_pause()
        self.assertFalse(self.claim(self.connection))
        self.connection.action_draft()
        self.assertFalse(self.claim(self.connection))
        self.env["dist.outbox.event"].emit(self.connection, "connection.check.v1", key="c", payload={})
        self.assertEqual([event["type"] for event in self.claim(self.connection)], ["connection.check.v1"])
        self.connection._activate()
        self.assertEqual([event["type"] for event in self.claim(self.connection)], ["shipment.confirm.v1"])

    def test_a_copy_sends_nothing_until_confirmed(self):
        self.emit_fact(self.connection)
        self.env["ir.config_parameter"].set_param("database.uuid", "11111111-1111-1111-1111-111111111111")
        self.assertFalse(self.claim(self.connection))
        self.assertFalse(self.claim_pulls())
        self.env.cr.execute("SELECT state FROM dist_relay.connections() WHERE connection = %s", (self.connection.ref,))
        self.assertEqual(self.env.cr.fetchone()[0], "paused")
        self.assertEqual(self.connection.health, "error")
        self.env["dist.relay"].action_confirm_identity()
        self.assertEqual(len(self.claim(self.connection)), 1)

    def test_identity_is_the_same_in_python_and_sql(self):
        self.env.cr.execute("SELECT database_uuid, api_version FROM dist_relay.hello()")
        self.assertEqual(self.env.cr.fetchone(), (self.env["dist.relay"].database_uuid(), 1))

    def test_a_held_back_key_with_many_followers_does_not_hide_the_others(self):
        self.emit_fact(self.connection, "A", "head")
        self.answer(self.claim(self.connection)[0], "broken")
        row = {"key": "A", "payload": {"order_id": "1", "reason": "stock"}}
        self.env["dist.outbox.event"].emit_many(
            self.connection, "order.cancel.v1", [{**row, "fact": (number,)} for number in range(1500)]
        )
        other = self.emit_fact(self.connection, "B")
        state = self.emit_state(self.connection, "C", 1)
        self.assertEqual(
            {event["event_id"] for event in self.claim(self.connection, 10)}, {other.event_id, state.event_id}
        )

    def test_pending_counts(self):
        def pending():
            self.env.flush_all()
            self.env.cr.execute(
                "SELECT ready, in_flight, oldest_seconds FROM dist_relay.pending() WHERE connection = %s",
                (self.connection.ref,),
            )
            return self.env.cr.fetchone()

        self.assertIsNone(pending())
        old = self.emit_fact(self.connection, "A")
        self.emit_fact(self.connection, "B", priority=0)
        self.env.cr.execute(
            "UPDATE dist_outbox_event SET occurred_at = occurred_at - interval '1 hour' WHERE id = %s", (old.id,)
        )
        ready, in_flight, oldest = pending()
        self.assertEqual((ready, in_flight), (2, 0))
        self.assertTrue(3600 <= oldest < 3700)
        claimed = self.claim(self.connection)
        self.assertEqual(pending()[:2], (0, 2))
        self.answer(claimed[0], "snooze", retry_after="600")
        self.assertEqual(pending()[:2], (0, 1))
        self.lapse(claimed[1])
        self.assertEqual(pending()[:2], (1, 0))

    def test_pending_reads_no_event_twice(self):
        """It is asked every few seconds: a priority that nobody uses is not looked for in the whole table."""

        def read():
            self.env.cr.execute(
                """SELECT COALESCE(seq_tup_read, 0) + COALESCE(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables
                    WHERE relname = 'dist_outbox_event'"""
            )
            return self.env.cr.fetchone()[0]

        rows = [{"key": f"K{n}", "payload": SHIPMENT} for n in range(2000)]
        self.env["dist.outbox.event"].emit_many(self.connection, "shipment.confirm.v1", rows)
        self.env.flush_all()
        self.env.cr.execute("ANALYZE dist_outbox_event")
        before = read()
        self.env.cr.execute("SELECT ready FROM dist_relay.pending() WHERE connection = %s", (self.connection.ref,))
        self.assertEqual(self.env.cr.fetchone()[0], 2000)
        self.assertLess(read() - before, 2 * 2000)

    def test_sequence_is_lifted_above_a_stream(self):
        self.env.cr.execute("SELECT dist_relay.raise_seq(1000000)")
        self.assertGreaterEqual(self.env.cr.fetchone()[0], 1_000_000)
        self.emit_fact(self.connection)
        self.assertGreater(self.claim(self.connection)[0]["seq"], 1_000_000)
        self.env.cr.execute("SELECT dist_relay.raise_seq(5)")
        self.assertGreater(self.env.cr.fetchone()[0], 1_000_000)

    def test_many_versions_of_one_state_do_not_hide_the_others(self):
        for version in range(1, 1101):
            self.emit_state(self.connection, "A", version)
        self.emit_state(self.connection, "B", 1)
        self.assertEqual(sorted(self.keys(limit=2)), [("A", 1100), ("B", 1)])
        waiting = [("connection_id", "=", self.connection.id), ("state", "=", "pending")]
        self.assertFalse(self.env["dist.outbox.event"].search_count(waiting))

    def test_claims_read_by_index(self):
        """No claim scans the table: a backlog of another connection costs nothing."""
        other = self.make_connection(name="Other")
        row = {"key": "A", "payload": {"order_id": "1", "reason": "stock"}}
        self.env["dist.outbox.event"].emit_many(
            other, "order.cancel.v1", [{**row, "key": str(number), "fact": (number,)} for number in range(3000)]
        )
        self.env.flush_all()
        self.env.flush_all()
        self.env.cr.execute("ANALYZE dist_outbox_event")
        query = """
            EXPLAIN SELECT e.id FROM dist_outbox_event e
             WHERE e.connection_id = %s AND e.state = 'pending' AND e.next_try_at IS NULL
             ORDER BY e.priority, e.id LIMIT 1000
        """
        self.env.cr.execute(query, (self.connection.id,))
        plan = "\n".join(line for (line,) in self.env.cr.fetchall())
        self.assertIn("dist_outbox_event_ready_idx", plan)
        self.env.cr.execute("SELECT pg_stat_get_xact_numscans('dist_outbox_event'::regclass)")
        before = self.env.cr.fetchone()[0]
        self.emit_fact(self.connection)
        self.assertEqual(len(self.claim(self.connection)), 1)
        self.env.cr.execute("SELECT pg_stat_get_xact_numscans('dist_outbox_event'::regclass)")
        self.assertEqual(self.env.cr.fetchone()[0], before, "sequential scans of the outbox")
