# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from __future__ import annotations

from collections import defaultdict
from datetime import timezone
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.sql import column_exists, create_column

from odoo.addons.dist_sync_queue.api import on_outcome, with_records

from dist_contracts import Package, PackageLine, Shipment

from ..logic import parcels

EVENT = "shipment.confirm.v1"


def exact(quantity: float) -> Decimal:
    """A quantity of Odoo without the noise of binary floats."""
    return Decimal(repr(round(quantity, 6))).normalize() + 0


class StockPicking(models.Model):
    """Deliveries of channel orders tell the channel what left, in which parcel, under which number."""

    _inherit = "stock.picking"

    dist_channel_order_id = fields.Many2one(
        related="sale_id.dist_channel_order_id", store=True, index="btree_not_null", string="Channel Order"
    )
    dist_shipment_state = fields.Selection(
        [("sent", "Sent to channel"), ("confirmed", "Confirmed by channel"), ("rejected", "Refused by channel")],
        string="Channel Shipment",
        readonly=True,
        copy=False,
    )
    dist_shipment_lines = fields.Json(readonly=True, copy=False, help="What the channel was told, by its line id.")
    dist_shipment_refs = fields.Json(readonly=True, copy=False, help="The channel's own ids of the fulfilments.")
    dist_shipment_error = fields.Text(readonly=True, copy=False)

    def _auto_init(self):
        """No transfer belongs to a channel order yet: do not let the ORM compute the field for each."""
        if not column_exists(self.env.cr, "stock_picking", "dist_channel_order_id"):
            create_column(self.env.cr, "stock_picking", "dist_channel_order_id", "int4")
        return super()._auto_init()

    def _dist_is_delivery(self) -> bool:
        """Whether this transfer is the step that brings goods to the customer: no return, no picking, no packing."""
        self.ensure_one()
        return (
            self.picking_type_code in ("outgoing", "dropship")
            and self.location_dest_id.usage == "customer"
            and not self.return_id
        )

    def message_post_with_source(self, *args, **kwargs):
        """A batch of channel orders posts no "created from" on each transfer: the order is a field of it."""
        if self.env.context.get("dist_from_channel"):
            return self.env["mail.message"]
        return super().message_post_with_source(*args, **kwargs)

    def _action_done(self):
        held = self.sudo().filtered(lambda p: p.dist_channel_order_id.state == "hold" and p._dist_is_delivery())
        if held:
            raise UserError(
                self.env._(
                    "%(transfers)s cannot leave: the channel put the order on hold (%(reason)s).",
                    transfers=", ".join(held.mapped("name")),
                    reason=held.dist_channel_order_id[:1].hold_reason,
                )
            )
        res = super()._action_done()
        deliveries = self.sudo().filtered(
            lambda p: (
                p.state == "done" and p.dist_channel_order_id and not p.dist_shipment_state and p._dist_is_delivery()
            )
        )
        for picking in deliveries:
            picking._dist_publish_shipment()
        return res

    # -- publishing ----------------------------------------------------------------------------------------------

    def _dist_publish_shipment(self) -> None:
        """Tell the channel what left with this delivery."""
        self.ensure_one()
        order = self.dist_channel_order_id
        groups, surplus = self._dist_contents(order)
        if surplus:
            self._dist_report_surplus(order, surplus)
        if not groups:
            return
        told = defaultdict(Decimal)
        for _package, contents in groups:
            for line_id, quantity in contents.items():
                told[line_id] += quantity
        self.dist_shipment_lines = {line_id: str(quantity) for line_id, quantity in told.items()}
        channel = order.channel_id
        if not channel._can("shipment.confirm"):
            self.dist_shipment_state = "confirmed"
            order._shipped()
            return
        self.dist_shipment_state = "sent"
        self.env["dist.outbox.event"].emit(
            order.connection_id,
            EVENT,
            key=order.external_id,
            payload=self._dist_shipment(order, groups),
            fact=(order.external_id, self.name, self.id),
            record=self,
            priority=2,
            report=True,
            correlation_id=order.correlation_id,
        )

    def _dist_contents(self, order) -> tuple[list[tuple[models.Model, dict[str, Decimal]]], dict[str, Decimal]]:
        """([(package or empty, {channel line: quantity})], what left beyond what the channel expects)."""
        by_package = defaultdict(lambda: defaultdict(Decimal))
        for line in self.move_line_ids.filtered(lambda ml: ml.state == "done" and ml.quantity > 0):
            sale_line = line.move_id.sale_line_id
            channel_line = sale_line.dist_channel_line_id
            if channel_line:
                quantity = line.product_uom_id._compute_quantity(line.quantity, sale_line.product_uom_id, round=False)
                by_package[line.result_package_id][channel_line.external_id] += exact(quantity)
        still_open = order._open_quantities(self)
        groups, beyond = [], defaultdict(Decimal)
        for package, contents in by_package.items():
            taken, surplus = parcels.allot(contents, still_open)
            for line_id, quantity in taken.items():
                still_open[line_id] -= quantity
            for line_id, quantity in surplus.items():
                beyond[line_id] += quantity
            if taken:
                groups.append((package, taken))
        return groups, beyond

    def _dist_shipment(self, order, groups) -> Shipment:
        location = order.channel_id.location_ids.filtered(
            lambda loc: loc.warehouse_id == self.picking_type_id.warehouse_id and self.picking_type_code == "outgoing"
        )[:1]
        return Shipment(
            order_id=order.external_id,
            reference=self.name,
            shipped_at=(self.date_done or fields.Datetime.now()).replace(tzinfo=timezone.utc),
            location_id=location.external_id or None,
            packages=tuple(self._dist_packages(groups)),
        )

    def _dist_packages(self, groups) -> list[Package]:
        """Named packages as they are; goods without one share the transfer's tracking numbers."""
        numbers = parcels.tracking_numbers(self.carrier_tracking_ref)
        own = [package.dist_tracking_ref for package, _contents in groups if package.dist_tracking_ref]
        numbers = [number for number in numbers if number not in own]
        waiting = sum(1 for package, _contents in groups if not package.dist_tracking_ref)
        found: list[Package] = []
        for package, contents in groups:
            if package.dist_tracking_ref:
                own_numbers = parcels.tracking_numbers(package.dist_tracking_ref)
                found.append(self._dist_package(package.name, package, contents, own_numbers))
                continue
            waiting -= 1
            mine = numbers if not waiting else numbers[:1]
            numbers = numbers[len(mine) :] or mine[:1]
            found += self._dist_parcels(package, contents, mine)
        return found

    def _dist_parcels(self, package, contents: dict[str, Decimal], numbers: list[str]) -> list[Package]:
        """One parcel per tracking number; with fewer whole units than numbers the last one carries the rest."""
        shares = parcels.spread(contents, max(len(numbers), 1))
        name = package.name or self.name
        found = []
        for position, share in enumerate(shares):
            last = position == len(shares) - 1
            mine = numbers[position:] if last else numbers[position : position + 1]
            reference = name if len(shares) == 1 else f"{name}-{position + 1}"
            found.append(self._dist_package(reference, package if len(shares) == 1 else None, share, mine))
        return found

    def _dist_package(self, reference: str, package, contents: dict[str, Decimal], numbers: list[str]) -> Package:
        url = self.carrier_tracking_url or ""
        weight = self._dist_weight(package) if package else None
        return Package(
            reference=reference,
            lines=tuple(PackageLine(line_id=line_id, quantity=quantity) for line_id, quantity in contents.items()),
            carrier=self.carrier_id.name or None,
            tracking_number=numbers[0] if numbers else None,
            more_tracking_numbers=tuple(numbers[1:]),
            tracking_url=url if url.startswith("http") and numbers == [self.carrier_tracking_ref] else None,
            sscc=package.name if package and package.valid_sscc and len(package.name) == 18 else None,
            weight_kg=weight,
        )

    def _dist_weight(self, package) -> Decimal | None:
        """Gross weight in kilograms, where it was weighed."""
        if not package.shipping_weight:
            return None
        unit = self.env["product.template"]._get_weight_uom_id_from_ir_config_parameter()
        kilograms = unit._compute_quantity(package.shipping_weight, self.env.ref("uom.product_uom_kgm"), round=False)
        return exact(kilograms) or None

    def _dist_report_surplus(self, order, surplus: dict[str, Decimal]) -> None:
        names = {line.external_id: line.sku or line.name for line in order.line_ids}
        order._report(
            "shipped_too_much",
            self.env._("%s: more was shipped than ordered", order.display_name),
            self.env._(
                "%(transfer)s: %(goods)s",
                transfer=self.name,
                goods=", ".join(f"{quantity} × {names.get(line_id, line_id)}" for line_id, quantity in surplus.items()),
            ),
            self.env._(
                "Receive the surplus back or settle it with the customer. The channel was told what it ordered."
            ),
        )

    # -- answers -------------------------------------------------------------------------------------------------

    @api.model
    @on_outcome(EVENT, batch=50, lane="orders")
    def _on_shipment_outcome(self, items):
        """Keep what the channel made of a shipment."""
        for item, picking in with_records(self, items):
            if picking.dist_shipment_state == "confirmed":
                continue
            outcome = item.payload["outcome"]
            order = picking.dist_channel_order_id
            if outcome["verdict"] == "delivered":
                picking.write(
                    {
                        "dist_shipment_state": "confirmed",
                        "dist_shipment_refs": outcome.get("data") or False,
                        "dist_shipment_error": False,
                    }
                )
                order._shipped()
            else:
                message = outcome.get("message") or outcome.get("code") or outcome["verdict"]
                picking.write({"dist_shipment_state": "rejected", "dist_shipment_error": message})
                order._transition("exception", problem=message)

    def action_resend_shipment(self):
        """Send a refused shipment again, after its cause was put right."""
        events = self.env["dist.outbox.event"].search(
            [
                ("res_model", "=", self._name),
                ("res_id", "in", self.filtered(lambda p: p.dist_shipment_state == "rejected").ids),
                ("type", "=", EVENT),
                ("state", "in", ("rejected", "dead")),
            ]
        )
        if not events:
            raise UserError(self.env._("There is no refused shipment to send again."))
        self.filtered(lambda p: p.dist_shipment_state == "rejected").dist_shipment_state = "sent"
        return events.action_replay()

    def action_journey(self):
        """Everything that happened to this delivery's order, in order of time."""
        self.ensure_one()
        return self.env["dist.journey.step"].open_action(self.sudo().dist_channel_order_id.correlation_id)


