"""Ids are stored on both sides: their values are part of the contract."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from samples import DATABASE, NOON, TRACEPARENT

from dist_contracts import Verdict, event_id, new_traceparent, trace_id

GOLDEN: dict[tuple[object, ...], str] = {
    ("order.received.v1", "5001", "2026-01-31T12:00:00Z"): "887c1d5d-0ac4-534f-810c-52044fa15acf",
    ("order.received.v1", "#1001 ü", "2026-01-31T12:00:00Z", "9f86d081"): "f1ca6c1f-177c-5448-97bf-28f16b98965b",
    ("shipment.confirm.v1", "stock.picking", 42): "bd8d1521-9550-5eae-a22d-f4eea29fb5aa",
    ("connection.check.v1",): "ba047ebd-76f9-5858-9a51-193c5e370de8",
    ("order.received.v1", NOON): "0aeb956e-2900-5873-bc38-d84178559c67",
    ("order.received.v1", Decimal("12.50")): "ba8afe86-0c2c-5e8e-b780-b9d4fc3e99bf",
    ("order.received.v1", "a\x1fb"): "dd38a87e-a421-5a84-bdd3-e2af59c2cf41",
}


@pytest.mark.parametrize("fact", GOLDEN, ids=repr)
def test_event_id_never_changes(fact: tuple[object, ...]) -> None:
    type_, *parts = fact
    assert str(event_id(DATABASE, "shop", str(type_), *parts)) == GOLDEN[fact]


def test_event_id_is_the_same_for_the_same_fact() -> None:
    there = NOON.astimezone(timezone(timedelta(hours=2)))
    assert event_id(DATABASE, "shop", "t", NOON) == event_id(DATABASE, "shop", "t", there)
    assert event_id(UUID(DATABASE), "shop", "t") == event_id(DATABASE.upper(), "shop", "t")
    assert event_id(DATABASE, "shop", "t", Verdict.RETRY) == event_id(DATABASE, "shop", "t", "retry")


def test_event_id_differs_where_the_fact_does() -> None:
    facts = [
        (DATABASE, "shop", "t", "a", "b"),
        (DATABASE, "shop", "t", "ab"),
        (DATABASE, "shop", "t", "a\x1fb"),
        (DATABASE, "shop", "t", "a\x1b", "b"),
        (DATABASE, "shop", "t", "a", "\x1bb"),
        (DATABASE, "shop", "t", "a", "b", ""),
        (DATABASE, "shop", "t\x1fa", "b"),
        (DATABASE, "shop2", "t", "a", "b"),
        ("0b7c5f3e-8a0e-4f7c-9a51-0d3f0c2a6b12", "shop", "t", "a", "b"),
    ]
    assert len({event_id(*fact) for fact in facts}) == len(facts)


@pytest.mark.parametrize("part", [1.5, datetime(2026, 1, 1), {"a": 1}, ["a"], b"a"], ids=repr)
def test_event_id_refuses_parts_without_stable_text(part: object) -> None:
    with pytest.raises(TypeError):
        event_id(DATABASE, "shop", "t", part)


def test_new_traceparent_follows_the_standard() -> None:
    first, second = new_traceparent(), new_traceparent()
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", first)
    assert trace_id(first) != trace_id(second)


def test_a_new_span_stays_in_its_journey() -> None:
    span = new_traceparent(trace_id(TRACEPARENT))
    assert trace_id(span) == trace_id(TRACEPARENT)
    assert span != TRACEPARENT


@pytest.mark.parametrize(
    "text", ["", "0123", "ab" * 16, f"{TRACEPARENT}\n", TRACEPARENT.upper(), "01" + TRACEPARENT[2:]]
)
def test_what_is_no_traceparent_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="traceparent"):
        trace_id(text)


@pytest.mark.parametrize("text", ["", "AB" * 16, "ab" * 15, "xy" * 16])
def test_what_is_no_trace_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="trace id"):
        new_traceparent(text)
