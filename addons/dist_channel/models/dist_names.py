# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, models


class DistNames(models.AbstractModel):
    """What this addon's codes are called on screens; problems that are readable as they are have no entry."""

    _inherit = "dist.names"

    @api.model
    def _event_names(self):
        _ = self.env._
        return super()._event_names() | {
            "order.received.v1": _("Order received"),
            "listing.found.v1": _("Listing found"),
            "availability.changed.v1": _("Stock update"),
            "shipment.confirm.v1": _("Shipment confirmation"),
            "order.acknowledge.v1": _("Order acknowledgement"),
            "order.cancel.v1": _("Order cancellation"),
        }

    @api.model
    def _capability_names(self):
        _ = self.env._
        return super()._capability_names() | {
            "orders.pull": _("Orders"),
            "listings.pull": _("Listings"),
            "availability.push": _("Stock updates"),
            "shipment.confirm": _("Shipment confirmations"),
            "order.acknowledge": _("Order acknowledgements"),
            "order.cancel": _("Order cancellations"),
        }

    @api.model
    def _problem_names(self):
        _ = self.env._
        return super()._problem_names() | {
            "unknown_sku": _("Unknown product"),
            "unknown_uom": _("Unknown unit of measure"),
            "total_mismatch": _("Totals differ"),
            "reservation_refused": _("Reservation refused"),
            "shipped_too_much": _("Shipped too much"),
        }

    @api.model
    def _lane_names(self):
        return super()._lane_names() | {"orders": self.env._("Orders"), "reserve": self.env._("Reservations")}