class DistChannelOrder(models.Model):
    _inherit = "dist.channel.order"

    def _open_quantities(self, picking) -> dict[str, Decimal]:
        """What the channel still expects to be shipped, by line, apart from what ``picking`` brings."""
        self.ensure_one()
        still_open = {line.external_id: exact(line.quantity) for line in self.line_ids}
        for other in self.picking_ids - picking:
            for line_id, quantity in (other.dist_shipment_lines or {}).items():
                still_open[line_id] = still_open.get(line_id, Decimal(0)) - Decimal(quantity)
        return still_open

    def _shipped(self) -> None:
        """The channel confirmed a shipment: count again what it knows as shipped, from all its confirmed shipments."""
        for order in self:
            shipped = defaultdict(Decimal)
            for picking in order.picking_ids.filtered(lambda p: p.dist_shipment_state == "confirmed"):
                for line_id, quantity in (picking.dist_shipment_lines or {}).items():
                    shipped[line_id] += Decimal(quantity)
            for line in order.line_ids:
                quantity = float(shipped[line.external_id])
                if line.quantity_shipped != quantity:
                    line.quantity_shipped = quantity
            refused = any(p.dist_shipment_state == "rejected" for p in order.picking_ids)
            waits = order.state == "exception" and (
                refused or any(not kind.startswith("outbox.shipment") for kind in order._open_kinds())
            )
            if not waits and order.state not in ("closed", "cancelled"):
                order.problem = False
                order._settle_to_facts()
