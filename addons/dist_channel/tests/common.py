# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A channel with a warehouse and products, and a factory of orders as the relay sends them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from itertools import count
from typing import Any

from odoo import fields
from odoo.tests import TransactionCase, tagged

from odoo.addons.dist_sync_queue.api import Item

from dist_contracts import EVENTS, new_traceparent

MANIFEST = {
    "code": "testshop",
    "label": "Test shop",
    "kind": "channel",
    "version": "1",
    "capabilities": [
        "connection.check",
        "orders.pull",
        "listings.pull",
        "availability.push",
        "order.cancel",
        "shipment.confirm",
    ],
    "settings_schema": {"type": "object"},
    "credentials_schema": {"type": "object"},
    "links": {
        "order": "https://{shop_domain}/admin/orders/{order_id}",
        "product": "https://{shop_domain}/admin/products/{product_id}",
    },
}
T0 = datetime(2026, 11, 1, 12, 0, 0, tzinfo=timezone.utc)
_numbers = count(1001)


def pair(value: Any, currency: str = "USD") -> dict:
    """A money pair in JSON."""
    return {"shop": {"amount": str(value), "currency": currency}}


def line(sku: str, quantity: Any = 1, price: Any = "10.00", **more: Any) -> dict:
    """One order line in JSON; ``discount`` and ``tax`` (amount, rate) are short for the lists of them."""
    currency = more.pop("currency", "USD")
    discount, tax = more.pop("discount", None), more.pop("tax", None)
    tree = {
        "external_id": more.pop("external_id", f"L-{sku}"),
        "listing": {"variant_id": f"V-{sku}", "inventory_id": f"I-{sku}", "product_id": f"P-{sku}", "sku": sku},
        "title": f"Title {sku}",
        "quantity": str(quantity),
        "ordered_quantity": str(more.pop("ordered", quantity if Decimal(str(quantity)) else 1)),
        "unit_price": pair(price, currency),
    }
    if discount:
        tree["discounts"] = [{"title": "Promo", "code": "PROMO", "amount": pair(discount, currency)}]
    if tax:
        value, rate = tax
        tree["taxes"] = [{"title": "Tax", "amount": pair(value, currency), **({"rate": str(rate)} if rate else {})}]
    return tree | more


ADDRESS = {
    "name": "Ann Lee",
    "street": "1 Main St",
    "city": "Reno",
    "zip": "89501",
    "state": "NV",
    "country": "US",
}


def order(lines: list[dict], **more: Any) -> dict:
    """An order in JSON whose totals add up; ``total`` overrides the sum. Keyword arguments replace fields."""
    number = next(_numbers)
    currency = more.get("currency", "USD")
    included = more.get("taxes_included", False)

    def total_of(parts):
        return sum((Decimal(p["amount"]["shop"]["amount"]) for p in parts), Decimal(0))

    goods = sum((Decimal(ln["unit_price"]["shop"]["amount"]) * Decimal(ln["quantity"]) for ln in lines), Decimal(0))
    goods = goods.quantize(Decimal("0.01"))
    shipping_lines = more.get("shipping", [])
    shipping = sum((Decimal(s["price"]["shop"]["amount"]) for s in shipping_lines), Decimal(0))
    everything = [*(ln for ln in lines if Decimal(ln["quantity"])), *shipping_lines]
    discount = sum((total_of(part.get("discounts", [])) for part in everything), Decimal(0))
    tax = sum((total_of(part.get("taxes", [])) for part in everything), Decimal(0))
    total = more.pop("total", goods - discount + shipping + (0 if included else tax))
    tree = {
        "external_id": f"gid://shop/Order/{number}",
        "number": f"#{number}",
        "status": "open",
        "payment_status": "paid",
        "placed_at": T0.isoformat(),
        "updated_at": T0.isoformat(),
        "currency": currency,
        "buyer": {"external_id": f"B-{number}", "name": "Ann Lee", "email": f"ann{number}@example.com"},
        "ship_to": dict(ADDRESS),
        "lines": lines,
        "totals": {
            "lines": pair(goods, currency),
            "discount": pair(discount, currency),
            "shipping": pair(shipping, currency),
            "tax": pair(tax, currency),
            "total": pair(total, currency),
        },
    }
    return {name: value for name, value in (tree | more).items() if value is not None}


