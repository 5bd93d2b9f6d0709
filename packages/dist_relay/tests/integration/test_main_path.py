"""The whole way with a real Valkey: publish → worker → adapter → results → intake, and pulls."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from dist_relay import crypto, telemetry
from dist_relay.runtime.keys import Keys
from dist_relay.testkit.waiting import until

pytestmark = pytest.mark.integration

SHIP, AVAILABLE, CHECK = "shipment.confirm.v1", "availability.changed.v1", "connection.check.v1"


def test_events_are_delivered_once_and_streams_are_empty(relay, pg, world, client):
    for number in range(300):
        pg.emit("shop", SHIP, f"order-{number}")
    relay()
    until(lambda: pg.open_rows() == 0)
    assert {row.state for row in pg.rows()} == {"delivered"}
    assert sorted(line["key"] for line in world.ledger()) == sorted(f"order-{n}" for n in range(300))
    assert pg.rows()[7].outcome["data"]["external_id"] == "X-order-7"
    keys = Keys(pg.database, "shop")
    until(lambda: client.xlen(keys.out) == 0 and client.xlen(keys.results) == 0)


def test_facts_of_a_key_keep_their_order(relay, pg, world):
    for round_ in range(6):
        for number in range(5):
            pg.emit("shop", SHIP if round_ % 2 else "order.acknowledge.v1", f"order-{number}")
    world.faults(
        {"op": "confirm", "do": "retry", "times": 3, "key": "order-1"},
        {"op": "acknowledge", "do": "unknown", "times": 2, "key": "order-2"},
    )
    relay()
    until(lambda: pg.open_rows() == 0)
    for number in range(5):
        seen = [line["n"] for line in world.ledger() if line["key"] == f"order-{number}"]
        assert seen == sorted(seen)
        assert len(seen) == 6


def test_only_the_newest_state_is_sent_in_batches(relay, pg, world):
    for version in range(1, 4):
        for number in range(60):
            pg.emit("shop", AVAILABLE, f"sku-{number}", version=version)
    relay()
    until(lambda: pg.open_rows() == 0)
    effects = world.ledger()
    assert len(effects) == 60
    assert {line["version"] for line in effects} == {3}


def test_each_verdict_has_its_effect(relay, pg, world):
    ids = {do: pg.emit("shop", SHIP, do) for do in ("reject", "broken", "retry", "snooze", "unknown", "raise", "fine")}
    ids["lost"] = pg.emit("shop", SHIP, "lost")
    pg.emit("shop", AVAILABLE, "forgotten", version=1)
    world.faults(
        *({"op": "confirm", "do": do, "key": do} for do in ids if do not in ("fine", "lost")),
        {"op": "confirm", "do": "effect_unknown", "key": "lost"},
        {"op": "publish", "do": "missing", "key": "forgotten"},
    )
    relay()
    until(lambda: pg.open_rows() == 0)
    found = {row.key: row for row in pg.rows()}
    assert found["reject"].state == "rejected"
    assert found["reject"].outcome["code"] == "no_such_thing"
    assert found["broken"].state == "dead"
    assert found["broken"].outcome["message"] == "this can never be sent"
    assert found["fine"].history == ["published", "delivered"]
    assert found["retry"].history == ["published", "retry", "published", "delivered"]
    assert found["retry"].attempts == 1
    assert found["snooze"].history == ["published", "snooze", "published", "delivered"]
    assert found["snooze"].attempts == 0
    assert found["unknown"].history == found["raise"].history == ["published", "unknown", "published", "delivered"]
    assert found["lost"].state == "delivered"
    assert found["lost"].outcome["data"]["repeated"] is True
    assert found["forgotten"].history == ["published", "unknown", "published", "delivered"]
    second = [line for line in world.calls() if line["key"] == "unknown"][1]
    assert second["read_back"] is True
    assert second["attempt"] == 2
    assert len([line for line in world.ledger() if line["key"] == "lost"]) == 1


def test_a_pull_advances_its_cursor_with_all_events(relay, pg, world):
    world.listings(95)
    pg.schedule("shop", "listings.pull")
    relay(pull_pages=3)
    until(lambda: len(pg.facts()["jobs"]) == 95)
    until(lambda: pg.facts()["schedules"]["shop/listings.pull"].cursor == {"next": 95})
    schedule = pg.facts()["schedules"]["shop/listings.pull"]
    assert schedule.results == ["advanced"] * 4
    job = next(iter(pg.facts()["jobs"].values()))
    assert job["type"] == "listing.found.v1"
    assert job["database"] == pg.database
    assert job["connection"] == "shop"


def test_a_pull_keeps_what_it_has_when_it_fails_on_the_way(relay, pg, world):
    world.listings(30)
    world.faults({"op": "pull", "do": "retry", "times": 2})
    pg.schedule("shop", "listings.pull")
    relay()
    until(lambda: pg.facts()["schedules"]["shop/listings.pull"].cursor == {"next": 30})
    assert pg.facts()["schedules"]["shop/listings.pull"].results == ["failed retry", "failed retry", "advanced"]
    assert len(pg.facts()["jobs"]) == 30


def test_check_answers_on_a_draft_connection_and_opens_credentials(relay, pg, world, tmp_path):
    public = crypto.write_key(tmp_path / "relay.key")
    sealed = crypto.seal(public, {"token": "shpat_0123456789"})
    pg.connect("shop", state="draft", sealed_credentials=sealed)
    check = pg.emit("shop", CHECK, "shop")
    pg.emit("shop", SHIP, "order-1")
    relay(key_file=tmp_path / "relay.key")
    until(lambda: pg.rows()[0].state == "delivered")
    assert pg.rows()[0].event_id == check
    assert pg.rows()[0].outcome["data"] == {"shop": "world", "token": "known"}
    assert pg.facts()["announced"]["public_key"] == public
    assert pg.rows()[1].state == "pending"


def test_a_failing_check_is_an_answer(relay, pg, world):
    world.faults({"op": "check", "do": "credentials"})
    pg.emit("shop", CHECK, "shop")
    relay()
    until(lambda: pg.open_rows() == 0)
    assert pg.rows()[0].state == "rejected"
    assert pg.rows()[0].outcome["code"] == "credentials"


def test_credentials_sealed_to_another_key_park_the_work(relay, pg, world, tmp_path):
    crypto.write_key(tmp_path / "relay.key")
    _, foreign = crypto.keygen()
    pg.connect("shop", sealed_credentials=crypto.seal(foreign, {"token": "x"}))
    pg.emit("shop", SHIP, "order-1")
    relay(key_file=tmp_path / "relay.key")
    until(lambda: pg.rows()[0].outcome is not None)
    row = pg.rows()[0]
    assert (row.state, row.attempts, row.outcome["code"]) == ("pending", 0, "credentials")
    assert float(row.outcome["retry_after"]) == 300


def test_a_new_configuration_is_used_without_restart(relay, pg, world, tmp_path):
    relay()
    pg.emit("shop", SHIP, "before")
    until(lambda: pg.open_rows() == 0)
    other = tmp_path / "other"
    pg.connect("shop", settings={"world": str(other)})
    pg.connect("second", settings={"world": str(other)})
    pg.emit("second", SHIP, "elsewhere")
    until(lambda: pg.open_rows() == 0)
    pg.emit("shop", SHIP, "after")
    until(lambda: pg.open_rows() == 0)
    assert [line["key"] for line in world.ledger()] == ["before"]
    assert (other / "ledger.jsonl").exists()


def test_items_postgres_refuses_hold_up_nothing(relay, pg, world):
    pg.refuse("order-13")
    for number in range(40):
        pg.emit("shop", SHIP, f"order-{number}")
    relay()
    until(lambda: pg.open_rows() == 1)
    until(lambda: len(pg.facts()["dead"]) >= 1)
    assert "order-13" in pg.facts()["dead"][0]["raw"]


def test_garbage_in_the_streams_becomes_dead_letters(relay, pg, world, client):
    keys = Keys(pg.database, "shop")
    client.xadd(keys.out, {"e": "{not json"})
    client.xadd(keys.out, {"other": "field"})
    client.xadd(keys.out, {"e": '{"event_id": "1 Private Road", "correlation_id": "buyer@example.com"}'})
    client.xadd(keys.pull, {"p": "[]"})
    client.xadd(keys.results, {"i": "\x00"})
    client.xadd(keys.results, {"i": '{"kind":"event'})
    pg.emit("shop", SHIP, "order-1")
    relay()
    # ids of garbage are times, far above the sequence: the event is added behind them, asked to read back
    until(lambda: pg.open_rows() == 0)
    until(lambda: len(pg.facts()["dead"]) == 5)
    for dead in pg.facts()["dead"]:  # what was sent is in "raw" only: messages go to logs
        assert "Private Road" not in dead["message"]
        assert "buyer@" not in dead["message"]
    assert [line["read_back"] for line in world.calls()] == [True]
    until(lambda: client.xlen(keys.pull) == 0)


def test_the_way_of_an_event_is_one_trace(relay, pg, world):
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    telemetry.start(provider)
    try:
        pg.emit("shop", SHIP, "order-1")
        relay()
        until(lambda: pg.open_rows() == 0)
        until(
            lambda: (
                {each.name for each in exporter.get_finished_spans()} >= {"send shop", "process shop", "settle results"}
            )
        )
    finally:
        telemetry.stop()
    spans = {each.name: each for each in exporter.get_finished_spans()}
    assert spans["send shop"].context.trace_id == spans["process shop"].context.trace_id
    assert spans["process shop"].attributes["messaging.operation.name"] == SHIP
