# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools.sql import column_exists, create_column


class StockMove(models.Model):
    """Moves of channel orders are reserved later, in the lane of their warehouse, whoever confirms the order."""

    _inherit = "stock.move"

    dist_channel_order_id = fields.Many2one(
        related="sale_line_id.order_id.dist_channel_order_id",
        store=True,
        precompute=True,
        index="btree_not_null",
        string="Channel Order",
    )

    def _auto_init(self):
        """No move belongs to a channel order yet: do not let the ORM compute the field for each."""
        if not column_exists(self.env.cr, "stock_move", "dist_channel_order_id"):
            create_column(self.env.cr, "stock_move", "dist_channel_order_id", "int4")
        return super()._auto_init()

    def _dist_reserves_later(self) -> bool:
        self.ensure_one()
        return bool(self.dist_channel_order_id) and not self.move_orig_ids and not self._should_bypass_reservation()

    def _should_assign_at_confirm(self):
        return not self._dist_reserves_later() and super()._should_assign_at_confirm()

    def _action_confirm(self, merge=True, merge_into=False, create_proc=True):
        products = self.filtered("dist_channel_order_id").product_id
        moves = super()._action_confirm(merge=merge, merge_into=merge_into, create_proc=create_proc)
        if products:
            later = moves.exists().filtered(
                lambda m: m.state in ("confirmed", "partially_available") and m._dist_reserves_later()
            )
            later.sudo()._dist_request_reservation()
            self.env["dist.availability"].sudo()._mark_products(products)
        return moves

    def _action_cancel(self):
        products = self.filtered("dist_channel_order_id").product_id
        res = super()._action_cancel()
        if products:
            self.env["dist.availability"].sudo()._mark_products(products)
        return res

    def write(self, vals):
        res = super().write(vals)
        if "product_uom_qty" in vals and (moves := self.filtered("dist_channel_order_id")):
            self.env["dist.availability"].sudo()._mark_products(moves.product_id)
        return res

    def _trigger_assign(self):
        """Goods arrived: others take them now, channel orders in their lane."""
        return super(StockMove, self.with_context(dist_reserve_later=True))._trigger_assign()

    def _action_assign(self, force_qty=False):
        if not self.env.context.get("dist_reserve_later"):
            return super()._action_assign(force_qty=force_qty)
        later = self.filtered(lambda move: move._dist_reserves_later())
        later.sudo()._dist_request_reservation()
        rest = (self - later).with_context(dist_reserve_later=False)
        return super(StockMove, rest)._action_assign(force_qty=force_qty)

    def _dist_request_reservation(self) -> None:
        warehouses = (
            self.picking_type_id.warehouse_id
            | self.filtered(lambda move: not move.picking_type_id.warehouse_id).warehouse_id
        )
        warehouses._dist_request_reservation()

    def _dist_assign_guarded(self) -> None:
        """Reserve; where Odoo refuses, halve until the move it refuses is alone, and leave that one waiting."""
        if not self:
            return
        try:
            with self.env.cr.savepoint():
                self._action_assign()
        except UserError as error:
            self.env.invalidate_all(flush=False)
            if len(self) == 1:
                order = self.dist_channel_order_id
                order._report(
                    "reservation_refused",
                    self.env._("%s: cannot be reserved", order.display_name),
                    str(error),
                    self.env._("Check the transfer %s and reserve it there.", self.picking_id.name),
                )
                return
            half = len(self) // 2
            self[:half]._dist_assign_guarded()
            self[half:]._dist_assign_guarded()


class StockRule(models.Model):
    _inherit = "stock.rule"

    def _get_moves_to_assign_domain(self, company_id):
        """The scheduler leaves channel orders to their lane."""
        return Domain(super()._get_moves_to_assign_domain(company_id)) & Domain("dist_channel_order_id", "=", False)

    def _run_scheduler_tasks(self, use_new_cursor=False, company_id=False):
        res = super()._run_scheduler_tasks(use_new_cursor=use_new_cursor, company_id=company_id)
        domain = [("company_id", "=", company_id)] if company_id else []
        channels = self.env["dist.channel"].sudo().search(domain)
        (channels.warehouse_id | channels.location_ids.warehouse_id)._dist_request_reservation()
        return res
