# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Which lane a job made by ``dist_relay.intake`` gets; SQL cannot look at Python decorators."""

from __future__ import annotations

from odoo import fields, models


class DistEventRoute(models.Model):
    """Lane, priority and attempts of the jobs of one handler name; kept in step with the decorators by the engine."""

    _name = "dist.event.route"
    _description = "Event Route"
    _order = "handler"
    _rec_name = "handler"
    _log_access = False

    handler = fields.Char(required=True, readonly=True, help="order.received.v1, shipment.confirm.v1#outcome")
    lane = fields.Char(required=True, default="default")
    priority = fields.Integer(help="Left empty, the event's own priority is taken.")
    max_attempts = fields.Integer(required=True, default=8)

    _handler_unique = models.UniqueIndex("(handler)")
