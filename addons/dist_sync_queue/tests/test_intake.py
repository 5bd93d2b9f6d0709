# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import json
from datetime import timedelta
from uuid import uuid4

from psycopg2 import errors

from odoo import fields

from dist_contracts import MAX_PAYLOAD_BYTES

from .common import SyncCase
from .relay_kit import RelayKit, rows


class TestIntakeEvents(RelayKit, SyncCase):
    def setUp(self):
        super().setUp()
        self.connection = self.make_connection()

    def jobs(self, handler="order.received.v1"):
        return self.env["dist.job"].search([("handler", "=", handler), ("connection_id", "=", self.connection.id)])

    def letters(self):
        return self.env["dist.dead.letter"].search([], order="id")

    def test_an_event_becomes_one_job(self):
        item = self.envelope(self.connection, "1001", priority=2)
        self.assertEqual(self.intake(item), ["stored"])
        self.assertEqual(self.intake(item, item), ["duplicate", "duplicate"])
        job = self.jobs()
        self.assertEqual(len(job), 1)
        self.assertEqual((job.key, job.priority, job.state), ("1001", 2, "pending"))
        self.assertEqual(job.payload, {"id": "1001"})
        self.assertEqual((job.company_id, job.connection_id), (self.connection.company_id, self.connection))
        self.assertEqual(job.event_id, item["envelope"]["event_id"])
        self.assertEqual(job.correlation_id, item["envelope"]["correlation_id"])
        self.assertEqual(str(job.occurred_at), "2026-01-01 00:00:00")

    def test_twice_in_one_call(self):
        item = self.envelope(self.connection)
        self.assertEqual(self.intake(item, item), ["stored", "duplicate"])
        self.assertEqual(len(self.jobs()), 1)

    def test_jobs_keep_the_order_of_arrival(self):
        keys = [str(number) for number in (5, 3, 9, 1)]
        self.intake(*(self.envelope(self.connection, key) for key in keys))
        self.assertEqual(self.jobs().sorted("id").mapped("key"), keys)

    def test_route_gives_lane_and_attempts(self):
        self.env["dist.event.route"].search([("handler", "=", "order.received.v1")]).unlink()
        route = {"handler": "order.received.v1", "lane": "orders", "priority": 1, "max_attempts": 3}
        self.env["dist.event.route"].create(route)
        self.intake(self.envelope(self.connection))
        self.assertEqual((self.jobs().lane, self.jobs().priority, self.jobs().max_attempts), ("orders", 1, 3))

    def test_bad_items_are_set_aside_and_the_rest_goes_on(self):
        good = self.envelope(self.connection, "good")
        bad = {
            "kind is not known": {"kind": "gossip"},
            "envelope is missing": {"kind": "event"},
            "invalid input syntax for type uuid": self.envelope(self.connection, "a", event_id="no uuid"),
            "type is not an event type": self.envelope(self.connection, "b", type="DROP TABLE"),
            "made for another database": self.envelope(self.connection, "c", database=str(uuid4())),
            "connection is not known": self.envelope(self.connection, "d", connection="nobody"),
            "key must have": self.envelope(self.connection, "e" * 256),
            "payload is missing": self.envelope(self.connection, "f", payload=[1]),
            f"larger than {MAX_PAYLOAD_BYTES}": self.envelope(
                self.connection, "g", payload={"note": "x" * (MAX_PAYLOAD_BYTES + 300_000)}
            ),
            "occurred_at must be": self.envelope(self.connection, "h", occurred_at="yesterday"),
            "no traceparent": self.envelope(self.connection, "i", correlation_id="x"),
            "invalid input syntax for type integer": self.envelope(self.connection, "j", priority="high"),
            "priority must be": self.envelope(self.connection, "k", priority=77),
            "verdict is not known": {"kind": "outcome", "outcome": {"event_id": str(uuid4()), "verdict": "maybe"}},
            "retry_after must be seconds": {
                "kind": "outcome",
                "outcome": {"event_id": str(uuid4()), "verdict": "retry", "retry_after": "-5"},
            },
            "breaker is not known": {"kind": "health", "connection": self.connection.ref, "breaker": "ajar"},
            "run_id is missing": {"kind": "pull_done", "event_ids": []},
        }
        statuses = self.intake(*bad.values(), good, "text", 7, None, [])
        self.assertEqual(statuses, ["invalid"] * len(bad) + ["stored"] + ["invalid"] * 4)
        letters = self.letters()
        self.assertEqual(len(letters), len(bad) + 4)
        for reason, letter in zip(bad, letters, strict=False):
            self.assertIn(reason, letter.reason)
            self.assertLessEqual(len(letter.raw), 65_536)
        self.assertEqual(
            letters.filtered("truncated").mapped("reason"),
            [f"order.received.v1 g: payload is larger than {MAX_PAYLOAD_BYTES} bytes"],
        )
        self.assertEqual(self.jobs().key, "good")

    def test_what_postgresql_refuses_is_found_among_the_good_ones(self):
        self.env.cr.execute(
            "ALTER TABLE dist_job ADD CONSTRAINT no_seven CHECK (key <> '7') NOT VALID"  # what no check knows
        )
        statuses = self.intake(*(self.envelope(self.connection, str(number)) for number in range(10)))
        self.assertEqual(statuses, ["stored"] * 7 + ["invalid"] + ["stored"] * 2)
        self.assertIn("no_seven", self.letters().reason)
        self.assertEqual(len(self.jobs()), 9)

    def test_text_postgresql_cannot_read(self):
        good, nul = self.envelope(self.connection, "good"), self.envelope(self.connection, "nul")
        nul["envelope"]["payload"] = {"note": "a\0b", "path": "C:\\u0000"}
        found = rows(
            self.env.cr,
            "SELECT * FROM dist_relay.intake_raw(%s) ORDER BY ordinal",
            ([json.dumps(good), json.dumps(nul), "<html>"],),
        )
        self.assertEqual([row["status"] for row in found], ["stored", "stored", "invalid"])
        self.assertEqual(self.letters().raw, "<html>")
        payload = self.jobs().filtered(lambda job: job.key == "nul").payload
        self.assertEqual(payload, {"note": "a\ufffdb", "path": "C:\\u0000"})

    def test_an_array_is_required(self):
        with (
            self.assertRaises(errors.InvalidParameterValue),
            self.env.cr.savepoint(),
            self.assertLogs("odoo.sql_db", "ERROR"),
        ):
            self.env.cr.execute("SELECT * FROM dist_relay.intake('{}')")
        self.assertEqual(self.intake(), [])

    def test_dead_letters_need_attention_and_can_be_replayed(self):
        item = self.envelope(self.connection, "a", connection="nobody")
        self.intake(item, self.envelope(self.connection, "b", priority=77))
        self.run_jobs()
        exception = self.env["dist.exception"].search([("kind", "=", "intake.invalid"), ("state", "=", "open")])
        self.assertEqual(len(exception), 2, "one of the connection, one of nobody's")
        letter = self.letters()[0]
        self.env.cr.execute(
            "UPDATE dist_dead_letter SET raw = %s WHERE id = %s",
            (json.dumps(self.envelope(self.connection, "a")), letter.id),
        )
        letter.invalidate_recordset()
        letter.action_replay()
        self.assertEqual(letter.state, "replayed")
        self.assertEqual(self.jobs().key, "a")

    def test_what_the_relay_refused_says_why_and_of_which_order(self):
        reasons = [f"order.lines[{number}].price: is negative" for number in range(2)]
        items = [
            self.envelope(self.connection, f"77{number}", payload=None, refused=reason, raw="{}", occurred_at=None)
            for number, reason in enumerate(reasons)
        ]
        self.assertEqual(self.intake(*items), ["invalid", "invalid"])
        told = [f"order.received.v1 77{number}: {reason}" for number, reason in enumerate(reasons)]
        self.assertEqual(self.letters().mapped("reason"), told)
        self.run_jobs()
        exception = self.env["dist.exception"].search([("kind", "=", "intake.invalid"), ("state", "=", "open")])
        self.assertEqual(exception.cause.splitlines(), told[::-1], "every open letter is told, the newest first")
        self.assertEqual(exception.connection_id, self.connection)
        self.letters()[0].action_ignore()
        self.assertEqual(exception.state, "open", "one letter is still open")
        self.letters()[1].action_ignore()
        self.assertEqual(exception.state, "done")

    def test_a_letter_is_obsolete_when_the_thing_comes_in_well_later(self):
        def bad(key, *fact, **values):
            return self.envelope(self.connection, key, *fact, priority=77, **values)

        self.assertEqual(self.intake(bad("1"), bad("2")), ["invalid", "invalid"])
        self.run_jobs()
        problem = self.env["dist.exception"].search([("kind", "=", "intake.invalid"), ("state", "=", "open")])
        first, second = self.letters()
        self.assertEqual((first.type, first.key), ("order.received.v1", "1"))
        other = self.make_connection(name="Other")
        near = [self.envelope(other, "1"), self.envelope(self.connection, "1", "as listing", type="listing.found.v1")]
        self.assertEqual(self.intake(*near, self.envelope(self.connection, "3")), ["stored"] * 3)
        self.assertEqual(set((first | second).mapped("state")), {"open"}, "none of these is the refused order")
        corrected = self.envelope(self.connection, "1", "corrected", type="order.received.v2")
        self.assertEqual(self.intake(corrected), ["stored"])
        self.assertEqual((first.state, second.state), ("obsolete", "open"))
        self.assertIn(corrected["envelope"]["event_id"], first.note)
        self.run_jobs()
        self.assertEqual(problem.state, "open", "one letter is still open")
        # refused, put right, and refused again, in one call: only the last word counts
        last = bad("2", "again")
        self.intake(self.envelope(self.connection, "2", "corrected"), last)
        self.run_jobs()
        self.assertEqual(second.state, "obsolete")
        newest = self.letters()[-1]
        self.assertEqual((newest.event_id, newest.state), (last["envelope"]["event_id"], "open"))
        self.assertEqual(self.intake(self.envelope(self.connection, "2", "corrected")), ["duplicate"])
        self.assertEqual(newest.state, "open", "what came in before puts nothing right")
        self.intake(self.envelope(self.connection, "2", "at last"))
        self.run_jobs()
        self.assertEqual(problem.state, "done")

    def test_seen_events_are_kept_for_their_retention(self):
        self.intake(self.envelope(self.connection, "old"), self.envelope(self.connection, "new"))
        old = self.envelope(self.connection, "old")
        self.env.cr.execute(
            "UPDATE dist_relay.seen_event SET seen_at = now() - interval '91 days' WHERE event_id = %s::uuid",
            (old["envelope"]["event_id"],),
        )
        self.env["dist.relay"]._gc_seen_events()
        self.assertEqual(self.intake(old, self.envelope(self.connection, "new")), ["stored", "duplicate"])


