# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Finished jobs and settled events after their days in the hot tables. Moved and deleted by ``engine/archive.py``."""

from __future__ import annotations

from typing import Any

from odoo import fields, models

from ..fields import BigInteger
from .job import STATES as JOB_STATES
from .outbox_event import STATES as EVENT_STATES


class DistArchive(models.AbstractModel):
    """What both archives have in common. Records keep the id they had."""

    _name = "dist.archive"
    _description = "Archived Record"
    _log_access = False
    _order = "id desc"

    event_id = fields.Char(readonly=True)
    payload = fields.Json(readonly=True)
    connection_id = fields.Many2one("dist.connection", readonly=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", readonly=True, ondelete="cascade")
    key = fields.Char(readonly=True)
    priority = fields.Integer(readonly=True, aggregator=None)
    attempts = fields.Integer(readonly=True, aggregator=None)
    max_attempts = fields.Integer(readonly=True, aggregator=None)
    correlation_id = fields.Char("Journey", readonly=True)
    occurred_at = fields.Datetime(readonly=True)
    res_model = fields.Char(readonly=True)
    res_id = fields.Many2oneReference(model_field="res_model", readonly=True, index=False)
    archived_at = fields.Datetime(readonly=True, default=fields.Datetime.now)

    def action_open_journey(self) -> dict[str, Any]:
        """Everything that happened under this correlation id."""
        self.ensure_one()
        return self.env["dist.journey.step"].open_action(self.correlation_id)


class DistJobArchive(models.Model):
    _name = "dist.job.archive"
    _inherit = ["dist.archive"]
    _description = "Archived Job"
    _rec_name = "handler"

    handler = fields.Char(required=True, readonly=True)
    lane = fields.Char(readonly=True)
    identity = fields.Char(readonly=True)
    state = fields.Selection(JOB_STATES, required=True, readonly=True)
    error_type = fields.Char(readonly=True)
    error_message = fields.Text(readonly=True)
    error_trace = fields.Text(readonly=True)
    created_at = fields.Datetime(readonly=True)
    done_at = fields.Datetime(readonly=True)
    run_seconds = fields.Float(readonly=True, aggregator="avg")
    merged_into = fields.Integer(readonly=True, aggregator=None)
    graph = fields.Char(readonly=True)
    result = fields.Json(readonly=True)
    stopped_by = fields.Integer(readonly=True, aggregator=None)
    undo_of = fields.Integer(readonly=True, aggregator=None)
    history = fields.Json(
        readonly=True,
        help="Its attempts, what people asked of it, and the jobs before and after it (told by the first to be moved).",
    )

    _done_idx = models.Index("(state, done_at)")
    _trace_idx = models.Index("(substr(correlation_id, 4, 32)) WHERE correlation_id IS NOT NULL")
    _graph_idx = models.Index("(graph) WHERE graph IS NOT NULL")
    _record_idx = models.Index("(res_model, res_id) WHERE res_id IS NOT NULL")


class DistOutboxArchive(models.Model):
    _name = "dist.outbox.archive"
    _inherit = ["dist.archive"]
    _description = "Archived Outbox Event"
    _rec_name = "type"

    type = fields.Char(required=True, readonly=True)
    kind = fields.Selection([("fact", "Fact"), ("state", "State")], readonly=True)
    version = BigInteger(readonly=True, aggregator=None)
    state = fields.Selection(EVENT_STATES, required=True, readonly=True)
    deadline = fields.Datetime(readonly=True)
    publication = fields.Integer(readonly=True, aggregator=None)
    lapses = fields.Integer(readonly=True, aggregator=None)
    read_back = fields.Boolean(readonly=True)
    relay_seq = BigInteger(readonly=True, aggregator=None)
    published_at = fields.Datetime(readonly=True)
    settled_at = fields.Datetime(readonly=True)
    outcome_code = fields.Char(readonly=True)
    outcome_message = fields.Text(readonly=True)
    outcome_data = fields.Json(readonly=True)
    report = fields.Boolean(readonly=True)

    _event_id_unique = models.UniqueIndex("(event_id)")
    _settled_idx = models.Index("(state, settled_at)")
    _trace_idx = models.Index("(substr(correlation_id, 4, 32)) WHERE correlation_id IS NOT NULL")
    _record_idx = models.Index("(res_model, res_id) WHERE res_id IS NOT NULL")
