"""Reading from a newer other side, and writing what can be read back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError
from samples import availability, envelope, line, order, shipment

from dist_contracts import EVENTS, Availability, Envelope, Kind, Money, Order, Shipment


def test_known_fields_only_reports_nothing() -> None:
    read, unknown = Order.read(order().to_json())
    assert (read, unknown) == (order(), ())


def test_unknown_fields_are_set_aside_and_reported() -> None:
    tree: dict[str, Any] = order(lines=tuple(line(f"L{i}") for i in range(4))).to_json()
    tree["loyalty"] = {"points": 3}
    tree["totals"]["tip"] = {"amount": "1"}
    for index in (0, 1, 3):
        tree["lines"][index]["colour"] = "red"
        tree["lines"][index]["listing"]["asin"] = "B0"
    tree["lines"][1]["size"] = "XL"
    before = json.dumps(tree)

    read, unknown = Order.read(tree)

    assert [each.external_id for each in read.lines] == ["L0", "L1", "L2", "L3"]
    assert set(unknown) == {
        "loyalty",
        "totals.tip",
        "lines.0.colour",
        "lines.0.listing.asin",
        "lines.1.colour",
        "lines.1.size",
        "lines.1.listing.asin",
        "lines.3.colour",
        "lines.3.listing.asin",
    }
    assert json.dumps(tree) == before, "the caller's data is not changed"


def test_text_and_bytes_are_read_like_trees() -> None:
    tree = shipment().to_json() | {"carbon": 1}
    for data in (tree, json.dumps(tree), json.dumps(tree).encode()):
        assert Shipment.read(data) == (shipment(), ("carbon",))


def test_a_wrong_known_field_is_an_error_even_beside_unknown_ones() -> None:
    tree = order().to_json() | {"loyalty": 1, "currency": "usd"}
    with pytest.raises(ValidationError) as caught:
        Order.read(tree)
    assert [error["loc"] for error in caught.value.errors()] == [("currency",)]


def test_what_we_produce_refuses_unknown_fields() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        Money(amount=order().totals.total.shop.amount, currency="USD", cents=1)  # type: ignore[call-arg]
    with pytest.raises(ValidationError, match="Extra inputs"):
        Order.from_json(order().to_json() | {"loyalty": 1})


@pytest.mark.parametrize(
    "whole", [order(), shipment(), availability(), envelope()], ids=lambda each: type(each).__name__
)
def test_json_comes_back_the_same(whole: Order | Shipment | Availability | Envelope) -> None:
    assert type(whole).from_json(whole.to_json()) == whole
    assert type(whole).from_json(json.dumps(whole.to_json())) == whole


def test_json_leaves_out_what_is_not_set() -> None:
    assert "note" not in order().to_json()
    assert envelope(payload={"cursor": None}).to_json()["payload"] == {"cursor": None}


def test_money_is_readable() -> None:
    assert f"{order().totals.total.shop}" == "50.00 USD"


def test_the_catalogue_names_a_model_with_version_for_each_type() -> None:
    for name, spec in EVENTS.items():
        assert envelope(type=name).type == name
        if spec.kind is Kind.STATE and spec.direction.value == "out":
            assert "version" in spec.payload.model_fields, f"{name} is a state event: the engine stamps its version"
