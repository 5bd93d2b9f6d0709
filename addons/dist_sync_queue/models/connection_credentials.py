# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Credentials: entered here, sealed at once to the relay's public key, never read again."""

from __future__ import annotations

import base64
import json
from typing import Any

from nacl.exceptions import CryptoError
from nacl.public import PublicKey, SealedBox

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.orm.models import NO_ACCESS

from dist_contracts import BOUND, address, moved

from .connection import schema_errors


def seal(credentials: dict[str, Any], public_key: str) -> str:
    """Encrypt to the relay's key (base64); only the relay can open it. :raises ValueError: for a key that is none"""
    try:
        box = SealedBox(PublicKey(base64.b64decode(public_key, validate=True)))
    except (CryptoError, TypeError, ValueError) as error:
        raise ValueError("not a base64 X25519 public key") from error
    return base64.b64encode(box.encrypt(json.dumps(credentials).encode())).decode()


class DistConnection(models.Model):
    """Write-only credentials of a connection."""

    _inherit = "dist.connection"

    sealed_credentials = fields.Text(groups=NO_ACCESS, copy=False, readonly=True, prefetch=False, exportable=False)
    sealed_to = fields.Char(groups=NO_ACCESS, copy=False, readonly=True)
    credentials_set_at = fields.Datetime(readonly=True, copy=False)
    credentials_state = fields.Selection(
        [("none", "Not needed"), ("missing", "Missing"), ("set", "Entered"), ("stale", "To be entered again")],
        compute="_compute_credentials_state",
    )

    @api.depends("sealed_credentials", "sealed_to", "adapter_id")
    @api.depends_context("uid")
    def _compute_credentials_state(self) -> None:
        public_key = self.env["dist.relay"].current_public_key()
        for connection in self:
            secret = connection.sudo()
            if secret.sealed_credentials:
                connection.credentials_state = "set" if secret.sealed_to == public_key else "stale"
            else:
                needed = secret.adapter_id and schema_errors(secret.adapter_id.schema("credentials_schema"), {})
                connection.credentials_state = "missing" if needed else "none"

    def set_credentials(self, credentials: dict[str, Any]) -> bool:
        """Validate, seal and store credentials. They cannot be read again, only replaced.

        :raises ValidationError: naming the fields that are wrong; their values are never part of the message
        :raises UserError: when the relay has not announced its public key yet
        """
        self.ensure_one()
        self.check_access("write")
        schema = self.adapter_id.sudo().schema("credentials_schema")
        if not isinstance(credentials, dict):
            raise ValidationError(self.env._("Credentials must be given as fields with values."))
        if fields_wrong := sorted({field or "?" for field, _message in schema_errors(schema, credentials)}):
            raise ValidationError(
                self.env._("These credentials are missing or not of the right form: %s", ", ".join(fields_wrong))
            )
        public_key = self.env["dist.relay"].current_public_key()
        if not public_key:
            raise UserError(
                self.env._("The relay has not announced itself yet. Start it once; credentials are sealed to its key.")
            )
        try:
            sealed = seal({**credentials, BOUND: self._address()}, public_key)
        except ValueError:
            raise UserError(self.env._("The public key the relay announced cannot be used. Check the relay.")) from None
        self.sudo().write(
            {"sealed_credentials": sealed, "sealed_to": public_key, "credentials_set_at": fields.Datetime.now()}
        )
        return True

    def _address(self) -> dict[str, Any]:
        """Where the credentials of this connection are sent: they are sealed for it and for no other."""
        adapter = self.adapter_id.sudo()
        return address(adapter.code or "", adapter.schema("settings_schema"), self.settings or {})

    def write(self, vals: dict[str, Any]) -> bool:
        """Forget credentials whose address changes: who edits settings cannot send a token elsewhere."""
        if not {"settings", "adapter_id"} & vals.keys():
            return super().write(vals)
        before = {connection: connection._address() for connection in self if connection.sudo().sealed_credentials}
        res = super().write(vals)
        for connection, bound in before.items():
            if names := moved(bound, connection._address()):
                connection.action_clear_credentials()
                connection.message_post(
                    body=self.env._(
                        "The address of the connection changed (%s). Its credentials were entered for the old one and "
                        "are forgotten; enter them again.",
                        ", ".join(names),
                    )
                )
        return res

    def action_clear_credentials(self) -> bool:
        """Forget the stored credentials."""
        self.check_access("write")
        self.sudo().write({"sealed_credentials": False, "sealed_to": False, "credentials_set_at": False})
        return True

    def _require_credentials(self) -> None:
        if self.credentials_state == "missing":
            raise UserError(self.env._("Enter the credentials of %s first.", self.display_name))
        if self.credentials_state == "stale":
            raise UserError(
                self.env._("The relay has a new key: enter the credentials of %s again.", self.display_name)
            )

    def _check_credentials_untouched(self, vals: dict[str, Any]) -> None:
        if not self.env.su and {"sealed_credentials", "sealed_to"} & vals.keys():
            raise AccessError(self.env._("Credentials are set through their own form only."))

    @api.model_create_multi
    def create(self, vals_list: list[dict[str, Any]]) -> Any:
        for vals in vals_list:
            self._check_credentials_untouched(vals)
        return super().create(vals_list)