def later(tree: dict, minutes: int = 10, **more: Any) -> dict:
    """The same order, changed on the channel some time later."""
    moment = datetime.fromisoformat(tree["updated_at"]) + timedelta(minutes=minutes)
    return tree | {"updated_at": moment.isoformat()} | more


@tagged("post_install", "-at_install")
class ChannelCase(TransactionCase):
    """A USD company with one warehouse, a channel with one location, and two products in stock."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, "tracking_disable": True, "no_reset_password": True})
        cls.company = cls.env.company
        cls.warehouse = cls.env["stock.warehouse"].search([("company_id", "=", cls.company.id)], limit=1)
        cls.adapter = cls.env["dist.adapter"].create(
            {"code": "testshop", "label": "Test shop", "kind": "channel", "manifest": MANIFEST}
        )
        cls.channel = cls.make_channel("Shop")
        cls.location = cls.env["dist.channel.location"].create(
            {
                "channel_id": cls.channel.id,
                "external_id": "LOC1",
                "name": "Main",
                "warehouse_id": cls.warehouse.id,
            }
        )
        cls.product_a = cls.make_product("SKU-A", 100)
        cls.product_b = cls.make_product("SKU-B", 50)
        cls.orders = cls.env["dist.channel.order"]
        cls.ids = count(1)

    @classmethod
    def make_channel(cls, name: str, company=None, **vals):
        company = company or cls.company
        warehouse = cls.env["stock.warehouse"].search([("company_id", "=", company.id)], limit=1)
        channel = (
            cls.env["dist.channel"]
            .with_company(company)
            .create(
                {
                    "name": name,
                    "adapter_id": cls.adapter.id,
                    "company_id": company.id,
                    "warehouse_id": warehouse.id,
                    "settings": {"shop_domain": "shop.example.com"},
                    **vals,
                }
            )
        )
        channel.connection_id._activate()
        return channel

    @classmethod
    def make_product(cls, sku: str, quantity: float = 0, **vals):
        product = cls.env["product.product"].create(
            {"name": f"Product {sku}", "default_code": sku, "is_storable": True, "taxes_id": [(5,)], **vals}
        )
        if quantity:
            cls.add_stock(product, quantity)
        return product

    @classmethod
    def add_stock(cls, product, quantity: float, location=None):
        cls.env["stock.quant"]._update_available_quantity(product, location or cls.warehouse.lot_stock_id, quantity)

    # -- events --------------------------------------------------------------------------------------------------

    def item(self, payload: dict, type_: str = "order.received.v1", channel=None, key: str | None = None) -> Item:
        """What the engine hands to a handler for one event."""
        channel = channel or self.channel
        return Item(
            id=next(self.ids),
            type=type_,
            payload=payload,
            connection=channel.connection_id,
            key=key or payload.get("external_id"),
            correlation_id=new_traceparent(),
            attempt=1,
            occurred_at=fields.Datetime.now(),
        )

    def receive(self, *trees: dict, channel=None):
        """The channel orders after one batch of events."""
        channel = channel or self.channel
        items = [self.item(tree, channel=channel) for tree in trees]
        self.model(channel)._on_order_received(items)
        return self.order_of(*trees, channel=channel)

    def model(self, channel, model: str = "dist.channel.order"):
        company = channel.company_id
        return self.env[model].with_company(company).with_context(allowed_company_ids=company.ids)

    def order_of(self, *trees: dict, channel=None):
        found = self.orders.search(
            [
                ("channel_id", "=", (channel or self.channel).id),
                ("external_id", "in", [tree["external_id"] for tree in trees]),
            ]
        )
        return found.sorted(lambda o: [tree["external_id"] for tree in trees].index(o.external_id))

    def tell_outcome(self, event, verdict: str = "delivered", res_model: str | None = None, **more):
        """Bring back an outbox event's outcome to its handlers, as the engine does.

        :param res_model: instead of the event's own model
        """
        outcome = {"event_id": event.event_id, "verdict": verdict, "version": event.version, **more}
        payload = {
            "outcome": outcome,
            "event": {
                "event_id": event.event_id,
                "type": event.type,
                "key": event.key,
                "payload": event.payload,
                "res_model": res_model or event.res_model,
                "res_id": event.res_id,
            },
        }
        channel = self.env["dist.channel"].search([("connection_id", "=", event.connection_id.id)])
        model, method = {
            "availability.changed.v1": ("dist.availability", "_on_availability_outcome"),
            "shipment.confirm.v1": ("stock.picking", "_on_shipment_outcome"),
            "order.cancel.v1": ("dist.channel.order", "_on_cancel_outcome"),
        }[event.type]
        item = self.item(payload, event.type, channel, key=event.key)
        getattr(self.model(channel, model), method)([item])

    # -- reading -------------------------------------------------------------------------------------------------

    def events(self, type_: str, channel=None):
        """Outbox events of a type, oldest first; each is checked against its contract once more."""
        found = self.env["dist.outbox.event"].search(
            [("type", "=", type_), ("connection_id", "=", (channel or self.channel).connection_id.id)], order="id"
        )
        for event in found:
            EVENTS[type_].payload.read(event.payload)
        return found

    def problems(self, record) -> set[str]:
        """Kinds of the open exceptions about a record."""
        found = self.env["dist.exception"].search(
            [("res_model", "=", record._name), ("res_id", "=", record.id), ("state", "=", "open")]
        )
        for problem in found:
            self.assertTrue(problem.cause and problem.fix, f"{problem.kind} says neither why nor what to do")
        return set(found.mapped("kind"))

    def marks(self, channel=None) -> set[str]:
        """Keys marked dirty."""
        found = self.env["dist.dirty.mark"].search([("connection_id", "=", (channel or self.channel).connection_id.id)])
        return set(found.mapped("key"))

    def clear_marks(self):
        self.env.flush_all()
        self.env.cr.execute("DELETE FROM dist_dirty_mark")
        self.env.invalidate_all()

    def jobs(self, method: str):
        """Waiting jobs that call a method."""
        return self.env["dist.job"].search([("handler", "=like", f"%:{method}"), ("state", "=", "pending")])

    def run_jobs(self, method: str):
        """Run the waiting jobs of a method once and forget them."""
        found = self.jobs(method)
        for model, ids in {(job.handler.partition(":")[0], tuple(job.payload["ids"])) for job in found}:
            getattr(self.env[model].browse(ids), method)()
        self.env.cr.execute("UPDATE dist_job SET state = 'done' WHERE id = ANY(%s)", (found.ids,))
        self.env.invalidate_all()

    def compute_offers(self, *keys: str, channel=None):
        """Run the computation of availability as the engine does and emit what it returns."""
        channel = channel or self.channel
        keys = keys or tuple(self.marks(channel))
        self.clear_marks()
        result = self.model(channel, "dist.availability")._compute_availability(channel.connection_id, list(keys))
        version = self.env["dist.outbox.event"].search([], order="version desc", limit=1).version
        rows = []
        for number, (key, payload) in enumerate(sorted(result.items()), start=1):
            tree = {**payload.model_dump(mode="json"), "version": version + number}
            rows.append({"key": key, "payload": tree, "version": version + number})
        if rows:
            self.env["dist.outbox.event"].emit_many(channel.connection_id, "availability.changed.v1", rows)
        return {key: int(payload.quantity) for key, payload in result.items()}

    def offer(self, sku: str, location=None):
        return self.env["dist.offer"].search(
            [("mapping_id.sku", "=", sku), ("location_id", "=", (location or self.location).id)]
        )

    def deliver(self, picking, quantities: dict | None = None, tracking: str | None = None):
        """Validate a delivery, wholly or in part (the rest becomes a backorder)."""
        if tracking:
            picking.carrier_tracking_ref = tracking
        picking.action_assign()
        for move in picking.move_ids:
            move.quantity = move.product_uom_qty if quantities is None else quantities.get(move.product_id, 0)
            move.picked = bool(move.quantity)
        result = picking.with_context(skip_backorder=True).button_validate()
        self.assertIs(result, True)
        self.assertEqual(picking.state, "done")
