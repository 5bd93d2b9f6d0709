# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Who works, on what, since when; and what is to stand still."""

from __future__ import annotations

from odoo import api, fields, models

from ..engine.lanes import usual_weight
from ..fields import BigInteger


class DistWorkerSlot(models.Model):
    """One row per worker process, written on a side connection that commits by itself: what runs is visible at once.

    The worker holds an advisory lock for its row while it lives; a row whose lock is free belongs to a dead worker.
    """

    _name = "dist.worker.slot"
    _description = "Worker"
    _order = "host, pid"
    _log_access = False
    _rec_name = "worker"

    worker = fields.Char(required=True, readonly=True)
    host = fields.Char(readonly=True)
    pid = fields.Integer("PID", readonly=True, aggregator=None)
    lanes = fields.Char(readonly=True, help="Lanes this worker serves; all when empty.")
    scheduled = fields.Boolean(
        "Scheduled Action",
        readonly=True,
        help="A run of the scheduled action, which works where no worker process does.",
    )
    alive_since = fields.Datetime(readonly=True)
    seen_at = fields.Datetime("Last Seen", readonly=True)
    lane = fields.Char(readonly=True)
    handler = fields.Char(readonly=True)
    connection_id = fields.Many2one("dist.connection", readonly=True, ondelete="set null")
    job_ids = fields.Json("Jobs in Hand", readonly=True)
    keys = fields.Json("Keys in Hand", readonly=True, help="Of dirty marks; their type is the handler's.")
    started_at = fields.Datetime("Batch Started", readonly=True)
    end_reason = fields.Json(readonly=True, help="Why the process ended itself: type and message of the error.")
    backend_pid = fields.Integer("PostgreSQL Process", readonly=True, aggregator=None)
    progress_done = BigInteger(readonly=True, aggregator=None)
    progress_total = BigInteger(readonly=True, aggregator=None, help="0 where nobody knows.")
    progress_text = fields.Char(readonly=True)
    done_count = fields.Integer("Done", readonly=True)
    failed_count = fields.Integer("Failed", readonly=True)

    _worker_unique = models.UniqueIndex("(worker)")


class DistJobControl(models.Model):
    """What the engine obeys, changed live: pause or limit a lane or a handler, weigh a lane."""

    _name = "dist.job.control"
    _description = "Lane and Handler Control"
    _order = "kind, name"

    kind = fields.Selection([("lane", "Lane"), ("handler", "Handler")], required=True, default="lane")
    name = fields.Char(required=True, help="Name of the lane (orders) or of the handler (order.received.v1).")
    paused = fields.Boolean()
    capacity = fields.Integer(
        default=0,
        aggregator=None,
        help="How many worker processes, on all machines together, may run work of it at the same time; 0: any number.",
    )
    weight = fields.Float(
        compute="_compute_weight",
        store=True,
        readonly=False,
        precompute=True,
        help="Share of working time a lane gets while others have work, too.",
    )

    @api.depends("kind", "name")
    def _compute_weight(self) -> None:
        """The weight the lane has without a row: who adds one to pause a lane does not mean to change its share."""
        for control in self:
            control.weight = usual_weight(control.name) if control.kind == "lane" else 1.0

    _name_unique = models.UniqueIndex("(kind, name)", "This lane or handler has its row already.")
    _capacity_positive = models.Constraint("CHECK (capacity >= 0)", "A capacity is a number of processes, 0 for any.")
    _weight_positive = models.Constraint("CHECK (weight > 0)", "A weight is positive; pause the lane instead.")
