# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Odoo's daily clean-up of what the engine keeps. Where workers run, they have done most of it already."""

from __future__ import annotations

from odoo import api, models

from ..engine import archive, schema

WARN_SHARE = 0.75
"""Of the ids a table can have."""


class DistJob(models.Model):
    _inherit = "dist.job"

    @api.autovacuum
    def _gc_done_jobs(self, limit: int = 10_000) -> tuple[int, int]:
        """Move finished jobs to the archive, and delete what was there long enough; see ``engine/archive.py``."""
        done = archive.run(self.env.cr, archive.JOBS, limit)
        return done, limit if done >= limit else 0

    @api.autovacuum
    def _check_ids(self) -> None:
        """Say so long before the numbers of a table run out: then nothing could be enqueued any more."""
        kind = "engine.ids"
        used = schema.ids_used(self.env.cr)
        table, share = max(used.items(), key=lambda item: item[1])
        if share < WARN_SHARE:
            self.env["dist.exception"].settle(kind, None, None)
            return
        self.env["dist.exception"].report(
            kind,
            None,
            self.env._("%(percent)s %% of the numbers for %(table)s are used", percent=int(share * 100), table=table),
            cause=self.env._("A row gets a number of four bytes; when they are used up, nothing can be added."),
            fix=self.env._("Start the numbers again, as the operations manual says under Numbers of jobs."),
        )


class DistOutboxEvent(models.Model):
    _inherit = "dist.outbox.event"

    @api.autovacuum
    def _gc_settled(self, limit: int = 10_000) -> tuple[int, int]:
        """Move settled events to the archive, and delete what was there long enough. Dead ones stay."""
        done = archive.run(self.env.cr, archive.EVENTS, limit)
        return done, limit if done >= limit else 0
