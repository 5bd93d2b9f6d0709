# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""How a connection fares. Apart from ``dist.connection``: the relay writes here often, and a foreign key on a row that
is updated often makes concurrent business transactions fail with serialization errors."""

from __future__ import annotations

from odoo import fields, models


class DistConnectionHealth(models.Model):
    """One row per connection, written by ``dist_relay.intake``."""

    _name = "dist.connection.health"
    _description = "Connection Health"
    _log_access = False
    _rec_name = "connection_id"

    connection_id = fields.Many2one("dist.connection", required=True, readonly=True, ondelete="cascade")
    company_id = fields.Many2one(related="connection_id.company_id")
    breaker_state = fields.Selection(
        [("closed", "Closed"), ("half_open", "Half open"), ("open", "Open")], readonly=True, default="closed"
    )
    breaker_at = fields.Datetime(readonly=True)
    message = fields.Text(readonly=True)
    budgets = fields.Json(
        readonly=True,
        help="What is left of each rate limit at the time of the report: objects with operation, tokens, burst, "
        "rate (tokens back each second), factor (below 1 after refusals for rate) and blocked_seconds.",
    )
    budgets_at = fields.Datetime(readonly=True)
    last_success_at = fields.Datetime(readonly=True)
    last_error = fields.Text(readonly=True)
    last_error_at = fields.Datetime(readonly=True)

    _connection_unique = models.UniqueIndex("(connection_id)")
