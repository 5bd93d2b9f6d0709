"""Nothing is lost and nothing happens twice, whoever dies. Processes are killed for real.

The fake world knows event ids, as a good channel does; its ledger shows every effect once and in order per key.
"""

from __future__ import annotations

import random
import signal
from collections import Counter

import pytest

from dist_relay import crash
from dist_relay.runtime.keys import PUMP_GROUP, WORKERS_GROUP, Keys
from dist_relay.runtime.streams import LOST, Consumer, ensure_group
from dist_relay.settings import Settings
from dist_relay.testkit.waiting import until

pytestmark = pytest.mark.integration

SHIP, AVAILABLE = "shipment.confirm.v1", "availability.changed.v1"


def settled(pg, world, count):
    """All delivered, each effect once, order of a key kept."""
    until(lambda: pg.open_rows() == 0, 90)
    assert Counter(row.state for row in pg.rows()) == {"delivered": count}
    effects = world.ledger()
    assert Counter(line["event_id"] for line in effects) == Counter(row.event_id for row in pg.rows())
    for key in {line["key"] for line in effects}:
        numbers = [line["n"] for line in effects if line["key"] == key]
        assert numbers == sorted(numbers)


@pytest.mark.parametrize("point", sorted(crash.POINTS))
def test_a_crash_at_every_point(point, nodes, pg, world):
    pulls = point in ("worker.page", "pump.pull_claimed")
    world.listings(30)
    for number in range(20):
        pg.emit("shop", SHIP, f"order-{number % 7}")
    if pulls:
        pg.schedule("shop", "listings.pull", every=1.0)
    victim, other = ("pump", "worker") if point.startswith("pump.") else ("worker", "pump")
    dying = nodes.start(victim, crash_at=point, lease_seconds=3)
    nodes.start(other, lease_seconds=3)
    until(lambda: dying.poll() is not None)
    assert dying.returncode == crash.EXIT_CODE
    nodes.start(victim, lease_seconds=3)
    settled(pg, world, 20)
    if pulls:
        until(lambda: pg.facts()["schedules"]["shop/listings.pull"].cursor == {"next": 30})
        assert len(pg.facts()["jobs"]) == 30


@pytest.mark.parametrize("do", ["die", "effect_die"])
def test_a_worker_killed_within_a_call(do, nodes, pg, world):
    for number in range(10):
        pg.emit("shop", SHIP, f"order-{number}")
    world.faults({"op": "confirm", "do": do, "key": "order-4"})
    nodes.start("pump")
    dying = nodes.start("worker")
    until(lambda: dying.poll() is not None)
    assert dying.returncode == -signal.SIGKILL
    nodes.start("worker")
    settled(pg, world, 10)
    calls = [line for line in world.calls() if line["key"] == "order-4"]
    assert [line["read_back"] for line in calls] == [False, True]


@pytest.mark.parametrize("then", ["paused", "breaker open", "refused"])
def test_what_was_begun_is_looked_up_though_the_next_worker_had_to_put_it_off(then, nodes, relay, pg, world, client):
    """Its second worker knows from Redis that the call was begun; its third one only by the answer of the second."""
    pg.emit("shop", SHIP, "order-1")
    put_off = [{"op": "confirm", "do": "retry"}] if then == "refused" else []
    world.faults({"op": "confirm", "do": "effect_die"}, *put_off)
    relay(worker=False, lease_seconds=60)
    dying = nodes.start("worker", lease_seconds=60)
    until(lambda: dying.poll() is not None)
    if then == "paused":
        pg.connect("shop", state="paused")
    if then == "breaker open":
        client.hset(Keys(pg.database, "shop").breaker, mapping={"state": "open", "until": 2**52})
    relay(pump=False, lease_seconds=60)
    (row,) = pg.rows()
    until(lambda: {"snooze", "retry"} & set(row.history))
    pg.connect("shop", state="active")
    client.delete(Keys(pg.database, "shop").breaker)
    row.next_try = 0.0
    settled(pg, world, 1)
    assert row.history[0] == row.history[2] == "published"
    assert [line["read_back"] for line in world.calls()] == [False] + [True] * (len(world.calls()) - 1)


