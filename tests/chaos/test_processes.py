"""Faults of processes and their hosts: 19, 22, 23, 29 and 31 of the list; jobs that hang, upgrades, crowds."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import cluster
import pytest
from business import key as key_record
from forms import LONG, only_long

if TYPE_CHECKING:
    from house import House
    from scope import Scope


CROWD = 20 if LONG else 4


@pytest.mark.parametrize("part", ["worker", "pump", pytest.param("engine", marks=only_long)])
def test_19_a_part_is_halted_until_others_have_taken_over(part: str, house: House, scope: Scope) -> None:
    """It is stopped with work in hand until its lease is over and a second one has done the work; then it goes on."""
    if part == "worker":
        house.faults({"do": "hang", "seconds": 1.0, "account": scope.name, "times": 1})
    scope.load(15)
    scope.offer(20)
    if part == "worker":
        house.until(lambda: scope.left().get("entries in Redis"), "the worker has something in hand")
    with house.halted(part):
        if part == "engine":
            house.engine("second-engine")
        else:
            house.part(part, f"second-{part}")
        scope.load(10)
        scope.drain(40)
    scope.load(5)
    scope.settle()
    house.stop(f"second-{part}")


@pytest.mark.parametrize("hours", [1, pytest.param(-1, marks=only_long)])
def test_22_the_clock_of_a_relay_host_jumps(hours: int, house: House, scope: Scope) -> None:
    """Budgets, leases and pauses go by the clocks of Redis and PostgreSQL: nothing waits for it or is sent twice."""
    house.faults({"do": "status", "status": 429, "headers": {"Retry-After": "1"}, "account": scope.name, "times": 2})
    scope.load(10)
    house.clock(hours * 3600)
    try:
        scope.load(10)
        scope.offer(20)
        scope.settle()
        house.clock(0)
        scope.load(5)
        scope.settle()
    finally:
        house.clock(0)
    calls = [event for _key, event, status in house.ledger.calls(scope.name) if status == 200]
    assert len(calls) == len(set(calls))


@pytest.mark.parametrize("how", ["segfault", pytest.param("exit", marks=only_long)])
def test_23_a_poison_job_is_quarantined(how: str, house: House, scope: Scope) -> None:
    """Whatever way its worker dies, after three deaths the job is put aside; everybody else's goes on."""
    poison = house.business.run(lambda env: key_record(env, scope.keys[0]).delayed(priority=0)._poison(how).id)
    scope.load(10)
    found = "SELECT error_type FROM dist_job WHERE id = %s AND state = 'dead'"
    house.until(lambda: house.sql(found, poison), "the poison job is quarantined")
    assert house.sql(found, poison) == [("Poison",)]
    reported = "SELECT count(*) FROM dist_exception WHERE res_model = 'dist.job' AND res_id = %s"
    assert house.sql(reported, poison)[0][0] == 1
    house.sql("DELETE FROM dist_job WHERE id = %s", poison)
    scope.settle()


def test_23_a_poison_event_is_quarantined(house: House, scope: Scope) -> None:
    house.part("worker", max_deliveries=2, lease_seconds=60)
    house.part("pump", lease_seconds=60)
    house.business.run(scope.ship(scope.keys[0], key="die"))
    scope.load(10, scope.ship)
    found = "SELECT outcome_code FROM dist_outbox_event WHERE connection_id = %s AND state = 'dead'"
    house.until(lambda: house.sql(found, scope.connection), "the poison event is given up")
    assert house.sql(found, scope.connection) == [("poison",)]
    house.until(lambda: set(scope.left()) == {"dead events"}, "everything else is settled")
    assert len(house.ledger.effects(scope.name)) == 10


@pytest.mark.parametrize("method", ["_overrun", "_overrun_in_postgres"])
def test_a_job_over_its_timeout_is_stopped(method: str, house: House, scope: Scope) -> None:
    """While it computes, and while it waits for PostgreSQL; the work of others goes on."""
    job = house.business.run(lambda env: getattr(key_record(env, scope.keys[0]).delayed(priority=0), method)().id)
    scope.load(10)
    state = "SELECT error_type FROM dist_job WHERE id = %s AND state = 'dead'"
    house.until(lambda: house.sql(state, job), "it was stopped")
    assert house.sql(state, job) == [("JobTimeout",)]
    house.sql("DELETE FROM dist_job WHERE id = %s", job)
    scope.settle()


