# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Jobs: work of the own addon, done later."""

from __future__ import annotations

from odoo import fields, models

from odoo.addons.dist_sync_queue.api import (
    Permanent,
    RetryLater,
    Snooze,
    chain,
    cron,
    every,
    group,
    job,
    progress,
)


class DistExampleBin(models.Model):
    """A bin of a warehouse, and what is in it."""

    _name = "dist.example.bin"
    _description = "Example: Bin"

    name = fields.Char(required=True)
    aisle = fields.Char()
    quantity = fields.Integer()
    counted_at = fields.Datetime()
    closed = fields.Boolean()
    log = fields.Text(default="")

    def _note(self, text):
        for record in self:
            record.log = f"{record.log or ''}{text}\n"

    # -- a job --------------------------------------------------------------------------------------------------------
    @job(lane="low", max_attempts=3, timeout=60)
    def _count(self, source="hand"):
        self.counted_at = fields.Datetime.now()
        self._note(f"counted by {source}")

    def action_count_later(self):
        self.delayed(priority=3)._count(source="robot")

    # -- many jobs with one INSERT; order; one run for many requests --------------------------------------------------
    def action_count_each(self):
        return self.delayed(
            each=1,
            key=lambda record: f"aisle:{record.aisle}",
            identity=lambda record: f"count:{record.id}",
            eta=30,
        )._count()

    # -- batches ------------------------------------------------------------------------------------------------------
    @job(batch=100)
    def _empty(self):
        self.write({"quantity": 0})
        self._note(f"emptied with {len(self)}")

    # -- what may go wrong --------------------------------------------------------------------------------------------
    @job(max_attempts=5, backoff=2, backoff_max=600)
    def _take(self, quantity):
        if self.closed:
            raise Snooze(900, "The bin is closed for counting.")
        if quantity < 0:
            raise Permanent("A negative quantity cannot be taken. Correct the request and make a new job.")
        if quantity > self.quantity:
            raise RetryLater(60, f"Only {self.quantity} in {self.name}; goods may be on their way.")
        self.quantity -= quantity

    # -- progress, and a safe point to be cancelled at ----------------------------------------------------------------
    @job(timeout=3600)
    def _count_all(self):
        for done, record in enumerate(self, 1):
            record._count()
            progress(self.env, done, len(self), record.name)

    # -- jobs that wait for jobs --------------------------------------------------------------------------------------
    @job()
    def _close(self):
        self.closed = True

    @job()
    def _reopen(self):
        self.closed = False

    @job()
    def _sum(self):
        return sum(self.mapped("quantity"))

    @job()
    def _compare(self, expected, results):
        found = sum(result.value for result in results)
        if found != expected:
            raise Permanent(f"{expected} were expected, {found} are there.")
        self._note("as expected")

    def action_inventory(self, expected):
        halves = self[: len(self) // 2], self[len(self) // 2 :]
        return chain(
            self.later()._close().undo(self.later()._reopen()),
            group(*(half.later()._sum() for half in halves)),
            self.later()._compare(expected),
            self.later()._reopen(),
        ).enqueue()

    # -- recurring jobs -----------------------------------------------------------------------------------------------
    @every("15 minutes", jitter=60)
    @job(lane="low")
    def _tidy(self):
        self.search([("quantity", "<", 0)]).write({"quantity": 0})

    @cron("0 3 * * 1-5", tz="Europe/Berlin", catch_up="skip")
    @job(lane="low")
    def _count_at_night(self):
        self.search([("closed", "=", False)])._count(source="night shift")
