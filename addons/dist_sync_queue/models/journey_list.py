# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The list of journeys: one line for all that happened under one trace id."""

from __future__ import annotations

from typing import Any

from odoo import api, fields, models
from odoo.tools import SQL

NEWEST = 5_000
"""As many of the newest rows of each kind of step are looked at."""

_COLUMNS = SQL("id, trace_id, at, kind, name, state, res_model, res_id, company_id, connection_id, duration")


class DistJourney(models.Model):
    """A journey of one company, with its first step, its times and how it stands."""

    _name = "dist.journey"
    _description = "Journey"
    _auto = False
    _order = "started_at desc, id desc"
    _rec_name = "trace_id"

    trace_id = fields.Char("Trace", readonly=True)
    kind = fields.Char(readonly=True)
    name = fields.Char("First Step", readonly=True)
    label = fields.Char("Began With", compute="_compute_label")
    key = fields.Char(compute="_compute_label")
    connection_id = fields.Many2one("dist.connection", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    started_at = fields.Datetime("Started", readonly=True)
    ended_at = fields.Datetime("Last Step", readonly=True)
    duration = fields.Float(readonly=True, help="Seconds from the first step to the last.")
    steps = fields.Integer(readonly=True)
    state = fields.Selection(
        [("attention", "Needs Attention"), ("going", "Under Way"), ("done", "Done")], "Status", readonly=True
    )

    @property
    def _table_query(self) -> SQL:
        newest = [
            SQL("(SELECT * FROM (%s ORDER BY r.id DESC LIMIT %s) AS part (%s))", SQL(select), NEWEST, _COLUMNS)
            for select in self.env["dist.journey.step"]._journey_selects()
        ]
        return SQL(
            """SELECT min(id) AS id, trace_id, company_id,
                      (array_agg(kind ORDER BY at, id))[1] AS kind,
                      (array_agg(name ORDER BY at, id))[1] AS name,
                      (array_agg(connection_id ORDER BY at, id) FILTER (WHERE connection_id IS NOT NULL))[1]
                          AS connection_id,
                      min(at) AS started_at, max(at) AS ended_at,
                      EXTRACT(EPOCH FROM max(at) - min(at))::float8 AS duration, count(*) AS steps,
                      CASE WHEN bool_or(kind IN ('exception', 'dead_letter') AND state = 'open'
                                        OR kind IN ('outbox', 'job') AND state IN ('dead', 'rejected', 'parked'))
                                THEN 'attention'
                           WHEN bool_or(kind IN ('outbox', 'job')
                                        AND state IN ('pending', 'waiting', 'published', 'unknown')) THEN 'going'
                           ELSE 'done' END AS state
                 FROM (%s) steps
                GROUP BY trace_id, company_id""",
            SQL(" UNION ALL ").join(newest),
        )

    @api.depends("kind", "name")
    def _compute_label(self) -> None:
        names = self.env["dist.names"]
        for journey in self:
            code, _space, key = (journey.name or "").partition(" ")
            known = journey.kind in ("outbox", "job")
            journey.label = names.handler(code) if known and code else journey.name
            journey.key = key if known else False

    def action_open(self) -> dict[str, Any]:
        """The steps, in order of time."""
        self.ensure_one()
        return self.env["dist.journey.step"].open_action(self.trace_id)