def test_poison_is_quarantined_and_the_others_go_on(nodes, pg, world):
    bad = pg.emit("shop", SHIP, "poison")
    for number in range(10):
        pg.emit("shop", SHIP, f"order-{number}")
    world.faults({"op": "confirm", "do": "die", "key": "poison", "times": 99})
    # as by default: a publication lasts for two begins, the third one would come too late
    settings = {"call_seconds": 1.0, "claim_idle_seconds": 1.5, "lease_seconds": 4}
    nodes.start("pump", **settings)
    workers = [nodes.start("worker", **settings)]

    def revive():
        if workers[-1].poll() is not None:
            workers.append(nodes.start("worker", **settings))
        return pg.open_rows() == 0

    until(revive, 120)
    states = {row.event_id: row.state for row in pg.rows()}
    assert states.pop(bad) == "dead"
    assert set(states.values()) == {"delivered"}
    assert (pg.rows()[0].outcome["code"], pg.rows()[0].acted) == ("poison", True)  # a replay looks first
    assert sum(line["key"] == "poison" for line in world.calls()) == Settings().max_deliveries
    assert len(workers) == Settings().max_deliveries + 1


def test_redis_is_emptied_again_and_again(relay, pg, world, client):
    world.listings(60)
    pg.schedule("shop", "listings.pull", every=0.3)
    relay(lease_seconds=3)
    for number in range(120):
        pg.emit("shop", SHIP, f"order-{number % 40}")
        if number % 30 == 10:
            until(lambda: world.calls())
            client.flushall()
    settled(pg, world, 120)
    until(lambda: pg.facts()["schedules"]["shop/listings.pull"].cursor == {"next": 60}, 60)
    assert len(pg.facts()["jobs"]) == 60


@pytest.mark.parametrize("what", ["everything", "the results"])
def test_pages_are_not_stored_before_those_redis_lost(what, relay, pg, world, client):
    """Of three pages the first is lost before a pump has read it, while the worker reads the second."""
    keys = Keys(pg.database, "shop")
    world.listings(30)
    pg.schedule("shop", "listings.pull", every=0.5)
    pump = relay(worker=False)
    until(lambda: client.xlen(keys.pull))
    pump.end()
    world.faults({"op": "pull", "do": "hang", "seconds": 0.0}, {"op": "pull", "do": "hang", "seconds": 0.8})
    relay(pump=False)
    until(lambda: client.xlen(keys.results) >= 10)
    client.flushall() if what == "everything" else client.delete(keys.results)
    until(lambda: client.xlen(keys.results))
    relay(worker=False)
    until(lambda: pg.facts()["schedules"]["shop/listings.pull"].cursor == {"next": 30}, 60)
    stored = [job["key"] for job in pg.facts()["jobs"].values()]
    assert len(stored) == 30
    assert stored == sorted(stored, key=lambda key: int(key.rpartition("-")[2]))


def test_a_page_that_a_failover_lost_is_missed_though_others_wrote_since(client):
    """The replica that took over lacks the newest writes; other results brought its stream up to the count again."""
    keys = Keys("db", "shop")
    ensure_group(client, keys.pull, WORKERS_GROUP)
    client.xadd(keys.pull, {"p": "{}"})
    puller = Consumer(client, keys.pull, WORKERS_GROUP, "puller")
    [request] = puller.read(1, None)
    witness = keys.page(request.id)

    def page(so_far, *items):
        return puller.add_page(keys.results, witness, request.id, so_far, items, 60_000)

    first = page(0, "a", "b")
    replica = {key: client.dump(key) for key in (keys.pull, keys.results, witness)}
    second = page(first, "c")
    assert page(first, "c") > second, "told again because the answer was lost: nothing is missing"
    for key, content in replica.items():
        client.restore(key, 0, content, replace=True)
    for other in range(5):
        client.xadd(keys.results, {"i": f"outcome {other}"})
    assert page(second, "d") == LOST
    assert client.xlen(keys.results) == 2 + 5
    assert page(first, "c") > first, "what came before is there"


