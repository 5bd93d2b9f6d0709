"""What pumps hold to among themselves and towards workers: configuration, leases, results in other hands."""

from __future__ import annotations

import json
import os
import threading
from uuid import UUID

import pytest
import redis
from redis.exceptions import OutOfMemoryError

from dist_relay.pump import configs, publisher
from dist_relay.pump.intake import Intake
from dist_relay.pump.publisher import Publisher
from dist_relay.pump.pump import Pump
from dist_relay.runtime.keys import F_ITEM, PUMP_GROUP, Keys, config, workers
from dist_relay.runtime.redis_client import now_ms
from dist_relay.runtime.streams import Consumer, ensure_group
from dist_relay.settings import Settings
from dist_relay.testkit.memory_pg import RUN_SECONDS, MemoryPg
from dist_relay.testkit.waiting import until

pytestmark = pytest.mark.integration

SHIP = "shipment.confirm.v1"


class Slow:
    """A session whose ``call`` does ``first`` before, once, and ``then`` after what it asked PostgreSQL, once."""

    def __init__(self, pg: MemoryPg, call: str, then=lambda: None, first=lambda: None) -> None:
        self._pg, self._call, self._then, self._first = pg, call, then, first

    def __getattr__(self, name):
        real = getattr(self._pg, name)
        if name != self._call:
            return real

        def call(*args):
            first, self._first = self._first, lambda: None
            then, self._then = self._then, lambda: None
            first()
            found = real(*args)
            then()
            return found

        return call


def known(client, pg):
    return {name.decode(): json.loads(row) for name, row in client.hgetall(config(pg.database)).items()}


def test_a_slow_turn_writes_no_older_configuration_over_a_newer_one(client, pg):
    def meanwhile():
        pg.connect("shop", settings={"new": True})
        pg.connect("made")
        configs.tell(client, pg.database, pg.connections())

    slow = Slow(pg, "connections", then=meanwhile)
    pump = Pump(client, lambda _name: slow, Settings(), [], None, threading.Event())
    pump._config_turn()
    assert known(client, pg)["shop"]["settings"] == {"new": True}
    assert set(known(client, pg)) == {"shop", "made"}


def test_nothing_more_is_claimed_while_redis_is_full(client, pg):
    """Neither events nor pulls: a run that cannot be told stands in the way of the next one until its deadline."""
    pg.connect("shop")
    pg.connect("other")
    for connection in ("shop", "other"):
        pg.emit(connection, SHIP, "A1")
        pg.schedule(connection, "orders.pull")
    quick = Publisher(client, pg, Settings(call_seconds=1.0, lease_seconds=2))
    client.config_set("maxmemory", 1)
    with pytest.raises(OutOfMemoryError):
        quick.turn(pg.database)
    assert quick.turn(pg.database) == quick.pulls(pg.database) == 0
    assert sorted(row.state for row in pg.rows()) == ["pending", "published"]
    client.config_set("maxmemory", 0)
    assert (quick.turn(pg.database), quick.pulls(pg.database)) == (1, 2)


def test_an_older_row_is_refused_and_a_restored_database_is_right(client, pg):
    row = {"connection": "shop", "config_version": 7, "settings": {"n": 7}}
    older = {**row, "config_version": 6, "settings": {"n": 6}}
    assert configs.tell(client, pg.database, [row]) == {}
    assert configs.tell(client, pg.database, [older]) == {"shop": 7}
    assert known(client, pg)["shop"] == row
    assert configs.tell(client, pg.database, [older], {"shop": 9}) == {"shop": 7}
    client.hset(config(pg.database), "torn", "{")
    pg.connect("torn")
    configs.publish_all(client, pg, pg.database)  # has version 2: restored from a copy
    assert known(client, pg)["shop"]["config_version"] == 2
    assert known(client, pg)["torn"]["connection"] == "torn"


def test_what_is_gone_is_forgotten(client, pg):
    client.hset(config(pg.database), "gone", "{}")
    configs.publish_all(client, pg, pg.database)
    assert set(known(client, pg)) == {"shop"}


def test_an_emptied_redis_learns_all_connections_with_the_first_event(client, pg):
    pg.connect("other")
    pg.emit("shop", SHIP, "order-1")
    assert Publisher(client, pg, Settings()).turn(pg.database) == 1
    assert set(known(client, pg)) == {"shop", "other"}


