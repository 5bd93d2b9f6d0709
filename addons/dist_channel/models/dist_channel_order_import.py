# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import AccessError, MissingError, UserError

from odoo.addons.dist_sync_queue.api import job

from dist_contracts import Hold, Order, OrderStatus, PaymentStatus

from ..logic import amounts, problems
from .dist_channel_order_intake import naive

IMPORT_CONTEXT = {
    "tracking_disable": True,
    "mail_create_nolog": True,
    "mail_create_nosubscribe": True,
    "mail_auto_subscribe_no_notify": True,
    "mail_notrack": True,
    "dist_from_channel": True,
}
"""A batch of orders writes no chatter of its own: where an order came from is on its channel order."""

SECURED = {
    PaymentStatus.AUTHORIZED,
    PaymentStatus.PARTIALLY_PAID,
    PaymentStatus.PAID,
    PaymentStatus.PARTIALLY_REFUNDED,
    PaymentStatus.REFUNDED,
}


class DistChannelOrder(models.Model):
    """From a kept snapshot to a confirmed sales order."""

    _inherit = "dist.channel.order"

    @job(lane="orders", batch=50, budget=2.0)
    def _resume(self):
        """Look at these orders again: after a fix, a release, or when a hold ran out."""
        self.filtered(lambda o: o.state in ("received", "hold", "exception"))._process()

    def _dist_retry_exception(self, kind: str) -> bool:
        """Button "Retry" of *Needs attention*."""
        self._as_system()._resume()
        return True

    def _process(self, snapshots: dict | None = None) -> None:
        """Bring these orders to where their snapshots say. No order can keep another one from going on.

        :param snapshots: those already read, by order id
        """
        todo = defaultdict(dict)
        for order in self:
            snapshot = (snapshots or {}).get(order.id) or order._snapshot()
            if order.state == "cancelled":
                continue
            if problems.is_cancelled(snapshot):
                order._cancelled_on_channel()
            elif order.sale_order_id:
                order._changed_on_channel(snapshot)
            elif order._wants_import(snapshot):
                todo[order.channel_id][order] = snapshot
        for channel, wanted in todo.items():
            self._import(channel.with_company(channel.company_id), wanted)

    # -- whether -------------------------------------------------------------------------------------------------

    def _wants_import(self, snapshot: Order) -> bool:
        """Whether the order is to become a sales order now; if not, its state says why."""
        self.ensure_one()
        channel = self.channel_id
        elsewhere = problems.fulfilled_elsewhere(snapshot)
        old = channel.import_since and self.placed_at.date() < channel.import_since
        if snapshot.status is OrderStatus.CLOSED or elsewhere == "all" or old:
            self._transition("closed", problem=False)
            self._settle_exceptions()
            return False
        if self.cancel_requested and not self.released:
            self._fail([problems.Problem("cancel_requested")])
            return False
        if elsewhere == "part":
            self._fail([problems.Problem("shipped_elsewhere")])
            return False
        return not self._held(snapshot)

    def _held(self, snapshot: Order) -> bool:
        """Put the order on hold where the channel, its payment or its being a test says so."""
        reasons = [self._hold_text(hold) for hold in snapshot.holds]
        if not self.released:
            if self.channel_id.payment_policy == "secured" and snapshot.payment_status not in SECURED:
                reasons.append(self.env._("Payment: %s", snapshot.payment_status.value))
            if snapshot.test and not self.channel_id.import_test_orders:
                reasons.append(self.env._("Test order"))
        if not reasons:
            self.hold_reason = False
            return False
        self._settle_exceptions()
        self._transition("hold", hold_reason="; ".join(reasons), problem=False)
        self._resume_when_over(snapshot)
        return True

    def _resume_when_over(self, snapshot: Order) -> None:
        """Look again when the channel's holds are over, where all of them have an end."""
        until = [hold.until for hold in snapshot.holds if hold.until]
        if until and len(until) == len(snapshot.holds):
            eta = max(naive(max(until)), fields.Datetime.now() + timedelta(minutes=1))
            self.delayed(eta=eta, identity=f"hold:{self.id}", connection=self.connection_id)._resume_after_hold()

    @job(lane="orders")
    def _resume_after_hold(self):
        """The channel's hold had an end, and that has come; unless the channel put it off meanwhile."""
        now = fields.Datetime.now()
        for order in self.filtered(lambda o: o.state == "hold"):
            snapshot = order._snapshot()
            if any(not hold.until or naive(hold.until) > now for hold in snapshot.holds):
                order._resume_when_over(snapshot)
                continue
            order.payload = {**order.payload, "holds": []}
            order._process()

    def _hold_text(self, hold: Hold) -> str:
        text = f"{hold.reason.value}: {hold.note}" if hold.note else hold.reason.value
        return f"{text} ({fields.Datetime.to_string(naive(hold.until))})" if hold.until else text

    # -- importing -----------------------------------------------------------------------------------------------

    @api.model
    def _import(self, channel, snapshots: dict) -> None:
        """Make sales orders of these orders: those without a problem at once, one statement per model."""
        taxes = channel._tax_candidates()
        good = {}
        for order, snapshot in snapshots.items():
            found = order._problems(snapshot)
            plan = None
            if not found:
                plan = amounts.plan(snapshot, channel._tax_rules(snapshot, taxes))
                found = order._plan_problems(plan)
            if found:
                order._fail(found)
            else:
                good[order] = (snapshot, plan)
        if good:
            self._import_guarded(channel, good)

    @api.model
    def _import_guarded(self, channel, good: dict) -> None:
        """Import all; where Odoo refuses, halve until the order it refuses stands alone with its problem."""
        try:
            with self.env.cr.savepoint():
                self._import_batch(channel, good)
                return
        except (UserError, MissingError, AccessError) as error:
            self.env.invalidate_all(flush=False)
            if len(good) == 1:
                order = next(iter(good))
                order._fail([problems.Problem("refused", {"message": str(error)})])
                return
        entries = list(good.items())
        half = len(entries) // 2
        self._import_guarded(channel, dict(entries[:half]))
        self._import_guarded(channel, dict(entries[half:]))

    @api.model
    def _import_batch(self, channel, good: dict) -> None:
        with_party = {order: entry for order, entry in good.items() if order._has_party(entry[0])}
        partners = self.env["dist.partner.identity"]._resolve(
            channel, {order: snapshot for order, (snapshot, _plan) in with_party.items()}
        )
        guest = channel.guest_partner_id
        vals_list = []
        for order, (snapshot, plan) in good.items():
            customer, delivery = partners.get(order, (guest, guest))
            order.write({"partner_id": customer.id, "partner_shipping_id": delivery.id})
            vals_list.append(order._sale_vals(channel, snapshot, plan))
        sales = self.env["sale.order"].with_context(**IMPORT_CONTEXT).create(vals_list)
        ready = self.browse()
        for order, sale in zip(good, sales, strict=True):
            if order._check_total(sale, good[order][0]):
                ready |= order
        to_confirm = ready if channel.confirm_automatically else self.browse()
        if to_confirm:
            to_confirm.sale_order_id.with_context(**IMPORT_CONTEXT).action_confirm()
        for order in ready:
            order.applied_digest = order.commercial_digest
        ready._transition("imported", problem=False, hold_reason=False)
        ready._settle_exceptions()
        for order in ready:
            order._acknowledge()

    def _acknowledge(self) -> None:
        """Tell channels that want to know under which number we have the order."""
        if self.channel_id._can("order.acknowledge"):
            self.env["dist.outbox.event"].emit(
                self.connection_id,
                "order.acknowledge.v1",
                key=self.external_id,
                payload={
                    "order_id": self.external_id,
                    "reference": self.sale_order_id.name,
                    "acknowledged_at": fields.Datetime.now().isoformat() + "Z",
                },
                fact=(self.external_id,),
                record=self,
                priority=3,
                correlation_id=self.correlation_id,
            )

    def _check_total(self, sale, snapshot: Order) -> bool:
        """Whether the sales order comes to the channel's total; a difference is treated as the channel's policy says.

        A new sales order that is refused is deleted; one that was there before stays as it is.
        """
        channel = self.channel_id
        due = amounts.expected_total(snapshot, channel._side, with_facilitated=channel.facilitated_tax_policy == "line")
        have = amounts.rounded(Decimal(repr(sale.amount_total)), channel._step())
        difference = due - have
        if not difference:
            self.sale_order_id = sale
            return True
        tolerance = Decimal(repr(round(channel.mismatch_tolerance, 6))) if channel.mismatch_policy == "adjust" else 0
        if self.difference_accepted or abs(difference) <= tolerance:
            sale.order_line = [(0, 0, self._adjustment_vals(difference))]
            self.sale_order_id = sale
            return True
        found = problems.Problem("total_mismatch", {"stated": due, "summed": have, "difference": difference})
        if channel.mismatch_policy == "block":
            self.sale_order_id = sale
        elif not self.sale_order_id:
            sale.unlink()
        self._fail([found])
        return False

    def _has_party(self, snapshot: Order) -> bool:
        """Whether the order names anybody."""
        buyer = snapshot.buyer
        return bool(
            snapshot.ship_to
            or snapshot.bill_to
            or (buyer and (buyer.name or buyer.external_id or (buyer.email and not buyer.email_masked)))
        )
