"""The checker proves that it can fail: each scenario is clean on the whole system and caught on the broken one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

import psycopg
import pytest
from history import check, report
from test_redis import arrival

if TYPE_CHECKING:
    from house import House
    from scope import Scope

pytestmark = pytest.mark.parametrize("broken", [False, True], ids=["whole", "broken"])
NO_WAIT = 3600
"""A lease that never ends in a test: nothing but the part under test may bring a lost thing back."""


def judge(scope: Scope, promise: str, broken: bool, over: Callable[[], object]) -> None:
    """Drain (a broken system only until ``over`` is true) and compare the verdict with what is expected."""
    if broken:
        scope.house.until(over, "the damage is done")
        left = scope.left()
    else:
        left = scope.drain()
    violations = check(scope.history(left))
    found = {violation.promise for violation in violations}
    assert (promise in found) is broken, report(violations)
    assert broken or not violations, report(violations)


def mutant(broken: bool, context: Callable[[], AbstractContextManager[None]]) -> AbstractContextManager[None]:
    return context() if broken else nullcontext()


def test_no_sweeper(broken: bool, house: House, scope: Scope) -> None:
    """What Redis lost is not published again: L."""
    from mutants import sql_function

    house.stop("worker")
    scope.load(20, scope.ship)
    house.until(lambda: house.redis.xlen(scope.streams.out) >= len(scope.keys), "one event per key is published")
    house.redis.flushall()
    lapsed = "SELECT count(*) FROM dist_outbox_event WHERE connection_id = %s AND lease_until + interval '3 s' < %s"

    def long_over() -> bool:
        now = house.sql("SELECT now() AT TIME ZONE 'UTC'")[0][0]
        return bool(house.sql(lapsed, scope.connection, now)[0][0] == len(scope.keys))

    with mutant(broken, lambda: sql_function(house, "_heads", "e.lease_until <= p_now", "false")):
        house.part("worker")
        judge(scope, "L", broken, long_over)


def test_no_dedupe_in_the_intake(broken: bool, house: House, scope: Scope) -> None:
    """A delivery that comes twice takes effect twice: D."""
    from mutants import sql_function

    context = lambda: sql_function(  # noqa: E731
        house,
        "_intake_events",
        "ON CONFLICT DO NOTHING RETURNING event_id",
        "ON CONFLICT (event_id) DO UPDATE SET seen_at = clock_timestamp() RETURNING event_id",
    )
    events = [(name, f"event-{name}") for name in scope.keys]
    with mutant(broken, context):
        house.ledger.offer(scope.name, events)
        for _ in range(2):
            for name, token in events:
                house.redis.xadd(scope.streams.results, {"i": arrival(scope, name, token)})
            house.until(lambda: not house.redis.xlen(scope.streams.results), "they are taken in")
        judge(scope, "D", broken, lambda: not scope.left())


def test_no_read_back(broken: bool, house: House, scope: Scope) -> None:
    """An answer is lost after the effect, and what has taken effect is sent again: D."""
    house.part("worker", prepare="mutants:no_read_back" if broken else "")
    house.faults({"do": "lose", "account": scope.name, "times": 3})
    scope.load(10, scope.ship)
    judge(scope, "D", broken, lambda: not scope.left())


def test_no_head_of_line_check_in_the_outbox(broken: bool, house: House, scope: Scope) -> None:
    """A fact overtakes the one before it, which is tried again: O."""
    from mutants import sql_function

    first = scope.keys[0]
    house.faults({"do": "status", "status": 503, "account": scope.name, "key": first, "times": 1})
    house.stop("pump")
    scope.load(20, scope.ship)  # all are there before the first is tried
    with mutant(broken, lambda: sql_function(house, "_heads", "'fact' THEN e.id = (", "'fact' THEN 0 < (")):
        house.part("pump")
        judge(scope, "O", broken, lambda: not scope.drain())


def test_no_head_of_line_check_in_the_job_engine(broken: bool, house: House, scope: Scope) -> None:
    """A job overtakes the one before it, which waits for its time: O."""
    house.engine(entry="mutants" if broken else "odoo")
    serves = "SELECT 1 FROM dist_worker_slot WHERE pid = %s"
    house.until(lambda: house.sql(serves, house.supervisor.pid("engine")), "the worker serves")
    name = scope.keys[0]
    house.business.run(scope.all_of(scope.work(name, eta=4), *(scope.work(name) for _ in range(5))))
    judge(scope, "O", broken, lambda: not scope.left())


def test_acknowledged_before_stored(broken: bool, house: House, scope: Scope) -> None:
    """A pump dies between the acknowledgement and the commit: what was in its hands is gone, L."""
    events = [(name, f"event-{name}") for name in scope.keys]
    house.ledger.offer(scope.name, events)
    between = "mutant.acknowledged" if broken else "pump.intake_done"
    house.part("pump", crash_at=between, prepare="mutants:ack_first" if broken else "")
    for name, token in events:
        house.redis.xadd(scope.streams.results, {"i": arrival(scope, name, token)})
    house.until(lambda: house.died("pump") is not None, "the pump dies")
    judge(scope, "L", broken, lambda: not house.redis.xlen(scope.streams.results) and _idle(house))


def test_no_run_for_a_request_made_meanwhile(broken: bool, house: House, scope: Scope) -> None:
    """A value changes while it is summed up, and nobody looks again: L."""
    from mutants import one_waiting_request_is_enough

    name = scope.keys[0]
    with mutant(broken, lambda: one_waiting_request_is_enough(house)):
        with _held(house):
            house.business.run(scope.count(name))
            running = "SELECT 1 FROM dist_worker_slot WHERE handler = 'dist.chaos.key:_sum_up'"
            house.until(lambda: house.sql(running), "the sum is in hand")
            house.business.run(scope.count(name))
        judge(scope, "L", broken, lambda: not scope.left())


@contextmanager
def _held(house: House) -> Iterator[None]:
    """Hold up every sum after its value was read."""
    with psycopg.connect(house.dsn) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(4711)")
        yield


def _idle(house: House) -> bool:
    return not house.sql("SELECT 1 FROM dist_job WHERE state = 'pending' LIMIT 1")
