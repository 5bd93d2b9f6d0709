# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from __future__ import annotations

import logging
from typing import Any

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.dist_sync_queue.models.state_machine import refuse_readonly

_logger = logging.getLogger(__name__)

STATES = [
    ("received", "Received"),
    ("hold", "On Hold"),
    ("imported", "Imported"),
    ("partially_shipped", "Partially Shipped"),
    ("shipped", "Shipped"),
    ("closed", "Closed"),
    ("exception", "Needs Attention"),
    ("cancelled", "Cancelled"),
]

TRANSITIONS = {
    "received": {"hold", "exception"},
    "hold": {"received", "exception", "imported", "closed"},
    "imported": {"received", "hold", "exception", "closed"},
    "partially_shipped": {"imported", "hold", "exception"},
    "shipped": {"imported", "partially_shipped", "hold", "exception"},
    "closed": {"received", "hold", "imported", "partially_shipped", "shipped", "exception"},
    "exception": {"received", "hold", "imported", "partially_shipped", "shipped", "closed", "cancelled"},
    "cancelled": {"received", "hold", "imported", "exception", "closed"},
}
"""Target state → the states it may be entered from. See docs/state-machines.md."""


class DistChannelOrder(models.Model):
    """An order as the channel tells it: the newest snapshot, whole, and what became of it here."""

    _name = "dist.channel.order"
    _description = "Channel Order"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "placed_at desc, id desc"
    _check_company_auto = True
    _mail_post_access = "read"

    name = fields.Char(string="Number", required=True, readonly=True)
    channel_id = fields.Many2one("dist.channel", required=True, readonly=True, ondelete="restrict", index=True)
    connection_id = fields.Many2one(related="channel_id.connection_id", store=True, index=True)
    company_id = fields.Many2one(related="channel_id.company_id", store=True, index=True)
    warehouse_id = fields.Many2one("stock.warehouse", check_company=True, readonly=True)
    external_id = fields.Char(string="Channel Order ID", required=True, readonly=True)
    state = fields.Selection(STATES, required=True, readonly=True, default="received", index=True)
    channel_status = fields.Char(string="Status on Channel", readonly=True)
    payment_status = fields.Char(readonly=True)
    placed_at = fields.Datetime(readonly=True, index=True)
    updated_at = fields.Datetime(string="Changed on Channel", readonly=True)
    ship_by = fields.Datetime(string="Ship By", readonly=True)
    deliver_by = fields.Datetime(string="Deliver By", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    amount_total = fields.Monetary(string="Total", readonly=True)
    amount_tax = fields.Monetary(string="Tax", readonly=True)
    amount_shipping = fields.Monetary(string="Shipping", readonly=True)
    amount_discount = fields.Monetary(string="Discount", readonly=True)
    amount_facilitated = fields.Monetary(string="Tax Remitted by Channel", readonly=True)
    amount_fees = fields.Monetary(
        string="Channel Fees", readonly=True, help="For information; settled with the payout."
    )
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True, index=True)
    partner_shipping_id = fields.Many2one("res.partner", string="Delivery Address", readonly=True)
    buyer_name = fields.Char(readonly=True)
    line_ids = fields.One2many("dist.channel.order.line", "order_id", readonly=True)
    sale_order_id = fields.Many2one(
        "sale.order", readonly=True, index="btree_not_null", ondelete="set null", copy=False
    )
    picking_ids = fields.One2many("stock.picking", "dist_channel_order_id", string="Transfers", readonly=True)
    picking_count = fields.Integer(compute="_compute_picking_count", compute_sudo=True)
    hold_reason = fields.Char(readonly=True)
    released = fields.Boolean(readonly=True, help="Somebody released our own hold (payment, test order).")
    difference_accepted = fields.Boolean(readonly=True)
    cancel_requested = fields.Boolean(string="Buyer Wants to Cancel", readonly=True)
    cancel_sent = fields.Boolean(readonly=True, help="The channel was told that we cancelled the order.")
    waiting_stock = fields.Boolean(compute="_compute_waiting_stock", search="_search_waiting_stock", compute_sudo=True)
    gift_message = fields.Text(readonly=True)
    note = fields.Text(readonly=True)
    is_test = fields.Boolean(string="Test Order", readonly=True)
    problem = fields.Text(readonly=True, help="What keeps the order, in words.")
    payload = fields.Json(readonly=True)
    unknown_fields = fields.Char(
        readonly=True, help="Fields a newer release of the relay sent and this one does not know."
    )
    digest = fields.Char(readonly=True)
    commercial_digest = fields.Char(readonly=True, help="Of what matters for the sales order: lines, prices, address.")
    applied_digest = fields.Char(readonly=True, help="The commercial digest the sales order was made or changed to.")
    revision = fields.Integer(readonly=True, default=1, aggregator=None)
    correlation_id = fields.Char(readonly=True, index="btree_not_null")

    _external_unique = models.Constraint(
        "UNIQUE (channel_id, external_id)", "This order of the channel is here already."
    )
    _created_index = models.Index("(create_date)")
    _exception_index = models.Index("(channel_id, state) WHERE state IN ('received', 'hold', 'exception')")

    # -- computed ------------------------------------------------------------------------------------------------

    @api.depends("picking_ids")
    def _compute_picking_count(self):
        for order in self:
            order.picking_count = len(order.picking_ids)

    @api.depends("picking_ids.state")
    def _compute_waiting_stock(self):
        waiting = set(self.search([("id", "in", self.ids), ("waiting_stock", "=", True)]).ids)
        for order in self:
            order.waiting_stock = order.id in waiting

    def _search_waiting_stock(self, operator, value):
        if operator != "in":
            return NotImplemented
        domain = [
            ("dist_channel_order_id", "!=", False),
            ("state", "in", ["confirmed", "partially_available"]),
            ("procure_method", "=", "make_to_stock"),
        ]
        moves = self.env["stock.move"].sudo()._search(domain)
        waiting = self.sudo()._search([("picking_ids.move_ids", "in", moves)])
        return [("id", "in" if True in value else "not in", waiting)]

    @api.depends("name", "channel_id.name")
    def _compute_display_name(self):
        for order in self:
            order.display_name = f"{order.channel_id.name} {order.name}"

    def write(self, vals):
        """Buttons act with the system's rights on what the channel sent: nobody else may write that."""
        refuse_readonly(self, vals)
        return super().write(vals)

    # -- the state machine ---------------------------------------------------------------------------------------

    def _transition(self, target: str, **values: Any) -> None:
        """The only way a state changes. A repeat changes nothing but the values given with it.

        :raises UserError: where the step is not allowed
        """
        for order in self:
            if order.state != target and order.state not in TRANSITIONS[target]:
                labels = dict(STATES)
                raise UserError(
                    order.env._(
                        "%(order)s is %(now)s and cannot become %(then)s.",
                        order=order.display_name,
                        now=labels[order.state],
                        then=labels[target],
                    )
                )
        if values:
            self.write(values)
        changed = self.filtered(lambda o: o.state != target)
        if changed:
            _logger.debug("channel orders %s: %s", changed.ids, target)
            changed.write({"state": target})

    def _state_by_facts(self) -> str:
        """The state an order has when nothing keeps it: by its sales order and the shipments confirmed."""
        self.ensure_one()
        if not self.sale_order_id:
            return "received"
        if self.sale_order_id.state == "cancel":
            return "cancelled"
        lines = self.line_ids.filtered(lambda line: line.requires_shipping and line.quantity)
        if lines and all(line.quantity_shipped >= line.quantity for line in lines):
            return "shipped"
        return "partially_shipped" if any(line.quantity_shipped for line in lines) else "imported"

    def _settle_to_facts(self) -> None:
        """Leave *exception* or *hold*, or go on after a shipment."""
        for order in self:
            target = order._state_by_facts()
            if target != order.state and target != "received":
                order._transition(target)

    def _anything_left(self) -> bool:
        """Whether goods of the order left the house."""
        self.ensure_one()
        return any(p.state == "done" and p._dist_is_delivery() for p in self.picking_ids)

    # -- problems ------------------------------------------------------------------------------------------------

    def _report(self, kind: str, name: str, cause: str, fix: str) -> None:
        """Put the order into *Needs attention* with an owner, a cause and a fix."""
        self.ensure_one()
        self.env["dist.exception"].with_context(dist_correlation_id=self.correlation_id).report(
            kind, self, name, cause=cause, fix=fix, connection=self.connection_id, deadline=self.ship_by or None
        )

    def _settle_exceptions(self, kinds=None) -> None:
        """Close what was reported on these orders: all of it or only some kinds."""
        domain = [("res_model", "=", self._name), ("res_id", "in", self.ids), ("state", "=", "open")]
        for problem in self.env["dist.exception"].search(domain):
            if kinds is None or problem.kind in kinds:
                self.env["dist.exception"].settle(problem.kind, self.browse(problem.res_id))

    # -- buttons -------------------------------------------------------------------------------------------------

    def _as_system(self):
        """What a button starts goes on as the engine would: the user's right is to the channel order."""
        self.check_access("write")
        return self.sudo().with_company(self.company_id[:1])

    def action_resume(self):
        """Try again what the order's problem kept from happening."""
        self._as_system()._resume()
        return True

    def action_release(self):
        """Release our own hold: a test order, or a payment that is not there yet."""
        held = self._as_system().filtered(lambda o: o.state == "hold")
        held.write({"released": True})
        held._resume()
        return True

    def action_accept_difference(self):
        """Take the channel's total: the difference becomes an adjustment line."""
        orders = self._as_system()
        orders.write({"difference_accepted": True})
        orders._resume()
        return True

    def action_cancel(self):
        """Cancel the order here; the channel is told."""
        for order in self._as_system():
            if order.sale_order_id:
                order.sale_order_id._action_cancel()
            else:
                order._cancelled_here()
        return True

    def action_decline_cancellation(self):
        """The buyer's wish to cancel is not followed."""
        orders = self._as_system()
        orders._settle_exceptions({"cancel_requested"})
        orders.write({"released": True})
        orders._resume()
        return True

    def action_done(self):
        """What the exception asked for was done by hand: the order goes on from what is true here."""
        for order in self._as_system().filtered(lambda o: o.state == "exception"):
            if not order.sale_order_id:
                raise UserError(order.env._("%s has no sales order yet: resume it instead.", order.display_name))
            order.write({"applied_digest": order.commercial_digest, "problem": False})
            order._settle_to_facts()
            order._settle_exceptions()
        return True

    def action_view_sale_order(self):
        return self.sale_order_id._get_records_action(name=self.env._("Sales Order"))

    def action_view_pickings(self):
        return self.picking_ids._get_records_action(name=self.env._("Transfers"))

    def action_journey(self):
        """Everything that happened to this order, in order of time."""
        self.ensure_one()
        return self.env["dist.journey.step"].open_action(self.correlation_id)

    def action_open_in_store(self):
        """The order's page on the channel."""
        self.ensure_one()
        return self.channel_id._open_link("order", order_id=self.external_id, order_number=self.name)


