# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""SQL behind graphs, pivots and the list of journeys: throughput, waiting and running times."""

from __future__ import annotations

from odoo import fields, models
from odoo.tools import SQL

from .job import STATES as JOB_STATES
from .outbox_event import STATES as EVENT_STATES


def _both(table: str, archive: str, select: SQL) -> SQL:
    """``select`` from the hot table and from its archive: a row is in one of them, with the same columns."""
    parts = [SQL("%s FROM %s", select, SQL.identifier(name)) for name in (table, archive)]
    return SQL(" UNION ALL ").join(parts)


class DistJobReport(models.Model):
    """One line per job, archived ones included. ``at`` is when it was finished or, until then, made."""

    _name = "dist.job.report"
    _description = "Job Analysis"
    _inherit = ["dist.named.codes"]
    _auto = False
    _order = "at desc"
    _rec_name = "handler"

    _dist_named = {"handler": "handler", "lane": "lane"}

    at = fields.Datetime("Time", readonly=True)
    handler = fields.Char("Work", readonly=True)
    lane = fields.Char(readonly=True)
    state = fields.Selection(JOB_STATES, "Status", readonly=True)
    connection_id = fields.Many2one("dist.connection", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    error_type = fields.Char("Error", readonly=True)
    done = fields.Integer("Done", readonly=True)
    failed = fields.Integer("Failed for Good", readonly=True)
    attempts = fields.Integer("Failed Attempts", readonly=True)
    wait_seconds = fields.Float("Waited (s)", readonly=True, aggregator="avg")
    run_seconds = fields.Float("Ran (s)", readonly=True, aggregator="avg")

    @property
    def _table_query(self) -> SQL:
        return _both(
            "dist_job",
            "dist_job_archive",
            SQL(
                """SELECT id, COALESCE(done_at, created_at) AS at, handler, lane, state, connection_id, company_id,
                      error_type, (state = 'done')::int AS done, (state = 'dead')::int AS failed,
                      attempts - (state = 'done')::int AS attempts,
                      CASE WHEN state = 'done' THEN greatest(0, EXTRACT(EPOCH FROM done_at - created_at)
                                                                - COALESCE(run_seconds, 0)) END AS wait_seconds,
                      run_seconds"""
            ),
        )


class DistOutboxReport(models.Model):
    """One line per outgoing event, archived ones included. ``at`` is when it was settled or, until then, emitted."""

    _name = "dist.outbox.report"
    _description = "Event Analysis"
    _inherit = ["dist.named.codes"]
    _auto = False
    _order = "at desc"
    _rec_name = "type"

    _dist_named = {"type": "event"}

    at = fields.Datetime("Time", readonly=True)
    type = fields.Char("Event", readonly=True)
    kind = fields.Selection([("fact", "Fact"), ("state", "State")], readonly=True)
    state = fields.Selection(EVENT_STATES, "Status", readonly=True)
    connection_id = fields.Many2one("dist.connection", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    outcome_code = fields.Char("Outcome", readonly=True)
    delivered = fields.Integer(readonly=True)
    failed = fields.Integer(readonly=True)
    attempts = fields.Integer("Failed Attempts", readonly=True)
    delivery_seconds = fields.Float("Delivery Time (s)", readonly=True, aggregator="avg")

    @property
    def _table_query(self) -> SQL:
        return _both(
            "dist_outbox_event",
            "dist_outbox_archive",
            SQL(
                """SELECT id, COALESCE(settled_at, occurred_at) AS at, type, kind, state, connection_id, company_id,
                      outcome_code, (state = 'delivered')::int AS delivered,
                      (state IN ('dead', 'rejected'))::int AS failed, attempts,
                      CASE WHEN state = 'delivered' THEN EXTRACT(EPOCH FROM settled_at - occurred_at)
                           END AS delivery_seconds"""
            ),
        )
