# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Jobs where no extra process is possible: a scheduled action runs the same batches within its time."""

from __future__ import annotations

import logging
import time

from odoo import api, models

from ..engine.batch import RegistryChanged
from ..engine.slots import live_workers
from ..engine.worker import Worker

_logger = logging.getLogger(__name__)

FORCE_PARAMETER = "dist_sync_queue.cron_always"
SECONDS = 50.0
"""Longest run of one call; the scheduled action comes every minute."""


class DistJob(models.Model):
    _inherit = "dist.job"

    @api.model
    def _cron_run_jobs(self, seconds: float = SECONDS) -> int:
        """Run what is ready, unless a ``dist_worker`` is alive (parameter ``dist_sync_queue.cron_always``: share).

        It is a worker for some seconds: the lanes share its time, a handler that cannot be settled rests while the
        others go on, and what it has in hand stands in a slot, so that a job that ends Odoo's process is found out and
        quarantined. Only signals it has none: a loop in Python that passes no safe point goes on until Odoo's own
        ``--limit-time-real-cron`` ends the process, which then counts as such a crash.

        :return: the number of jobs touched
        """
        get_param = self.env["ir.config_parameter"].sudo().get_param
        if live_workers(self.env.cr) and get_param(FORCE_PARAMETER) != "True":
            return 0
        cron = self.env["ir.cron"]
        left = cron._commit_progress(remaining=1)  # ends the transaction: batches have their own
        deadline = time.monotonic() + min(seconds, left or seconds)
        worker = Worker(self.env.registry, timeouts=False, scheduled=True)
        try:
            worker.until_empty(seconds=deadline - time.monotonic(), each=cron._commit_progress)
            cron._commit_progress(remaining=int(time.monotonic() >= deadline))
        except RegistryChanged:
            _logger.info("Jobs wait for the next run: modules changed")
        return worker.touched