def test_the_lease_in_redis_ends_before_that_in_postgresql(client, pg):
    began = []

    def claim_takes_a_while():
        began.append(now_ms(client))
        until(lambda: now_ms(client) > began[0] + 20)

    pg.emit("shop", SHIP, "order-1")
    slow = Slow(pg, "claim", first=claim_takes_a_while)
    Publisher(client, slow, Settings(lease_seconds=100)).turn(pg.database)
    [(_, fields)] = client.xrange(Keys(pg.database, "shop").out)
    assert int(fields[b"x"]) <= began[0] + 100_000


def test_a_pull_ends_in_redis_before_its_time_in_postgresql_is_over(client, pg):
    began = []

    def claim_takes_a_while():
        until(lambda: now_ms(client) > began[0] + 200)

    pg.schedule("shop", "listings.pull")
    slow = Slow(pg, "claim_pulls", first=lambda: began.append(now_ms(client)), then=claim_takes_a_while)
    assert Publisher(client, slow, Settings()).pulls(pg.database) == 1
    assert lapses(client, pg) <= began[0] + RUN_SECONDS * 1000


def lapses(client, pg):
    [(_, fields)] = client.xrange(Keys(pg.database, "shop").pull)
    return int(fields[b"x"])


def running(pg):
    return {name: item.run_id for name, item in pg.facts()["schedules"].items() if item.run_id}


def requested(client, pg):
    entries = client.xrange(Keys(pg.database, "shop").pull)
    return [json.loads(fields[b"p"])["run_id"] for _, fields in entries]


def test_a_pull_that_has_to_be_written_again_is_there_though_another_pump_wrote_a_later_one(client, pg):
    """The later one was claimed after it and written before it."""

    def another_pump():
        pg.schedule("shop", "listings.pull")
        assert Publisher(client, pg, Settings()).pulls(pg.database) == 1

    pg.schedule("shop", "orders.pull")
    late = Publisher(client, Slow(pg, "claim_pulls", then=another_pump), Settings())
    publish, losses = late._streams._publish, [redis.ConnectionError("lost on its way")]

    def lost_once(**script):
        if losses:
            raise losses.pop()
        return publish(**script)

    late._streams._publish = lost_once
    assert late.pulls(pg.database) == 1
    assert len(running(pg)) == 2
    assert sorted(requested(client, pg)) == sorted(running(pg).values())


def test_a_pump_that_writes_for_a_moment_is_waited_for(client, pg):
    """Two capabilities of one connection are often due together, and each is another pump's."""
    pg.schedule("shop", "listings.pull")
    assert pg.lock_for("shop/pull", os.getppid())
    beside = Slow(pg, "try_lock", then=lambda: pg.unlock("shop/pull"))
    assert Publisher(client, beside, Settings()).pulls(pg.database) == 1
    assert requested(client, pg) == list(running(pg).values())


def test_a_request_whose_answer_is_lost_is_left_to_the_end_of_its_time(client, pg):
    """It may have arrived: a worker of an older release would store its events between those of another run."""
    for name in ("shop", "other"):
        pg.connect(name)
        pg.schedule(name, "listings.pull")
    pump = Publisher(client, pg, Settings(call_seconds=1.0, lease_seconds=2))
    publish = pump._streams._publish

    def answer_lost(**script):
        publish(**script)
        client.config_set("maxmemory", 1)  # the last error is a refusal, of what was added before
        raise redis.ConnectionError("lost on its way")

    pump._streams._publish = lambda **script: (answer_lost if not requested(client, pg) else publish)(**script)
    with pytest.raises(redis.ConnectionError):
        pump.pulls(pg.database)
    client.config_set("maxmemory", 0)
    assert set(running(pg)) == {"shop/listings.pull"}
    assert requested(client, pg) == list(running(pg).values())


