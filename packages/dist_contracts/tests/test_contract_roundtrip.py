"""Whatever a channel may say in valid terms survives the wire, and its JSON satisfies the published schema."""

from __future__ import annotations

import json
from datetime import timedelta, timezone
from decimal import Decimal

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samples import availability, line, money, order, shipment

from dist_contracts import Availability, Contract, Order, Shipment
from dist_contracts.schema import schema_of

offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(timezones=offsets)
positive = st.decimals(min_value=Decimal("0.000001"), max_value=Decimal("99999999999999"), places=6)
signed = st.decimals(min_value=Decimal("-99999999999999"), max_value=Decimal("99999999999999"), places=6)
text = st.text(st.characters(codec="utf-8"), max_size=40)
ref = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=40)

lines = st.builds(
    lambda external_id, title, quantity, price, shown: line(
        external_id,
        title=title,
        quantity=quantity,
        ordered_quantity=quantity,
        unit_price=money(str(price), shown=str(shown)),
    ),
    ref,
    text,
    positive,
    positive,
    positive,
)
orders = st.builds(
    lambda **fields: order(presentment_currency="EUR", **fields),
    external_id=ref,
    number=ref,
    note=st.none() | text,
    placed_at=moments,
    updated_at=moments,
    requested_ship_by=st.none() | moments,
    tags=st.lists(text, max_size=3).map(tuple),
    lines=st.lists(lines, max_size=4, unique_by=lambda each: each.external_id).map(tuple),
)
shipments = st.builds(shipment, order_id=ref, reference=ref, shipped_at=moments, location_id=st.none() | ref)
availabilities = st.builds(
    availability,
    location_id=ref,
    quantity=positive,
    version=st.integers(1, 2**53),
    as_of=moments,
    explanation=st.dictionaries(text, signed, max_size=3),
)


def _in_range(whole: Contract) -> None:
    data = whole.to_json()
    assert type(whole).from_json(json.dumps(data)) == whole
    assert type(whole).read(data) == (whole, ())


@pytest.mark.parametrize(
    ("name", "cases"),
    [("order.received.v1", orders), ("shipment.confirm.v1", shipments), ("availability.changed.v1", availabilities)],
)
def test_round_trip(name: str, cases: st.SearchStrategy[Order | Shipment | Availability]) -> None:
    validator = jsonschema.Draft202012Validator(schema_of(name))

    @settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
    @given(cases)
    def run(whole: Order | Shipment | Availability) -> None:
        _in_range(whole)
        validator.validate(whole.to_json())

    run()
