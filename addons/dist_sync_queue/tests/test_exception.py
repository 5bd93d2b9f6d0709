# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from datetime import datetime
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from .common import SyncCase
from .relay_kit import RelayKit

TRACE = "00-" + "ab" * 16 + "-" + "12" * 8 + "-01"


class TestException(RelayKit, SyncCase):
    def setUp(self):
        super().setUp()
        self.connection = self.make_connection()
        self.partner = self.env["res.partner"].create({"name": "Somebody"})
        self.inbox = self.env["dist.exception"]

    def report(self, record=None, **values):
        return self.inbox.report("test.kind", record or self.partner, "It failed", connection=self.connection, **values)

    def test_one_open_exception_per_problem(self):
        first = self.report(cause="one", fix="do this")
        again = self.report(cause="two", deadline=datetime(2026, 2, 1))
        self.assertEqual(first, again)
        self.assertEqual((first.cause, first.fix, first.occurrences), ("two", False, 2))
        self.assertEqual(first.deadline, datetime(2026, 2, 1))
        self.assertEqual((first.user_id, first.company_id), (self.connection.user_id, self.connection.company_id))
        self.assertEqual(first.record_name, "Somebody")
        other = self.inbox.report("test.kind", self.partner, "Without connection")
        self.assertNotEqual(other, first)

    def test_names_of_many_records_cost_one_look(self):
        partners = self.env["res.partner"].create([{"name": f"Somebody {number}"} for number in range(5)])
        problems = self.inbox.union(*(self.report(partner) for partner in partners))
        (problems[0] | problems[1]).mapped("record_name")

        def queries(exceptions):
            self.env.flush_all()
            self.env.invalidate_all()
            exceptions.mapped("res_model")
            before = self.env.cr.sql_log_count
            exceptions.mapped("record_name")
            return self.env.cr.sql_log_count - before

        self.assertEqual(queries(problems), queries(problems[:1]))
        self.assertEqual(problems.mapped("record_name"), partners.mapped("display_name"))
        partners[0].unlink()
        problems.invalidate_recordset()
        self.assertFalse(problems[0].record_name)

    def test_settle_closes_and_a_new_one_may_come(self):
        first = self.report()
        self.assertEqual(self.inbox.settle("test.kind", self.partner), first)
        self.assertEqual(first.state, "done")
        self.assertTrue(first.closed_at)
        self.assertFalse(self.inbox.settle("test.kind", self.partner))
        self.assertNotEqual(self.report(), first)

    def test_settling_no_records_leaves_what_is_about_none(self):
        general = self.inbox.report("test.kind", None, "Nobody's")
        self.assertFalse(self.inbox.settle("test.kind", self.env["res.partner"]))
        self.assertEqual(general.state, "open")
        self.assertEqual(self.inbox.settle("test.kind", None), general)

    def test_correlation_comes_from_the_context(self):
        exception = self.inbox.with_context(dist_correlation_id=TRACE).report("k", None, "Nobody's")
        self.assertEqual(exception.correlation_id, TRACE)
        self.assertFalse(exception.res_model)
        with self.assertRaisesRegex(UserError, "does not exist any more"):
            exception.action_fix()

    def test_buttons(self):
        user = new_test_user(self.env, "d1_user", groups="dist_sync_queue.group_dist_user")
        exception = self.report().with_user(user)
        self.assertEqual(exception.action_fix()["res_id"], self.partner.id)
        self.assertFalse(exception.can_retry)
        with self.assertRaisesRegex(UserError, "cannot be retried"):
            exception.action_retry()
        with self.assertRaisesRegex(UserError, "Say why"):
            exception.action_ignore()
        exception.action_ignore("known")
        self.assertEqual((exception.state, exception.ignore_reason), ("ignored", "known"))
        with self.assertRaisesRegex(UserError, "cannot become"):
            exception.action_done()
        exception.action_reopen()
        exception.action_done()
        self.assertEqual(exception.state, "done")
        with self.assertRaisesRegex(UserError, "buttons"):
            exception.write({"state": "open"})

    def test_retry_calls_the_record(self):
        exception, kinds = self.report(), []
        model = type(self.env["res.partner"])
        with patch.object(model, "_dist_retry_exception", lambda _self, kind: kinds.append(kind), create=True):
            exception.invalidate_recordset()
            self.assertTrue(exception.can_retry)
            exception.action_retry()
        self.assertEqual(kinds, ["test.kind"])

    def test_people_write_what_they_decide_and_nothing_else(self):
        """A form shows the other fields read-only; a call over RPC does not care."""
        user = new_test_user(self.env, "d1_user", groups="dist_sync_queue.group_dist_user")
        exception = self.report().with_user(user)
        secret = self.env["ir.config_parameter"].create({"key": "dist.test.secret", "value": "x"})
        with self.assertRaisesRegex(AccessError, "res_id, res_model"):
            exception.write({"res_model": secret._name, "res_id": secret.id})  # its name would be shown to anybody
        with self.assertRaisesRegex(AccessError, "event_id"):
            exception.write({"event_id": "of another company"})  # the retry acts on it with the system's rights
        exception.write({"user_id": user.id, "deadline": datetime(2026, 2, 1)})
        self.assertEqual(exception.user_id, user)

    def test_users_of_the_group_only(self):
        stranger = new_test_user(self.env, "d1_stranger", groups="base.group_user")
        with self.assertRaises(AccessError):
            self.report().with_user(stranger).action_done()


