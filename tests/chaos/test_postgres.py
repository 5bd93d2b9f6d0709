"""Faults of transactions and of PostgreSQL: 1, 2, 10 to 13 and 30 of the list."""

from __future__ import annotations

import subprocess
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import cluster
import pytest
from business import OnPurpose

from dist_relay.runtime.keys import Keys

if TYPE_CHECKING:
    from house import House
    from scope import Scope


def dies(house: House, scope: Scope, when: str) -> None:
    script = str(cluster.ADDONS.parent / "dying_business.py")
    place = [str(house.config), cluster.DATABASE, str(scope.connection), scope.keys[0], when]
    done = subprocess.run([str(house.layout.python), script, *place], capture_output=True, timeout=120)
    assert done.returncode == -9, done.stderr


def test_01_a_business_process_killed_before_its_commit(house: House, scope: Scope) -> None:
    dies(house, scope, "before")
    history = scope.settle()
    assert (history.intents, history.effects, history.shown) == ([], [], [])


def test_02_a_business_process_killed_after_its_commit(house: House, scope: Scope) -> None:
    """No doorbell is rung: polling finds it."""
    dies(house, scope, "after")
    history = scope.settle()
    assert len(history.intents) == 2
    assert len(history.shown) == 2


@pytest.mark.parametrize("how", ["terminate", "immediate", "kill"])
def test_10_sessions_and_servers_die(how: str, house: House, scope: Scope) -> None:
    """Again and again while everything runs, so that it happens at each step."""
    scope.offer(60)
    for _ in range(3):
        scope.load(8)
        time.sleep(0.3)
        if how == "terminate":
            for _again in range(3):
                house.sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
        elif how == "immediate":
            cluster.stop_at_once(house.supervisor)
        else:
            house.kill("postgres")
        house.until(lambda: house.sql("SELECT 1"), "PostgreSQL is back")
    scope.settle()


def test_11_business_transactions_collide(house: House, scope: Scope) -> None:
    """Four writers on two keys: most transactions are tried again, each is told once."""
    before = house.business.retries
    writers = [threading.Thread(target=scope.load, args=(12,)) for _ in range(4)]
    scope.keys, others = scope.keys[:2], scope.keys[2:]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    scope.keys += others
    assert house.business.retries > before
    assert len(scope.settle().intents) == 4 * 12 * 2


def test_11_handlers_and_business_deadlock(house: House, scope: Scope) -> None:
    """Two keys are locked in opposite orders, by jobs and by the business, many at once.

    PostgreSQL breaks off one of two again and again; everything is done once, and none spends a second attempt.
    """
    house.engine("second-engine")
    one, other = scope.keys[:2]
    ways = ((one, other), (other, one))
    stop, hit = threading.Event(), house.business.deadlocks

    def write(first: str, second: str) -> None:
        while not stop.is_set():
            house.business.run(scope.all_of(scope.ship(first), scope.work(second), scope.ship(second)))
            stop.wait(0.1)

    def waiting() -> list[tuple[Any, ...]]:
        return house.sql("SELECT 1 FROM dist_job WHERE handler = 'dist.chaos.key:_cross' AND state = 'pending'")

    def deadlocks() -> int:
        if len(waiting()) < 20:
            house.business.run(scope.all_of(*(scope.cross(*way) for way in ways * 10)))
        return int(house.sql("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")[0][0])

    before = deadlocks()
    house.until(lambda: deadlocks() >= before + 3, "jobs were broken off")
    writers = [threading.Thread(target=write, args=way) for way in ways]
    for writer in writers:
        writer.start()
    try:
        house.until(lambda: house.business.deadlocks > hit, "the business is hit, too")
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    history = scope.settle()
    house.stop("second-engine")
    assert {effect.lane for effect in history.effects} == {"fact", "job", "cross"}
    assert house.sql("SELECT DISTINCT attempts FROM dist_job WHERE handler LIKE 'dist.chaos.key:%'") == [(1,)]


def test_12_a_savepoint_is_rolled_back(house: House, scope: Scope) -> None:
    name = scope.keys[0]
    everything = scope.all_of(scope.ship(name), scope.work(name), scope.count(name))

    def partly(env: Any) -> None:
        everything(env)
        with suppress(OnPurpose), env.cr.savepoint():
            everything(env)
            env.flush_all()
            raise OnPurpose
        everything(env)

    house.business.run(partly)
    assert len(scope.settle().intents) == 4


def test_13_a_transaction_held_open_holds_up_nobody_else(house: House, scopes: Any) -> None:
    """It has written facts, jobs and marks and keeps its snapshot and locks; everybody else's work goes through."""
    slow, others = scopes("held"), scopes("others")
    name = slow.keys[0]
    everything = slow.all_of(slow.ship(name), slow.work(name), slow.count(name))
    go_on, begun = threading.Event(), threading.Event()

    def held(env: Any) -> None:
        everything(env)
        env.flush_all()
        begun.set()
        assert go_on.wait(300)

    holder = threading.Thread(target=house.business.run, args=(held,))
    holder.start()
    try:
        assert begun.wait(60)
        others.load(15)
        others.offer(20)
        others.settle()
        assert slow.history({}).effects == []
    finally:
        go_on.set()
        holder.join()
    assert len(slow.settle().intents) == 2


def test_30_a_copy_publishes_nothing(house: House, scope: Scope) -> None:
    """The copy has open events and a pump of its own on the same Redis; nothing of it ever reaches a stream."""
    house.part("worker")
    house.stop("pump")
    house.stop("engine")
    scope.load(5, scope.ship)
    copy = f"{cluster.DATABASE}_copy"
    house.business.close()
    house.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    house.forget_sql()
    house.databases.copy(cluster.DATABASE, copy)
    # what Odoo does with the identity of a database it duplicates
    house.databases.sql(
        "UPDATE ir_config_parameter SET value = gen_random_uuid()::text WHERE key = 'database.uuid'", copy
    )
    identity = house.databases.sql("SELECT dist_relay.database_uuid()", copy)
    house.databases.sql("SELECT dist_relay.grant_to('dist_relay')", copy)
    try:
        house.part("pump", "pump-of-copy", dsn=house.relay_dsn(copy))
        announced = "SELECT 1 FROM dist_relay WHERE announced_at > now() AT TIME ZONE 'UTC' - interval '1 minute'"
        house.until(lambda: house.redis.hexists("dist:databases", identity), "the pump of the copy turns")
        house.until(lambda: house.databases.sql(announced, copy), "it announced itself to the copy")
        assert house.databases.sql("SELECT count(*) FROM dist_relay.pending()", copy) == "0"
        assert not house.redis.exists(Keys(identity, scope.ref).out)
        assert scope.history({}).effects == []
        states = "SELECT DISTINCT state FROM dist_outbox_event"
        assert house.databases.sql(states, copy) == "pending"
    finally:
        house.stop("pump-of-copy")
        house.databases.drop(copy)
    house.normal()
    assert len(scope.settle().effects) == 5
