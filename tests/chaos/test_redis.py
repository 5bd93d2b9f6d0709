"""Faults of Redis and of the way to it: 4, 14 to 18 and 21 of the list. Redis is disposable; PostgreSQL knows."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from dist_contracts import event_id, new_traceparent
from dist_relay.runtime.keys import PUMP_GROUP, WORKERS_GROUP

if TYPE_CHECKING:
    from house import House
    from scope import Scope

PUBLISHES, FINISHES = b'"read_back"', b'"verdict"'
"""What a request to Redis contains that puts an envelope into a stream, or the outcome of one."""


def test_04_a_pipeline_is_torn(house: House, scope: Scope) -> None:
    """Half of what publishes a batch arrives, the rest does not, and the pump does not know which half."""
    house.stop("pump")
    scope.load(40, scope.ship)
    house.redis_proxy.tear(PUBLISHES)
    house.part("pump")
    house.until(house.redis_proxy.lost.is_set, "a pipeline was torn")
    scope.settle()


def test_14_redis_is_emptied(house: House, scope: Scope) -> None:
    scope.offer(60)
    for _ in range(4):
        scope.load(10)
        house.redis.flushall()
        time.sleep(0.3)
    scope.settle()


def test_14_groups_and_streams_are_lost(house: House, scope: Scope) -> None:
    for lose in (
        lambda: house.redis.xgroup_destroy(scope.streams.out, WORKERS_GROUP),
        lambda: house.redis.xgroup_destroy(scope.streams.results, PUMP_GROUP),
        lambda: house.redis.delete(scope.streams.out, scope.streams.results, scope.streams.pull),
    ):
        scope.load(10)
        scope.offer(10)
        house.until(
            lambda: house.redis.exists(scope.streams.out, scope.streams.results) == 2, "there is something to lose"
        )
        lose()
    scope.settle()


@pytest.mark.parametrize("comes_back", ["empty", "stale"])
def test_15_redis_is_killed(comes_back: str, house: House, scope: Scope) -> None:
    """Without an append-only file, and as a failover does it: to a server that has nothing, or that is behind."""
    scope.load(10)
    scope.offer(20)
    if comes_back == "stale":
        scope.drain()
        _save_with_work_in_it(house, scope)
        scope.load(10)
        house.until(lambda: not scope.left().get("published events"), "newer events are settled")
    try:
        house.kill("valkey")
        scope.load(10)
        scope.settle()
    finally:
        (house.folder / "dump.rdb").unlink(missing_ok=True)


def _save_with_work_in_it(house: House, scope: Scope) -> None:
    """Let the copy have entries nobody has read yet, which are delivered before Redis comes back with it.

    The lease is long against that: what saves an entry from a second call is not that it is late.
    """
    house.stop("worker")
    house.part("pump", lease_seconds=15)
    scope.load(len(scope.keys), scope.ship, scope.count)
    house.until(lambda: house.redis.xlen(scope.streams.out) >= 2 * len(scope.keys), "there is something to deliver")
    house.redis.save()
    house.part("worker", lease_seconds=15)


def test_15_redis_with_an_append_only_file_goes_on_where_it_was(house: House, scope: Scope) -> None:
    house.start_valkey("--appendonly", "yes", "--appendfsync", "always")
    try:
        for _ in range(2):
            scope.load(10)
            scope.offer(10)
            house.kill("valkey")
        scope.settle()
    finally:
        house.start_valkey()


def test_16_redis_is_out_of_memory(house: House, scope: Scope) -> None:
    """It refuses what would add: publishing stops, aloud; once there is room, all goes on."""
    house.listen("pump")
    house.redis.config_set("maxmemory", "1mb")
    try:
        scope.load(20)
        house.until(lambda: "used memory > 'maxmemory'" in house.log("pump"), "the pump says why nothing goes out")
        left = scope.left()
        assert left.get("pending events", 0) + left.get("published events", 0) > 0
    finally:
        house.redis.config_set("maxmemory", "0")
    scope.settle()


@pytest.mark.parametrize("marker", [PUBLISHES, FINISHES], ids=["publish", "finish"])
def test_17_a_reply_of_redis_is_lost(marker: bytes, house: House, scope: Scope) -> None:
    """What was asked has happened, and whoever asked does not know."""
    for _ in range(3):
        house.redis_proxy.lose_reply(marker)
        scope.load(5)
        house.until(house.redis_proxy.lost.is_set, "a reply was lost")
    scope.settle()


@pytest.mark.parametrize("marker", [b"_pg3_", b"COMMIT"], ids=["claim", "commit"])
def test_17_a_reply_of_postgres_is_lost(marker: bytes, house: House, scope: Scope) -> None:
    """Of a prepared statement of the pump (it claims, it takes in), and of the commit of a worker of Odoo."""
    for _ in range(4):
        house.pg_proxy.lose_reply(marker)
        scope.load(5)
        house.until(house.pg_proxy.lost.is_set, "a reply was lost")
    scope.settle()


def test_18_streams_are_trimmed_by_somebody(house: House, scope: Scope) -> None:
    scope.offer(40)
    for _ in range(5):
        scope.load(10)
        for stream in (scope.streams.out, scope.streams.results, scope.streams.pull):
            house.redis.xtrim(stream, maxlen=0, approximate=False)
    scope.settle()


def test_the_network_is_cut_and_heals(house: House, scope: Scope) -> None:
    scope.offer(40)
    for proxy in (house.redis_proxy, house.pg_proxy, house.counterpart_proxy):
        scope.load(10)
        with proxy.severed():
            scope.load(5)
            time.sleep(1.5)
    scope.settle()


def test_20_and_21_deliveries_come_twice_and_late(house: House, scope: Scope) -> None:
    """Events from outside twice in one batch and once more later; answers twice, and to earlier publications."""
    events = [(name, f"event-{name}-{number}") for number in range(6) for name in scope.keys]
    house.ledger.offer(scope.name, events)
    repeated = [arrival(scope, name, token) for name, token in events]
    for item in [*repeated, *repeated]:
        house.redis.xadd(scope.streams.results, {"i": item})
    house.until(lambda: "offers not taken" not in scope.left(), "all are taken")
    scope.pull()  # the same events once more, by their proper way
    for item in repeated[::-1]:
        house.redis.xadd(scope.streams.results, {"i": item})
    scope.load(10, scope.ship, scope.count)
    scope.drain()
    rows = house.sql(
        "SELECT event_id::text, publication FROM dist_outbox_event WHERE connection_id = %s", scope.connection
    )
    for id_, publication in rows:
        for verdict, attempt in (("retry", publication), ("rejected", publication + 1), ("delivered", publication)):
            body = {"event_id": id_, "attempt": attempt, "verdict": verdict}
            house.redis.xadd(scope.streams.results, {"i": json.dumps({"kind": "outcome", "outcome": body})})
    scope.settle()


def arrival(scope: Scope, name: str, token: str) -> str:
    """An event as the worker writes it after a pull; its id is that of the fact, so a repetition has the same."""
    envelope = {
        "event_id": str(event_id(scope.database, scope.ref, "listing.found.v1", name, token)),
        "type": "listing.found.v1",
        "database": scope.database,
        "connection": scope.ref,
        "key": name,
        "occurred_at": "2026-01-01T00:00:00+00:00",
        "correlation_id": new_traceparent(),
        "payload": {"listing": {"sku": token}},
    }
    return json.dumps({"kind": "event", "envelope": envelope})
