# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What came back from the relay and could not be taken in. Dead jobs and dead events stay in their own tables."""

from __future__ import annotations

import json
from typing import Any

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..api import job

SHOWN = 10
"""As many of the newest open letters are told in their exception; the list has them all."""


PLACE = ("run_id", "reading", "nth")
"""Where an event stood in its pull."""


class DistDeadLetter(models.Model):
    """One item ``dist_relay.intake`` found invalid, with its text (bounded).

    A refused event names its type and key. When the outside sends it again put right, ``dist_relay.intake`` makes the
    letter obsolete: it takes in a later event of the same connection, type (of whatever version) and key.
    """

    _name = "dist.dead.letter"
    _description = "Dead Letter"
    _inherit = ["dist.state.machine"]
    _order = "id desc"
    _rec_name = "reason"
    _log_access = False

    _dist_moves = {
        "replayed": {"open"},
        "ignored": {"open"},
        "obsolete": {"open"},
        "open": {"ignored", "replayed"},
    }

    kind = fields.Char(readonly=True)
    type = fields.Char(readonly=True, help="Of a refused event: what it was about, order.received.v1")
    key = fields.Char(readonly=True, help="Of a refused event: which order, listing …")
    note = fields.Char(readonly=True, help="Why it is closed, or why it could not be taken in when it was replayed.")
    reason = fields.Text(required=True, readonly=True)
    raw = fields.Text(readonly=True)
    truncated = fields.Boolean(readonly=True)
    event_id = fields.Char(readonly=True)
    connection_id = fields.Many2one("dist.connection", readonly=True, ondelete="cascade", index=True)
    company_id = fields.Many2one("res.company", readonly=True, ondelete="cascade", index=True)
    correlation_id = fields.Char(string="Journey", readonly=True)
    created_at = fields.Datetime(readonly=True, default=fields.Datetime.now)
    state = fields.Selection(
        [("open", "Open"), ("replayed", "Replayed"), ("ignored", "Ignored"), ("obsolete", "Obsolete")],
        required=True,
        readonly=True,
        default="open",
    )

    _open_key_idx = models.Index("(connection_id, key) WHERE state = 'open' AND key IS NOT NULL")

    def action_replay(self) -> bool:
        """Take the items in again, after their cause was put right (an upgrade, a connection that was missing).

        :raises UserError: where none of them could be taken in; of several, those that cannot stay open, with a note
        """
        failures = self._replay()
        if self and len(failures) == len(self):
            raise UserError("\n".join(dict.fromkeys(failures.values())))
        return True

    def _replay(self) -> dict[int, str]:
        """Take in each item by itself: one that is still invalid keeps no other back.

        :return: of each letter that stays as it is, why
        """
        self.check_access("write")
        failures = {}
        for letter in self.sudo():
            try:
                with self.env.cr.savepoint():
                    letter._replay_one()
            except UserError as error:
                failures[letter.id] = letter.note = str(error)
        self._settle()
        return failures

    def _replay_one(self) -> None:
        """:raises UserError: where the item cannot be taken in; the caller undoes what was done meanwhile"""
        if self.truncated:
            raise UserError(self.env._("This item was too large to be kept whole; pull it again instead."))
        try:
            item = json.loads(self.raw or "")
        except ValueError:
            raise UserError(self.env._("This item is no JSON; it cannot be replayed.")) from None
        self._move("replayed", note=False)
        if self._intake(item) == "invalid":
            raise UserError(self.env._("The item is still invalid: %s", self._last_reason()))

    def _intake(self, item: dict[str, Any]) -> str:
        if self.kind == "event":  # its run is over, and it was counted there
            item = {name: value for name, value in item.items() if name not in PLACE}
        self.env.flush_all()
        if self.event_id:
            self.env.cr.execute("DELETE FROM dist_relay.seen_event WHERE event_id = %s::uuid", (self.event_id,))
        self.env.cr.execute("SELECT status FROM dist_relay.intake(%s::jsonb)", (json.dumps([item]),))
        status = self.env.cr.fetchone()[0]
        self.env.invalidate_all()
        return status

    def _last_reason(self) -> str:
        return self.search([], limit=1).reason

    def action_ignore(self) -> bool:
        """Put it aside."""
        self.check_access("write")
        self.sudo()._move("ignored")
        self._settle()
        return True

    def _settle(self) -> None:
        """Close the problem of each connection that has no open letter any more."""
        for connection in {letter.connection_id for letter in self}:
            if not self.sudo().search_count([("connection_id", "=", connection.id), ("state", "=", "open")], limit=1):
                self.env["dist.exception"].settle("intake.invalid", connection or None, connection or None)

    @job(batch=200)
    def _report(self) -> None:
        """One open exception per connection that sends what cannot be read; closed with its last open letter.

        Queued by ``dist_relay.intake`` when it writes a letter and when it makes one obsolete.
        """
        self.filtered(lambda letter: letter.state != "open")._settle()
        for connection in {letter.connection_id for letter in self.filtered(lambda letter: letter.state == "open")}:
            letters = self.search([("connection_id", "=", connection.id), ("state", "=", "open")], limit=SHOWN)
            self.env["dist.exception"].report(
                "intake.invalid",
                connection or None,
                self.env._("Something received could not be read"),
                cause="\n".join(letters.mapped("reason")),
                fix=self.env._("See Technical > Dead Letters; replay after an upgrade, or ignore."),
                connection=connection or None,
            )

    @api.autovacuum
    def _gc_closed(self, limit: int = 10_000) -> tuple[int, int]:
        """Delete what was closed (replayed, ignored, obsolete) 90 days after it came in."""
        letters = self.search(
            [("state", "!=", "open"), ("created_at", "<", fields.Datetime.subtract(fields.Datetime.now(), days=90))],
            limit=limit,
        )
        letters.unlink()
        return len(letters), limit if len(letters) == limit else 0
