# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Who did what to jobs, events, lanes and connections: the menu "Actions"."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from odoo import api, fields, models

KEPT_IDS = 1_000
"""As many record ids of one action are kept; the count is always whole."""
KEPT_REASONS = 5
KEPT_CHARS = 500

Detail = Callable[[models.Model], str]


def reasons(texts: Iterable[str | bool | None]) -> str:
    """Different texts in one line, as many as are worth it.

    >>> reasons(["HTTP 502", False, "HTTP 502", "no such shop"])
    'HTTP 502; no such shop'
    """
    different = list(dict.fromkeys(" ".join(text.split()) for text in texts if isinstance(text, str) and text.strip()))
    told = "; ".join(different[:KEPT_REASONS]) + ("; …" if len(different) > KEPT_REASONS else "")
    return told if len(told) <= KEPT_CHARS else told[: KEPT_CHARS - 1] + "…"


class DistAudit(models.Model):
    """One action of one person on records of one connection. Written with the system's rights, changed by nobody."""

    _name = "dist.audit"
    _description = "Action"
    _order = "id desc"
    _rec_name = "action"

    action = fields.Selection(
        [
            ("requeue", "Run again"),
            ("cancel", "Cancel"),
            ("stop", "Stop"),
            ("priority", "Change priority"),
            ("replay", "Replay"),
            ("ignore", "Ignore"),
            ("pause", "Pause"),
            ("resume", "Resume"),
            ("change", "Change"),
            ("pull", "Pull now"),
            ("run", "Run now"),
            ("reset", "Read from the start"),
            ("retry", "Retry"),
            ("credentials", "Enter credentials"),
            ("forget", "Forget credentials"),
            ("confirm", "Confirm identity"),
            ("token", "New token of metrics"),
        ],
        required=True,
        readonly=True,
    )
    res_model = fields.Char(required=True, readonly=True)
    model_name = fields.Char("Kind of Record", compute="_compute_model_name")
    res_ids = fields.Json(readonly=True)
    count = fields.Integer("Records", readonly=True)
    name = fields.Char("What", readonly=True)
    detail = fields.Char(readonly=True)
    connection_id = fields.Many2one("dist.connection", readonly=True, ondelete="set null", index="btree_not_null")
    company_id = fields.Many2one("res.company", readonly=True, ondelete="cascade")
    create_uid = fields.Many2one("res.users", "Who", readonly=True)
    create_date = fields.Datetime("When", readonly=True)

    _create_date_idx = models.Index("(create_date)")

    def _compute_model_name(self) -> None:
        for model, lines in self.grouped("res_model").items():
            known = self.env["ir.model"].sudo()._get(model) if model in self.env else None
            lines.model_name = known.name if known else model

    @api.model
    @api.private
    def record(self, action: str, records: models.Model, detail: str | Detail = "") -> None:
        """Write down that the user did ``action`` on ``records``: one line per connection.

        :param detail: to what, or why; a function is asked for each line's records
        """
        of_connections = records._name == "dist.connection"
        fields_of = records._fields

        def place(record: models.Model) -> tuple[int, int]:
            """(connection, company) of one record; 0 for none."""
            connection = record if of_connections else record.connection_id if "connection_id" in fields_of else None
            company = connection.company_id if connection else record.company_id if "company_id" in fields_of else None
            return connection.id if connection else 0, company.id if company else 0

        self.sudo().create(
            [
                {
                    "action": action,
                    "res_model": group._name,
                    "res_ids": group.ids[:KEPT_IDS],
                    "count": len(group),
                    "name": group.display_name if len(group) == 1 else False,
                    "detail": (detail(group) if callable(detail) else detail) or False,
                    "connection_id": connection or False,
                    "company_id": company or False,
                }
                for (connection, company), group in records.sudo().grouped(place).items()
            ]
        )

    @api.model
    @api.private
    def record_active(self, schedules: models.Model, vals: dict[str, Any]) -> None:
        """Before ``schedules`` are written: which of them a person pauses or resumes. What addons ship is no act."""
        if "active" in vals and not self.env.su:
            changed = schedules.filtered(lambda schedule: schedule.active != bool(vals["active"]))
            self.record("resume" if vals["active"] else "pause", changed)

    def action_open_records(self) -> dict[str, Any]:
        """The records the action was about, as far as they are still there."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.name or self.model_name,
            "res_model": self.res_model,
            "view_mode": "list,form",
            "domain": [("id", "in", self.res_ids or [])],
        }
