# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Requests that say they are the same work: which of them is run, for whom, and when."""

from __future__ import annotations

from unittest.mock import patch

from odoo.tests import tagged

from ..api import job
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
        self.assertEqual(sorted(self.calls), sorted((company, company.name) for company in companies))
