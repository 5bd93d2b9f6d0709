"""What a contract takes and refuses, in Python and from JSON."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError
from samples import NOON, availability, envelope, line, money, order, shipment

from dist_contracts import (
    MAX_PAYLOAD_BYTES,
    Discount,
    Hold,
    HoldReason,
    ListingRef,
    Manifest,
    Money,
    Order,
    Outcome,
    Package,
    PackageLine,
    RateLimit,
    ShippingLine,
    Verdict,
    explain,
)


def refused(build: Any, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        build(*args, **kwargs)
    return explain(caught.value)


@pytest.mark.parametrize("value", [1.5, 1, True, "1", None, Decimal("NaN"), Decimal("Infinity")])
def test_python_takes_decimals_only(value: Any) -> None:
    assert "amount" in refused(Money, amount=value, currency="USD")


@pytest.mark.parametrize(
    "written", ["1.5", "true", "null", '"1_000"', '" 1"', '"1e3"', '"٣"', '"NaN"', "NaN", '""', '"."']
)
def test_json_takes_plain_decimals_only(written: str) -> None:
    assert "amount" in refused(Money.read, f'{{"amount": {written}, "currency": "USD"}}')


@pytest.mark.parametrize(
    ("written", "value"), [('"12.50"', "12.50"), ('"-3"', "-3"), ("7", "7"), ('"0.000001"', "0.000001")]
)
def test_json_decimals_keep_their_digits(written: str, value: str) -> None:
    money_read, _ = Money.read(f'{{"amount": {written}, "currency": "USD"}}')
    assert money_read.to_json()["amount"] == value


@pytest.mark.parametrize(("value", "written"), [(Decimal("1E+3"), "1000"), (Decimal("-0.00"), "0.00")])
def test_decimals_are_written_plainly(value: Decimal, written: str) -> None:
    assert Money(amount=value, currency="USD").to_json()["amount"] == written


@pytest.mark.parametrize("value", ["0.0000001", "123456789012345", "1" * 39])
def test_decimals_are_bounded(value: str) -> None:
    assert "amount" in refused(Money, amount=Decimal(value), currency="USD")


def test_naive_moment_is_refused() -> None:
    assert "timezone" in refused(Hold, reason=HoldReason.FRAUD, until=datetime(2026, 1, 1))


@pytest.mark.parametrize(
    "written",
    [
        '"2026-01-01T00:00:00"',
        '"2026-01-01"',
        '"1767225600"',
        "1767225600",
        '"2026-13-01T00:00:00Z"',
        '"0001-01-01T00:00:00+14:00"',
    ],
)
def test_json_takes_moments_with_offset_only(written: str) -> None:
    assert "until" in refused(Hold.read, f'{{"reason": "fraud", "until": {written}}}')


@pytest.mark.parametrize(
    "written",
    ["2026-01-31T14:00:00+02:00", "2026-01-31 12:00:00+00:00", "2026-01-31T12:00Z", "2026-01-31T12:00:00.000Z"],
)
def test_moments_become_utc(written: str) -> None:
    hold, _ = Hold.read({"reason": "fraud", "until": written})
    assert hold.until == NOON
    assert hold.until is not None
    assert hold.until.utcoffset() == timedelta(0)
    assert hold.to_json()["until"] == "2026-01-31T12:00:00Z"


def test_moments_become_utc_in_python() -> None:
    there = datetime(2026, 1, 31, 14, 0, tzinfo=timezone(timedelta(hours=2)))
    assert order(placed_at=there).placed_at.tzinfo is timezone.utc


def test_contracts_are_immutable() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        order().number = "#2"


def test_unknown_enum_names_the_field() -> None:
    tree = order().to_json() | {"payment_status": "layaway"}
    assert refused(Order.read, tree).startswith("payment_status: Input should be 'pending', 'authorized'")


def test_missing_field_is_named() -> None:
    tree = order().to_json()
    del tree["lines"][1]["unit_price"]
    assert refused(Order.read, tree) == "lines.1.unit_price: Field required"


@pytest.mark.parametrize("text", ["<html>busy</html>", "", "[]", "null", '"order"', "{"])
def test_what_is_no_object_is_refused(text: str) -> None:
    assert "Order" in refused(Order.read, text)


def test_listing_needs_an_identifier() -> None:
    assert "at least one of product_id" in refused(ListingRef, title="Desk")
    for field in ("product_id", "variant_id", "inventory_id", "sku", "barcode"):
        assert getattr(ListingRef(**{field: "x"}), field) == "x"


def test_negative_price_names_the_line() -> None:
    assert refused(line, "L7", unit_price=money("-1.00")) == "OrderLine: line L7: unit_price is negative (-1.00 USD)"
    tree = order().to_json()
    tree["lines"][1]["unit_price"]["shop"]["amount"] = "-1.00"
    assert refused(Order.read, tree) == "lines.1: line L2: unit_price is negative (-1.00 USD)"


def test_negative_price_hides_in_no_other_currency() -> None:
    assert "unit_price is negative (-9 EUR)" in refused(line, unit_price=money("10", shown="-9"))


def test_negative_charges_and_quantities_are_refused() -> None:
    assert "price is negative" in refused(ShippingLine, title="Express", price=money("-1"))
    assert "amount is negative" in refused(Discount, title="Sale", amount=money("-1"))
    assert "quantity" in refused(line, quantity=Decimal(-1))
    assert "ordered_quantity" in refused(line, ordered_quantity=Decimal(0))
    assert "quantity" in refused(availability, quantity=Decimal(-1))
    assert "quantity" in refused(PackageLine, line_id="L1", quantity=Decimal(0))


def test_a_removed_line_has_quantity_zero() -> None:
    assert line(quantity=Decimal(0)).quantity == 0


def test_lines_are_distinct() -> None:
    assert refused(order, lines=(line("L1"), line("L2"), line("L1"))) == "Order: line L1 stands twice in the order"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"lines": (line("L1", unit_price=money("1", "EUR")),)}, "lines[L1].unit_price is in EUR, the order in USD"),
        (
            {"lines": (line("L1", discounts=(Discount(title="S", amount=money("1", "EUR")),)),)},
            "lines[L1].discounts[0].amount is in EUR, the order in USD",
        ),
        ({"shipping": (ShippingLine(title="Post", price=money("1", "EUR")),)}, "shipping[0].price is in EUR"),
        ({"currency": "EUR"}, "lines[L1].unit_price is in USD, the order in EUR"),
        ({"lines": (line("L1", unit_price=money("1", shown="2")),)}, "was shown in EUR, the order in USD"),
    ],
)
def test_an_order_has_one_currency(changes: dict[str, Any], path: str) -> None:
    assert path in refused(order, **changes)


def test_an_order_may_be_shown_in_a_second_currency() -> None:
    shown = line("L1", unit_price=money("1", shown="2"))
    assert order(lines=(shown,), presentment_currency="EUR").lines == (shown,)


def test_packages_are_distinct_and_filled() -> None:
    package = shipment().packages[0]
    assert refused(shipment, packages=(package, package)) == "Shipment: the package reference 'PACK1' is used twice"
    assert "packages" in refused(shipment, packages=())
    assert "lines" in refused(Package, reference="PACK1", lines=())


@pytest.mark.parametrize(
    "sscc", ["12345678901234567", "1234567890123456789", "١٢٣٤٥٦٧٨٩٠١٢٣٤٥٦٧٨", "12345678901234567x"]
)
def test_sscc_has_18_digits(sscc: str) -> None:
    assert "sscc" in refused(Package, reference="P", lines=shipment().packages[0].lines, sscc=sscc)


def test_nul_is_refused_in_identifiers_and_dropped_from_text() -> None:
    assert "U+0000" in refused(ListingRef, sku="A\x00B")
    assert ListingRef(sku="AB", title="De\x00sk").title == "Desk"
    assert envelope(payload={"a\x00": ["b\x00", {"c": "\\u0000"}]}).payload == {"a": ["b", {"c": "\\u0000"}]}


def test_text_is_bounded_and_diagnostics_are_clipped() -> None:
    assert "title" in refused(line, title="x" * 4_001)
    assert len(order(note="x" * 20_000).note or "") == 20_000
    assert "note" in refused(order, note="x" * 20_001)
    message = Outcome(event_id=envelope().event_id, verdict=Verdict.BROKEN, message="<html>" * 10_000).message
    assert message is not None
    assert len(message) == 4_000
    assert message.endswith("…")


def test_lines_are_bounded() -> None:
    assert "lines" in refused(order, lines=tuple(line(f"L{i}") for i in range(1_001)))


def test_payload_is_bounded() -> None:
    limit = MAX_PAYLOAD_BYTES - len('{"a":""}')
    assert envelope(payload={"a": "x" * limit}).payload["a"]
    assert f"at most {MAX_PAYLOAD_BYTES} are taken" in refused(envelope, payload={"a": "x" * (limit + 1)})


def test_largest_sensible_order_fits_an_envelope() -> None:
    many = tuple(line(f"gid://shop/LineItem/{i}", title="x" * 200) for i in range(1_000))
    assert envelope(payload=order(lines=many).to_json()).payload["number"] == "#1001"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), "\ud800"])
def test_payload_is_json_postgresql_can_store(value: object) -> None:
    assert "payload" in refused(envelope, payload={"a": value})


def test_payload_becomes_json_types() -> None:
    assert envelope(payload={"a": Decimal("1.50"), "b": NOON, "c": (1,)}).payload == {
        "a": "1.50",
        "b": "2026-01-31T12:00:00Z",
        "c": [1],
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("type", "order received"),
        ("type", "order.received"),
        ("priority", 10),
        ("priority", -1),
        ("attempt", 0),
        ("version", 0),
        ("correlation_id", "0123"),
        ("connection", ""),
        ("key", "k" * 256),
    ],
)
def test_envelope_is_bounded(field: str, value: object) -> None:
    assert field in refused(envelope, **{field: value})


def test_manifest_is_consistent() -> None:
    fields = {
        "code": "fake",
        "label": "Fake",
        "kind": "channel",
        "version": "1",
        "capabilities": ["orders.pull"],
        "settings_schema": {},
        "credentials_schema": {},
    }
    assert Manifest.from_json(fields).code == "fake"
    assert "named twice" in refused(Manifest.from_json, fields | {"capabilities": ["orders.pull", "orders.pull"]})
    assert "batch" in refused(Manifest.from_json, fields | {"batch": {"availability.changed.v1": 0}})
    assert "code" in refused(Manifest.from_json, fields | {"code": "Fake Shop"})
    assert "rate" in refused(RateLimit, operation="any", rate=float("inf"), burst=1.0)


def test_explain_repeats_no_values() -> None:
    tree = order().to_json() | {"buyer": {"email": 7, "phone": ["+1 555 0100"]}}
    text = refused(Order.read, json.dumps(tree))
    assert text == "buyer.email: Input should be a valid string; buyer.phone: Input should be a valid string"


def test_explain_is_bounded() -> None:
    with pytest.raises(ValidationError) as caught:
        Order()  # type: ignore[call-arg]
    assert explain(caught.value, limit=2) == "external_id: Field required; number: Field required; and 7 more"
