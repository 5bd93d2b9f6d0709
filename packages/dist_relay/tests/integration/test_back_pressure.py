"""Back-pressure both ways, fairness, and what a turn of the pump costs."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from dist_relay.pump.publisher import Publisher
from dist_relay.runtime.keys import Keys, config
from dist_relay.runtime.redis_client import now_ms
from dist_relay.settings import Settings
from dist_relay.testkit.waiting import until

pytestmark = pytest.mark.integration

SHIP = "shipment.confirm.v1"


class Counting:
    """A session that counts its calls."""

    def __init__(self, pg):
        self._pg, self.calls = pg, Counter()

    def __getattr__(self, name):
        self.calls[name] += 1
        return getattr(self._pg, name)


def test_at_the_memory_limit_publishing_stops_loses_nothing_and_goes_on(relay, pg, world, client):
    pg.emit("shop", SHIP, "first")
    world.faults({"op": "confirm", "do": "hang", "seconds": 0.7, "key": "in hand"})
    service = relay(claim_batch=4, lease_seconds=30)
    streams = service.pump._publisher._streams
    until(lambda: pg.open_rows() == 0)
    pg.emit("shop", SHIP, "in hand")
    until(lambda: any(call["key"] == "in hand" for call in world.calls()))
    client.config_set("maxmemory", 1)
    until(lambda: pg.open_rows() == 0, what="what a worker has in hand is told at the limit, too")
    for number in range(60):
        pg.emit("shop", SHIP, f"order-{number}")
    until(lambda: streams._at_limit)
    published = Counter(row.state for row in pg.rows())["published"]
    assert published <= 20, "one batch waits for room; no other is claimed, so no lease runs out in vain"
    client.config_set("maxmemory", 0)
    until(lambda: pg.open_rows() == 0)
    effects = Counter(line["key"] for line in world.ledger())
    assert effects == Counter(["first", "in hand", *(f"order-{number}" for number in range(60))])
    assert max(len(row.history) for row in pg.rows()) == 2, "each was published once and delivered once"


def test_while_redis_is_full_nothing_is_claimed(pg, client):
    publisher = Publisher(client, pg, Settings())
    publisher._streams._at_limit = True
    pg.emit("shop", SHIP, "order-1")
    client.config_set("maxmemory", 1)
    assert publisher.turn(pg.database) == 0
    assert pg.rows()[0].state == "pending"
    client.config_set("maxmemory", 0)
    assert publisher.turn(pg.database) == 1


def test_results_that_wait_for_postgresql_hold_up_pulls(relay, pg, client):
    keys = Keys(pg.database, "shop")
    for _ in range(101):
        client.xadd(keys.results, {"i": "{}"})
    client.hset("dist:databases", pg.database, now_ms(client))
    client.hset(config(pg.database), "shop", json.dumps(pg.connections()[0]))
    request = {"run_id": "run", "capability": "listings.pull", "cursor": None, "correlation_id": None}
    client.xadd(keys.pull, {"p": json.dumps(request), "x": str(2**52)})
    relay(pump=False, results_limit=100)
    until(lambda: client.xlen(keys.results) > 101)
    told = [json.loads(fields[b"i"]) for _, fields in client.xrevrange(keys.results)]
    [end] = [item for item in told if item.get("run_id") == "run"]
    assert (end["kind"], end["verdict"]) == ("pull_failed", "snooze")


def test_a_turn_costs_as_much_as_there_is_work_however_many_connections_there_are(pg, client):
    for number in range(1000):
        pg.connect(f"shop-{number}")
    counting = Counting(pg)
    publisher = Publisher(client, counting, Settings())
    assert publisher.turn(pg.database) == 0
    assert counting.calls == {"ready": 1}
    for number in (3, 500, 998):
        pg.emit(f"shop-{number}", SHIP, "order")
    assert publisher.turn(pg.database) == 3
    assert counting.calls["claim"] == 3
    assert counting.calls["connections"] == 1, "all configurations are told once, not with every batch"


def test_a_backlog_delays_another_connection_by_one_batch(pg, client):
    pg.connect("other")
    for number in range(500):
        pg.emit("shop", SHIP, f"order-{number}")
    publisher = Publisher(client, pg, Settings(claim_batch=10))
    for turn in range(1, 4):
        pg.emit("other", SHIP, f"urgent-{turn}")
        publisher.turn(pg.database)
        assert client.xlen(Keys(pg.database, "other").out) == turn
        assert client.xlen(Keys(pg.database, "shop").out) == 10 * turn


def test_a_newer_configuration_is_told_before_its_events(pg, client):
    counting = Counting(pg)
    publisher = Publisher(client, counting, Settings())

    def told():
        return json.loads(client.hget(config(pg.database), "shop"))["settings"]

    def publish(key):
        pg.emit("shop", SHIP, key)
        assert publisher.turn(pg.database) == 1
        return counting.calls["connections"]

    assert (publish("a"), publish("b")) == (1, 1)
    pg.connect("shop", settings={"new": True})
    assert (publish("c"), told()) == (2, {"new": True})
    client.flushall()
    assert (publish("d"), told()) == (3, {"new": True})
    assert publish("e") == 3
    entries = client.xrange(Keys(pg.database, "shop").out)
    assert {int(fields[b"c"]) for _, fields in entries} == {pg.connections()[0]["config_version"]}


def test_an_event_ahead_of_its_configuration_waits_for_it(relay, pg, world, client):
    """As after a FLUSHALL between telling the configuration and writing the event."""
    pg.emit("shop", SHIP, "order-1")
    assert Publisher(client, pg, Settings()).turn(pg.database) == 1
    row = pg.connections()[0]
    older = {**row, "config_version": row["config_version"] - 1}
    client.hset(config(pg.database), "shop", json.dumps(older))
    client.hset("dist:databases", pg.database, now_ms(client))
    relay(pump=False)
    results = Keys(pg.database, "shop").results
    until(lambda: client.xlen(results))
    [(_, fields)] = client.xrange(results)
    outcome = json.loads(fields[b"i"])["outcome"]
    assert (outcome["verdict"], outcome["code"]) == ("snooze", "config_late")
    assert world.calls() == []
    relay(worker=False)
    until(lambda: pg.open_rows() == 0)
    assert len(world.ledger()) == 1


def test_a_worker_that_dies_among_quick_calls_leaves_each_to_be_looked_up(nodes, pg, world):
    for number in range(80):
        pg.emit("shop", SHIP, f"order-{number}")
    world.faults({"op": "confirm", "do": "effect_die", "key": "order-50"})
    nodes.start("pump")
    dying = nodes.start("worker")
    until(lambda: dying.poll() is not None)
    nodes.start("worker")
    until(lambda: pg.open_rows() == 0, 90)
    effects = Counter(line["key"] for line in world.ledger())
    assert effects == Counter(f"order-{number}" for number in range(80))
    twice = {key for key, times in Counter(call["key"] for call in world.calls()).items() if times > 1}
    assert "order-50" in twice
    assert all(call["read_back"] for call in world.calls() if call["pid"] != dying.pid and call["key"] in twice)
