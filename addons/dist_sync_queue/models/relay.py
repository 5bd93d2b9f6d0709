# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What the database knows of the relay that serves it, and the identity under which it publishes."""

from __future__ import annotations

import secrets
import uuid
from hashlib import md5, sha256
from typing import Any

from odoo import api, fields, models

from .. import sql
from ..engine import parameters

SALT_PARAMETER = "dist_sync_queue.identity_salt"
CONFIRMED_PARAMETER = "dist_sync_queue.identity_confirmed"
METRICS_PARAMETER = "dist_sync_queue.metrics_token_hash"
SEEN_RETENTION_PARAMETER = "dist_sync_queue.seen_retention_days"
SEEN_RETENTION_DAYS = 90
LONGEST_REDELIVERY_DAYS = 30
"""Event ids are remembered at least so long, whatever the parameter says: no provider repeats a webhook, no result
waits in Redis and no failed pull is asked again for longer."""


def hash_of_token(token: str) -> str:
    """What is kept of a token; a random one needs no salt."""
    return sha256(token.encode()).hexdigest()


class DistRelay(models.Model):
    """The relay's last announcement (one row, written by ``dist_relay.announce``)."""

    _name = "dist.relay"
    _description = "Relay"
    _log_access = False

    name = fields.Char(required=True, default="relay", readonly=True)
    public_key = fields.Char(readonly=True, help="Base64 of the X25519 key credentials are sealed to.")
    relay_version = fields.Char(readonly=True)
    announced_at = fields.Datetime(readonly=True)
    key_changed_at = fields.Datetime(readonly=True)
    database_identity = fields.Char(
        compute="_compute_identity", help="Under this identity the database publishes; a copy has another one."
    )
    identity_state = fields.Selection(
        [("confirmed", "Confirmed"), ("copy", "Copy")], string="This Database", compute="_compute_identity"
    )

    _name_unique = models.UniqueIndex("(name)")

    def _compute_identity(self) -> None:
        identity, is_copy = self.database_uuid(), self.is_copy()
        for relay in self:
            relay.database_identity = identity
            relay.identity_state = "copy" if is_copy else "confirmed"

    def init(self) -> None:
        """The relay's SQL functions are made anew once all tables of the module exist."""
        self.pool.post_init(sql.apply, self.env.cr)

    @api.model
    @api.private
    def current_public_key(self) -> str:
        """The announced public key (base64), or an empty string before the first announcement."""
        return self.sudo().search([("name", "=", "relay")], limit=1).public_key or ""

    @api.model
    @api.private
    def database_uuid(self) -> str:
        """The database's identity towards the relay; the same formula as SQL function ``dist_relay.database_uuid``.

        A duplicate (other ``database.uuid``) and a neutralised copy (other salt) have another one.
        """
        get_param = self.env["ir.config_parameter"].sudo().get_param
        base = f"dist_relay:{get_param('database.uuid', '')}:{get_param(SALT_PARAMETER, '')}"
        return str(uuid.UUID(md5(base.encode(), usedforsecurity=False).hexdigest()))

    @api.model
    @api.private
    def is_copy(self) -> bool:
        """Whether this database became a copy of another one since its identity was confirmed; then nothing is sent."""
        confirmed = self.env["ir.config_parameter"].sudo().get_param(CONFIRMED_PARAMETER, "")
        return confirmed != self.database_uuid()

    def action_confirm_identity(self) -> bool:
        """Let this database publish under its present identity; asked of a manager after a copy or a move."""
        self.env["dist.connection"].check_access("write")
        self._confirm_identity()
        return True

    @api.model
    def _confirm_identity(self) -> None:
        set_param = self.env["ir.config_parameter"].sudo().set_param
        if not self.env["ir.config_parameter"].sudo().get_param(SALT_PARAMETER):
            set_param(SALT_PARAMETER, str(uuid.uuid4()))
        set_param(CONFIRMED_PARAMETER, self.database_uuid())

    def action_new_metrics_token(self) -> dict[str, Any]:
        """Make the token of ``/dist/metrics`` anew and show it, this once; an earlier one is no longer valid."""
        self.env["dist.connection"].check_access("write")
        token = secrets.token_urlsafe(32)
        self.env["ir.config_parameter"].sudo().set_param(METRICS_PARAMETER, hash_of_token(token))
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": self.env._("Token for /dist/metrics, shown this once"),
                "message": token,
                "type": "warning",
                "sticky": True,
            },
        }

    @api.autovacuum
    def _gc_seen_events(self, limit: int = 100_000) -> tuple[int, int]:
        """Forget event ids long after the last possible redelivery, by the moment they came in."""
        days = parameters.number(self.env, SEEN_RETENTION_PARAMETER, SEEN_RETENTION_DAYS)
        self.env.cr.execute(
            """DELETE FROM dist_relay.seen_event WHERE event_id IN (
                   SELECT event_id FROM dist_relay.seen_event
                    WHERE seen_at < statement_timestamp() - make_interval(days => %s)
                    LIMIT %s FOR UPDATE SKIP LOCKED)""",
            (max(days, LONGEST_REDELIVERY_DAYS), limit),
        )
        done = self.env.cr.rowcount
        return done, limit if done == limit else 0
