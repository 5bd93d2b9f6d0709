# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools.sql import column_exists, create_column

LINKS = {"dist_channel_order_id", "dist_channel_line_id", "dist_line_key"}
"""What ties a sales order to the channel's order: cancelling and shipping it is told to the channel."""


def refuse_links(records: models.Model, tied: bool) -> None:
    """Only an import ties; a seller who could would cancel or ship other orders on the channel."""
    if tied and not records.env.su:
        raise AccessError(records.env._("Only the import of channel orders ties a sales order to one."))


class SaleOrder(models.Model):
    _inherit = "sale.order"

    dist_channel_order_id = fields.Many2one(
        "dist.channel.order",
        string="Channel Order",
        readonly=True,
        copy=False,
        ondelete="restrict",
    )
    dist_channel_id = fields.Many2one(related="dist_channel_order_id.channel_id", string="Sales Channel")

    _dist_channel_order_unique = models.UniqueIndex(
        "(dist_channel_order_id) WHERE dist_channel_order_id IS NOT NULL",
        "This order of the channel has its sales order already.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        orders = super().create(vals_list)
        refuse_links(orders, bool(orders.dist_channel_order_id))  # a link may come from the context's defaults, too
        return orders

    def write(self, vals):
        refuse_links(self, any(vals.get(name) for name in LINKS))
        return super().write(vals)

    def _prepare_confirmation_values(self):
        """Orders of a channel keep the day they were placed there."""
        values = super()._prepare_confirmation_values()
        if self and all(order.dist_channel_order_id for order in self):
            values.pop("date_order", None)
        return values

    def _action_cancel(self):
        res = super()._action_cancel()
        if not self.env.context.get("dist_from_channel"):
            self.sudo().dist_channel_order_id._cancelled_here()
        return res

    def action_draft(self):
        """The channel was told: an order that is cancelled there does not come back by itself."""
        told = self.filtered(lambda order: order.state == "cancel" and order.sudo().dist_channel_order_id.cancel_sent)
        if told and told.sudo().dist_channel_order_id.filtered(lambda order: order.state == "cancelled"):
            raise UserError(self.env._("The channel was told that %s is cancelled.", ", ".join(told.mapped("name"))))
        return super().action_draft()

    def action_view_channel_order(self):
        """The order as the channel sent it."""
        return self.dist_channel_order_id._get_records_action(name=self.env._("Channel Order"))

    def action_journey(self):
        """Everything that happened to this order, in order of time."""
        self.ensure_one()
        return self.env["dist.journey.step"].open_action(self.sudo().dist_channel_order_id.correlation_id)


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    dist_line_key = fields.Char(
        readonly=True, copy=False, help="Which part of the channel's order this line stands for."
    )
    dist_channel_line_id = fields.Many2one(
        "dist.channel.order.line", readonly=True, copy=False, index="btree_not_null", ondelete="set null"
    )

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        refuse_links(lines, bool(lines.dist_channel_line_id))
        return lines

    def write(self, vals):
        refuse_links(self, any(vals.get(name) for name in LINKS))
        return super().write(vals)

    def _auto_init(self):
        """No row has a value yet: do not let the ORM look at each."""
        if not column_exists(self.env.cr, "sale_order_line", "dist_channel_line_id"):
            create_column(self.env.cr, "sale_order_line", "dist_channel_line_id", "int4")
        return super()._auto_init()
