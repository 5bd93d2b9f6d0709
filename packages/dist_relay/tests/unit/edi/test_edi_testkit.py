"""The documents of the testkit are what they promise to be: valid, of the size asked for, the same each time."""

from __future__ import annotations

import doctest
from collections.abc import Callable, Iterator

import pytest

from dist_relay.edi import reader
from dist_relay.testkit.edi import edifact, numbers, x12

MAKERS: dict[str, Callable[[int], Iterator[bytes]]] = {
    "856": x12.ship_notices,
    "856, one set": lambda size: x12.ship_notices(size, one_set=True),
    "850": x12.purchase_orders,
    "DESADV": edifact.despatch_advices,
}


def test_examples_hold() -> None:
    assert doctest.testmod(numbers).failed == 0


@pytest.mark.parametrize("what", MAKERS)
def test_nothing_is_wrong_with_them(what: str) -> None:
    data = b"".join(MAKERS[what](60_000))
    (interchange,) = [each.drain() for each in reader.read(data)]
    assert [each.message for each in interchange.findings] == []
    for message in next(reader.read(data)).messages():
        assert [each.message for each in message.findings] == []
        assert message.type in what
        assert message.version in ("4010", "96A")


@pytest.mark.parametrize("what", MAKERS)
@pytest.mark.parametrize("size", [1, 60_000, 500_000])
def test_they_have_the_size_asked_for_and_are_the_same_each_time(what: str, size: int) -> None:
    data = b"".join(MAKERS[what](size))
    assert data == b"".join(MAKERS[what](size))
    # the last message is whole, and there is one at least
    assert size - 500 <= len(data) < size + 60_000


def test_the_small_order_has_43_segments() -> None:
    (message,) = next(reader.read(x12.small_order())).messages()
    assert message.segment_count == 43
    assert message.findings == []


def test_no_logistic_unit_is_there_twice() -> None:
    data = b"".join(x12.ship_notices(200_000)).decode()
    units = [segment.split("*")[2] for segment in data.split("~\n") if segment.startswith("MAN*GM")]
    assert len(units) == len(set(units)) > 500
    assert all(numbers.check_digit(unit[2:-1]) == unit[-1] for unit in units)
