# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A ledger: one row per effect, so that a test can count effects and see their order."""

import ctypes
import os
import signal

from odoo import api, fields, models

from odoo.addons.dist_sync_queue.api import every, job, on_dirty, on_event, on_outcome

kept = []
"""What a job that leaks leaves in its process."""


class DistTestLedger(models.Model):
    _name = "dist.test.ledger"
    _description = "Ledger of the sync engine's tests"
    _log_access = False

    name = fields.Char(required=True)
    key = fields.Char()
    pid = fields.Integer()
    version = fields.Integer()

    def _book(self, rows):
        self.env.cr.execute_values(
            "INSERT INTO dist_test_ledger (name, key, pid) VALUES %s", [(name, key, os.getpid()) for name, key in rows]
        )

    @job(batch=200)
    def _noop(self):
        """Nothing."""

    @job()
    def _noop_single(self):
        """Nothing, one call per job."""

    @job(max_attempts=4)
    def _write_name(self, name, key=None):
        self._book([(name, key)])

    @job()
    def _step(self, name):
        """A step of a graph; what it returns is a number where its name is one."""
        self._book([(name, None)])
        return int(name) if name.isdigit() else None

    @job()
    def _count(self, results):
        self._book([(f"{len(results)} results", str(sum(result.value for result in results)))])

    @job(lane="high")
    def _poison(self):
        os.kill(os.getpid(), signal.SIGKILL)

    @job(timeout=0.2, max_attempts=1)
    def _hang(self):
        """Hold the process until the alarm rings."""
        signal.sigtimedwait([signal.SIGUSR2], 60)
        self._book([("hang came back", None)])

    @job(timeout=0.2, lane="high")
    def _never_returns(self):
        """Wait in C, where no exception is ever seen: a lock that its own thread holds."""
        lock = ctypes.create_string_buffer(128)
        libc = ctypes.CDLL(None)
        libc.pthread_mutex_lock(lock)
        libc.pthread_mutex_lock(lock)

    @job()
    def _hold(self, lock):
        """Run until a test lets go of an advisory lock."""
        self.env.cr.execute("SELECT pg_advisory_xact_lock(%s)", (lock,))
        self._book([("held", None)])

    @job()
    def _leak(self, mib):
        """Leave so much resident memory behind."""
        kept.append(b"x" * (mib << 20))
        self._book([("leaked", None)])

    @api.model
    @every("1 day", at="02:30", tz="UTC", jitter=60, active=False)
    @job(lane="low")
    def _nightly(self, word="night"):
        """Book the nights."""
        self._book([(word, self.env.context.get("dist_planned_at"))])

    @job()
    def _touch(self):
        """One row for each record it is called on."""
        self._book([("touched", name) for name in self.mapped("name")])

    @api.model
    @on_event("test.thing.v1", batch=50, lane="orders", max_attempts=3)
    def _on_thing(self, items):
        self._book([(str(item.payload["n"]), item.key) for item in items])

    @api.model
    @on_outcome("test.thing.v1")
    def _on_thing_outcome(self, items):
        self._book([("outcome", item.key) for item in items])

    @api.model
    @on_dirty("availability.changed.v1", batch=100)
    def _quantity(self, connection, keys):
        return {}

    @api.model
    @on_dirty("test.measured.v1", batch=100)
    def _measure(self, connection, keys):
        if "poison" in keys:
            os.kill(os.getpid(), signal.SIGKILL)
        self._book([("measured", key) for key in keys])
        return {}