def test_a_pull_that_another_pump_is_in_the_way_of_is_asked_for_again(client, pg, monkeypatch):
    monkeypatch.setattr(publisher, "LOCK_SECONDS", 0.0)
    told, intake = [], pg.intake
    monkeypatch.setattr(pg, "intake", lambda items: told.extend(map(json.loads, items)) or intake(items))
    pg.connect("other")
    for connection in ("shop", "other"):
        pg.schedule(connection, "listings.pull")
    assert pg.lock_for("shop/pull", os.getppid())
    pump = Publisher(client, pg, Settings())
    assert pump.pulls(pg.database) == 1
    assert set(running(pg)) == {"other/listings.pull"}
    assert [item["message"] for item in told] == ["another pump was writing to this connection; it is made again"]
    pg.unlock("shop/pull")
    until(lambda: pump.pulls(pg.database) == 1)
    assert requested(client, pg) == [running(pg)["shop/listings.pull"]]


def test_pulls_redis_does_not_take_are_asked_for_again_at_once(client, pg):
    """Not after the time of a run, which nobody was told of."""
    names = [f"shop-{number}" for number in range(3)]
    for name in names:
        pg.connect(name)
        pg.schedule(name, "listings.pull")
    pump = Publisher(client, pg, Settings(call_seconds=1.0, lease_seconds=2))
    client.config_set("maxmemory", 1)
    with pytest.raises(OutOfMemoryError):
        pump.pulls(pg.database)
    assert not running(pg)
    client.config_set("maxmemory", 0)
    found = []
    until(lambda: found.append(pump.pulls(pg.database)) or sum(found) == 3)
    assert len(running(pg)) == 3


def test_without_a_worker_events_stay_in_postgresql(client, pg, monkeypatch):
    pg.emit("shop", SHIP, "order-1")
    pg.schedule("shop", "listings.pull")
    found = Publisher(client, pg, Settings())
    monkeypatch.setattr(publisher, "NO_WORKER_SECONDS", -1.0)
    dead = json.dumps({"at": now_ms(client) - 3_000_000})
    client.hset(workers(pg.database), "dead", dead)
    assert (found.turn(pg.database), found.pulls(pg.database)) == (0, 0)
    assert pg.rows()[0].state == "pending"
    monkeypatch.setattr(publisher, "NO_WORKER_SECONDS", 30.0)
    client.hset(workers(pg.database), "alive", json.dumps({"at": now_ms(client)}))
    assert (found.turn(pg.database), found.pulls(pg.database)) == (1, 1)


def results(client, pg, connection):
    stream = Keys(pg.database, connection).results
    ensure_group(client, stream, PUMP_GROUP)
    return stream


def item(client, stream, **fields):
    return client.xadd(stream, {"i": json.dumps(fields, separators=(",", ":"))}).decode()


def events(client, pg, stream):
    """Writes the next event of one key and of one reading of a pull's run with each call."""
    pg.schedule("shop", "orders.pull", every=0.0)
    [run] = pg.claim_pulls(1)
    numbers = iter(range(100))

    def event():
        nth = next(numbers)
        envelope = {"event_id": str(UUID(int=nth)), "key": "k", "payload": {}}
        return item(client, stream, kind="event", envelope=envelope, run_id=run.run_id, reading="r", nth=nth)

    return event


def test_an_end_of_pull_waits_behind_other_pumps_and_holds_up_nothing_else(client, pg):
    shop, other = results(client, pg, "shop"), results(client, pg, "other")
    first = item(client, shop, kind="nonsense")
    colleague = Consumer(client, shop, PUMP_GROUP, "colleague")
    assert [entry.id for entry in colleague.read(1, None)] == [first]
    item(client, shop, kind="pull_done", run_id="r", event_ids=[])
    intake = Intake(client, pg, Settings(), "me")
    intake.use(pg.database, ["shop", "other"])
    for _ in range(3):
        intake.turn(1)
    assert client.xlen(shop) == 2
    intake.reset()  # as after an error
    item(client, other, kind="nonsense")
    for _ in range(4):
        intake.turn(1)
    assert client.xlen(other) == 0
    assert client.xlen(shop) == 2
    colleague.forget([first])
    intake.turn(1)
    assert client.xlen(shop) == 0