def test_29_the_relay_needs_no_disk(house: House, scope: Scope) -> None:
    """It writes no file at all: with a limit of zero bytes and no temporary folder every promise is kept."""
    for part in ("pump", "worker"):
        house.part(part, prepare="hosts:without_disk")
    scope.load(15)
    scope.offer(40)
    scope.settle()
    assert house.died("pump") is None
    assert house.died("worker") is None


def test_31_parts_of_another_version(house: House, scope: Scope) -> None:
    """In the middle of an upgrade old and new parts run side by side; each reads what it knows of the other's words."""
    house.part("pump", "newer-pump", prepare="hosts:newer")
    house.part("worker", "newer-worker", prepare="hosts:newer")
    for replaced in ("pump", "worker"):
        scope.load(10)
        scope.offer(20)
        house.stop(replaced)
    scope.load(10)
    scope.settle()
    for part in ("pump", "worker"):
        house.part(part)
        house.stop(f"newer-{part}")
    scope.load(5)
    scope.settle()


def test_an_upgrade_while_jobs_run(house: House, scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drained first, as documented: the upgrade gives the queue's table a new column with a default, while jobs wait
    in it, the relay brings in more and the business asks for more. Every row has the value, nothing is lost, and the
    workers come back, those of the old release by themselves and then those of the new one.
    """
    scope.load(10)
    drain = [str(house.layout.python), *house.worker_command("odoo", "--drain", "--timeout", "60")]
    done = subprocess.run(drain, capture_output=True, text=True, timeout=180, env=house.odoo_environment())
    assert done.returncode == 0, done.stderr
    scope.load(10, scope.ship, scope.work, scope.count, scope.diamond)
    scope.offer(20)
    house.until(lambda: house.sql("SELECT 1 FROM dist_job WHERE event_id IS NOT NULL"), "events came in")
    waiting = [job for (job,) in house.sql("SELECT id FROM dist_job WHERE state IN ('pending', 'waiting')")]
    assert len(waiting) > 50
    monkeypatch.setenv("DIST_CHAOS_UPGRADED", "1")
    with _business_goes_on(house, scope):
        upgrade = [str(house.layout.python), "-m", "odoo", "-c", str(house.config), "-d", cluster.DATABASE]
        upgrade += ["-u", cluster.LEDGER_ADDON, "--stop-after-init", "--no-http"]
        done = subprocess.run(upgrade, capture_output=True, text=True, timeout=300, env=house.odoo_environment())
    assert done.returncode == 0, done.stderr[-2000:]
    without = "SELECT id FROM dist_job WHERE id = ANY(%s) AND chaos_wave IS DISTINCT FROM 7"
    assert house.sql(without, waiting) == []
    scope.load(5)
    scope.settle()
    house.stop("engine")
    house.engine()
    scope.load(5, scope.ship, scope.work, scope.count, scope.diamond)
    scope.settle()


@contextmanager
def _business_goes_on(house: House, scope: Scope) -> Iterator[None]:
    """Transactions of the business inside the block."""
    stop = threading.Event()

    def go_on() -> None:
        while not stop.is_set():
            scope.load(1)
            stop.wait(0.1)

    writer = threading.Thread(target=go_on)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()


def test_many_workers_start_at_once(house: House, scope: Scope) -> None:
    """Nobody elects anybody; each finds its share, and the work is done once."""
    house.stop("engine")
    scope.load(60, scope.work, scope.count)
    argv = [str(house.layout.python), *house.worker_command("odoo", "--until-empty")]
    many = [
        subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=house.odoo_environment())
        for _ in range(CROWD)
    ]
    try:
        assert [each.wait(300) for each in many] == [0] * CROWD
    finally:
        for each in many:
            each.kill()
    house.normal()
    scope.settle()


def test_a_hundred_requests_of_one_identity_at_once(house: House, scope: Scope) -> None:
    """No business transaction is aborted by another's request, and the last change is not lost."""
    before, name = house.business.retries, scope.keys[0]
    barrier = threading.Barrier(10)

    def ask(_env: Any = None) -> None:
        barrier.wait()
        for _ in range(10):
            house.business.run(
                lambda env: key_record(env, name).delayed(identity="one", key=None)._sum_up()  # changes no row
            )

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert house.business.retries == before
    house.business.run(scope.count(name))
    scope.settle()
