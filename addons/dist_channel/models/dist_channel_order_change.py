# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from __future__ import annotations

from odoo import api, models
from odoo.exceptions import UserError

from odoo.addons.dist_sync_queue.api import on_outcome, with_records

from dist_contracts import CancelReason, Order, OrderCancel, OrderStatus

from ..logic import amounts
from ..logic.problems import Problem
from .dist_channel_order_import import IMPORT_CONTEXT


class DistChannelOrder(models.Model):
    """An order that has a sales order, and then changes or is cancelled, there or here."""

    _inherit = "dist.channel.order"

    # -- changed on the channel ------------------------------------------------------------------------------------

    def _changed_on_channel(self, snapshot: Order) -> None:
        """Bring the sales order to the newest snapshot; after a shipment somebody decides."""
        self.ensure_one()
        left = self._anything_left()
        if self.cancel_requested and not left and not self.released and self.sale_order_id.state != "cancel":
            self._fail([Problem("cancel_requested")])
            return
        if snapshot.holds and not left:
            self._hold_confirmed(snapshot)
            return
        if self.commercial_digest == self.applied_digest:
            self._go_on(snapshot)
        elif left:
            self._fail([Problem("changed_after_shipment")])
        elif self.sale_order_id.state != "cancel":
            self._apply_change(snapshot)

    def _hold_confirmed(self, snapshot: Order) -> None:
        """The sales order is confirmed already: its deliveries cannot be validated until the channel releases it."""
        reason = "; ".join(self._hold_text(hold) for hold in snapshot.holds)
        if self.sale_order_id.state == "sale":
            name, cause, fix = self._words_held_after_confirmation(reason)
            self._report("held_after_confirmation", f"{self.display_name}: {name}", cause, fix)
        self._transition("hold", hold_reason=reason)

    def _go_on(self, snapshot: Order) -> None:
        """Nothing of what we sell has changed."""
        if self.state == "hold" or (self.state == "exception" and not self._keeps_attention()):
            self.hold_reason = False
            self.problem = False
            if self.sale_order_id.state == "draft" and self.channel_id.confirm_automatically:
                self._confirm()
            self._settle_to_facts()
            self._settle_exceptions()
        if snapshot.status is OrderStatus.CLOSED and self.state == "shipped":
            self._transition("closed")

    def _keeps_attention(self) -> bool:
        """Whether something is open that a look at the snapshot cannot settle."""
        return any(kind.startswith("outbox.") or kind == "cancelled_in_part" for kind in self._open_kinds())

    def _apply_change(self, snapshot: Order) -> None:
        found = self._problems(snapshot)
        plan = None
        if not found:
            channel = self.channel_id
            plan = amounts.plan(snapshot, channel._tax_rules(snapshot, channel._tax_candidates()))
            found = self._plan_problems(plan)
        if found:
            self._fail(found)
            return
        try:
            with self.env.cr.savepoint():
                done = self._rewrite_sale(snapshot, plan)
        except UserError as error:
            self.env.invalidate_all(flush=False)
            self._fail([Problem("refused", {"message": str(error)})])
            return
        if done:
            self._transition(
                "imported" if self.state != "hold" else "hold", applied_digest=self.commercial_digest, problem=False
            )
            self._settle_exceptions()
            self._go_on(snapshot)

    def _rewrite_sale(self, snapshot: Order, plan: list[amounts.PlannedLine]) -> bool:
        """Address and lines of the sales order as they are on the channel now. :return: whether the total is right"""
        sale = self.sale_order_id.with_context(**IMPORT_CONTEXT)
        locked = sale.locked
        if locked:
            sale.action_unlock()
        self._rewrite_address(sale, snapshot)
        commands = self._rewrite_commands(sale, plan)
        if commands:
            sale.write({"order_line": commands})
        if not self._check_total(sale, snapshot):
            return False
        if sale.state == "draft" and self.channel_id.confirm_automatically:
            self._confirm()
        elif locked:
            sale.action_lock()
        return True

    def _confirm(self) -> None:
        self.sale_order_id.with_context(**IMPORT_CONTEXT).action_confirm()

    def _rewrite_address(self, sale, snapshot: Order) -> None:
        if not self._has_party(snapshot):
            return
        found = self.env["dist.partner.identity"]._resolve(self.channel_id, {self: snapshot})
        delivery = found[self][1]
        if delivery != sale.partner_shipping_id:
            sale.with_context(update_delivery_shipping_partner=True).write({"partner_shipping_id": delivery.id})
            self.partner_shipping_id = delivery

    def _rewrite_commands(self, sale, plan: list[amounts.PlannedLine]) -> list:
        """Commands from what the lines are to what they shall be; a confirmed line goes to zero, never away."""
        existing = {line.dist_line_key: line for line in sale.order_line if line.dist_line_key}
        commands = []
        for number, vals in enumerate(self._sale_lines_vals(plan)):
            line = existing.get(vals["dist_line_key"])
            if line and line.product_id.id == vals["product_id"]:
                existing.pop(vals["dist_line_key"])
                now = {
                    "product_uom_qty": line.product_uom_qty,
                    "price_unit": line.price_unit,
                    "discount": line.discount,
                    "tax_ids": [(6, 0, tuple(line.tax_ids.ids))],
                }
                if any(vals[name] != value for name, value in now.items()):
                    commands.append((1, line.id, {name: vals[name] for name in (*now, "technical_price_unit")}))
                continue
            commands.append((0, 0, {**vals, "sequence": 10 + number}))
        for line in existing.values():
            commands.append((1, line.id, {"product_uom_qty": 0.0, "dist_line_key": False}))
        return commands

    # -- cancelled -------------------------------------------------------------------------------------------------

    def _cancelled_on_channel(self) -> None:
        """The channel cancelled the order: so do we, unless goods have left."""
        self.ensure_one()
        sale = self.sale_order_id
        if sale and sale.state != "cancel" and self._anything_left():
            if self.applied_digest != self.commercial_digest:
                self._fail([Problem("cancelled_after_shipment")])
            return
        if sale and sale.state != "cancel":
            sale = sale.with_context(**IMPORT_CONTEXT)
            if sale.locked:
                sale.action_unlock()
            sale._action_cancel()
        self._transition("cancelled", problem=False, hold_reason=False, applied_digest=self.commercial_digest)
        self._settle_exceptions()

    def _cancelled_here(self) -> None:
        """The sales order was cancelled in Odoo: tell the channel, but only if the whole order is cancelled."""
        for order in self.filtered(lambda o: o.state != "cancelled"):
            if order._anything_left():
                order._fail([Problem("cancelled_in_part")])
                continue
            order._publish_cancel()
            order._transition("cancelled", problem=False, hold_reason=False)
            order._settle_exceptions()

    def _publish_cancel(self) -> None:
        self.ensure_one()
        if self.cancel_sent or not self.channel_id._can("order.cancel"):
            return
        reason = self.env.context.get("dist_cancel_reason")
        if not reason:
            reason = CancelReason.CUSTOMER if self.cancel_requested else CancelReason.OTHER
        self.cancel_sent = True
        self.env["dist.outbox.event"].emit(
            self.connection_id,
            "order.cancel.v1",
            key=self.external_id,
            payload=OrderCancel(order_id=self.external_id, reason=CancelReason(reason)),
            fact=(self.external_id,),
            record=self,
            priority=2,
            report=True,
            correlation_id=self.correlation_id,
        )

    @api.model
    @on_outcome("order.cancel.v1", batch=50, lane="orders")
    def _on_cancel_outcome(self, items):
        """The channel refused to cancel: it still expects the goods."""
        for item, order in with_records(self, items):
            outcome = item.payload["outcome"]
            if order.state == "cancelled" and outcome["verdict"] != "delivered":
                order._transition("exception", problem=outcome.get("message") or outcome.get("code"))
            elif order.state == "exception" and outcome["verdict"] == "delivered":
                order._transition("cancelled", problem=False)
