# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The doorbell: after commit, never too often, and never too late."""

from __future__ import annotations

import os
import select

import psycopg2

from odoo.sql_db import connection_info_for, db_connect
from odoo.tests import BaseCase, get_db_name, tagged

from .. import doorbell
from ..doorbell import Bell, Doorbell

CHANNEL = "dist_test_bell"


@tagged("post_install", "-at_install")
class TestDoorbell(BaseCase):
    def setUp(self):
        super().setUp()
        self.cr = db_connect(get_db_name()).cursor()
        self.addCleanup(self.cr.close)
        self.addCleanup(doorbell.hang_up, get_db_name())
        _name, info = connection_info_for(get_db_name())
        self.ear = psycopg2.connect(**info)
        self.ear.autocommit = True
        self.addCleanup(self.ear.close)
        self.ear.cursor().execute(f"LISTEN {CHANNEL}")

    def heard(self, count, seconds=10.0):
        """The payloads heard until there are ``count``, or nothing came for so long."""
        while len(self.ear.notifies) < count and select.select([self.ear], [], [], seconds)[0]:
            self.ear.poll()
        return [notify.payload for notify in self.ear.notifies]

    def test_it_rings_after_commit_once_per_payload(self):
        for payload in ("orders", "orders", "low"):
            doorbell.ring(self.cr, CHANNEL, payload)
        self.assertEqual(len(self.cr.postcommit._funcs), 2)
        self.assertEqual(self.heard(1, seconds=0), [])
        self.cr.commit()
        self.assertCountEqual(self.heard(2), ["orders", "low"])

    def test_a_ring_within_the_quiet_time_is_heard_at_its_end(self):
        """Of five rings in a row the first is sent at once and one more follows; none is needed for the others."""
        bells = Doorbell(doorbell._notify, quiet=2.0)  # the first ring has to connect
        sent = [bells.ring(Bell(get_db_name(), CHANNEL, "x")) for _n in range(5)]
        self.assertEqual(sent, [True, False, False, False, False])
        self.assertEqual(self.heard(2), ["x", "x"])
        self.assertIsNone(bells.ring_late(), "nothing is left to ring")
        self.assertEqual(self.heard(3, seconds=0.2), ["x", "x"])

    def test_a_fork_starts_with_a_doorbell_of_its_own(self):
        """A child inherits neither the thread nor the quiet time, and leaves the parent's connection alone."""
        self.assertTrue(Doorbell(doorbell._notify).ring(Bell(get_db_name(), CHANNEL, "parent")))
        doorbell._doorbell._lock.acquire()  # as if another thread were ringing while we fork
        try:
            child = os.fork()
            if not child:
                sent = doorbell.notify(get_db_name(), CHANNEL, "child") is True
                os._exit(0 if sent else 1)
        finally:
            doorbell._doorbell._lock.release()
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertTrue(Doorbell(doorbell._notify).ring(Bell(get_db_name(), CHANNEL, "parent again")))
        self.assertEqual(self.heard(3), ["parent", "child", "parent again"])

    def test_it_is_quiet_per_bell_and_harmless(self):
        now, sent = [100.0], []
        bells = Doorbell(sent.append, quiet=0.02, clock=lambda: now[0])
        bells._follow = lambda: None
        one, two = Bell("db", "dist_outbox"), Bell("db", "dist_job")
        self.assertEqual([bells.ring(one), bells.ring(one), bells.ring(two)], [True, False, True])
        self.assertAlmostEqual(bells.ring_late(), 0.02)
        now[0] = 100.02
        self.assertIsNone(bells.ring_late())
        self.assertEqual(sent, [one, two, one])
        self.assertFalse(bells.ring(one), "the late ring begins a quiet time as well")
        self.assertFalse(doorbell.notify("no_such_database_at_all", "dist_outbox"))