def test_groups_and_streams_are_lost(relay, pg, world, client):
    relay()
    keys = Keys(pg.database, "shop")
    pg.emit("shop", SHIP, "first")
    until(lambda: pg.open_rows() == 0)
    client.xgroup_destroy(keys.out, WORKERS_GROUP)
    client.xgroup_destroy(keys.results, PUMP_GROUP)
    pg.emit("shop", SHIP, "second")
    until(lambda: pg.open_rows() == 0)
    client.delete(keys.out, keys.results, keys.pull)
    pg.emit("shop", SHIP, "third")
    settled(pg, world, 3)


def test_redis_is_killed_with_its_data(relay, valkey, pg, world):
    relay(lease_seconds=3)
    for number in range(60):
        pg.emit("shop", SHIP, f"order-{number}")
    until(lambda: world.calls())
    valkey.kill()
    for number in range(60, 90):
        pg.emit("shop", SHIP, f"order-{number}")
    valkey.start()
    settled(pg, world, 90)


def test_postgres_is_away_for_a_while(relay, pg, world):
    relay(lease_seconds=3)
    for number in range(60):
        pg.emit("shop", SHIP, f"order-{number}")
    until(lambda: world.calls())
    pg.down = True
    until(lambda: len(world.ledger()) > 0)
    pg.down = False
    settled(pg, world, 60)


def test_two_pumps_and_three_workers_share_the_work(nodes, pg, world):
    world.listings(200)
    pg.schedule("shop", "listings.pull")
    for connection in ("shop", "second"):
        pg.connect(connection, settings={"world": str(world.folder)})
        for number in range(60):
            pg.emit(connection, SHIP, f"{connection}-{number % 25}")
    for what in ("pump", "worker", "pump", "worker", "worker"):
        nodes.start(what, lease_seconds=10)
    settled(pg, world, 120)
    until(lambda: pg.facts()["schedules"]["shop/listings.pull"].cursor == {"next": 200})
    assert set(pg.facts()["schedules"]["shop/listings.pull"].results) == {"advanced"}
    assert len(pg.facts()["jobs"]) == 200


def test_random_kills(nodes, pg, world, client):
    dice = random.Random(7)
    world.listings(80)
    pg.schedule("shop", "listings.pull", every=0.5)
    running = {what: nodes.start(what, lease_seconds=3) for what in ("pump", "worker")}
    for round_ in range(8):
        for number in range(25):
            pg.emit("shop", SHIP, f"order-{number % 10}")
        seen = len(world.calls())
        until(lambda seen=seen: len(world.calls()) > seen + dice.randrange(12), 60)
        if round_ == 4:
            client.flushall()
        what = dice.choice(("pump", "worker"))
        running[what].kill()
        running[what].wait()
        running[what] = nodes.start(what, lease_seconds=3)
    settled(pg, world, 200)
    until(lambda: pg.facts()["schedules"]["shop/listings.pull"].cursor == {"next": 80}, 60)
    assert len(pg.facts()["jobs"]) == 80


def test_a_graceful_stop_finishes_the_call_and_gives_back_the_rest(nodes, pg, world):
    for number in range(30):
        pg.emit("shop", SHIP, f"order-{number}")
    world.faults({"op": "confirm", "do": "hang", "seconds": 3.0, "key": "order-2"})
    nodes.start("pump", lease_seconds=60)
    first = nodes.start("worker", lease_seconds=60, claim_idle_seconds=50)
    until(lambda: len(world.calls()) >= 3)
    first.terminate()
    assert first.wait(20) == 0
    before = len(world.calls())
    assert before < 30
    nodes.start("worker", lease_seconds=60, claim_idle_seconds=50)
    settled(pg, world, 30)
    # given back as not begun: no attempt looks like a second one, nothing is called twice
    assert len(world.calls()) == 30
    assert not any(line["read_back"] for line in world.calls())


def test_a_restored_database_goes_on_behind_redis(relay, pg, world, client):
    keys = Keys(pg.database, "shop")
    client.xadd(keys.out, {"e": "{}"}, id="5000-0")
    client.xdel(keys.out, "5000-0")
    for number in range(5):
        pg.emit("shop", SHIP, f"order-{number}")
    relay(lease_seconds=60)
    settled(pg, world, 5)
    assert all(line["read_back"] for line in world.calls())
    pg.emit("shop", SHIP, "later")
    settled(pg, world, 6)
    assert world.calls()[-1]["read_back"] is False
