"""The demo's verdict: it agrees when both sides agree, and names every kind of difference."""

from dataclasses import replace
from decimal import Decimal

import pytest

from dist_dev.demo.compare import Line, OrderView, Side, differences

LINE = Line(Decimal(3), Decimal(3))
ORDER = OrderView(False, {"11": LINE}, ("1Z1",))
SIDE = Side({"1": ORDER}, {("SKU-1", "main"): Decimal(7)})


def with_order(**changes) -> Side:
    return replace(SIDE, orders={"1": replace(ORDER, **changes)})


def test_equal_sides_have_no_difference():
    assert differences(SIDE, SIDE) == []


def test_a_cancelled_order_needs_no_lines_to_agree():
    assert differences(with_order(cancelled=True, lines={}), with_order(cancelled=True)) == []


@pytest.mark.parametrize(
    ("odoo", "sentence"),
    [
        (replace(SIDE, orders={}), "order 1: in the store, not in Odoo"),
        (replace(SIDE, orders={"1": ORDER, "2": ORDER}), "order 2: in Odoo, not in the store"),
        (with_order(copies=2), "order 1: stands 2 times in Odoo"),
        (with_order(cancelled=True), "order 1: cancelled is False in the store and True in Odoo"),
        (with_order(lines={"11": Line(Decimal(4), Decimal(3))}), "order 1: line 11: 3 ordered in the store, 4 in Odoo"),
        (
            with_order(lines={"11": Line(Decimal(3), Decimal(2))}),
            "order 1: line 11: 3 fulfilled in the store, 2 delivered in Odoo",
        ),
        (with_order(tracking=("1Z1", "1Z2")), "order 1: tracking number 1Z2 never reached the store"),
        (
            replace(SIDE, stock={("SKU-1", "main"): Decimal(6)}),
            "stock of SKU-1 at main: the store offers 7, Odoo has 6",
        ),
        (replace(SIDE, stock={}), "stock of SKU-1 at main: the store offers 7, Odoo has None"),
    ],
)
def test_each_difference_is_named(odoo, sentence):
    assert differences(SIDE, odoo) == [sentence]


def test_a_tracking_number_confirmed_twice_is_a_difference():
    twice = with_order(tracking=("1Z1", "1Z1"))
    assert differences(twice, SIDE) == ["order 1: tracking number 1Z1 was confirmed 2 times"]


def test_a_tracking_number_nobody_shipped_is_a_difference():
    assert differences(with_order(tracking=("1Z1", "1Z9")), SIDE) == ["order 1: tracking number 1Z9 is unknown in Odoo"]
