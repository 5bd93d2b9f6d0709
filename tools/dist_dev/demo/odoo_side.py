"""What Odoo says, read through its API and in its own terms: sales orders, deliveries, free stock."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from .compare import Line, OrderView, Side
from .odoo_rpc import OdooRpc


def odoo_side(odoo: OdooRpc, channel_id: int, warehouses: Mapping[str, int]) -> Side:
    """Read Odoo's side of one channel.

    :param warehouses: id of the warehouse behind each location of the channel, by the location's external id.
    """
    return Side(_orders(odoo, channel_id), _stock(odoo, channel_id, warehouses))


def _orders(odoo: OdooRpc, channel_id: int) -> dict[str, OrderView]:
    orders = odoo.search_read(
        "dist.channel.order", [("channel_id", "=", channel_id)], ["external_id", "state"], order="id"
    )
    sales = odoo.search_read("sale.order", [("dist_channel_id", "=", channel_id)], ["dist_channel_order_id", "state"])
    sale_states: dict[int, list[str]] = defaultdict(list)
    for sale in sales:
        sale_states[_id(sale["dist_channel_order_id"])].append(sale["state"])
    lines, tracking = _lines(odoo, channel_id), _tracking(odoo, channel_id)
    copies = Counter(order["external_id"] for order in orders)
    return {
        order["external_id"]: OrderView(
            cancelled=order["state"] == "cancelled" and all(s == "cancel" for s in sale_states[order["id"]]),
            lines=lines[order["id"]],
            tracking=tuple(tracking[order["id"]]),
            copies=max(copies[order["external_id"]], len(sale_states[order["id"]])),
        )
        for order in orders
    }


def _lines(odoo: OdooRpc, channel_id: int) -> dict[int, dict[str, Line]]:
    channel_lines = odoo.search_read(
        "dist.channel.order.line",
        [("order_id.channel_id", "=", channel_id), ("requires_shipping", "=", True)],
        ["external_id", "order_id"],
    )
    sums: dict[int, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for row in odoo.search_read(
        "sale.order.line",
        [("dist_channel_line_id.order_id.channel_id", "=", channel_id)],
        ["dist_channel_line_id", "product_uom_qty", "qty_delivered"],
    ):
        both = sums[_id(row["dist_channel_line_id"])]
        both[0] += _whole(row["product_uom_qty"])
        both[1] += _whole(row["qty_delivered"])
    result: dict[int, dict[str, Line]] = defaultdict(dict)
    for line in channel_lines:
        ordered, shipped = sums[line["id"]]
        result[_id(line["order_id"])][line["external_id"]] = Line(ordered, shipped)
    return result


def _tracking(odoo: OdooRpc, channel_id: int) -> dict[int, list[str]]:
    result: dict[int, list[str]] = defaultdict(list)
    domain = [
        ("dist_channel_order_id.channel_id", "=", channel_id),
        ("state", "=", "done"),
        ("picking_type_code", "=", "outgoing"),
    ]
    for picking in odoo.search_read("stock.picking", domain, ["dist_channel_order_id", "carrier_tracking_ref"]):
        numbers = (picking["carrier_tracking_ref"] or "").split(",")
        result[_id(picking["dist_channel_order_id"])] += [number for number in numbers if number]
    return result


def _stock(odoo: OdooRpc, channel_id: int, warehouses: Mapping[str, int]) -> dict[tuple[str, str], Decimal]:
    mappings = odoo.search_read(
        "dist.channel.mapping", [("channel_id", "=", channel_id), ("state", "=", "matched")], ["sku", "product_id"]
    )
    skus = {_id(row["product_id"]): row["sku"] for row in mappings}
    stock: dict[tuple[str, str], Decimal] = {}
    for location, warehouse in warehouses.items():
        rows = odoo.call(
            "product.product", "read", list(skus), fields=["free_qty"], context={"warehouse_id": warehouse}
        )
        for row in rows:
            stock[skus[row["id"]], location] = max(_whole(row["free_qty"]), Decimal(0))
    return stock


def _id(many2one: Any) -> int:
    return int(many2one[0])


def _whole(value: float) -> Decimal:
    """A quantity in pieces: Odoo's floats, without their noise."""
    return Decimal(str(round(value, 3))).normalize() + 0
