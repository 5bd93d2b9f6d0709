# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A business made for checking: what it intends is committed with what it emits, what takes effect is written down.

``dist.chaos.intent`` has a row, with a token of its own, per fact and per job of every *committed* business
transaction. ``dist.chaos.effect`` has a row per run of a job or of a received event, written in the transaction of
the run. A test needs nothing else to tell lost, double, phantom and misordered effects.
"""

import os
import signal
import uuid

from odoo import api, fields, models

from odoo.addons.dist_sync_queue.api import chain, group, job, on_dirty, on_event
from odoo.addons.dist_sync_queue.engine.crash import point

MANY = 1000
"""Attempts: a test with faults must not run out of them."""

SUM_LOCK = 4711
"""Advisory lock by which a test holds up the sum of a value after the value was read."""


class DistChaosKey(models.Model):
    """What one key of the business has come to. Transactions of one key lock its row, so they have an order."""

    _name = "dist.chaos.key"
    _description = "Key of the Chaos Tests"
    _log_access = False

    name = fields.Char(required=True)
    last = fields.Integer(default=0)
    value = fields.Integer(default=0)

    _name_unique = models.UniqueIndex("(name)")

    # -- business transactions -----------------------------------------------------------------------------------------
    def _intend(self, lane):
        self.env.cr.execute("UPDATE dist_chaos_key SET last = last + 1 WHERE id = %s RETURNING last", (self.id,))
        number = self.env.cr.fetchone()[0]
        token = f"{lane}-{self.name}-{number}-{uuid.uuid4().hex[:12]}"
        self.env.cr.execute(
            "INSERT INTO dist_chaos_intent (lane, key, number, token) VALUES (%s, %s, %s, %s)",
            (lane, self.name, number, token),
        )
        return token

    def _ship(self, connection, **options):
        """A fact for the outside."""
        token = self._intend("fact")
        payload = {
            "order_id": self.name,
            "reference": token,
            "shipped_at": "2026-01-01T00:00:00Z",
            "packages": [{"reference": "P", "lines": [{"line_id": "1", "quantity": "1"}]}],
        }
        return self.env["dist.outbox.event"].emit(
            connection,
            "shipment.confirm.v1",
            key=options.pop("key", self.name),
            payload=payload,
            fact=(token,),
            **{"max_attempts": MANY, **options},
        )

    def _work_later(self, seconds=0, **options):
        """A job of this key that takes so long."""
        token = self._intend("job")
        return self.delayed(**{"key": f"chaos:{self.name}", "max_attempts": MANY, **options})._work(token, seconds)

    def _cross_later(self, other):
        """A job that locks this key, then another; nothing orders such jobs."""
        token = f"cross-{self.name}-{uuid.uuid4().hex[:12]}"
        self.env["dist.chaos.intent"].create({"lane": "cross", "key": self.name, "number": 0, "token": token})
        return self.delayed(max_attempts=MANY)._cross(token, other.id)

    def _count(self, connections):
        """A new value, to be shown outside, and summed up here by a job that many requests share."""
        self.env.cr.execute("UPDATE dist_chaos_key SET value = value + 1 WHERE id = %s", (self.id,))
        self.env["dist.dirty.mark"].mark(connections, "availability.changed.v1", [self.name])
        self.delayed(identity=f"sum:{self.id}", max_attempts=MANY)._sum_up()

    def _diamond(self):
        """Four jobs: one, then two side by side, then one that waits for both."""
        self.env.cr.execute("UPDATE dist_chaos_key SET last = last + 1 WHERE id = %s RETURNING last", (self.id,))
        number = self.env.cr.fetchone()[0]
        name = f"{self.name}.{number}"
        steps = [(number, f"diamond-{name}-{place}") for place, number in enumerate((1, 2, 2, 3))]
        self.env.cr.execute_values(
            "INSERT INTO dist_chaos_intent (lane, key, number, token) VALUES %s",
            [("diamond", name, number, token) for number, token in steps],
        )
        first, left, right, last = (self.later(max_attempts=MANY)._step(name, number, token) for number, token in steps)
        chain(first, group(left, right), last).enqueue()

    # -- jobs and handlers ---------------------------------------------------------------------------------------------
    def _book(self, rows):
        self.env.cr.execute_values(
            "INSERT INTO dist_chaos_effect (lane, key, token, number, pid) VALUES %s",
            [(lane, key, token, number, os.getpid()) for lane, key, token, number in rows],
        )

    @job(backoff=0.2, backoff_max=1.0)
    def _work(self, token, seconds=0):
        self._book([("job", self.name, token, 0)])
        point("handler")
        if seconds:
            self.env.cr.execute("SELECT pg_sleep(%s)", (seconds,))

    @job(backoff=0.2, backoff_max=1.0)
    def _cross(self, token, other):
        for number, pause in ((self.id, 0.02), (other, 0)):
            self.env.cr.execute("SELECT 1 FROM dist_chaos_key WHERE id = %s FOR NO KEY UPDATE", (number,))
            self.env.cr.execute("SELECT pg_sleep(%s)", (pause,))  # somebody else's chance to lock the other one
        self._book([("cross", self.name, token, 0)])

    @job(backoff=0.2, backoff_max=1.0)
    def _step(self, name, number, token):
        self._book([("diamond", name, token, number)])

    @job(backoff=0.2, backoff_max=1.0)
    def _sum_up(self):
        self.env.cr.execute("SELECT pg_advisory_xact_lock_shared(%s)", (SUM_LOCK,))
        for each in self:
            self._book([("sum", each.name, None, each.value)])

    @job(lane="high")
    def _poison(self, how):
        """Kill the worker: by a signal, by an exit without clean-up, by a segmentation fault."""
        if how == "exit":
            os._exit(3)
        os.kill(os.getpid(), signal.SIGSEGV if how == "segfault" else signal.SIGKILL)

    @job(timeout=0.3, max_attempts=1)
    def _overrun(self):
        """Work for ever, in Python."""
        while True:
            pass

    @job(timeout=0.3, max_attempts=1)
    def _overrun_in_postgres(self):
        """Wait for ever, in a statement."""
        self.env.cr.execute("SELECT pg_sleep(600)")

    @api.model
    @on_event("listing.found.v1", batch=50, max_attempts=MANY, backoff=0.2, backoff_max=1.0)
    def _on_listing(self, items):
        self._book([("event", item.key, item.payload["listing"]["sku"], 0) for item in items])

    @api.model
    @on_dirty("availability.changed.v1", batch=100, max_attempts=MANY, backoff=0.2, backoff_max=1.0)
    def _availability(self, connection, keys):
        self.env.cr.execute("SELECT name, value FROM dist_chaos_key WHERE name = ANY (%s)", (keys,))
        return {
            name: {
                "listing": {"sku": name},
                "location_id": "L",
                "quantity": str(value),
                "version": 1,
                "as_of": "2026-01-01T00:00:00Z",
            }
            for name, value in self.env.cr.fetchall()
        }


if os.environ.get("DIST_CHAOS_UPGRADED"):

    class DistJob(models.Model):
        """The next release: what the queue's table has to take in while there is work in it."""

        _inherit = "dist.job"

        chaos_wave = fields.Integer(default=7)


class DistChaosIntent(models.Model):
    """One row per fact and job that was committed."""

    _name = "dist.chaos.intent"
    _description = "Intent of the Chaos Tests"
    _log_access = False

    lane = fields.Char(required=True)
    key = fields.Char(required=True)
    number = fields.Integer(required=True)
    token = fields.Char(required=True)


class DistChaosEffect(models.Model):
    """One row per effect inside Odoo."""

    _name = "dist.chaos.effect"
    _description = "Effect of the Chaos Tests"
    _log_access = False

    lane = fields.Char(required=True)
    key = fields.Char(required=True)
    token = fields.Char()
    number = fields.Integer()
    pid = fields.Integer()
