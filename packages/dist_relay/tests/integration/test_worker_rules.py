"""Leases, deadlines, bulkheads, back-pressure: what workers keep to, and what they share through Redis."""

from __future__ import annotations

import json
import urllib.request

import pytest
import redis

from dist_contracts import Verdict
from dist_relay import metrics
from dist_relay.doctor import examine
from dist_relay.errors import SettingsError
from dist_relay.runtime.breaker import Breaker
from dist_relay.runtime.keys import WORKERS_GROUP, Keys
from dist_relay.runtime.redis_client import connect, now_ms, refuse_eviction
from dist_relay.runtime.streams import Consumer, ensure_group
from dist_relay.runtime.suspects import Suspects
from dist_relay.settings import Settings
from dist_relay.testkit.fake_adapter import World
from dist_relay.testkit.valkey import Valkey
from dist_relay.testkit.waiting import until

pytestmark = pytest.mark.integration

SHIP, AVAILABLE, KEYS = "shipment.confirm.v1", "availability.changed.v1", Keys("db", "shop")


def test_an_open_breaker_parks_without_attempts_and_tells(relay, pg, world):
    for number in range(12):
        pg.emit("shop", SHIP, f"order-{number}")
    world.faults({"op": "confirm", "do": "retry", "times": 3})
    relay(breaker_failures=3, breaker_seconds=0.5)
    until(lambda: pg.open_rows() == 0)
    assert {row.state for row in pg.rows()} == {"delivered"}
    assert sum(row.attempts for row in pg.rows()) == 3
    assert any("snooze" in row.history for row in pg.rows())
    until(lambda: [item["breaker"] for item in pg.facts()["health"]][-1:] == ["closed"])
    assert [item["breaker"] for item in pg.facts()["health"]] == ["open", "half_open", "closed"]


def test_a_worker_shows_the_breaker_as_others_open_and_close_it(relay, pg, client):
    """Its gauge, though it neither opened nor closed it, and has no work when it is closed."""
    name, key = "Breaker of others", Keys(pg.database, "shop").breaker
    pg.connect("shop", name=name)
    Breaker(client, key, 1, 600.0, 1.0, lambda state, why: None).tell(Verdict.RETRY, "503")
    pg.emit("shop", SHIP, "order-1")
    relay()

    def shown():
        return metrics.BREAKER.labels(name)._value.get()

    until(lambda: shown() == metrics.BREAKER_VALUES["open"])
    client.delete(key)
    until(lambda: shown() == metrics.BREAKER_VALUES["closed"])
    assert pg.rows()[0].history == ["published", "snooze"], "it had no other work"


def test_a_hanging_connection_holds_up_nobody(relay, pg, world, tmp_path):
    pg.connect("slow", settings={"world": str(tmp_path / "slow")})
    World(tmp_path / "slow").faults({"op": "confirm", "do": "hang", "seconds": 8, "times": 99})
    for number in range(20):
        pg.emit("slow", SHIP, f"slow-{number}")
    relay(lease_seconds=120, call_seconds=10, claim_idle_seconds=30, stop_seconds=15)
    until(lambda: World(tmp_path / "slow").calls())
    for number in range(100):
        pg.emit("shop", SHIP, f"order-{number}")
    until(lambda: len(world.ledger()) == 100)
    assert len(World(tmp_path / "slow").ledger()) < 5


