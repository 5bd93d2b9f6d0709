# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Jobs where no extra process is possible: a scheduled action runs the same batches within its time."""

from __future__ import annotations

import logging
import time

from odoo import api, models

from ..engine import claim, control, drain, maintain
from ..engine.batch import Again, Batches, Drained, RegistryChanged, SchemaMoved, until_empty
from ..engine.execute import Report
from ..engine.faults import SCHEMA
from ..engine.hand import Hand
from ..engine.slots import Side, live_workers
from ..engine.telemetry import spans
from ..engine.watch import Watcher

_logger = logging.getLogger(__name__)

FORCE_PARAMETER = "dist_sync_queue.cron_always"
SECONDS = 50.0
"""Longest run of one call; the scheduled action comes every minute."""


class DistJob(models.Model):
    _inherit = "dist.job"

    @api.model
    def _cron_run_jobs(self, seconds: float = SECONDS) -> int:
        """Run what is ready, unless a ``dist_worker`` is alive (parameter ``dist_sync_queue.cron_always``: share).

        :return: the number of jobs touched
        """
        get_param = self.env["ir.config_parameter"].sudo().get_param
        if live_workers(self.env.cr) and get_param(FORCE_PARAMETER) != "True":
            return 0
        cron = self.env["ir.cron"]
        left = cron._commit_progress(remaining=1)  # ends the transaction: batches have their own
        deadline = time.monotonic() + min(seconds, left or seconds)
        side = Side(self.env.cr.dbname, "dist_cron")
        hand = Hand()
        batches, watcher = Batches(self.env.registry, hand=hand), Watcher(hand, self.env.registry)
        batches.spans = spans(side)
        watcher.start()
        touched = 0

        def run_group(group: claim.Group) -> Report:
            nonlocal touched
            report = batches.run(group)
            touched += report.touched
            with side.cursor() as cr:
                maintain.sweep(cr)
            if report.touched:
                cron._commit_progress(report.touched)
            return report

        def groups() -> list[claim.Group]:
            with side.cursor() as cr:
                batches.control = control.read(cr)
                return [g for g in claim.ready_groups(cr) if batches.control.allows(g.handler, batches.lane_of(g))]

        try:
            with side.cursor() as cr:
                maintain.sweep(cr)
            while time.monotonic() < deadline:
                try:
                    until_empty(groups, run_group, deadline - time.monotonic())
                    break
                except Again:
                    continue
            cron._commit_progress(remaining=int(bool(groups())))
        except Drained:
            drain.lift_if_upgraded(side)
        except (RegistryChanged, SchemaMoved, *SCHEMA) as error:
            _logger.info("Jobs wait for the next run: %s", error or "modules changed")
        finally:
            watcher.stop()
            side.close()
        return touched
