"""What makes thousands of quick calls a second cheap, and that it changes nothing of what is told."""

from __future__ import annotations

import json

import pytest

from dist_contracts import Envelope
from dist_relay.errors import delivered
from dist_relay.runtime.events import _safe_item, _text
from dist_relay.runtime.flows import ROUTES, together
from dist_relay.runtime.lane import dump


def test_calls_of_one_route_are_made_together_as_long_as_they_are_quick():
    ship, push, check = (
        ROUTES[name] for name in ("shipment.confirm.v1", "availability.changed.v1", "connection.check.v1")
    )
    found = [
        (ship, [1]),
        (ship, [2]),
        (ship, [3]),
        (push, [4, 5]),
        (push, [6]),
        (check, [7]),
        (check, [8]),
        (None, [9]),
    ]
    assert list(together(found, lambda: 2)) == [
        (ship, [[1], [2]]),
        (ship, [[3]]),
        (push, [[4, 5]]),
        (push, [[6]]),
        (check, [[7]]),
        (check, [[8]]),
        (None, [[9]]),
    ]
    assert [len(calls) for _, calls in together(found, lambda: 1)] == [1] * 8


@pytest.mark.parametrize(
    "data", [{}, {"a": "ü\u2028"}, {"a": "x\x00y"}, {"a": "\ud800"}, {"n": 1.5, "t": [None, True]}]
)
def test_an_outcome_is_told_in_one_way_however_it_is_written(data):
    event = Envelope.from_json(
        {
            "event_id": "019e9af0-faed-529c-baf3-8e2174bdc750",
            "type": "shipment.confirm.v1",
            "database": "019e9af0-faed-529c-baf3-8e2174bdc750",
            "connection": "shop",
            "key": "1001",
            "occurred_at": "2026-01-01T00:00:00Z",
            "correlation_id": "00-eecb85243f7ffcc5c95ba60d4b3160e5-353550a93ce812f5-01",
            "payload": {},
        }
    )
    outcome = delivered(event).model_copy(update={"data": data})
    text = _text(outcome, event)
    assert json.loads(text) == json.loads(dump(_safe_item(outcome, event)))
    assert "\\u0000" not in text
    assert text.encode()
