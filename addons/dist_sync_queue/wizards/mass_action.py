# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The dialog before an action on many jobs, events or dead letters: how many there are, and what will happen."""

from __future__ import annotations

from typing import Any

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.audit import reasons

ACTS_ON = {
    ("dist.job", "requeue"): ("dead", "parked", "cancelled", "pending"),
    ("dist.job", "cancel"): ("pending", "parked", "dead", "waiting"),
    ("dist.job", "priority"): ("pending", "parked", "waiting"),
    ("dist.outbox.event", "replay"): ("dead", "rejected"),
    ("dist.outbox.event", "cancel"): ("pending", "unknown", "dead"),
    ("dist.dead.letter", "replay"): ("open",),
    ("dist.dead.letter", "ignore"): ("open",),
}
"""(model, action) → the states it changes; records in another state are left alone."""


class DistMassAction(models.TransientModel):
    """What was selected in a list, and what is to be done with it."""

    _name = "dist.mass.action"
    _description = "Action on Many Records"

    model = fields.Char(required=True, readonly=True)
    res_ids = fields.Json(required=True, readonly=True)
    action = fields.Selection(
        [
            ("requeue", "Run again"),
            ("cancel", "Cancel"),
            ("priority", "Change priority"),
            ("replay", "Replay"),
            ("ignore", "Ignore"),
        ],
        required=True,
        readonly=True,
    )
    priority = fields.Integer(default=5, help="0 is served first, 9 last.")
    selected = fields.Integer(compute="_compute_counts")
    affected = fields.Integer(compute="_compute_counts")
    summary = fields.Char(compute="_compute_counts")
    consequence = fields.Text(compute="_compute_counts")

    @api.model
    @api.private
    def ask(self, records: models.Model, action: str) -> dict[str, Any]:
        """Open the dialog. :raises AccessError: where the user may not act on these records"""
        self.check_access("create")
        records.check_access("read")
        dialog = self.create({"model": records._name, "res_ids": records.ids, "action": action})
        return {
            "type": "ir.actions.act_window",
            "name": dict(self._fields["action"]._description_selection(self.env))[action],
            "res_model": self._name,
            "res_id": dialog.id,
            "view_mode": "form",
            "target": "new",
        }

    def _records(self) -> models.Model:
        """The selected records that can be acted on, read with the user's own rights."""
        states = ACTS_ON.get((self.model, self.action))
        if not states:
            raise UserError(self.env._("There is no such action on these records."))
        known = {key for key, _label in self.env[self.model]._fields["state"]._description_selection(self.env)}
        domain = [("id", "in", self.res_ids), ("state", "in", [state for state in states if state in known])]
        return self.env[self.model].search(domain, order="id")

    @api.depends("model", "res_ids", "action")
    def _compute_counts(self) -> None:
        for dialog in self:
            dialog.selected = len(dialog.res_ids)
            dialog.affected = len(dialog._records())
            dialog.summary = dialog._summary()
            dialog.consequence = dialog._consequence()

    def _summary(self) -> str:
        _ = self.env._
        kinds = {"dist.job": _("jobs"), "dist.outbox.event": _("events"), "dist.dead.letter": _("dead letters")}
        kind = kinds[self.model]
        if not self.affected:
            return self.env._(
                "None of the %(selected)s selected %(kind)s can be changed this way.", **self._words(kind)
            )
        if self.affected == self.selected:
            return self.env._("%(affected)s of %(selected)s selected %(kind)s will be changed.", **self._words(kind))
        return self.env._(
            "%(affected)s of %(selected)s selected %(kind)s will be changed; the others are in another state.",
            **self._words(kind),
        )

    def _words(self, kind: str) -> dict[str, Any]:
        return {"affected": self.affected, "selected": self.selected, "kind": kind}

    def _consequence(self) -> str:
        _ = self.env._
        return {
            ("dist.job", "requeue"): _(
                "They run as soon as a worker is free, those that wait for their time at once. Attempts of dead jobs "
                "are counted from the start, and what waits behind them goes on."
            ),
            ("dist.job", "cancel"): _(
                "They will not run, and their work is not done. What waits behind a dead one goes on. A job that runs "
                "at this moment is asked to stop."
            ),
            ("dist.job", "priority"): _("They are served in the order of the new priority, 0 first."),
            ("dist.outbox.event", "replay"): _(
                "They are sent again under the same event id; what arrived before is not done twice by the other side."
            ),
            ("dist.outbox.event", "cancel"): _(
                "They will not be sent. Later events of the same key go on. What is under way already is not stopped."
            ),
            ("dist.dead.letter", "replay"): _(
                "Each is taken in again by itself. One that still cannot be read stays open, with a note that says why."
            ),
            ("dist.dead.letter", "ignore"): _("They are put aside, and nothing of them is taken in."),
        }[self.model, self.action]

    def action_confirm(self) -> dict[str, Any]:
        """Do it, with the user's own rights, and say how many, and what could not be done."""
        self.ensure_one()
        records = self._records()
        message, failures = self._summary(), self._do(records) if records else {}
        if failures:
            message = self.env._(
                "%(done)s of %(affected)s were replayed; the others stay open: %(why)s",
                done=len(records) - len(failures),
                affected=len(records),
                why=reasons(failures.values()),
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success" if records and not failures else "warning",
                "sticky": bool(failures),
                "message": message,
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _do(self, records: models.Model) -> dict[int, str]:
        """:return: of each record it could not be done to, why; only dead letters are judged one by one"""
        if self.action == "priority":
            records.action_set_priority(self.priority)
        elif records._name == "dist.dead.letter" and self.action == "replay":
            return records._replay()
        else:
            getattr(records, f"action_{self.action}")()
        return {}
