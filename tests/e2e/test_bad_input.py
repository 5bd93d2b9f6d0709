"""Whatever the store sends: it ends where people see it, in words, and the next order goes through all the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from home import Home

MANY = [{"key": f"engraving {number}", "value": "x" * 100} for number in range(40_000)]


@pytest.fixture(autouse=True)
def _nothing_else_is_held_up(home: Home) -> Iterator[None]:
    """After each case another, good order passes through all stages."""
    yield
    home.store.tell("clear_faults")
    home.ships(home.place(sku="SKU-0002"))


# -- what is wrong with one order --------------------------------------------------------------------------------------


def test_an_unknown_sku_waits_for_its_product_and_ships_then(home: Home) -> None:
    order = home.place(lines=[{"sku": "GHOST-1", "title": "Fog machine", "quantity": 2, "price": "10.00"}])
    problem = home.needs_attention(order, "unknown_sku")
    assert "GHOST-1 (Fog machine)" in problem["cause"]
    product = _product(home, "GHOST-1")
    (mapping,) = home.rows("dist.channel.mapping", [("sku", "=", "GHOST-1")], "state")
    home.odoo.call("dist.channel.mapping", "write", [mapping["id"]], vals={"product_id": product})
    home.ships(order)
    assert not home.exceptions(("id", "=", problem["id"])), "the problem closes by itself"


def test_another_currency(home: Home) -> None:
    problem = home.needs_attention(home.place(currency="CAD"), "wrong_currency")
    assert "CAD" in problem["cause"]
    assert "USD" in problem["cause"]


def test_no_address(home: Home) -> None:
    problem = home.needs_attention(home.place(shipping_address=None), "missing_address")
    assert "address" in problem["cause"]


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        pytest.param(
            {"lineItems.nodes.0.originalUnitPriceSet.shopMoney.amount": "-5.00"}, "unit_price", id="negative price"
        ),
        pytest.param({"displayFinancialStatus": "ON_THE_MOON"}, "displayFinancialStatus: unknown", id="unknown enum"),
        pytest.param({"processedAt": None}, "processedAt: is missing", id="missing field"),
        pytest.param({"lineItems.nodes.0.currentQuantity": "two"}, "currentQuantity: should be", id="wrong type"),
        pytest.param({"note": "x" * 5_000_000}, "note: String should have at most", id="5 MB in one field"),
        pytest.param({"lineItems.nodes.0.customAttributes": MANY}, "bytes; at most", id="5 MB in many fields"),
    ],
)
def test_an_order_nobody_can_read(home: Home, patch: dict[str, Any], words: str) -> None:
    order = home.place(patch=patch)
    reason = home.dead_letter(order)
    assert order in reason
    assert words in reason


# -- what is wrong with the store --------------------------------------------------------------------------------------


def test_a_web_page_instead_of_an_answer(home: Home) -> None:
    home.store.tell("fault", kind="html", operation="OrderHeads", probability=1.0)
    order = home.place()
    home.until(lambda: "web page" in (home.schedule()["last_result"] or ""), "the failed pull says what came")
    assert "web page" in home.connection("last_error")["last_error"]
    home.store.tell("clear_faults")
    home.pull()
    home.ships(order)


def test_an_expired_token(home: Home) -> None:
    home.store.tell("revoke_token", token=home.store.tell("catalog")["access_token"])
    order = home.place()
    problem = _refused(home, "401")
    assert "401" in home.connection("last_error")["last_error"]
    home.odoo.call("dist.connection", "set_credentials", [home.channel.connection_id], credentials=_new_token(home))
    home.ships(order)
    home.until(lambda: not home.exceptions(("id", "=", problem["id"])), "the problem closes by itself")


def test_a_revoked_scope_of_orders(home: Home) -> None:
    _revoke(home, "read_orders")
    order = home.place()
    problem = _refused(home, "read_orders")
    _grant_and_test(home)
    home.ships(order)
    home.until(lambda: not home.exceptions(("id", "=", problem["id"])), "the problem closes by itself")


def test_a_revoked_scope_of_shipments(home: Home) -> None:
    scope = "write_merchant_managed_fulfillment_orders"
    _revoke(home, scope)
    order = home.place()
    domain = [("type", "=", "shipment.confirm.v1"), ("key", "=", order), ("outcome_code", "=", "credentials")]
    (event,) = home.until(
        lambda: home.rows("dist.outbox.event", domain, "state", "outcome_message", "attempts"),
        "the shipment waits for the permission",
    )
    assert scope in event["outcome_message"]
    assert (event["state"], event["attempts"]) == ("pending", 0)
    assert home.store_order(order)["status"] == "unfulfilled"
    _grant_and_test(home)
    home.ships(order)


@pytest.mark.parametrize("offset", [pytest.param(3600, id="ahead"), pytest.param(-200, id="behind")])
def test_a_store_with_a_wrong_clock(home: Home, offset: int) -> None:
    home.store.tell("clock", offset=offset)
    try:
        home.ships(home.place())
    finally:
        home.store.tell("clock", offset=0)


# -- helpers -----------------------------------------------------------------------------------------------------------


def _product(home: Home, sku: str) -> int:
    values = {"name": sku, "default_code": sku, "list_price": 10.0, "type": "consu", "is_storable": True}
    (product,) = home.odoo.call("product.product", "create", vals_list=[values])
    warehouse = next(iter(home.channel.warehouses.values()))
    (row,) = home.odoo.call("stock.warehouse", "read", [warehouse], fields=["lot_stock_id"])
    count = {"product_id": product, "location_id": row["lot_stock_id"][0], "inventory_quantity": 50}
    quants = home.odoo.call("stock.quant", "create", vals_list=[count], context={"inventory_mode": True})
    home.odoo.call("stock.quant", "action_apply_inventory", quants)
    return int(product)


def _refused(home: Home, words: str) -> dict[str, Any]:
    """Wait until the inbox tells that the store refuses to be asked for orders."""
    domain = [
        ("kind", "=", "pull.failed"),
        ("res_id", "=", home.schedule()["id"]),
        ("cause", "like", words),
    ]
    return home.until(lambda: home.exceptions(*domain), f"the inbox tells that the store says {words}")[0]


def _new_token(home: Home) -> dict[str, str]:
    client = home.store.tell("catalog")["client"]
    token = home.store.tell("grant_token", client_id=client["id"], client_secret=client["secret"])
    return {"access_token": token}


def _revoke(home: Home, scope: str) -> None:
    every = [
        "read_products", "read_inventory", "write_inventory", "read_locations", "read_orders", "write_orders",
        "read_merchant_managed_fulfillment_orders", "write_merchant_managed_fulfillment_orders",
    ]  # fmt: skip
    assert scope in every
    home.store.tell("scopes", scopes=[each for each in every if each != scope])


def _grant_and_test(home: Home) -> None:
    """Somebody gives the permission back in the store and presses Test in Odoo."""
    home.store.tell("scopes")
    home.odoo.call("dist.connection", "action_test_connection", [home.channel.connection_id])
