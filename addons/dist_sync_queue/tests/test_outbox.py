# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import json
from datetime import timedelta
from unittest.mock import Mock

from odoo import fields
from odoo.exceptions import UserError, ValidationError

from dist_contracts import MAX_PAYLOAD_BYTES, Availability, Shipment

from ..api import with_records
from .common import SyncCase
from .relay_kit import AVAILABILITY, SHIPMENT, RelayKit


class TestOutbox(RelayKit, SyncCase):
    def setUp(self):
        super().setUp()
        self.connection = self.make_connection()
        self.outbox = self.env["dist.outbox.event"]

    def test_same_fact_is_one_event(self):
        first = self.emit_fact(self.connection, "1001", "OUT/1", priority=2)
        again = self.emit_fact(self.connection, "1001", "OUT/1", priority=9)
        other = self.emit_fact(self.connection, "1001", "OUT/2")
        self.assertEqual(first, again)
        self.assertEqual(first.priority, 2)
        self.assertNotEqual(first, other)
        self.assertEqual(first.state, "pending")
        self.assertEqual(first.company_id, self.connection.company_id)

    def test_emit_many_keeps_the_order_of_rows(self):
        self.emit_fact(self.connection, "b", "x")
        keys = ["c", "b", "a", "b"]
        events = self.outbox.emit_many(
            self.connection, "shipment.confirm.v1", [{"key": key, "payload": SHIPMENT, "fact": ("x",)} for key in keys]
        )
        self.assertEqual([self.outbox.browse(id_).key for id_ in events._ids], keys)

    def test_emit_takes_objects_and_stamps_versions(self):
        shipment = Shipment.model_validate_json(json.dumps(SHIPMENT))
        event = self.outbox.emit(self.connection, "shipment.confirm.v1", key="1", payload=shipment)
        self.assertEqual(event.payload["packages"][0]["lines"][0]["quantity"], "2")
        state = self.outbox.emit(
            self.connection,
            "availability.changed.v1",
            key="A@L",
            payload=Availability.model_validate_json(json.dumps(AVAILABILITY)),
            version=7_000_000_000,
        )
        self.assertEqual((state.kind, state.version, state.payload["version"]), ("state", 7_000_000_000, 7_000_000_000))

    def test_correlation_comes_from_the_context(self):
        trace = "00-" + "ab" * 16 + "-" + "12" * 8 + "-01"
        outbox = self.outbox.with_context(dist_correlation_id=trace)
        event = outbox.emit(self.connection, "shipment.confirm.v1", key="1", payload=SHIPMENT)
        self.assertEqual(event.correlation_id, trace)
        self.assertRegex(self.emit_fact(self.connection, "2").correlation_id, "^00-[0-9a-f]{32}-[0-9a-f]{16}-01$")

    def test_bad_payloads_name_type_and_field(self):
        with self.assertRaisesRegex(ValidationError, r"shipment\.confirm\.v1[\s\S]*packages"):
            self.outbox.emit(self.connection, "shipment.confirm.v1", key="1", payload={**SHIPMENT, "packages": []})
        with self.assertRaisesRegex(ValidationError, r"shipment\.confirm\.v1[\s\S]*surprise"):
            self.outbox.emit(self.connection, "shipment.confirm.v1", key="1", payload={**SHIPMENT, "surprise": 1})
        with self.assertRaisesRegex(ValidationError, "carries Shipment, not Availability"):
            wrong = Availability.model_validate_json(json.dumps(AVAILABILITY))
            self.outbox.emit(self.connection, "shipment.confirm.v1", key="1", payload=wrong)
        with self.assertRaisesRegex(ValidationError, r"NUL|U\+0000"):
            self.outbox.emit(self.connection, "shipment.confirm.v1", key="1", payload={**SHIPMENT, "reference": "a\0b"})
        packages = [
            {**SHIPMENT["packages"][0], "reference": f"P{i}", "carrier": "x" * 4000}
            for i in range(MAX_PAYLOAD_BYTES // 4000 + 1)
        ]
        with self.assertRaisesRegex(ValidationError, f"larger than {MAX_PAYLOAD_BYTES}"):
            self.outbox.emit(
                self.connection, "shipment.confirm.v1", key="1", payload={**SHIPMENT, "packages": packages}
            )

    def test_bad_calls(self):
        with self.assertRaisesRegex(UserError, "no event Odoo sends"):
            self.outbox.emit(self.connection, "order.received.v1", key="1", payload={})
        with self.assertRaisesRegex(UserError, "needs a version"):
            self.outbox.emit(self.connection, "availability.changed.v1", key="1", payload=AVAILABILITY)
        with self.assertRaisesRegex(UserError, "version belongs to state"):
            self.emit_fact(self.connection, "1", version=3)
        with self.assertRaisesRegex(ValidationError, "key"):
            self.emit_fact(self.connection, "")
        with self.assertRaisesRegex(UserError, "between 0 and 9"):
            self.emit_fact(self.connection, "1", priority=10)

    def test_states_move_along_their_machine_only(self):
        event = self.emit_fact(self.connection)
        with self.assertRaises(UserError):
            event.write({"state": "delivered"})
        with self.assertRaises(UserError):
            event.with_context(dist_move=True).write({"payload": {}})
        with self.assertRaisesRegex(UserError, "cannot become"):
            event.action_replay()
        self.claim(self.connection)
        with self.assertRaisesRegex(UserError, "cannot become"):
            event.action_cancel()

    def test_cancel_and_replay(self):
        event = self.emit_fact(self.connection)
        event.action_cancel()
        self.assertEqual(event.state, "cancelled")
        self.assertTrue(event.settled_at)
        self.assertFalse(self.claim(self.connection))
        other = self.emit_fact(self.connection, "2")
        self.answer(self.claim(self.connection)[0], "broken", message="no")
        self.assertEqual(other.state, "dead")
        other.action_replay()
        (claimed,) = self.claim(self.connection)
        self.assertEqual((claimed["event_id"], claimed["attempt"]), (other.event_id, 2))

    def test_failures_need_attention_until_replayed(self):
        partner = self.env["res.partner"].create({"name": "Somebody"})
        event = self.emit_fact(self.connection, record=partner)
        self.answer(self.claim(self.connection)[0], "rejected", code="gone", message="No such order")
        self.run_jobs()
        exception = self.env["dist.exception"].search([("connection_id", "=", self.connection.id)])
        self.assertEqual((exception.res_model, exception.res_id), ("res.partner", partner.id))
        self.assertEqual((exception.cause, exception.state), ("No such order", "open"))
        self.assertEqual(exception.user_id, self.connection.user_id)
        exception.action_retry()
        self.assertEqual(event.state, "pending")
        self.assertEqual(exception.state, "done")

    def test_a_problem_is_as_the_last_event_of_its_record_left_it(self):
        solved, again, orphan = self.env["res.partner"].create([{"name": name} for name in ("Ana", "Ben", "Gone")])
        told = {
            "1": (solved, "broken"),
            "2": (again, "delivered"),
            "3": (solved, "delivered"),
            "4": (again, "rejected"),
            "5": (orphan, "rejected"),
            "6": (None, "broken"),
        }
        events = {key: self.emit_fact(self.connection, key, report=True, record=told[key][0]) for key in told}
        orphan.unlink()
        claimed = self.claim(self.connection)
        self.intake(*(self.outcome(event, told[event["key"]][1]) for event in claimed))
        self.run_jobs()
        problems = self.env["dist.exception"].search([("connection_id", "=", self.connection.id)])
        about = {(problem.res_model, problem.res_id): problem.state for problem in problems}
        own = {("dist.outbox.event", events[key].id): "open" for key in "56"}
        self.assertEqual(about, {("res.partner", solved.id): "done", ("res.partner", again.id): "open", **own})
        (events["5"] | events["6"]).action_replay()
        self.assertEqual(problems.filtered(lambda problem: problem.state == "open").res_id, again.id)

    def test_a_problem_is_solved_for_its_own_connection_only(self):
        partner = self.env["res.partner"].create({"name": "Ana"})
        other = self.make_connection(name="Other", settings={"shop_domain": "two.example"})
        problems = {}
        for connection in (self.connection, other):
            self.emit_fact(connection, "1", record=partner)
            self.answer(self.claim(connection)[0], "rejected", message="no")
            self.run_jobs()
            problems[connection] = self.env["dist.exception"].search([("connection_id", "=", connection.id)])
        for connection, key in ((self.connection, "2"), (other, "3")):
            self.emit_fact(connection, key, report=True, record=partner if connection == other else None)
        self.intake(*(self.outcome(self.claim(each)[0], "delivered") for each in problems))
        self.run_jobs()
        self.assertEqual([problem.state for problem in problems.values()], ["open", "done"])

    def test_a_problem_about_what_is_not_there_is_about_the_event(self):
        events = [self.emit_fact(self.connection, str(number)) for number in range(3)]
        about = [("gone.model", 7), ("res.partner", 0), ("res.partner", 2_000_000_000)]
        for event, record in zip(events, about, strict=True):
            self.env.cr.execute(
                "UPDATE dist_outbox_event SET res_model = %s, res_id = %s WHERE id = %s", (*record, event.id)
            )
        self.env.invalidate_all()
        self.intake(*(self.outcome(event, "rejected") for event in self.claim(self.connection)))
        self.run_jobs()
        problems = self.env["dist.exception"].search([("connection_id", "=", self.connection.id)], order="res_id")
        self.assertEqual([(each.res_model, each.res_id) for each in problems], [(e._name, e.id) for e in events])
        self.outbox.union(*events)._settle_exceptions()
        self.assertEqual(set(problems.mapped("state")), {"done"})

    def test_answers_of_many_events_are_one_look_for_problems(self):
        def queries(first, count):
            keys = [str(first + n) for n in range(count)]
            partners = self.env["res.partner"].create([{"name": key} for key in keys])
            for key, partner in zip(keys, partners, strict=True):
                self.emit_fact(self.connection, key, report=True, record=partner)
            self.intake(*(self.outcome(event, "delivered") for event in self.claim(self.connection)))
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.run_jobs()
            return self.env.cr.sql_log_count - before

        queries(0, 1)
        self.assertEqual(queries(100, 40), queries(200, 2))

    def test_outcomes_are_given_the_records_they_are_about(self):
        first, gone, last = self.env["res.partner"].create([{"name": name} for name in ("Ana", "Gone", "Ben")])
        about = [
            (first, "a"),
            (self.env["res.users"].browse(last.id), "other model"),
            (None, "nothing"),
            (gone, "gone"),
        ]
        items = [
            Mock(payload={"event": {"res_model": record and record._name, "res_id": record and record.id}}, key=key)
            for record, key in [*about, (last, "z"), (first, "again")]
        ]
        gone.unlink()
        with self.assertQueryCount(1):
            found = with_records(self.env["res.partner"], items)
        self.assertEqual([(item.key, record) for item, record in found], [("a", first), ("z", last), ("again", first)])

    def test_settled_events_go_after_their_retention(self):
        gone, dead, young = (self.emit_fact(self.connection, key) for key in ("1", "2", "3"))
        claimed = {event["key"]: event for event in self.claim(self.connection)}
        self.intake(
            self.outcome(claimed["1"], "delivered"),
            self.outcome(claimed["2"], "broken"),
            self.outcome(claimed["3"], "delivered"),
        )
        self.env.cr.execute(
            "UPDATE dist_outbox_event SET settled_at = %s WHERE id IN %s",
            (fields.Datetime.now() - timedelta(days=31), (gone.id, dead.id)),
        )
        self.assertEqual(self.outbox._gc_settled(), (1, 0))
        self.assertEqual((gone | dead | young).exists(), dead | young)
