# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The screens of the engine in a real browser: find, look, act."""

from __future__ import annotations

import json
from unittest.mock import patch

from odoo.tests import tagged

from .browser_kit import BrowserCase
from .common import SyncKit, put_event
from .relay_kit import RelayKit

TYPE = "tour.work.v1"


@tagged("post_install", "-at_install", "dist_tour")
class TestEngineTour(SyncKit, RelayKit, BrowserCase):
    def setUp(self) -> None:
        super().setUp()
        self.connection = self.make_connection()
        names = type(self.env["dist.names"])
        self.startPatcher(patch.object(names, "event", lambda self, code: "Tour work" if code == TYPE else code))

    def job(self, **values):
        return put_event(self.env, self.connection, TYPE, {"order": 1}, **values)

    def test_find_look_and_run_again(self) -> None:
        dead = self.job(state="dead", graph="tour", attempts=1, error_message="no route")
        after = self.job(state="waiting", graph="tour")
        self.env.cr.execute(
            "INSERT INTO dist_job_edge (parent_id, child_id, on_failure) VALUES (%s, %s, 'stop')", (dead.id, after.id)
        )
        self.env["dist.job.attempt"].create(
            {
                "job_id": dead.id,
                "number": 1,
                "outcome": "dead",
                "started_at": dead.created_at,
                "seconds": 1,
                "error_message": "no route",
            }
        )
        self.start_tour("/odoo/distribution", "dist_engine_jobs", login="admin")
        self.env.invalidate_all()
        self.assertEqual(dead.request_ids.mapped("action"), ["requeue"])

    def test_pause_a_lane_and_stop_what_runs(self) -> None:
        running = self.job()
        self.job()
        self.env.cr.execute(
            """INSERT INTO dist_worker_slot (worker, host, pid, lane, handler, connection_id, job_ids, started_at,
                                             seen_at, done_count, failed_count)
               SELECT 'tour', 'tour', 1, 'tour', %s, %s, %s, t, t, 0, 0 FROM timezone('UTC', clock_timestamp()) t
            """,
            (TYPE, self.connection.id, json.dumps([running.id])),
        )
        with self.handler(TYPE, lambda env, items: None, lane="tour"):
            self.start_tour("/odoo/distribution", "dist_engine_monitor", login="admin")
        self.env.invalidate_all()
        control = self.env["dist.job.control"].search([("name", "=", "tour")])
        self.assertTrue(control.paused)
        self.assertEqual(running.request_ids.mapped("action"), ["cancel"])
