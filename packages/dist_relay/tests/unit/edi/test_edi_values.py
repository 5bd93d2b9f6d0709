"""Numbers and dates as EDI writes them."""

from __future__ import annotations

import doctest
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dist_relay.edi import values


def test_the_examples_hold():
    failed, tried = doctest.testmod(values)
    assert tried
    assert not failed


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15))
def test_numbers_have_no_exponent_and_lose_nothing(number):
    text = values.decimal_text(number)
    assert set(text) <= set("-.0123456789")
    assert Decimal(text) == number
    assert text == "0" or "." not in text or not text.endswith("0")


@given(st.integers(-(10**12), 10**12), st.integers(0, 9))
def test_implied_decimals_go_both_ways(number, places):
    assert values.implied_text(Decimal(number).scaleb(-places), places) == str(number)
    assert values.implied_decimal(str(number), places) == Decimal(number).scaleb(-places)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: values.decimal_text(Decimal("NaN")),
        lambda: values.decimal_text(Decimal("1.005"), 2),
        lambda: values.implied_text(Decimal("1.005"), 2),
        lambda: values.implied_text(Decimal("Infinity"), 2),
        lambda: values.implied_decimal("1.5", 2),
        lambda: values.implied_decimal("", 2),
        lambda: values.date_text(date(2026, 3, 1), "203"),
        lambda: values.date_text(date(2026, 3, 1), "999"),
        lambda: values.date_text(date(926, 3, 1)),
    ],
)
def test_nothing_is_rounded_or_guessed(wrong):
    with pytest.raises(ValueError, match=r"."):
        wrong()


def test_dates_and_times():
    at = datetime(2026, 3, 1, 9, 5, 7)
    assert values.date_text(at, "203") == "202603010905"
    assert values.date_text(at, "101") == "260301"
    assert (values.time_text(at), values.time_text(at, seconds=True)) == ("0905", "090507")


def test_what_a_segment_takes():
    assert [values.plain(each) for each in ("x", 5, Decimal("1.50"), date(2026, 3, 1))] == ["x", "5", "1.5", "20260301"]
    for wrong in (1.5, True, datetime(2026, 3, 1), b"x"):
        with pytest.raises(TypeError):
            values.plain(wrong)
