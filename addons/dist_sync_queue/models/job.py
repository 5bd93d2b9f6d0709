# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The one queue for all work inside the ERP, and how business code puts work into it."""

from __future__ import annotations

import logging
from textwrap import shorten
from typing import Any

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..engine import guards, insert, routes, schema
from ..engine.graph import Edge
from ..fields import UncheckedMany2one

_logger = logging.getLogger(__name__)

MOST_BELLS = 4
"""One transaction with jobs of more lanes than this rings once for all of them."""
STATES = [
    ("pending", "Pending"),
    ("waiting", "Waiting for Others"),
    ("parked", "Parked"),
    ("done", "Done"),
    ("dead", "Dead"),
    ("cancelled", "Cancelled"),
]


class DistJob(models.Model):
    """One piece of work: an incoming event, an outcome, or a call of a record method.

    State machine (transitions are made by the engine only, see ``engine/``)::

        pending ──ran──> done                       pending ──merged, cancel──> cancelled
        pending ──fails, attempts left──> pending with eta
        pending ──fails for good──> dead            dead ──requeue──> pending    dead ──cancel──> cancelled
        pending ──an earlier job of its key is dead──> parked ──that one is requeued or cancelled──> pending
        waiting ──all before it have ended──> pending   waiting ──one before it failed, cancel──> cancelled
        cancelled ──the one before it is requeued──> waiting   dead or cancelled in a graph ──requeue──> waiting

    ``eta`` is set while a job waits for its time; the engine clears it when the time has come.
    ``handler`` is an event type, ``<type>#outcome`` or ``model:method``. "Running" is no state: a claimed row is
    locked, what runs is shown by ``dist.worker.slot``.
    """

    _name = "dist.job"
    _description = "Sync Job"
    _order = "id desc"
    _log_access = False
    _rec_name = "handler"

    event_id = fields.Char(readonly=True)
    handler = fields.Char(required=True, readonly=True)
    payload = fields.Json(readonly=True)
    connection_id = fields.Many2one("dist.connection", readonly=True, ondelete="cascade")
    company_id = UncheckedMany2one("res.company", readonly=True, ondelete="cascade")
    lane = fields.Char(
        readonly=True, help="Priority class of work; of the handler, set when the job is made or has run."
    )
    priority = fields.Integer(required=True, readonly=True, default=5, help="0 is served first, 9 last.")
    key = fields.Char(readonly=True, help="Jobs of one key run one after the other, in the order they were made.")
    identity = fields.Char(
        readonly=True,
        help="Waiting jobs of one handler and connection with equal identity are run once.",
    )
    state = fields.Selection(STATES, required=True, readonly=True, default="pending")
    eta = fields.Datetime("Not Before", readonly=True)
    attempts = fields.Integer(required=True, readonly=True, default=0)
    max_attempts = fields.Integer(readonly=True, help="Overrides the handler's number when set.")
    error_type = fields.Char(readonly=True)
    error_message = fields.Text(readonly=True)
    error_trace = fields.Text(readonly=True)
    correlation_id = fields.Char(readonly=True)
    occurred_at = fields.Datetime(readonly=True)
    created_at = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    done_at = fields.Datetime(readonly=True)
    run_seconds = fields.Float(readonly=True, aggregator="avg")
    merged_into = fields.Integer(readonly=True, aggregator=None, help="The job that did this one's work.")
    res_model = fields.Char(readonly=True)
    res_id = fields.Many2oneReference(model_field="res_model", readonly=True, index=False)

    def init(self) -> None:
        schema.create(self.env.cr)

    @api.model
    @api.private
    def enqueue(self, rows: list[dict[str, Any]]) -> DistJob:
        """Insert jobs with one statement, in the caller's transaction, and ring the doorbell after its commit.

        :param rows: see :data:`engine.insert.COLUMNS`; ``handler`` is required
        :return: the jobs, in the order of ``rows``
        :raises BadPriority: where one is not from 0 to 9
        """
        if not rows:
            return self.browse()
        if self.env.cr.readonly:
            raise UserError(self.env._("A read-only request cannot make jobs."))
        guards.check_priorities(self.env, (row.get("priority") for row in rows))
        if depth := guards.depth_of(self.env):
            rows = [{**row, "depth": depth} for row in rows]
        ids = insert.insert_jobs(self.env.cr, rows)
        from ..doorbell import ring

        lanes = {row.get("lane") or "" for row in rows}
        ring(self.env.cr, "dist_job", *(lanes if len(lanes) <= MOST_BELLS else ()))
        return self.browse(ids)

    @api.model
    @api.private
    def _enqueue_graph(self, rows: list[dict[str, Any]], edges: list[Edge]) -> DistJob:
        """Insert the jobs of a graph and who waits for whom, one statement for each; for ``chain`` and ``group``."""
        jobs = self.enqueue(rows)
        ids = jobs._ids
        insert.insert_edges(self.env.cr, [(ids[parent], ids[child], how) for parent, child, how in edges])
        return jobs

    def _register_hook(self) -> None:
        """Keep ``dist.event.route`` in step with the decorators, for SQL that makes jobs of events."""
        super()._register_hook()
        try:
            with self.env.cr.savepoint():
                routes.refresh(self.env)
        except psycopg2.Error as error:  # another process does the same at this moment
            _logger.info("Routes were not refreshed: %s", error)

    @api.model
    def _report_dead(self, job_id: int, correlation_id: str | None = None) -> None:
        """A dead job is somebody's business: put it into "Needs attention"."""
        job = self.with_context(dist_correlation_id=correlation_id).browse(job_id)
        job.invalidate_recordset(flush=False)
        self.env["dist.exception"].with_context(dist_correlation_id=correlation_id).report(
            "job_dead",
            job,
            self.env._(
                "%(handler)s failed: %(message)s",
                handler=job.handler_name,
                message=shorten(job.error_message or "", 100, placeholder="…"),
            ),
            cause=job.error_message,
            fix=self.env._("Remove the cause, then run the job again; or cancel it, and what waits behind it goes on."),
            connection=job.connection_id,
        )

    def action_requeue(self) -> bool:
        """Ask the engine to run dead, parked or waiting jobs again (or at once)."""
        return self._request("requeue")

    def action_cancel(self) -> bool:
        """Ask the engine not to run these jobs."""
        return self._request("cancel")

    def action_set_priority(self, priority: int) -> bool:
        """Ask the engine to serve these jobs with another priority (0 first, 9 last).

        :raises ValidationError: for a number that is none
        """
        return self._request("priority", guards.check_priority(self.env, priority))

    def _request(self, action: str, value: int = 0) -> bool:
        """Never write on job rows from a screen: a claimed row is locked and the write would wait and then fail."""
        self.check_access("read")
        self.env["dist.job.request"].create([{"job_id": job.id, "action": action, "value": value} for job in self])
        return True