@pytest.mark.parametrize("threads", [2, 3])
def test_hanging_connections_leave_threads_to_the_others(relay, pg, world, tmp_path, threads):
    """Fewer threads than lanes: those that took long once share half of them, though they never come back."""
    hanging = {name: World(tmp_path / name) for name in ("slow-a", "slow-b", "slow-c")}
    for name, slow in hanging.items():
        pg.connect(name, settings={"world": str(slow.folder)})
        hang = {"op": "confirm", "do": "hang"}
        slow.faults({**hang, "seconds": 2.5, "times": 1}, {**hang, "seconds": 600, "times": 9})
        pg.emit(name, SHIP, "first")
    service = relay(threads=threads, call_seconds=10, claim_idle_seconds=30, lease_seconds=120, stop_seconds=0.1)
    service.worker.long_seconds = 2.0
    until(lambda: pg.open_rows() == 0)
    for name in hanging:
        pg.emit(name, SHIP, "second")
    until(lambda: any(len(slow.calls()) == 2 for slow in hanging.values()))
    for number in range(50):
        pg.emit("shop", SHIP, f"order-{number}")
    until(lambda: len(world.ledger()) == 50)
    assert sum(len(slow.calls()) for slow in hanging.values()) == 4  # one of them hangs, the others wait


def test_a_missing_adapter_parks(relay, pg, world, client):
    pg.connect("alien", adapter="unheard_of")
    pg.emit("alien", SHIP, "a")
    relay()
    until(lambda: pg.rows()[0].outcome)
    assert (pg.rows()[0].outcome["code"], pg.rows()[0].attempts) == ("adapter_missing", 0)


def envelope(type_, database, **more):
    return json.dumps(
        {
            "event_id": "019e9af0-faed-529c-baf3-8e2174bdc750",
            "type": type_,
            "database": database,
            "connection": "shop",
            "key": "sku",
            "occurred_at": "2026-01-01T00:00:00Z",
            "correlation_id": "00-eecb85243f7ffcc5c95ba60d4b3160e5-353550a93ce812f5-01",
            "payload": {},
            **more,
        }
    )


def serve_alone(relay, pg, client, **settings):
    """A worker without a pump, told of its connection."""
    service = relay(pump=False, **settings)
    client.hset("dist:databases", pg.database, now_ms(client))
    client.hset(f"dist:{{{pg.database}}}:config", "shop", json.dumps(pg.connections()[0]))
    until(lambda: service.worker.lanes())
    return service


def outcomes(client, keys):
    """The outcomes told so far."""
    items = [json.loads(entry[b"i"]) for _, entry in client.xrange(keys.results)]
    return [item["outcome"] for item in items if item["kind"] == "outcome"]


def test_nothing_is_begun_after_its_deadline(relay, pg, world, client):
    keys, past = Keys(pg.database, "shop"), "2026-01-01T00:00:00Z"
    serve_alone(relay, pg, client)
    client.xadd(keys.out, {"e": envelope(SHIP, pg.database, deadline=past)})
    until(lambda: client.xlen(keys.results))
    (_, entry), *_ = client.xrange(keys.results)
    outcome = json.loads(entry[b"i"])["outcome"]
    assert (outcome["verdict"], outcome["code"]) == ("broken", "deadline")
    assert world.calls() == []


def test_what_may_have_taken_effect_is_looked_up_after_its_deadline(relay, pg, world, client):
    keys, past = Keys(pg.database, "shop"), "2026-01-01T00:00:00Z"
    serve_alone(relay, pg, client)
    client.xadd(keys.out, {"e": envelope(SHIP, pg.database, deadline=past, read_back=True)})
    until(world.calls)
    assert world.calls()[0]["read_back"]


@pytest.mark.parametrize("more", [{}, {"deadline": "2026-01-01T00:00:00Z"}], ids=["in_time", "past_its_deadline"])
def test_what_another_life_published_is_looked_up_when_a_call_begun_in_it_is_over(more, relay, pg, world, client):
    """Another worker may be in the middle of it: what is looked up before that is sent a second time."""
    keys = Keys(pg.database, "shop")
    serve_alone(relay, pg, client, call_seconds=7, claim_idle_seconds=8, lease_seconds=14)
    client.xadd(keys.out, {"e": envelope(SHIP, pg.database, **more), "g": "another life"})
    until(lambda: client.xlen(keys.results))
    (_, entry), *_ = client.xrange(keys.results)
    item = json.loads(entry[b"i"])
    assert (item["outcome"]["verdict"], item["outcome"]["code"]) == ("snooze", "redis_restarted")
    assert float(item["outcome"]["retry_after"]) >= 7
    assert item["read_back"], "nobody knows whether it was begun"
    assert world.calls() == []


