"""Faults of the other side: 24 to 27 and 32 of the list."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from house import House
    from scope import Scope


def attempts(scope: Scope) -> set[int]:
    """The attempts spent, over all events of the test."""
    rows = scope.house.sql("SELECT DISTINCT attempts FROM dist_outbox_event WHERE connection_id = %s", scope.connection)
    return {int(spent) for (spent,) in rows}


def statuses(scope: Scope) -> Counter[int]:
    """How often the counterpart answered what."""
    return Counter(status for _key, _id, status in scope.house.ledger.calls(scope.name))


def test_24_a_hanging_endpoint_holds_up_nobody_else(house: House, scopes: Any) -> None:
    hanging, others = scopes("hanging"), scopes("others")
    house.faults({"do": "hang", "seconds": 4.0, "account": hanging.name, "times": 9999})
    hanging.load(10, hanging.ship)
    house.until(lambda: hanging.left().get("published events"), "calls hang")
    for _ in range(3):
        others.load(10)
        others.settle()
    assert hanging.left(), "it was still hanging when the others were through"
    house.faults()
    hanging.settle()


def test_25_a_storm_of_429_spends_no_attempt(house: House, scope: Scope) -> None:
    house.faults({"do": "status", "status": 429, "headers": {"Retry-After": "1"}, "account": scope.name, "times": 8})
    scope.load(15, scope.ship, scope.count)
    scope.settle()
    assert statuses(scope)[429] == 8
    assert attempts(scope) == {0}


def test_26_a_counterpart_that_is_down_for_long(house: House, scope: Scope) -> None:
    """The breaker opens, so it is hardly asked; Odoo shows it; afterwards everything arrives."""
    house.faults({"do": "effect_status", "status": 500, "account": scope.name, "times": 9999})
    scope.load(20, scope.ship)
    shown = "SELECT 1 FROM dist_connection_health WHERE connection_id = %s AND breaker_state = 'open'"
    house.until(lambda: house.sql(shown, scope.connection), "Odoo shows that the breaker is open")
    parked = "SELECT 1 FROM dist_outbox_event WHERE connection_id = %s AND outcome_code = 'breaker_open'"
    house.until(lambda: house.sql(parked, scope.connection), "work is parked by the breaker")
    house.faults()
    scope.settle()
    closed = "SELECT 1 FROM dist_connection_health WHERE connection_id = %s AND breaker_state = 'closed'"
    house.until(lambda: house.sql(closed, scope.connection), "Odoo shows that it is closed again")


def test_27_the_answer_is_lost_after_the_effect(house: House, scope: Scope) -> None:
    """By a lost connection, by an error, and by a time-out: looked up before anything is done again."""
    house.faults(
        {"do": "lose", "account": scope.name, "times": 3},
        {"do": "effect_status", "status": 502, "account": scope.name, "times": 3},
        {"do": "hang", "seconds": 3.5, "account": scope.name, "times": 1},
    )
    scope.load(15, scope.ship)
    scope.settle()
    calls = Counter(event for _key, event, _status in house.ledger.calls(scope.name))
    assert sum(statuses(scope)[status] for status in (0, 502)) == 6
    assert Counter(calls.values())[1] >= 14, "what had its effect was looked up, not sent again"


def test_32_credentials_are_revoked_in_the_middle(house: House, scope: Scope) -> None:
    """All of the connection's work is parked, no attempt is spent, Odoo asks for new ones; then it goes on."""
    scope.load(5, scope.ship)
    house.faults({"do": "status", "status": 401, "account": scope.name, "times": 9999})
    scope.load(10, scope.ship, scope.count)
    asked = "SELECT 1 FROM dist_exception WHERE connection_id = %s AND kind = 'connection.credentials'"
    house.until(lambda: house.sql(asked, scope.connection), "Odoo asks for credentials")
    assert not set(scope.left()) & {"dead events", "rejected events"}
    house.faults()
    scope.settle()
    assert attempts(scope) == {0}
