"""The main job with every process real: orders in, stock and shipments out, each exactly once."""

from __future__ import annotations

from typing import Any

from conftest import ORDERS
from home import Home


def test_both_sides_agree(home: Home) -> None:
    assert home.differences == []


def test_every_order_went_through_all_stages(home: Home) -> None:
    f = home.figures
    assert (f.placed, f.imported) == (ORDERS, ORDERS)
    assert f.fulfilled + f.store_cancelled + f.empty == ORDERS
    assert f.confirmed + f.cancelled == ORDERS
    assert f.reserved == f.confirmed
    assert f.fulfilled >= ORDERS / 2
    assert f.stock_updates > 0
    assert (f.exceptions, f.dead, f.held, f.events_open) == (0, 0, 0, 0)


def test_every_order_is_there_once(home: Home) -> None:
    orders = [row["external_id"] for row in home.rows("dist.channel.order", [], "external_id")]
    assert sorted(orders) == sorted(set(orders))
    sales = [row["dist_channel_order_id"][0] for row in home.rows("sale.order", [], "dist_channel_order_id")]
    assert sorted(sales) == sorted(set(sales))
    standing = home.rows("dist.channel.order", [("state", "!=", "cancelled")], "id")
    assert {row["id"] for row in standing} <= set(sales), "one cancelled before it was read needs no sales order"


def test_every_shipment_was_confirmed_once(home: Home) -> None:
    tracking = [
        number
        for order in home.store.tell("state")["orders"]
        for fulfillment in order["fulfillments"]
        for number in fulfillment["tracking"]
    ]
    assert sorted(tracking) == sorted(set(tracking))
    assert len(tracking) >= home.figures.fulfilled


def test_pulling_everything_again_changes_nothing(home: Home) -> None:
    _read_everything(home)  # the fulfilments changed the orders once more
    before = _everything(home)
    _read_everything(home)
    after = _everything(home)
    for what, rows in before.items():
        assert after[what] == rows


def _read_everything(home: Home) -> None:
    home.odoo.call("dist.connection.schedule", "action_reset_cursor", [home.schedule()["id"]])
    home.until(lambda: home.schedule()["cursor"], "all orders were read from the first one")
    home.until(lambda: not home.rows("dist.job", [("state", "=", "pending")], "id"), "no job is left")


def _everything(home: Home) -> dict[str, Any]:
    """All that a repeated order could have changed or made twice."""
    made = {
        "orders": home.rows("dist.channel.order", [], "external_id", "state", "revision", "write_date"),
        "lines": home.rows("dist.channel.order.line", [], "external_id", "quantity"),
        "sales": home.rows("sale.order", [], "name", "state", "amount_total", "write_date"),
        "partners": home.rows("res.partner", [], "name"),
        "moves": home.rows("stock.move", [], "state", "quantity"),
        "events": home.rows("dist.outbox.event", [], "type", "key", "state"),
        "received": home.rows("dist.job", [("handler", "=", "order.received.v1")], "key", "state"),
        "effects": {name: count for name, count in home.store.tell("effects").items() if not name.startswith("fault:")},
    }
    assert made["orders"]
    assert made["received"]
    return made