@pytest.mark.parametrize(("begun", "verdict"), [(3, "delivered"), (4, "broken")])
def test_begins_are_counted_over_publications_until_a_call_ends(begun, verdict, relay, pg, world, client):
    """The entry itself is new each time; whatever came of it, the count is over: a replay begins at nothing."""
    keys, event = Keys(pg.database, "shop"), json.loads(envelope(SHIP, pg.database, read_back=True))
    client.set(keys.begun(event["event_id"]), begun)
    quarantined = metrics.QUARANTINED.labels("shop")._value.get()
    serve_alone(relay, pg, client)
    client.xadd(keys.out, {"e": json.dumps(event)})
    until(lambda: client.xlen(keys.results))
    (_, entry), *_ = client.xrange(keys.results)
    item = json.loads(entry[b"i"])
    assert (item["outcome"]["verdict"], item["read_back"]) == (verdict, True)
    assert item["outcome"].get("code") == ("poison" if verdict == "broken" else None)
    assert len(world.calls()) == (verdict == "delivered")
    assert metrics.QUARANTINED.labels("shop")._value.get() - quarantined == (verdict == "broken")
    assert not client.exists(keys.begun(event["event_id"]))


def test_what_is_put_off_uncalled_is_as_suspect_as_before(relay, pg, world, client):
    keys, event = Keys(pg.database, "shop"), json.loads(envelope(SHIP, pg.database, read_back=True))
    client.set(keys.begun(event["event_id"]), 2)
    pg.connect("shop", state="paused")
    serve_alone(relay, pg, client)
    client.xadd(keys.out, {"e": json.dumps(event)})
    until(lambda: client.xlen(keys.results))
    assert client.get(keys.begun(event["event_id"])) == b"2"


@pytest.mark.parametrize("begun", [0, 1])
def test_a_pause_of_the_breaker_makes_nobody_more_suspect(begun, relay, pg, world, client):
    """More rounds than an event may be begun: nothing was called, so nobody can have died of it."""
    keys, event = Keys(pg.database, "shop"), json.loads(envelope(SHIP, pg.database, read_back=True))
    if begun:
        client.set(keys.begun(event["event_id"]), begun)
    Breaker(client, keys.breaker, 1, 600.0, 1.0, lambda state, why: None).tell(Verdict.RETRY, "503")
    serve_alone(relay, pg, client)
    codes = []
    for round_ in range(1, 6):
        client.xadd(keys.out, {"e": json.dumps(event)})
        until(lambda many=round_: len(outcomes(client, keys)) == many)
        codes.append(outcomes(client, keys)[-1]["code"])
    assert codes == ["breaker_open"] * 5
    assert int(client.get(keys.begun(event["event_id"])) or 0) == begun
    client.delete(keys.breaker)
    client.xadd(keys.out, {"e": json.dumps(event)})
    until(lambda: len(outcomes(client, keys)) == 6)
    assert outcomes(client, keys)[-1]["verdict"] == "delivered"
    assert not client.exists(keys.begun(event["event_id"]))


@pytest.mark.parametrize("more", [{"x": "9007199254740992"}, {"c": "9"}], ids=["paused", "config_late"])
def test_begins_of_an_entry_that_is_put_off_are_not_forgotten(more, relay, pg, world, client):
    """Its worker died; then it is not called but comes again with a new entry, that was never begun."""
    keys, event = Keys(pg.database, "shop"), json.loads(envelope(SHIP, pg.database))
    if "x" in more:
        pg.connect("shop", state="paused")
    ensure_group(client, keys.out, WORKERS_GROUP)
    dead = Consumer(client, keys.out, WORKERS_GROUP, "dead")
    client.xadd(keys.out, {"e": json.dumps(event), **more})
    [entry] = dead.read(1, None)
    for _ in range(2):
        dead.begin([(entry.id, "", None)], 1000)
    dead.release([entry.id])
    serve_alone(relay, pg, client)
    until(lambda: outcomes(client, keys))
    assert outcomes(client, keys)[0]["verdict"] == "snooze"
    assert client.get(keys.begun(event["event_id"])) == b"2"


