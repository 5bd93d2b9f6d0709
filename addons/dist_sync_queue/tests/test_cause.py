# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Failures that no further try can help: the job says what is wrong with it."""

from __future__ import annotations

from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..api import job
from .common import SyncCase


@tagged("post_install", "-at_install")
class TestCause(SyncCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.partners = cls.env["res.partner"].create([{"name": f"P{n}"} for n in range(3)])

    def test_a_deleted_record_among_others_is_named_at_once(self):
        @job(max_attempts=5)
        def _refer(self):
            self.env["res.partner.category"].create({"name": "c", "partner_ids": [(6, 0, self.ids)]})
            self.env.flush_all()

        @job(max_attempts=5)
        def _read(self):
            if self.mapped("name"):
                raise ValueError("another reason")

        cls = type(self.partners)
        self.startPatcher(patch.object(cls, "_refer", _refer, create=True))
        self.startPatcher(patch.object(cls, "_read_name", _read, create=True))
        jobs = self.partners.delayed()._refer() + self.partners.delayed()._read_name()
        other = self.partners[:2].delayed()._read_name()
        gone = self.partners[1:2].copy()
        jobs += (self.partners[0] + gone).delayed()._read_name() + (self.partners[0] + gone).delayed()._refer()
        gone_id = gone.id
        gone.unlink()
        with mute_logger("odoo.sql_db"):
            self.run_jobs()
        self.assertEqual(jobs.mapped("state"), ["done", "pending", "dead", "dead"])
        self.assertEqual(other.state, "pending", "all are there: it is tried again")
        for job_ in jobs[2:]:
            self.assertIn(f"1 of the 2 records of this job (res.partner {gone_id}) were deleted", job_.error_message)
            self.assertEqual(job_.attempts, 1)

    def test_arguments_of_another_release_end_in_a_dead_letter_that_says_so(self):
        @job(max_attempts=5)
        def _count(self, number, old=None):
            """As the old release had it."""

        cls = type(self.partners)
        self.startPatcher(patch.object(cls, "_count", _count, create=True))
        fits, misfit = self.partners.delayed()._count(1), self.partners.delayed()._count(1, old="name")

        @job(max_attempts=5)
        def _count(self, number):
            raise TypeError("of another kind")

        with patch.object(cls, "_count", _count):
            self.run_jobs()
        self.assertEqual((fits.state, misfit.state, misfit.attempts), ("pending", "dead", 1))
        self.assertIn("made by another release", misfit.error_message)
