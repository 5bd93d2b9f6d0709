# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What waits behind a dead job is parked and released, however much it is."""

from __future__ import annotations

from odoo.tests import tagged

from ..engine import parking
from .common import SyncCase


@tagged("post_install", "-at_install")
class TestParking(SyncCase):
    def jobs(self, count, key):
        return self.env["dist.job"].enqueue([{"handler": "res.partner:_x", "key": key, "payload": {}}] * count)

    def put(self, jobs, state):
        self.env.cr.execute("UPDATE dist_job SET state = %s WHERE id = ANY(%s)", (state, jobs.ids))

    def states(self, jobs):
        self.env.invalidate_all()
        return jobs.mapped("state")

    def park(self, **options):
        return parking.park_followers(self.env.cr, most=2, **options)

    def release(self):
        return parking.release_followers(self.env.cr, most=2)

    def test_bit_by_bit_and_in_order(self):
        one, two = self.jobs(4, "one"), self.jobs(4, "two")
        self.put(one[0] + two[0], "dead")
        self.park()
        self.assertEqual(sorted(self.states(one + two)), ["dead"] * 2 + ["parked"] * 2 + ["pending"] * 4)
        self.assertEqual([self.park() for _look in range(3)], [2, 2, 0])
        self.put(one[0], "cancelled")
        self.assertEqual(self.release(), 2)
        self.assertEqual(self.states(one), ["cancelled", "pending", "pending", "parked"])
        self.assertEqual([self.release() for _look in range(2)], [1, 0])
        self.assertEqual(self.states(two), ["dead"] + ["parked"] * 3)

    def test_what_comes_later_is_parked_behind_the_others(self):
        key = self.jobs(2, "one")
        self.put(key[0], "dead")
        self.assertEqual(self.park(), 1)
        late, other = self.jobs(1, "one"), self.jobs(1, "other")
        self.assertEqual(self.park(), 1)
        self.assertEqual(self.states(late + other), ["parked", "pending"])

    def test_one_among_the_parked_is_found_by_the_thorough_look(self):
        key = self.jobs(4, "one")
        self.put(key[0], "dead")
        self.put(key[1] + key[3], "parked")
        self.assertEqual(self.park(), 0)
        self.assertEqual(self.park(everywhere=True), 1)
        self.assertEqual(self.states(key), ["dead", "parked", "parked", "parked"])

    def test_a_parked_job_asked_to_run_stays_behind_the_dead_one(self):
        key = self.jobs(4, "one")
        self.put(key[0], "dead")
        self.put(key[1:], "parked")
        key[2].action_requeue()
        self.run_jobs()
        self.assertEqual(self.states(key), ["dead", "parked", "parked", "parked"])

    def test_only_what_is_before_the_next_dead_job_is_released(self):
        key = self.jobs(5, "one")
        self.put(key[0], "cancelled")
        self.put(key[2], "dead")
        self.put(key[1] + key[3:], "parked")
        self.assertEqual(self.release(), 1)
        self.assertEqual(self.states(key), ["cancelled", "pending", "dead", "parked", "parked"])
