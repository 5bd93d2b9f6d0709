# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The journey of one order: everything with its trace id, in order of time."""

from __future__ import annotations

from typing import Any

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.sql import table_exists


def trace_of(correlation_id: str | None) -> str:
    """The 32 hex digits of a ``traceparent``; a bare trace id is returned as it is.

    >>> trace_of("00-abababababababababababababababab-1111111111111111-01")
    'abababababababababababababababab'
    """
    text = correlation_id or ""
    return text.split("-")[1] if text.count("-") == 3 else text


class DistJourneyStep(models.Model):
    """A view over all tables with a correlation id.

    An addon adds its own table by extending :meth:`_journey_selects`. Each select yields, in this order: ``id`` (unique
    over all selects: ``id::bigint * 32 + n``, n < 32 chosen per select), ``trace_id``, ``at``, ``kind``, ``name``,
    ``state``, ``res_model``, ``res_id``, ``company_id``, ``connection_id``, ``duration`` (seconds). ``trace_id`` is
    ``substr(correlation_id, 4, 32)`` with an index on that expression, so that a journey of few steps is found at once.
    The table whose ``id`` it is, is called ``r`` in each select: the list of journeys reads its newest rows only.
    """

    _name = "dist.journey.step"
    _description = "Journey Step"
    _auto = False
    _order = "at, id"
    _rec_name = "name"

    trace_id = fields.Char(readonly=True)
    at = fields.Datetime(readonly=True)
    kind = fields.Char(readonly=True)
    name = fields.Char(readonly=True)
    state = fields.Char(readonly=True)
    res_model = fields.Char(readonly=True)
    res_id = fields.Many2oneReference(model_field="res_model", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    connection_id = fields.Many2one("dist.connection", readonly=True)
    duration = fields.Float(readonly=True, help="Seconds from the step's start to its end.")

    @api.model
    def _journey_selects(self) -> list[str]:
        """SQL selects the view unites; numbers 0 to 7 are this addon's, 8 to 31 are for others."""
        return [
            """
            SELECT id::bigint * 32, substr(correlation_id, 4, 32), occurred_at, 'outbox', type || ' ' || key, state,
                   'dist.outbox.event', id, company_id, connection_id,
                   EXTRACT(EPOCH FROM settled_at - occurred_at)::float8
              FROM dist_outbox_event r WHERE correlation_id IS NOT NULL
            """,
            """
            SELECT id::bigint * 32 + 1, substr(correlation_id, 4, 32), created_at, 'job', handler, state,
                   'dist.job', id, company_id, connection_id, run_seconds::float8
              FROM dist_job r WHERE correlation_id IS NOT NULL
            """,
            """
            SELECT id::bigint * 32 + 2, substr(correlation_id, 4, 32), first_at, 'exception', name, state,
                   'dist.exception', id, company_id, connection_id, EXTRACT(EPOCH FROM closed_at - first_at)::float8
              FROM dist_exception r WHERE correlation_id IS NOT NULL
            """,
            """
            SELECT id::bigint * 32 + 3, substr(correlation_id, 4, 32), created_at, 'dead_letter', left(reason, 200),
                   state, 'dist.dead.letter', id, company_id, connection_id, NULL::float8
              FROM dist_dead_letter r WHERE correlation_id IS NOT NULL
            """,
            """
            SELECT id::bigint * 32 + 4, substr(correlation_id, 4, 32), occurred_at, 'outbox', type || ' ' || key, state,
                   'dist.outbox.archive', id, company_id, connection_id,
                   EXTRACT(EPOCH FROM settled_at - occurred_at)::float8
              FROM dist_outbox_archive r WHERE correlation_id IS NOT NULL
            """,
            """
            SELECT id::bigint * 32 + 5, substr(correlation_id, 4, 32), created_at, 'job', handler, state,
                   'dist.job.archive', id, company_id, connection_id, run_seconds::float8
              FROM dist_job_archive r WHERE correlation_id IS NOT NULL
            """,
        ]

    def init(self) -> None:
        """The view is made anew after all tables of the module being installed exist."""
        self.env.cr.execute("DROP VIEW IF EXISTS dist_journey_step")
        self.pool.post_init(self._create_view)

    def _register_hook(self) -> None:
        super()._register_hook()
        if not table_exists(self.env.cr, self._table):  # an uninstalled addon took its table, and the view, with it
            self._create_view()

    def _create_view(self) -> None:
        names = "id, trace_id, at, kind, name, state, res_model, res_id, company_id, connection_id, duration"
        body = "\n UNION ALL ".join(self._journey_selects())
        self.env.cr.execute(f"CREATE OR REPLACE VIEW dist_journey_step ({names}) AS {body}")  # pylint: disable=sql-injection

    @api.model
    @api.private
    def of(self, correlation_id: str) -> DistJourneyStep:
        """The steps of a journey, in order of time."""
        return self.search([("trace_id", "=", trace_of(correlation_id))]) if correlation_id else self.browse()

    @api.model
    def open_action(self, correlation_id: str | None) -> dict[str, Any]:
        """The action that shows a journey. :raises UserError: where there is no correlation id"""
        if not correlation_id:
            raise UserError(self.env._("Nothing was recorded under a journey for this record."))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Journey"),
            "res_model": self._name,
            "view_mode": "list",
            "domain": [("trace_id", "=", trace_of(correlation_id))],
            "context": {"create": False},
        }

    def action_open_record(self) -> dict[str, Any]:
        """The record behind this step."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "view_mode": "form",
        }

    @property
    def _table_sql(self) -> SQL:
        return SQL.identifier(self._table)