def test_events_do_not_overtake_those_in_the_hands_of_another_pump(client, pg):
    """It may be slow, or dead: then they are taken over first. What has no order waits for nothing."""
    shop = results(client, pg, "shop")
    event = events(client, pg, shop)
    first = [event(), event()]
    colleague = Consumer(client, shop, PUMP_GROUP, "colleague")
    assert [entry.id for entry in colleague.read(2, None)] == first
    intake = Intake(client, pg, Settings(), "me")
    intake.use(pg.database, ["shop"])
    event()
    item(client, shop, kind="nonsense")
    for _ in range(3):
        intake.turn(1)
    assert pg.facts()["jobs"] == {}
    assert client.xlen(shop) == 3
    event()
    intake.turn(1)
    assert pg.facts()["jobs"] == {}
    client.xclaim(shop, PUMP_GROUP, "me", 0, first)  # as it takes over what a dead one left
    intake.reset()
    event()
    until(lambda: intake.turn(1) == 0 and client.xlen(shop) == 0)
    assert list(pg.facts()["jobs"]) == [str(UUID(int=number)) for number in range(5)]


def redis_lost_its_data(client, stream):
    client.flushall()


def the_stream_is_lost(client, stream):
    client.delete(stream)


def the_group_is_lost(client, stream):
    client.xgroup_destroy(stream, PUMP_GROUP)


def an_older_replica_took_over(client, stream):
    """It has the entries, and lacks that anybody was given one."""
    client.xgroup_destroy(stream, PUMP_GROUP)
    client.xgroup_create(stream, PUMP_GROUP, id="0")


@pytest.mark.parametrize(
    "lose", [redis_lost_its_data, the_stream_is_lost, the_group_is_lost, an_older_replica_took_over]
)
@pytest.mark.parametrize("when", ["held back", "just read"])
def test_what_is_in_hand_is_not_stored_when_redis_lost_what_was_before_it(client, pg, lose, when):
    """Two pumps share a pull's pages; Redis loses them, and with them that the other pump has the first in hand."""
    shop = results(client, pg, "shop")
    event = events(client, pg, shop)
    first = event()
    assert [entry.id for entry in Consumer(client, shop, PUMP_GROUP, "colleague").read(1, None)] == [first]
    event()
    intake = Intake(client, pg, Settings(), "me")
    intake.use(pg.database, ["shop"])
    if when == "held back":
        intake.turn(1)
        lose(client, shop)
    else:
        read = intake._read
        intake._read = lambda block_ms: (read(block_ms), lose(client, shop))[0]
    intake.turn(1)
    stored = list(pg.facts()["jobs"])
    assert stored == [str(UUID(int=number)) for number in range(len(stored))], "the second without the first"


def test_all_a_pump_had_in_hand_is_found_again_after_a_failure_however_much_it_holds_back(client, pg):
    """Else what it forgot would be stored after what it reads then."""
    shop = results(client, pg, "shop")
    event = events(client, pg, shop)
    first = event()
    colleague = Consumer(client, shop, PUMP_GROUP, "colleague")
    [theirs] = colleague.read(1, None)
    intake = Intake(client, pg, Settings(intake_batch=2), "me")
    intake.use(pg.database, ["shop"])
    for _ in range(7):
        event()
    for _ in range(5):
        intake.turn(1)
    intake.reset()
    for _ in range(5):
        intake.turn(1)
    pg.intake([theirs.fields[F_ITEM].decode()])
    colleague.forget([first])
    event()
    until(lambda: intake.turn(1) == 0 and client.xlen(shop) == 0)
    assert list(pg.facts()["jobs"]) == [str(UUID(int=number)) for number in range(9)]


def test_an_end_of_pull_waits_however_much_the_pump_has_in_hand_itself(client, pg):
    shop = results(client, pg, "shop")
    for _ in range(150):
        item(client, shop, kind="nonsense")
    mine = Consumer(client, shop, PUMP_GROUP, "me")
    assert len(mine.read(149, None)) == 149
    [theirs] = Consumer(client, shop, PUMP_GROUP, "colleague").read(1, None)
    item(client, shop, kind="pull_done", run_id="r", event_ids=[])
    assert len(mine.read(1, None)) == 1
    intake = Intake(client, pg, Settings(), "me")
    intake.use(pg.database, ["shop"])
    for _ in range(3):
        intake.turn(1)
    left = [entry.decode() for entry, _ in client.xrange(shop)]
    assert left[0] == theirs.id
    assert len(left) == 2
