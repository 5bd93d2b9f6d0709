"""Budgets, penalties, breakers: what all workers obey together, through Redis."""

from __future__ import annotations

import threading

import pytest

from dist_contracts import RateLimit, Verdict
from dist_relay.clock import SystemClock
from dist_relay.errors import Snoozed
from dist_relay.http.deadline import within
from dist_relay.runtime.breaker import Breaker
from dist_relay.runtime.budgets import Budgets, TooEarly
from dist_relay.runtime.keys import Keys
from dist_relay.runtime.redis_client import now_ms
from dist_relay.runtime.throttle import RedisThrottle
from dist_relay.testkit.clock import FakeClock

pytestmark = pytest.mark.integration

SHIP, AVAILABLE, KEYS = "shipment.confirm.v1", "availability.changed.v1", Keys("db", "shop")


def throttle(client, rate, burst, longest=0.0, clock=None):
    limits = [RateLimit(operation="op", rate=rate, burst=burst)]
    return RedisThrottle(client, KEYS, limits, clock or FakeClock(), longest)


def taken(budget, priority=5, cost=1.0, most=1000):
    count = 0
    while count < most:
        try:
            budget.acquire("op", cost, priority)
        except Snoozed:
            break
        count += 1
    return count


def test_the_budget_is_shared_and_urgent_work_has_the_last_of_it(client):
    first, second = throttle(client, 0.001, 10), throttle(client, 0.001, 10)
    assert taken(first, priority=9) == 7
    assert taken(second, priority=5) == 2
    assert taken(first, priority=0) == 1
    assert taken(second, priority=0) == 0


def test_a_cost_above_the_burst_is_served_by_a_full_bucket(client):
    assert taken(throttle(client, 0.001, 10), cost=500.0) == 1


def test_many_threads_take_exactly_the_burst(client):
    counts = []
    threads = [
        threading.Thread(target=lambda: counts.append(taken(throttle(client, 0.0001, 200), priority=0)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 200


def test_a_short_wait_is_waited_for_and_a_long_one_is_not(client):
    quick = throttle(client, 100.0, 1.0, longest=5.0, clock=SystemClock())
    assert taken(quick, priority=0, most=5) == 5
    clock = FakeClock()
    client.delete(KEYS.throttle("op"))
    slow = throttle(client, 0.1, 1.0, longest=5.0, clock=clock)
    assert taken(slow, priority=0) == 1
    assert clock.slept == []


def test_waiting_for_budget_leaves_time_for_the_request(client):
    """Two waits that are short enough by themselves: the second would leave a request too little of its call."""

    class Refilling(FakeClock):
        def sleep(self, seconds):
            super().sleep(seconds)
            client.delete(KEYS.throttle("op"))

    clock = Refilling()
    budget = throttle(client, 0.25, 1.0, longest=5.0, clock=clock)
    with within(clock, 10.0):
        budget.acquire("op", priority=0)
        budget.acquire("op", priority=0)
        with pytest.raises(Snoozed) as parked:
            budget.acquire("op", priority=0)
    assert parked.value.code == "throttled"
    assert [round(seconds) for seconds in clock.slept] == [4]


def test_the_other_side_is_right_about_its_budget(client):
    budget = throttle(client, 0.001, 10)
    budget.feedback("op", 3.0, 0.001)
    assert taken(budget, priority=0) == 3
    budget.feedback("op", 50.0, 0.001)
    assert taken(budget, priority=0) == 50


def test_a_penalty_holds_everybody_and_halves_once(client):
    first, second = throttle(client, 1000.0, 10), throttle(client, 1000.0, 10)
    first.penalise("op", 60)
    second.penalise("op", 90)
    with pytest.raises(Snoozed) as caught:
        second.acquire("op", 1.0, 0)
    assert 60 < caught.value.seconds <= 90
    assert float(client.hget(KEYS.throttle("op"), "factor")) == 0.5


def test_an_operation_without_a_limit_obeys_penalties_only(client):
    budget = throttle(client, 0.001, 1)
    for _ in range(50):
        budget.acquire("other")
    budget.penalise("other", 30)
    with pytest.raises(Snoozed):
        budget.acquire("other")


def test_without_redis_there_is_no_budget(valkey, client):
    budget = throttle(client, 10, 10)
    valkey.kill()
    with pytest.raises(Snoozed, match="Redis is away"):
        budget.acquire("op")
    budget.feedback("op", 1, 1)
    budget.penalise("op", 1)


def test_the_breaker_opens_probes_once_and_closes(client):
    changes = []
    key = KEYS.breaker
    one = Breaker(client, key, 3, 30.0, 30.0, lambda state, why: changes.append((state, why)))
    two = Breaker(client, key, 3, 30.0, 30.0, lambda state, why: changes.append((state, why)))
    for verdict in (Verdict.RETRY, Verdict.RETRY, Verdict.REJECTED, Verdict.UNKNOWN, Verdict.SNOOZE, Verdict.RETRY):
        one.tell(verdict, "500")
    two.ask()
    two.tell(Verdict.UNKNOWN, "504")
    assert changes == [("open", "504")]
    with pytest.raises(Snoozed) as caught:
        one.ask()
    assert caught.value.code == "breaker_open"
    assert 0 < caught.value.seconds <= 30
    client.hset(key, "until", now_ms(client) - 1)  # the time is up
    one.ask()
    with pytest.raises(Snoozed):
        two.ask()  # one probe at a time
    one.tell(Verdict.RETRY, "again")
    with pytest.raises(Snoozed) as caught:
        one.ask()
    assert caught.value.seconds > 30  # twice as long
    client.hset(key, "until", now_ms(client) - 1)
    two.ask()
    two.tell(Verdict.DELIVERED)
    one.ask()
    assert [state for state, _ in changes] == ["open", "half_open", "open", "half_open", "closed"]


def test_a_penalty_is_told(client):
    budgets = Budgets(client, KEYS)
    limits = [RateLimit(operation="op", rate=1.0, burst=10.0)]
    assert budgets.changed(limits, ()) is None  # nothing was used
    with pytest.raises(TooEarly):
        budgets.changed(limits, ())
    client.delete(KEYS.told)
    throttle(client, 1.0, 10).penalise("op", 60)
    throttle(client, 1.0, 10).penalise("other", 30)
    state, (limited, unlimited) = budgets.changed(limits, {"other"})
    assert (state, limited["tokens"], limited["burst"], limited["factor"]) == ("closed", 0.0, 10.0, 0.5)
    assert 50 < limited["blocked_seconds"] <= 60
    assert (unlimited["operation"], unlimited["tokens"], unlimited["burst"]) == ("other", None, None)


def test_half_the_rate_recovers_bit_by_bit(client):
    """Additive: 2 % of the full rate a second."""
    budget = throttle(client, 0.001, 10)
    budget.penalise("op", 0)
    name = KEYS.throttle("op")
    assert float(client.hget(name, "factor")) == 0.5
    for seconds, factor in ((10, 0.7), (10, 0.9), (60, 1.0)):
        client.hset(name, "at", now_ms(client) - seconds * 1000)
        taken(budget, priority=9, most=1)
        assert factor - 0.001 <= float(client.hget(name, "factor")) <= min(1.0, factor + 0.15)