class TestJourney(RelayKit, SyncCase):
    def test_all_steps_of_a_trace_in_order(self):
        connection = self.make_connection()
        self.intake(self.envelope(connection, "1", correlation_id=TRACE))
        self.intake(self.envelope(connection, "2", correlation_id=TRACE, priority=99))
        event = self.emit_fact(connection, correlation_id=TRACE)
        self.env["dist.exception"].with_context(dist_correlation_id=TRACE).report("k", None, "Stuck")
        self.emit_fact(connection, "other journey")
        steps = self.env["dist.journey.step"].of(TRACE)
        self.assertEqual(sorted(steps.mapped("kind")), ["dead_letter", "exception", "job", "outbox"])
        self.assertEqual(steps.mapped("at"), sorted(steps.mapped("at")))
        self.assertEqual(len(set(steps.ids)), 4)
        outbox = steps.filtered(lambda step: step.kind == "outbox")
        self.assertEqual((outbox.res_model, outbox.res_id), ("dist.outbox.event", event.id))
        action = event.action_open_journey()
        self.assertEqual(self.env["dist.journey.step"].search(action["domain"]), steps)
        self.assertEqual(outbox.action_open_record()["res_id"], event.id)

    def test_nothing_to_open(self):
        with self.assertRaisesRegex(UserError, "under a journey"):
            self.env["dist.journey.step"].open_action(False)

    def test_an_addon_can_add_its_table_and_a_lost_view_comes_back(self):
        steps = self.env["dist.journey.step"]
        ours = type(steps)._journey_selects

        def selects(self):
            return [
                *ours(self),
                "SELECT id::bigint * 32 + 8, substr(ref, 4, 32), create_date, 'partner', name, 'x', 'res.partner', id, "
                "company_id, NULL::int, NULL::float8 FROM res_partner WHERE ref IS NOT NULL",
            ]

        self.env["res.partner"].create({"name": "Theirs", "ref": TRACE})
        self.env.flush_all()
        self.env.cr.execute("DROP VIEW dist_journey_step")
        with patch.object(type(steps), "_journey_selects", selects):
            steps._register_hook()
        self.assertEqual(steps.of(TRACE).mapped("name"), ["Theirs"])
        self.env.cr.execute("DROP VIEW dist_journey_step")
        steps._register_hook()
        self.assertFalse(steps.of(TRACE))
