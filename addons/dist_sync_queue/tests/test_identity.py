# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Requests that say they are the same work: which of them is run, for whom, and when."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import patch

from odoo.tests import tagged

from ..api import job
from ..engine.identity import MOST_DELAYS
from ..engine.maintain import wake_due
from .common import SyncCase
from .test_engine_concurrency import new_connection


@tagged("post_install", "-at_install")
class TestIdentity(SyncCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.partner = cls.env["res.partner"].create({"name": "P"})

    def setUp(self) -> None:
        super().setUp()
        self.calls = calls = []

        @job(max_attempts=3)
        def _set(self, value, boom=False):
            calls.append((self.env.company, value))
            if boom:
                raise ValueError("boom")

        self.startPatcher(patch.object(type(self.env["res.partner"]), "_set", _set, create=True))
        self.env.registry.__dict__.pop("_dist_handlers", None)

    def values(self) -> list:
        return [value for _company, value in self.calls]

    # -- for whom ------------------------------------------------------------------------------------------------------
    def test_connections_do_not_share_an_identity(self):
        connections = [new_connection(self.env), new_connection(self.env)]
        jobs = [self.partner.delayed(identity="refresh", connection=c)._set(c.id) for c in connections * 2]
        self.run_jobs()
        self.assertEqual(sorted(self.values()), sorted(c.id for c in connections))
        self.assertEqual([j.state for j in jobs], ["done", "done", "cancelled", "cancelled"])

    def test_companies_do_not_share_an_identity(self):
        other = self.env["res.company"].create({"name": "Other"})
        companies = [self.env.company, other]
        for company in companies:
            self.partner.delayed(identity="refresh", company=company)._set(company.name)
        self.run_jobs()
        self.assertEqual(set(self.calls), {(company, company.name) for company in companies})
        self.assertEqual(len(self.calls), 2)

    # -- which one, and when -------------------------------------------------------------------------------------------
    def request(self, value, **options):
        return self.partner.delayed(identity="x", **options)._set(value)

    def pass_time(self, **delta):
        """Everything happened so much earlier."""
        self.env.cr.execute(
            "UPDATE dist_job SET eta = eta - %(d)s, created_at = created_at - %(d)s WHERE state = 'pending'",
            {"d": timedelta(**delta)},
        )
        wake_due(self.env.cr)

    def test_a_retry_does_not_come_after_a_newer_request(self):
        failed = self.partner.delayed(identity="x")._set(5, boom=True)
        self.run_jobs()
        newer = self.request(6)
        self.run_jobs()
        self.run_jobs(later=True)
        self.assertEqual(self.values(), [5, 6])
        self.assertEqual((failed.state, failed.merged_into, failed.eta), ("cancelled", newer.id, False))

    def test_requests_with_a_delay_are_run_once(self):
        jobs = [self.request(n, eta=30) for n in range(3)]
        self.pass_time(seconds=29)
        last = self.request(3, eta=30)
        self.pass_time(seconds=2)
        self.run_jobs()
        self.assertEqual(self.values(), [], "the newest one's time has not come")
        self.assertEqual([(j.state, j.merged_into) for j in jobs], [("cancelled", last.id)] * 3)
        self.pass_time(seconds=30)
        self.run_jobs()
        self.assertEqual(self.values(), [3])

    def test_a_later_time_replaces_an_earlier_one_and_the_other_way_round(self):
        noon = self.request("noon", eta=3600)
        evening = self.request("evening", eta=6 * 3600)
        self.pass_time(seconds=3601)
        self.run_jobs()
        self.assertEqual((noon.merged_into, self.values()), (evening.id, []))
        self.request("at once")
        self.run_jobs()
        self.run_jobs(later=True)
        self.assertEqual(self.values(), ["at once"])

    def test_requests_that_never_stop_do_not_keep_the_work_from_being_done(self):
        for number in range(5 * MOST_DELAYS):  # two in each delay, beside which the time of the test is nothing
            self.request(number, eta=timedelta(hours=2))
            self.pass_time(hours=1)
            self.run_jobs()
        self.assertIn(len(self.values()), (1, 2), "done in between, and not for each request")

    def test_the_crashes_of_a_request_are_those_of_the_one_that_takes_its_place(self):
        crashes = "SELECT job_id, crashes, reason->>'type' FROM dist_job_crash WHERE job_id = ANY(%s) ORDER BY job_id"
        first, second = (self.request(n) for n in range(2))
        planned = self.request(2, eta=3600)
        self.env.cr.execute(
            """INSERT INTO dist_job_crash (job_id, crashes, reason)
               VALUES (%s, 1, NULL), (%s, 2, jsonb_build_object('type', 'T'))""",
            (first.id, second.id),
        )
        self.run_jobs()
        self.assertEqual((first + second).mapped("merged_into"), [planned.id] * 2)
        self.env.cr.execute(crashes, ((first + second + planned).ids,))
        self.assertEqual(self.env.cr.fetchall(), [(planned.id, 2, "T")])
        self.env.cr.execute("UPDATE dist_job_crash SET crashes = 3 WHERE job_id = %s", (planned.id,))
        self.run_jobs(later=True)
        self.assertEqual((planned.state, planned.error_type, self.values()), ("dead", "Poison", []))

    def test_a_key_is_kept_by_a_planned_request(self):
        """What follows the planned one waits with it, what is before it does not."""
        first = self.request(1, key="k")
        between = self.partner.delayed(key="k")._set("between")
        planned = self.request(2, key="k", eta=60)
        after = self.partner.delayed(key="k")._set("after")
        self.run_jobs()
        self.assertEqual((self.values(), first.merged_into), (["between"], planned.id))
        self.run_jobs(later=True)
        self.assertEqual(self.values(), ["between", 2, "after"])
        self.assertEqual((between + planned + after).mapped("state"), ["done"] * 3)