class TestIntakeOutcomes(RelayKit, SyncCase):
    def setUp(self):
        super().setUp()
        self.connection = self.make_connection()
        self.event = self.emit_fact(self.connection)
        (self.claimed,) = self.claim(self.connection)

    def outcome_jobs(self):
        return self.env["dist.job"].search([("handler", "=", "shipment.confirm.v1#outcome")])

    def assert_waits(self, low, high):
        wait = (self.event.next_try_at - fields.Datetime.now()).total_seconds()
        self.assertTrue(low - 5 <= wait <= high + 1, wait)

    def test_delivered(self):
        self.assertEqual(self.answer(self.claimed, "delivered", data={"fulfillment_id": "7"}), "settled")
        self.assertEqual(self.event.state, "delivered")
        self.assertEqual(self.event.outcome_data, {"fulfillment_id": "7"})
        self.assertTrue(self.event.settled_at)
        self.assertFalse(self.outcome_jobs(), "nobody asked for a report")
        self.assertTrue(self.connection.last_success_at)
        self.assertEqual(self.answer(self.claimed, "delivered"), "duplicate")
        self.assertEqual(self.answer(self.claimed, "rejected"), "stale")
        self.assertEqual(self.event.state, "delivered")

    def test_report_asks_for_a_job_on_success(self):
        self.answer(self.claimed, "delivered")
        event = self.emit_fact(self.connection, "2", report=True, record=self.connection)
        (claimed,) = self.claim(self.connection)
        self.answer(claimed, "delivered", data={"id": "9"}, message="fine")
        job = self.outcome_jobs()
        self.assertEqual((job.key, job.event_id), ("2", event.event_id))
        outcome, told = job.payload["outcome"], job.payload["event"]
        self.assertEqual((outcome["verdict"], outcome["data"], outcome["message"]), ("delivered", {"id": "9"}, "fine"))
        self.assertEqual((told["event_id"], told["type"], told["key"]), (event.event_id, "shipment.confirm.v1", "2"))
        self.assertEqual((told["res_model"], told["res_id"]), ("dist.connection", self.connection.id))
        self.assertEqual(told["payload"], event.payload)

    def test_events_wait_for_credentials_and_go_on_with_new_ones(self):
        self.answer(self.claimed, "snooze", code="credentials", message="lacks write_orders", retry_after=300)
        self.run_jobs()
        problem = self.env["dist.exception"].search([("kind", "=", "connection.credentials")])
        self.assertEqual((problem.state, problem.connection_id), ("open", self.connection))
        self.assertEqual(problem.cause, "shipment.confirm.v1 1001: lacks write_orders")
        self.assertFalse(self.claim(self.connection))
        self.connection.set_credentials({"token": "another-token"})
        (event,) = self.claim(self.connection)
        self.assertEqual((self.event.state, self.event.attempts), ("published", 0))
        self.answer(event, "delivered")
        self.run_jobs()
        self.assertEqual(problem.state, "done")

    def test_credentials_do_not_hurry_what_waits_for_something_else(self):
        self.answer(self.claimed, "snooze", code="rate_limited", retry_after=300)
        self.connection.set_credentials({"token": "another-token"})
        self.assertFalse(self.claim(self.connection))

    def test_rejected_and_broken_make_jobs(self):
        self.assertEqual(self.answer(self.claimed, "rejected", code="gone", message="No order"), "settled")
        self.assertEqual((self.event.state, self.event.outcome_code), ("rejected", "gone"))
        self.assertEqual(self.outcome_jobs().payload["outcome"]["verdict"], "rejected")
        self.assertEqual(self.connection.last_error, "No order")
        self.event.action_replay()
        self.answer(self.claim(self.connection)[0], "broken", message="defect")
        self.assertEqual(self.event.state, "dead")
        self.assertEqual({job.payload["outcome"]["verdict"] for job in self.outcome_jobs()}, {"rejected", "broken"})

    def test_retry_counts_and_backs_off(self):
        self.assertEqual(self.answer(self.claimed, "retry"), "released")
        self.assertEqual((self.event.state, self.event.attempts), ("pending", 1))
        self.assert_waits(0, 10.2)
        self.make_due()
        (claimed,) = self.claim(self.connection)
        self.assertEqual((claimed["attempt"], claimed["read_back"]), (2, False))
        self.answer(claimed, "retry", retry_after="120")
        self.assert_waits(120, 120)

    def test_retry_ends_as_a_dead_letter(self):
        self.env.cr.execute("UPDATE dist_outbox_event SET max_attempts = 2 WHERE id = %s", (self.event.id,))
        self.answer(self.claimed, "retry")
        self.make_due()
        self.assertEqual(self.answer(self.claim(self.connection)[0], "retry", message="still down"), "dead")
        self.assertEqual((self.event.state, self.event.outcome_code), ("dead", "exhausted"))
        self.assertEqual(self.outcome_jobs().payload["outcome"]["message"], "still down")

    def test_snooze_is_not_counted(self):
        claimed = self.claimed
        for _time in range(12):
            self.assertEqual(self.answer(claimed, "snooze", retry_after="30"), "released")
            self.assert_waits(30, 30)
            self.make_due()
            (claimed,) = self.claim(self.connection)
        self.assertEqual((self.event.attempts, self.event.state), (0, "published"))

    def test_a_repeated_snooze_does_not_touch_the_next_publication(self):
        snooze = self.outcome(self.claimed, "snooze")
        self.assertEqual(self.intake(snooze, snooze), ["released", "stale"])
        self.make_due()
        self.claim(self.connection)
        self.assertEqual(self.intake(snooze), ["stale"])
        self.assertEqual(self.event.state, "published")

    def test_unknown_is_read_back(self):
        self.assertEqual(self.answer(self.claimed, "unknown"), "released")
        self.assertEqual((self.event.state, self.event.attempts), ("unknown", 1))
        self.assert_waits(15, 15)
        self.assertFalse(self.claim(self.connection))
        self.make_due()
        (claimed,) = self.claim(self.connection)
        self.assertTrue(claimed["read_back"])
        self.assertEqual(self.answer(claimed, "delivered"), "settled")

    def test_what_was_begun_before_is_looked_up_whatever_the_answer(self):
        """A worker died in the call; the next one had an open breaker, a pause, no more attempts."""
        for verdict in ("snooze", "retry", "broken"):
            with self.subTest(verdict):
                event = self.emit_fact(self.connection, verdict, deadline=fields.Datetime.now() + timedelta(hours=1))
                (claimed,) = self.claim(self.connection)
                self.assertFalse(claimed["read_back"])
                self.intake({**self.outcome(claimed, verdict), "read_back": True})
                if verdict == "broken":
                    event.action_replay()
                else:
                    self.env.cr.execute(
                        "UPDATE dist_outbox_event SET deadline = deadline - interval '1 day' WHERE id = %s", [event.id]
                    )
                self.make_due()
                (claimed,) = self.claim(self.connection)
                self.assertTrue(claimed["read_back"])
                self.assertEqual(self.answer(claimed, "delivered"), "settled")

    def test_unknown_may_still_be_answered_by_the_same_publication(self):
        self.answer(self.claimed, "unknown")
        self.assertEqual(self.answer(self.claimed, "retry"), "stale")
        self.assertEqual(self.answer(self.claimed, "delivered"), "settled")
        self.assertEqual(self.event.state, "delivered")

    def test_older_attempts_and_versions_change_nothing(self):
        self.lapse(self.claimed)
        self.claim(self.connection)
        self.assertEqual(self.answer(self.claimed, "rejected"), "stale")
        self.assertEqual(self.event.state, "published")
        self.emit_state(self.connection, "S", 5)
        (claimed,) = self.claim(self.connection)
        self.assertEqual(self.answer(claimed, "delivered", version=4), "stale")
        self.assertEqual(self.answer(claimed, "delivered", version=5), "settled")

    def test_of_nobody(self):
        self.assertEqual(self.answer({"event_id": str(uuid4()), "attempt": 1}, "delivered"), "ignored")

    def test_mixed_batch(self):
        others = [self.emit_fact(self.connection, f"k{number}") for number in range(4)]
        claimed = {event["event_id"]: event for event in self.claim(self.connection)}
        statuses = self.intake(
            self.outcome(claimed[others[0].event_id], "delivered"),
            self.envelope(self.connection, "in"),
            {"kind": "nonsense"},
            self.outcome(claimed[others[1].event_id], "retry"),
            self.outcome(claimed[others[0].event_id], "delivered"),
            self.outcome(claimed[others[2].event_id], "rejected"),
        )
        self.assertEqual(statuses, ["settled", "stored", "invalid", "released", "duplicate", "settled"])
        self.assertEqual([event.state for event in others], ["delivered", "pending", "rejected", "published"])

    def test_health(self):
        def health(breaker, at, message=None):
            item = {"kind": "health", "connection": self.connection.ref, "breaker": breaker, "message": message}
            return self.intake({**item, "at": at.isoformat() + "Z"})[0]

        now = fields.Datetime.now()
        self.assertEqual(health("open", now, "503 everywhere"), "stored")
        self.assertEqual((self.connection.breaker_state, self.connection.health), ("open", "error"))
        self.assertEqual(self.connection.health_message, "503 everywhere")
        self.assertEqual(health("closed", now - timedelta(minutes=1)), "stale")
        self.assertEqual(self.connection.breaker_state, "open")
        self.assertEqual(health("closed", now + timedelta(minutes=1)), "stored")
        self.assertEqual(self.connection.breaker_state, "closed")

    def test_budgets_are_stored_beside_the_breaker(self):
        row = {"operation": "graphql", "tokens": 7.5, "burst": 1000, "rate": 50, "factor": 0.5, "blocked_seconds": 3}
        at = fields.Datetime.now()

        def health(seconds, **more):
            moment = (at + timedelta(seconds=seconds)).isoformat() + "Z"
            item = {"kind": "health", "connection": self.connection.ref, "at": moment, **more}
            return self.intake(item)[0]

        found = self.env["dist.connection.health"].search([("connection_id", "=", self.connection.id)])
        self.assertFalse(found)
        self.assertEqual(health(9, breaker="closed", budgets=[row]), "stored")
        found = self.env["dist.connection.health"].search([("connection_id", "=", self.connection.id)])
        self.assertEqual((found.breaker_state, found.budgets, found.breaker_at), ("closed", [row], False))
        self.assertEqual(health(1, breaker="open", message="503 everywhere"), "stored")
        self.assertEqual(health(5, breaker="open", budgets=[]), "stale")
        self.assertEqual(health(10, breaker="closed", budgets=[{**row, "tokens": 8}]), "stored")
        found.invalidate_recordset()
        self.assertEqual((found.breaker_state, found.message), ("open", "503 everywhere"))
        self.assertEqual(found.budgets, [{**row, "tokens": 8}])
        self.assertEqual(health(11, breaker="closed", budgets="many"), "invalid")
