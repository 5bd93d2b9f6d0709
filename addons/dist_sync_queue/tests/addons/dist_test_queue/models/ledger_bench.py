# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Jobs of the benchmarks in tests/bench that are more than a no-op."""

import time

from odoo import fields, models

from odoo.addons.dist_sync_queue.api import job


class DistTestLedger(models.Model):
    _inherit = "dist.test.ledger"

    began_at = fields.Datetime(help="When the handler began; with microseconds in the database.")

    @job()
    def _stamp(self, name):
        """Book when this began."""
        self.env.cr.execute(
            "INSERT INTO dist_test_ledger (name, began_at) VALUES (%s, clock_timestamp() AT TIME ZONE 'UTC')", (name,)
        )

    @job(lane="high")
    def _stamp_high(self, name):
        self._stamp(name)

    @job(lane="low")
    def _nap(self, seconds):
        """Something that takes its time and little CPU."""
        time.sleep(seconds)
