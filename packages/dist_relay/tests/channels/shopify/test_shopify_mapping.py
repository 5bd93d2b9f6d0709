"""The mapping is exact, complete, and refuses by name what it does not know."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dist_contracts import HoldReason, MoneyPair, Order, OrderStatus, PaymentStatus
from dist_relay.channels.shopify.mapping import to_order
from dist_relay.channels.shopify.reading import Unmappable

Raw = Callable[..., dict[str, Any]]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def money(amount: str, currency: str = "USD", shown: str | None = None, shown_currency: str | None = None) -> Any:
    return {
        "shopMoney": {"amount": amount, "currencyCode": currency},
        "presentmentMoney": {"amount": shown or amount, "currencyCode": shown_currency or currency},
    }


def test_every_order_of_the_store_adds_up(raw_orders: list[dict[str, Any]]) -> None:
    for tree in raw_orders:
        order = to_order(tree)
        totals = order.totals
        parts = [*order.lines, *order.shipping]
        assert shop(totals.tax) == sum(shop(t.amount) for part in parts for t in part.taxes)
        assert shop(totals.discount) == sum(shop(d.amount) for part in parts for d in part.discounts)
        assert shop(totals.lines) == sum(shop(line.unit_price) * line.quantity for line in order.lines)
        tax = Decimal(0) if order.taxes_included else shop(totals.tax)
        assert shop(totals.total) == shop(totals.lines) - shop(totals.discount) + shop(totals.shipping) + tax
        assert Order.from_json(order.to_json()) == order


def test_the_sample_is_worth_testing_with(raw_orders: list[dict[str, Any]]) -> None:
    orders = [to_order(tree) for tree in raw_orders]
    assert {o.status for o in orders} >= {OrderStatus.OPEN, OrderStatus.CANCELLED}
    assert any(line.quantity < line.ordered_quantity for o in orders for line in o.lines)
    assert any(line.discounts for o in orders for line in o.lines)
    assert any(tax.marketplace_facilitated for o in orders for line in o.lines for tax in line.taxes)
    assert any(o.presentment_currency != o.currency for o in orders)
    assert any(o.taxes_included for o in orders)


def test_ids_are_the_numbers_of_the_links(raw: Raw) -> None:
    order = to_order(raw(id="gid://shopify/Order/450789469"))
    assert order.external_id == "450789469"
    assert all(line.external_id.isdecimal() and line.listing.inventory_id for line in order.lines)


def test_two_currencies_stay_a_pair(raw: Raw) -> None:
    tree = raw(presentmentCurrencyCode="EUR")
    for node in _money_bags(tree):
        node["presentmentMoney"] = {**node["presentmentMoney"], "currencyCode": "EUR"}
    order = to_order(tree)
    assert (order.currency, order.presentment_currency) == ("USD", "EUR")
    assert order.totals.total.presentment
    assert order.totals.total.presentment.currency == "EUR"
    assert order.totals.shipping.presentment


def test_a_line_in_a_wrong_currency_is_refused(raw: Raw) -> None:
    with pytest.raises(Unmappable, match="is in JPY, the order in USD"):
        to_order(raw(lineItems__nodes__0__originalUnitPriceSet=money("5", "JPY")))


def test_an_edited_line_keeps_its_share_of_discount_and_tax(raw: Raw) -> None:
    tree = raw()
    allocation = {
        "allocatedAmountSet": money("10.00"),
        "discountApplication": {"__typename": "DiscountCodeApplication", "index": 0, "code": "TEN"},
    }
    tax = {"title": "Tax", "rate": "0.1", "channelLiable": True, "priceSet": money("3.00")}
    line = {"quantity": 3, "currentQuantity": 1, "discountAllocations": [allocation], "taxLines": [tax]}
    tree["lineItems"]["nodes"][0].update(line)
    found = to_order(tree).lines[0]
    assert (found.quantity, found.ordered_quantity) == (1, 3)
    assert [(d.code, shop(d.amount)) for d in found.discounts] == [("TEN", Decimal("3.33"))]
    assert [(t.rate, shop(t.amount), t.marketplace_facilitated) for t in found.taxes] == [
        (Decimal("0.1"), Decimal("1.00"), True)
    ]


def test_tips_duties_and_fees_are_charges(raw: Raw) -> None:
    fee = {"id": "gid://shopify/AdditionalFee/5", "name": "Cash on delivery", "price": money("2.50"), "taxLines": []}
    tree = raw(totalTipReceivedSet=money("3.00"), currentTotalDutiesSet=money("7.00"), additionalFees=[fee])
    extra = {line.code: shop(line.price) for line in to_order(tree).shipping}
    assert extra == extra | {"tip": Decimal("3.00"), "duties": Decimal("7.00"), "fee": Decimal("2.50")}


def test_holds_come_from_fulfillment_orders(raw: Raw) -> None:
    tree = raw()
    held = {"status": "ON_HOLD", "fulfillmentHolds": [{"reason": "INCORRECT_ADDRESS", "reasonNotes": "no number"}]}
    tree["fulfillmentOrders"]["nodes"][0].update(held)
    (hold,) = to_order(tree).holds
    assert (hold.reason, hold.note) == (HoldReason.ADDRESS, "no number")


def test_a_gift_card_is_not_shipped(raw: Raw) -> None:
    assert not to_order(raw(lineItems__nodes__0__isGiftCard=True)).lines[0].requires_shipping


def test_a_line_without_product_goes_by_its_title(raw: Raw) -> None:
    order = to_order(raw(lineItems__nodes__0__variant=None, lineItems__nodes__0__sku=None))
    assert order.lines[0].listing.sku == f"custom:{order.lines[0].title}"


def test_an_order_without_address_or_buyer_is_an_order(raw: Raw) -> None:
    order = to_order(raw(shippingAddress=None, billingAddress=None, customer=None, email=None, phone=None))
    assert order.ship_to is None
    assert order.bill_to is None
    assert order.buyer is None


@pytest.mark.parametrize("name", [status.name for status in PaymentStatus])
def test_every_payment_status_has_a_meaning(raw: Raw, name: str) -> None:
    assert to_order(raw(displayFinancialStatus=name)).payment_status.name == name


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"displayFinancialStatus": "NEW_THING"}, r"displayFinancialStatus: unknown value 'NEW_THING'"),
        ({"displayFinancialStatus": None}, r"displayFinancialStatus: is missing"),
        ({"updatedAt": "yesterday"}, r"updatedAt: should be a moment"),
        ({"updatedAt": "2026-01-01T00:00:00"}, r"updatedAt: should be a moment"),
        ({"name": 7}, r"name: should be text, is a whole number"),
        ({"closed": "no"}, r"closed: should be true or false"),
        ({"lineItems": []}, r"lineItems: should be an object"),
        ({"currencyCode": "dollars"}, r"currency"),
        ({"currentTotalPriceSet": money("1e99")}, r"currentTotalPriceSet.shopMoney.amount: should be a decimal"),
        ({"lineItems__nodes__0__quantity": -1}, r"nodes\[0\]\.quantity: is negative"),
        ({"lineItems__nodes__0__quantity": 1.5}, r"nodes\[0\]\.quantity: should be a whole number"),
        ({"lineItems__nodes__0__originalUnitPriceSet": money("-4.00")}, r"unit_price is negative"),
        ({"fulfillmentOrders__nodes__0__status": "EXPLODED"}, r"status: unknown value 'EXPLODED'"),
        ({"note": "x" * 5_000_000}, r"note"),
    ],
)
def test_what_is_wrong_is_named(raw: Raw, change: dict[str, Any], said: str) -> None:
    with pytest.raises(Unmappable, match=said) as raised:
        to_order(raw(**change))
    assert len(str(raised.value)) < 1_000


@pytest.mark.parametrize("junk", [None, [], "order", 7, {}])
def test_junk_is_no_order(junk: Any) -> None:
    with pytest.raises(Unmappable, match="order"):
        to_order(junk)


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_no_damage_is_a_crash(raw_orders: list[dict[str, Any]], data: st.DataObject) -> None:
    """Whatever stands in a field: an order comes out, or a reason."""
    tree = copy.deepcopy(data.draw(st.sampled_from(raw_orders[:8])))
    places = list(_places(tree))
    holder, name = places[data.draw(st.integers(0, len(places) - 1))]
    holder[name] = data.draw(JSON)
    with suppress(Unmappable):
        order = to_order(tree)
        assert Order.from_json(order.to_json()) == order


def shop(pair: MoneyPair) -> Decimal:
    return pair.shop.amount


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    for name, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield tree, name
        if isinstance(value, dict | list):
            yield from _places(value)


def _money_bags(tree: Any) -> Iterator[dict[str, Any]]:
    for holder, name in list(_places(tree)):
        if isinstance(holder[name], dict) and "presentmentMoney" in holder[name]:
            yield holder[name]