def test_a_worker_that_knows_less_lowers_no_count(client):
    suspects = Suspects(client, KEYS)
    suspects.count({"one": 3, "two": 1})
    suspects.count({"one": 2, "two": 2})
    assert suspects.begun(["one", "two", "three"]) == [3, 2, 0]
    assert client.pttl(KEYS.begun("one")) > 0


def test_budgets_are_told_after_work(relay, pg, world, client):
    relay()
    for round_ in range(3):
        for number in range(20):
            pg.emit("shop", AVAILABLE, f"sku-{round_}-{number}", version=round_ + 1)
        until(lambda: pg.open_rows() == 0)
    until(lambda: pg.facts()["budgets"])
    first = pg.facts()["budgets"][0]
    assert first["breaker"] == "closed"
    (row,) = first["budgets"]
    assert (row["operation"], row["burst"], row["rate"], row["factor"]) == ("publish", 1000.0, 1000.0, 1.0)


def test_late_and_overtaken_entries_are_dropped(relay, pg, world, client):
    keys = Keys(pg.database, "shop")
    client.set(keys.version(AVAILABLE, "sku"), 9)
    service = relay(pump=False)
    for version, lapses in ((8, 2**52), (10, now_ms(client) + 100)):
        client.xadd(keys.out, {"e": envelope(AVAILABLE, pg.database, version=version), "x": str(lapses)})
    client.hset("dist:databases", pg.database, now_ms(client))
    client.hset(f"dist:{{{pg.database}}}:config", "shop", json.dumps(pg.connections()[0]))
    until(lambda: service.worker.lanes())
    until(lambda: client.xlen(keys.out) == 0)
    assert world.calls() == []
    assert client.xlen(keys.results) == 0


def test_back_pressure_stops_publishing_and_goes_on(relay, pg, world, client):
    for number in range(80):
        pg.emit("shop", SHIP, f"order-{number}")
    pump_only = relay(worker=False, stream_limit=25, claim_batch=10)
    keys = Keys(pg.database, "shop")
    until(lambda: client.xlen(keys.out) == 25)
    publishing = pump_only.pump.loops[1]
    for _ in range(3):  # more turns change nothing
        until(lambda before=publishing.alive_at: publishing.alive_at > before)
    assert client.xlen(keys.out) == 25
    assert sum(1 for row in pg.rows() if row.state == "pending") == 55
    relay(pump=False)
    until(lambda: pg.open_rows() == 0)


def test_a_consumer_of_a_dead_worker_is_tidied(client):
    ensure_group(client, "s", "g")
    dead, alive = Consumer(client, "s", "g", "dead"), Consumer(client, "s", "g", "alive")
    client.xadd("s", {"e": "1"})
    assert len(dead.read(10, None)) == 1
    assert alive.take_over(60_000, 10) == []
    alive.tidy(idle_ms=-1)
    assert b"dead" in {c["name"] for c in client.xinfo_consumers("s", "g")}  # something is pending for it
    entries = alive.take_over(0, 10)
    assert [entry.begun for entry in entries] == [0]
    assert alive.begin([(entries[0].id, "", None)], 1000).mine == [True]
    assert dead.begin([(entries[0].id, "", None)], 1000).mine == [False]
    assert [entry.begun for entry in alive.own(10)] == [1]
    alive.tidy(idle_ms=-1)
    assert {c["name"] for c in client.xinfo_consumers("s", "g")} == {b"alive"}
    alive.forget([entries[0].id])
    assert client.xlen("s") == 0