class DistChannelOrderLine(models.Model):
    """One line as the channel tells it."""

    _name = "dist.channel.order.line"
    _description = "Channel Order Line"
    _order = "order_id, id"

    order_id = fields.Many2one("dist.channel.order", required=True, ondelete="cascade", index=True)
    channel_id = fields.Many2one(related="order_id.channel_id")
    company_id = fields.Many2one(related="order_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="order_id.currency_id")
    external_id = fields.Char(required=True)
    mapping_id = fields.Many2one("dist.channel.mapping", index=True, ondelete="restrict", string="Listing")
    product_id = fields.Many2one(related="mapping_id.product_id")
    sku = fields.Char(string="SKU")
    name = fields.Char(required=True)
    quantity = fields.Float(digits="Product Unit", help="What stands after edits on the channel.")
    ordered_quantity = fields.Float(digits="Product Unit")
    quantity_shipped = fields.Float(string="Shipped", digits="Product Unit", help="Confirmed by the channel.")
    unit_price = fields.Float(min_display_digits="Product Price")
    amount_discount = fields.Monetary()
    amount_tax = fields.Monetary()
    requires_shipping = fields.Boolean()
    location_ref = fields.Char(string="Location on Channel", help="Where the channel wants it shipped from.")

    _external_unique = models.Constraint("UNIQUE (order_id, external_id)", "This line is here already.")
