# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Jobs that wait for jobs: what is kept of a graph. Made by ``engine/graph.py``, moved by ``engine/release.py``."""

from __future__ import annotations

from typing import Any

from odoo import api, fields, models

from ..engine.parting import part_with


class DistJobEdge(models.Model):
    """``child_id`` waits for ``parent_id``. Written once, when the graph is enqueued."""

    _name = "dist.job.edge"
    _description = "Dependency between Jobs"
    _order = "parent_id, child_id"
    _log_access = False
    _rec_name = "on_failure"

    parent_id = fields.Many2one("dist.job", "Before", required=True, readonly=True, ondelete="cascade", index=True)
    child_id = fields.Many2one("dist.job", "After", required=True, readonly=True, ondelete="cascade")
    on_failure = fields.Selection(
        [("stop", "Cancel what comes after"), ("continue", "Go on all the same")],
        required=True,
        readonly=True,
        default="stop",
        help="What happens to the job after when the job before fails for good or is cancelled.",
    )

    _child_parent_unique = models.UniqueIndex("(child_id, parent_id)")


class DistJob(models.Model):
    _inherit = "dist.job"

    graph = fields.Char(readonly=True, help="Jobs enqueued together as chain or group have the same.")
    result = fields.Json(readonly=True, help="What the method returned; kept where a job after it wants it.")
    depth = fields.Integer(readonly=True, aggregator=None, help="How many jobs made each other before this one.")
    stopped_by = fields.Integer(readonly=True, aggregator=None, help="The job whose failure cancelled this one.")
    undo = fields.Json(readonly=True, help="The job that takes this one back when the graph fails later.")
    undo_of = fields.Integer(readonly=True, aggregator=None, help="The job whose work this one takes back.")
    release = fields.Boolean(readonly=True, help="It has ended; what waits for it is still to be looked at.")
    parent_edge_ids = fields.One2many("dist.job.edge", "child_id", "Waits for", readonly=True)
    child_edge_ids = fields.One2many("dist.job.edge", "parent_id", "Before", readonly=True)
    attempt_ids = fields.One2many("dist.job.attempt", "job_id", "Attempts Made", readonly=True)

    # so that what is open, failed or young of a graph is found without a look at the rest of it
    _graph_idx = models.Index("(graph, state, done_at) WHERE graph IS NOT NULL")
    _undo_idx = models.Index("(graph) WHERE undo IS NOT NULL")
    _release_idx = models.Index("(id) WHERE release")
    _undo_of_unique = models.UniqueIndex("(undo_of) WHERE undo_of IS NOT NULL")

    @api.ondelete(at_uninstall=False)
    def _unlink_let_followers_go(self) -> None:
        """Nothing waits for a job that is no more."""
        self.env.flush_all()
        self._followers_let_go(part_with(self.env.cr, jobs=self.ids))

    @api.model
    def _followers_let_go(self, job_ids: list[int]) -> None:
        """Rows of these jobs were changed: read them anew, and wake who goes on with them."""
        if job_ids:
            self.browse(job_ids).invalidate_recordset()
            from ..doorbell import ring

            ring(self.env.cr, "dist_job")

    def action_open_graph(self) -> dict[str, Any]:
        """All jobs of this one's graph."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Jobs of this Graph"),
            "res_model": "dist.job",
            "view_mode": "list,form",
            "domain": [("graph", "=", self.graph), ("graph", "!=", False)],
            "context": {"create": False},
        }


class DistConnection(models.Model):
    _inherit = "dist.connection"

    @api.ondelete(at_uninstall=False)
    def _unlink_let_followers_go(self) -> None:
        """PostgreSQL deletes the jobs with their connection; what waits for them may belong to another one."""
        self.env.flush_all()
        self.env["dist.job"]._followers_let_go(part_with(self.env.cr, connections=self.ids))
