# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What the relay can speak to, as announced by it."""

from __future__ import annotations

from odoo import api, fields, models


class DistAdapter(models.Model):
    """One announced manifest. Rows come from ``dist_relay.announce``; nobody edits them."""

    _name = "dist.adapter"
    _description = "Adapter"
    _order = "kind, label, code"
    _rec_name = "label"
    _rec_names_search = ["label", "code"]

    code = fields.Char(required=True, readonly=True)
    label = fields.Char(required=True, readonly=True)
    kind = fields.Selection(
        [("channel", "Sales channel"), ("wms", "Warehouse"), ("edi", "EDI")], required=True, readonly=True
    )
    manifest = fields.Json(readonly=True)
    adapter_version = fields.Char(readonly=True)
    api_version = fields.Char(string="API Version", readonly=True)
    api_sunset = fields.Date(string="API Ends On", readonly=True)
    description = fields.Text(readonly=True)
    documentation = fields.Char(readonly=True)
    active = fields.Boolean(default=True)
    announced_at = fields.Datetime(readonly=True)
    capability_names = fields.Char(string="Capabilities", compute="_compute_capability_names")
    connection_ids = fields.One2many("dist.connection", "adapter_id")

    _code_unique = models.UniqueIndex("(code)", "An adapter with this code exists already.")

    @api.depends("manifest")
    def _compute_capability_names(self) -> None:
        for adapter in self:
            adapter.capability_names = ", ".join(adapter.capabilities())

    @api.private
    def capabilities(self) -> list[str]:
        """The names of the flows this adapter fills, e.g. ``orders.pull``."""
        self.ensure_one()
        return list((self.manifest or {}).get("capabilities") or [])

    @api.private
    def pull_capabilities(self) -> list[str]:
        """The flows that are asked by schedule."""
        return [name for name in self.capabilities() if name.endswith(".pull")]

    @api.private
    def schema(self, name: str) -> dict:
        """JSON Schema ``settings_schema`` or ``credentials_schema``; an empty object schema where there is none."""
        self.ensure_one()
        return (self.manifest or {}).get(name) or {"type": "object"}
