"""The live monitor while real workers do real work: its figures move, and its buttons act."""

from __future__ import annotations

from typing import Any

from home import Home

ORDERS = 20


def snapshot(home: Home) -> dict[str, Any]:
    """What the screen gets at each refresh."""
    found: dict[str, Any] = home.odoo.call("dist.monitor", "snapshot")
    return found


def test_its_figures_move_while_orders_come(home: Home) -> None:
    assert len([worker for worker in snapshot(home)["workers"] if not worker["silent"]]) >= 2
    orders = [home.place(pull=False) for _ in range(ORDERS)]
    home.pull()
    rates: set[float] = set()

    def moved() -> bool:
        rates.add(snapshot(home)["tiles"]["done_per_minute"])
        return len(rates) > 2

    home.until(moved, "the rate changes")
    for order in orders:
        home.ships(order)
    found = snapshot(home)
    assert found["tiles"]["dead"] == 0
    (connection,) = [each for each in found["connections"] if each["id"] == home.channel.connection_id]
    assert connection["breaker"] == "closed"


def test_a_paused_lane_stands_still_and_says_so(home: Home) -> None:
    home.odoo.call("dist.monitor", "set_control", kind="lane", name="orders", values={"paused": True})
    try:
        order = home.place()
        (lane,) = home.until(
            lambda: [each for each in snapshot(home)["lanes"] if each["code"] == "orders" and each["ready"]],
            "the order waits in its lane",
        )
        assert lane["paused"]
        assert home.channel_order(order)["state"] is None
        assert not home.rows("dist.job", [("handler", "=", "order.received.v1"), ("state", "=", "dead")], "id")
    finally:
        home.odoo.call("dist.monitor", "set_control", kind="lane", name="orders", values={"paused": False})
    home.ships(order)
