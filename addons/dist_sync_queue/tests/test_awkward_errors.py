# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Errors that are hard to write down are written down: no error may keep its handler from going on."""

from __future__ import annotations

import doctest

from odoo.tests import tagged

from ..api import Permanent, RetryLater, Snooze
from ..engine import settle
from .common import SyncCase, put_event
from .test_engine_jobs import _connection

THING = "test.thing.v1"


class Mute(Exception):
    """An error whose text cannot be made."""

    def __str__(self) -> str:
        raise KeyError("text")


@tagged("post_install", "-at_install")
class TestAwkwardErrors(SyncCase):
    def run_with(self, *errors):
        """One job for each of ``errors``, in one batch; None: it succeeds."""

        def handler(env, items):
            for item in items:
                if error := errors[item.payload["n"]]:
                    raise error

        with self.handler(THING, handler, batch=50, max_attempts=2):
            connection = self.env["dist.connection"]
            jobs = [put_event(self.env, connection, THING, {"n": n}) for n in range(len(errors))]
            self.run_jobs()
        return jobs

    def test_what_postgresql_refuses_is_spelled_out(self):
        bad, dead, good = self.run_with(ValueError("caf\udce9\x00.csv"), Permanent("\ud83d half"), None)
        self.assertEqual([job.state for job in (bad, dead, good)], ["pending", "dead", "done"])
        self.assertEqual((bad.attempts, bad.error_message), (1, "caf\\udce9\\0.csv"))
        self.assertIn("caf\\udce9", bad.error_trace)
        self.assertEqual(dead.error_message, "\\ud83d half")

    def test_an_error_without_a_text_has_its_name(self):
        bad, good = self.run_with(Mute(), None)
        self.assertEqual((bad.state, bad.error_type, bad.error_message), ("pending", "Mute", "Mute"))
        self.assertEqual(good.state, "done")

    def test_a_wait_no_date_can_hold_is_a_long_one_or_the_backoff(self):
        ever, far, none, good = self.run_with(Snooze(float("inf")), RetryLater(1e13), RetryLater(float("nan")), None)
        self.assertEqual([job.state for job in (ever, far, none, good)], ["pending", "pending", "pending", "done"])
        self.assertGreater(ever.eta, none.eta)
        self.assertEqual(ever.eta.date(), far.eta.date())

    def test_a_key_to_compute_fails_in_the_same_way(self):
        connection = _connection(self.env)

        def compute(_env, _connection, keys):
            raise RetryLater(float("inf")) if "later" in keys else Permanent("caf\udce9")

        with self.handler(f"{THING}#dirty", compute, kind="dirty"):
            self.env["dist.dirty.mark"].mark(connection, THING, ["later", "never"])
            self.run_jobs()
        self.assertEqual(self.env["dist.dirty.mark"].search([("type", "=", THING)]).mapped("key"), ["later"])
        dead = self.env["dist.job"].search([("handler", "=", f"{THING}#dirty")])
        self.assertEqual((dead.state, dead.error_message), ("dead", "caf\\udce9"))

    def test_examples(self):
        self.assertEqual(doctest.testmod(settle).failed, 0)