def test_what_another_worker_took_over_is_not_given_back(client):
    """Else a third would act beside the second: both in the middle of one call."""
    ensure_group(client, "s", "g")
    slow, quick = Consumer(client, "s", "g", "slow"), Consumer(client, "s", "g", "quick")
    for number in "12":
        client.xadd("s", {"e": number})
    first, second = slow.read(10, None)
    quick.take_over(0, 1)
    assert quick.begin([(first.id, "", None)], 1000).mine == [True]
    slow.release([first.id, second.id])
    slow.leave()
    assert {p["message_id"].decode(): p["consumer"] for p in client.xpending_range("s", "g", "-", "+", 10)} == {
        first.id: b"quick",
        second.id: b"released",
    }
    quick.leave()  # has something in hand: it stays
    assert [c["name"] for c in client.xinfo_consumers("s", "g") if c["pending"]] == [b"quick", b"released"]


def test_no_call_begins_that_could_outlast_its_lease(relay, pg, world, client):
    keys = Keys(pg.database, "shop")
    service = relay(pump=False, call_seconds=30, lease_seconds=60, claim_idle_seconds=40)
    client.xadd(keys.out, {"e": envelope(SHIP, pg.database), "x": str(now_ms(client) + 25_000)})
    client.hset("dist:databases", pg.database, now_ms(client))
    client.hset(f"dist:{{{pg.database}}}:config", "shop", json.dumps(pg.connections()[0]))
    until(lambda: service.worker.lanes())
    until(lambda: client.xlen(keys.out) == 0)
    assert world.calls() == []


def test_an_evicting_redis_is_refused(tmp_path, pg):
    server = Valkey(tmp_path, "--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru")
    server.start()
    try:
        with pytest.raises(SettingsError, match="allkeys-lru"):
            refuse_eviction(connect(server.url))
        found = [finding for finding in examine(Settings(redis_url=server.url)) if finding.level == "bad"]
        assert any("allkeys-lru" in finding.what for finding in found)
    finally:
        server.kill()


def test_doctor_knows_of_appendonly(valkey):
    found = list(examine(Settings(redis_url=valkey.url)))
    assert any("appendonly is no" in finding.what for finding in found)
    assert any(finding.what == "maxmemory-policy is noeviction" for finding in found)
    assert any("keygen" in finding.hint for finding in found if finding.level == "bad")


def test_health_and_metrics_are_served(relay, pg, world):
    service = relay(http_enabled=True, http_port=0)
    pg.emit("shop", SHIP, "order-1")
    until(lambda: pg.open_rows() == 0)
    base = f"http://127.0.0.1:{service._server.port}"
    with urllib.request.urlopen(f"{base}/healthz") as answer:
        facts = json.load(answer)
    assert facts["ok"] is True
    assert set(facts["parts"]) == {"config", "publish", "intake", "doorbell", "worker"}
    with urllib.request.urlopen(f"{base}/metrics") as answer:
        text = answer.read().decode()
    for name in (
        "dist_outbox_pending",
        "dist_outbox_oldest_seconds",
        "dist_delivery_seconds",
        "dist_api_requests_total",
        "dist_retries_total",
        "dist_dead_letters",
        "dist_breaker_state",
        "dist_republished_total",
    ):
        assert f"# TYPE {name}" in text, name
    assert "order-1" not in text


def test_lost_replies_add_no_entry_twice(valkey, client):
    """One ``xadd`` through a connection that drops replies leaves one entry: nothing is repeated behind our back."""
    flaky = connect(valkey.url)

    class Dropping:
        def __init__(self, connection):
            self._real = connection.read_response
            self.dropped = 0

        def __call__(self, *args, **kwargs):
            self._real(*args, **kwargs)
            self.dropped += 1
            raise redis.ConnectionError("reply lost")

    connection = flaky.connection_pool.get_connection()
    dropping = Dropping(connection)
    connection.read_response = dropping
    flaky.connection_pool.release(connection)
    with pytest.raises(redis.ConnectionError):
        flaky.xadd("s", {"a": "1"})
    assert dropping.dropped == 1
    assert client.xlen("s") == 1
