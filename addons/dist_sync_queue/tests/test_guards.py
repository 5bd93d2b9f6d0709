# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What is refused where a job is made, and numbers in system parameters that are none."""

import doctest
from unittest.mock import patch

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from ..api import EnqueueError, job, on_event
from ..engine import guards, parameters, quarantine
from ..engine.claim import Row
from ..models import audit
from .common import SyncCase
from .test_engine_concurrency import new_connection

PARAMETER = guards.DEPTH_PARAMETER


@tagged("post_install", "-at_install")
class TestGuards(SyncCase):
    def setUp(self):
        super().setUp()
        self.partner = self.env["res.partner"].create({"name": "Guarded"})

        @job()
        def _work(records):
            """Nothing."""

        @job()
        def _note(records, text):
            """Nothing."""

        cls = type(self.partner)
        cls._work, cls._note = _work, _note
        self.addCleanup(delattr, cls, "_work")
        self.addCleanup(delattr, cls, "_note")
        self.addCleanup(setattr, parameters, "_said", parameters._said.copy())
        parameters._said.clear()

    def set(self, text):
        self.env["ir.config_parameter"].set_param(PARAMETER, text)

    # -- priority ------------------------------------------------------------------------------------------------------
    def test_a_priority_nobody_serves_is_refused_where_the_job_is_made(self):
        for wrong in (-1, 10, 5.0, "5", True, None):
            for make in (
                lambda wrong=wrong: self.partner.delayed(priority=wrong)._work(),
                lambda wrong=wrong: self.partner.later(priority=wrong)._work(),
            ):
                with self.assertRaises(ValidationError) as caught:
                    make()
                self.assertIsInstance(caught.exception, EnqueueError)
                self.assertIn(f"from 0 (served first) to 9 (served last), not {wrong!r}", str(caught.exception))
        rows = [{"handler": "res.partner:_work", "payload": {"ids": []}, "priority": n} for n in (0, None, 9, 11)]
        with self.assertRaisesRegex(ValidationError, "not 11"):
            self.env["dist.job"].enqueue(rows)
        self.assertEqual(self.env["dist.job"].enqueue(rows[:3]).mapped("priority"), [0, 5, 9])

    def test_a_priority_nobody_serves_is_not_asked_for_either(self):
        job_ = self.partner.delayed()._work()
        with self.assertRaisesRegex(ValidationError, "not 12"):
            job_.action_set_priority(12)
        self.assertFalse(self.env["dist.job.request"].search([("job_id", "=", job_.id)]))

    # -- company -------------------------------------------------------------------------------------------------------
    def test_a_job_works_for_the_company_of_its_records(self):
        mine, other = self.env.company, self.env["res.company"].create({"name": "Other"})
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": mine.id})
        ours, theirs, nobodys = self.env["res.partner"].create(
            [{"name": "n", "company_id": company} for company in (mine.id, other.id, False)]
        )
        for records, company in ((ours, mine), (theirs, other), (nobodys, mine), (ours + nobodys, mine)):
            self.assertEqual(records.delayed()._work().company_id, company)
        self.assertEqual(ours.with_company(branch).delayed()._work().company_id, branch, "what is above is its, too")
        for make in ((ours + theirs).delayed(), (ours + theirs).later()):
            with self.assertRaisesRegex(EnqueueError, "Other.*each=1") as caught:
                make._work()
            self.assertIsInstance(caught.exception, ValidationError, "a screen shows it")
        jobs = (ours + theirs + nobodys).delayed(each=1)._work()
        self.assertEqual([j.company_id for j in jobs], [mine, other, mine])

    def test_a_user_belongs_to_no_company(self):
        other = self.env["res.company"].create({"name": "Other"})
        away = self.env["res.users"].create(
            {"name": "a", "login": "dist_away", "company_id": other.id, "company_ids": [other.id]}
        )
        users = self.env.user + away

        @job()
        def _notify(records):
            """Nothing."""

        self.startPatcher(patch.object(type(users), "_notify_later", _notify, create=True))
        for made in (away.delayed()._notify_later(), users.delayed()._notify_later()):
            self.assertEqual(made.company_id, self.env.company)
        self.assertEqual(away.delayed(company=self.env.company)._notify_later().company_id, self.env.company)

    def test_what_is_deleted_keeps_no_job_from_being_made(self):
        gone = self.env["res.partner"].create({"name": "Gone"})
        gone.unlink()
        self.assertEqual((self.partner + gone).delayed()._work().company_id, self.env.company)

    # -- key -----------------------------------------------------------------------------------------------------------
    def test_the_decorator_names_the_usual_key(self):
        @job(key="all")
        def _one(records):
            """By a text."""

        @job(key=lambda self, place: f"{self.id}@{place}")
        def _at(records, number, place="here"):
            """By the records and an argument."""

        @job(key=lambda self, elsewhere: elsewhere)
        def _wrong(records):
            """By what is no argument."""

        for method in (_one, _at, _wrong):
            self.startPatcher(patch.object(type(self.partner), method.__name__, method, create=True))
        pair = self.partner + self.partner.copy()
        first, second = pair.ids
        self.assertEqual(pair.delayed(each=1)._one().mapped("key"), ["all"] * 2)
        self.assertEqual(pair.delayed(each=1)._at(1).mapped("key"), [f"{first}@here", f"{second}@here"])
        self.assertEqual(pair.delayed(each=1)._at(1, place="x").mapped("key"), [f"{first}@x", f"{second}@x"])
        self.assertEqual(self.partner.delayed(key="own")._at(1).key, "own")
        self.assertFalse(self.partner.delayed(key=False)._at(1).key)
        self.assertEqual(self.partner.later()._at(1, "x").row["key"], f"{first}@x")
        with self.assertRaisesRegex(EnqueueError, "depends on elsewhere"):
            self.partner.delayed()._wrong()
        with self.assertRaisesRegex(ValueError, "the event's"):
            on_event("test.thing.v1", key="all")

    # -- text ----------------------------------------------------------------------------------------------------------
    def test_text_that_cannot_be_stored_is_refused_where_the_job_is_made(self):
        def calls(wrong):
            delayed = self.partner.delayed
            yield lambda: delayed()._note(wrong)
            yield lambda: delayed()._note(text={"deep": [wrong]})
            yield lambda: delayed(key=wrong)._note("x")
            yield lambda: delayed(each=1, identity=lambda _record: wrong)._note("x")
            yield lambda: delayed(correlation_id=wrong)._note("x")

        for make in (*calls("a\x00b"), *calls("half \ud800")):
            with self.assertRaises(EnqueueError):
                make()
        looks_alike = ["\\u0000", "back\\slash", "\\\\u0000"]
        self.assertEqual(self.partner.delayed()._note(looks_alike).payload["args"], [looks_alike])

    # -- depth ---------------------------------------------------------------------------------------------------------
    def test_marks_that_mark_again_have_an_end(self):
        self.set("5")
        connection = new_connection(self.env)
        computed = []

        def compute(env, connection, keys):
            computed.extend(keys)
            if "itself" in keys:
                env["dist.dirty.mark"].mark(connection, "test.loop.v1", ["itself"])
            if "by a job" in keys:
                env["res.partner"].browse(self.partner.id).delayed()._mark(connection.id)
            return {}

        @job()
        def _mark(records, connection_id):
            connection = records.env["dist.connection"].browse(connection_id)
            records.env["dist.dirty.mark"].mark(connection, "test.loop.v1", ["by a job"])

        with (
            patch.object(type(self.partner), "_mark", _mark, create=True),
            self.handler("test.loop.v1#dirty", compute, kind="dirty", batch=10),
        ):
            self.env["dist.dirty.mark"].mark(connection, "test.loop.v1", ["itself", "by a job", "neither"])
            self.run_jobs(seconds=20)
        self.assertFalse(self.env["dist.dirty.mark"].search([("connection_id", "=", connection.id)]))
        self.assertIn("neither", computed)
        dead = self.env["dist.job"].search([("state", "=", "dead")])
        self.assertEqual(dead.mapped("error_type"), ["TooDeep"] * 2)

    def test_a_runaway_key_makes_no_other_deep(self):
        connection = new_connection(self.env)
        calls = []

        def compute(env, connection, keys):
            calls.append((keys, env.context["dist_depth"]))
            return {}

        with self.handler("test.loop.v1#dirty", compute, kind="dirty", batch=10):
            self.env["dist.dirty.mark"].mark(connection, "test.loop.v1", ["a", "runaway", "z"])
            self.env.cr.execute("UPDATE dist_dirty_mark SET depth = 99 WHERE key = 'runaway'")
            self.env.cr.execute("UPDATE dist_dirty_mark SET depth = 2 WHERE key = 'z'")
            self.run_jobs()
        self.assertEqual(calls, [(["a", "z"], 2), (["runaway"], 99)])

    # -- parameters ----------------------------------------------------------------------------------------------------
    def test_a_nonsensical_number_is_said_once_and_the_usual_one_is_used(self):
        for text in ("soon", "0", "-3", "1e9"):
            self.set(text)
            with self.assertLogs(parameters._logger, "ERROR") as logs:
                for _n in range(2):
                    self.assertEqual(guards.depth_of(self.env(context={"dist_depth": guards.DEPTH_LIMIT - 1})), 100)
            (line,) = logs.output
            self.assertIn(PARAMETER, line)
            self.assertIn(repr(text), line)
            with self.assertRaises(guards.TooDeep):
                guards.depth_of(self.env(context={"dist_depth": guards.DEPTH_LIMIT}))

    def test_a_sensible_number_is_obeyed(self):
        self.set(" 7 ")
        with self.assertNoLogs(parameters._logger), self.assertRaises(guards.TooDeep):
            guards.depth_of(self.env(context={"dist_depth": 7}))
        self.env["ir.config_parameter"].set_param(PARAMETER, False)
        self.assertEqual(guards.depth_of(self.env(context={"dist_depth": 7})), 8)

    def test_the_poison_limit_and_the_memory_of_events_bear_nonsense_too(self):
        for name in (quarantine.POISON_PARAMETER, "dist_sync_queue.seen_retention_days"):
            self.env["ir.config_parameter"].set_param(name, "many")
        row = Row(1, "h", {}, None, None, None, None, None, 0, None, None, None, None, None, 2)
        with self.assertLogs(parameters._logger, "ERROR"):
            self.assertIsNone(quarantine.judge(self.env, row, None))
        with self.assertLogs(parameters._logger, "ERROR"):
            self.env["dist.relay"]._gc_seen_events()

    def test_examples_in_the_pure_functions(self):
        for module in (parameters, audit):
            self.assertEqual(doctest.testmod(module).failed, 0, module.__name__)
