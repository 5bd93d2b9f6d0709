"""What the metrics of a connection show, and under which name."""

from __future__ import annotations

import threading

import pytest
from prometheus_client import REGISTRY

from dist_contracts import Verdict
from dist_relay import metrics
from dist_relay.pump.pump import Pump
from dist_relay.runtime.breaker import Breaker
from dist_relay.runtime.keys import Keys
from dist_relay.settings import Settings
from dist_relay.testkit.waiting import until

pytestmark = pytest.mark.integration

SHIP = "shipment.confirm.v1"


def shown(gauge, name, **labels):
    return REGISTRY.get_sample_value(gauge, {"connection": name, **labels})


def test_the_length_of_both_streams_is_told_though_nothing_is_published(client, pg):
    pg.connect("lag", name="Lagging")
    for _ in range(3):
        client.xadd(Keys(pg.database, "lag").results, {"i": "{}"})
    client.xadd(Keys(pg.database, "lag").out, {"e": "{}"})
    pump = Pump(client, lambda _name: pg, Settings(), [], None, threading.Event())
    pump._config_turn()
    told = {label: metrics.STREAM_LENGTH.labels("Lagging", label)._value.get() for label in ("out", "results")}
    assert told == {"out": 1, "results": 3}


def test_what_alerts_count_is_there_before_it_is_counted(relay, pg):
    """``increase()`` of a series that is born with 1 is 0: the first of each connection would alert nobody."""
    pg.connect("fresh", name="Fresh")
    service = relay()
    until(lambda: len(service.worker.lanes()) == 4)
    for name in ("dist_dead_letters_total", "dist_quarantined_total"):
        until(lambda name=name: REGISTRY.get_sample_value(name, {"connection": "Fresh"}) == 0)


def test_what_is_given_up_is_counted_by_connection(relay, pg, world, client):
    """Refused for good, out of attempts, unreadable; what was delivered or only rejected is none."""
    pg.connect("shop", name="Counting")
    world.faults({"op": "confirm", "do": "broken", "times": 1})
    pg.emit("shop", SHIP, "A1")
    counter = metrics.DEAD_LETTERS.labels("Counting")._value
    relay()
    until(lambda: counter.get() == 1)
    world.faults({"op": "confirm", "do": "retry", "times": 1})
    pg.emit("shop", SHIP, "A2", max_attempts=1)
    until(lambda: counter.get() == 2)
    pg.emit("shop", SHIP, "A3")
    until(lambda: pg.open_rows() == 0)
    client.xadd(Keys(pg.database, "shop").results, {"i": "no JSON"})
    until(lambda: counter.get() == 3)
    assert sorted(row.state for row in pg.rows()) == ["dead", "dead", "delivered"]


def test_gauges_follow_the_name_of_their_connection(relay, pg, client):
    """Under its old one they would show their last value for ever, and somebody would be told again and again."""
    Breaker(client, Keys(pg.database, "shop").breaker, 1, 600.0, 1.0, lambda state, why: None).tell(
        Verdict.RETRY, "503"
    )
    pg.connect("shop", name="Old name")
    pg.emit("shop", SHIP, "order-1")
    relay()
    until(lambda: shown("dist_breaker_state", "Old name") == metrics.BREAKER_VALUES["open"])
    until(lambda: shown("dist_outbox_pending", "Old name") is not None)
    pg.connect("shop", name="New name")
    until(lambda: shown("dist_breaker_state", "New name") == metrics.BREAKER_VALUES["open"])
    until(lambda: shown("dist_breaker_state", "Old name") is None)
    for label in ("out", "results"):
        until(lambda label=label: shown("dist_stream_length", "Old name", stream=label) is None)
        assert shown("dist_stream_length", "New name", stream=label) is not None
    for gauge in ("dist_outbox_pending", "dist_outbox_in_flight", "dist_outbox_oldest_seconds"):
        until(lambda gauge=gauge: shown(gauge, "Old name") is None)


def test_a_connection_that_is_gone_shows_no_breaker(relay, pg, client):
    pg.connect("leaving", name="Leaving")
    Breaker(client, Keys(pg.database, "leaving").breaker, 1, 600.0, 1.0, lambda state, why: None).tell(
        Verdict.RETRY, "503"
    )
    pg.emit("leaving", SHIP, "order-1")
    relay()
    until(lambda: shown("dist_breaker_state", "Leaving") == metrics.BREAKER_VALUES["open"])
    pg._connections.pop("leaving")
    until(lambda: shown("dist_breaker_state", "Leaving") is None)
