"""Redis comes back as it was a while ago: a replica that was behind, a snapshot that was loaded again."""

from __future__ import annotations

import pytest

from dist_relay.runtime.keys import WORKERS_GROUP, Keys
from dist_relay.runtime.redis_client import connect
from dist_relay.testkit.waiting import until

pytestmark = pytest.mark.integration

SHIP, AVAILABLE = "shipment.confirm.v1", "availability.changed.v1"
LEASE = 600
"""Longer than the test waits: nothing here comes again because its lease is over."""


@pytest.fixture
def copies(valkey, client):
    """Takes a copy of all there is; called again, starts the server anew with that copy."""
    copy = {}

    def take_or_bring_back():
        if not copy:
            copy.update({name: client.dump(name) for name in client.keys("*")})
            return
        valkey.kill()
        valkey.start()
        again = connect(valkey.url)
        with again.pipeline() as steps:
            for name, value in copy.items():
                steps.restore(name, 0, value, replace=True)
            steps.execute()
        again.close()

    return take_or_bring_back


def test_what_was_settled_since_is_not_called_again(relay, pg, world, client, valkey, copies):
    """The copy has an entry nobody was given, and no newer version; PostgreSQL knows better."""
    out = Keys(pg.database, "shop").out
    relay(worker=False, lease_seconds=LEASE)
    pg.emit("shop", AVAILABLE, "sku", version=1)
    pg.emit("shop", SHIP, "order")
    until(lambda: client.xlen(out) == 2)
    copies()
    relay(pump=False, lease_seconds=LEASE)
    until(lambda: pg.open_rows() == 0)
    pg.emit("shop", AVAILABLE, "sku", version=2)
    pg.emit("shop", SHIP, "order")
    until(lambda: pg.open_rows() == 0)
    calls = world.calls()
    copies()
    with connect(valkey.url) as again:
        until(lambda: again.exists(out) and again.xlen(out) == 0)
    assert world.calls() == calls
    assert [row.state for row in pg.rows()] == ["delivered"] * 4
    assert len(calls) == 4


@pytest.mark.parametrize("state", ["active", "paused"])
def test_what_is_not_settled_is_looked_up_and_waits_for_no_lease(state, relay, pg, world, client, copies):
    """A worker may have begun it, and Redis have forgotten that."""
    pg.emit("shop", SHIP, "order")
    relay(worker=False, lease_seconds=LEASE)
    until(lambda: client.xlen(Keys(pg.database, "shop").out) == 1)
    copies()
    copies()
    pg.connect("shop", state=state)
    relay(pump=False, lease_seconds=LEASE)
    (row,) = pg.rows()
    until(lambda: "snooze" in row.history)
    assert row.acted
    pg.connect("shop", state="active")
    until(lambda: pg.open_rows() == 0)
    assert row.history == ["published", "snooze", "published", "delivered"]
    assert [call["read_back"] for call in world.calls()] == [True]


def test_a_group_that_was_lost_gives_nobody_what_somebody_is_in_the_middle_of(relay, pg, world, client):
    """The new group gives everything anew, as if nobody had been given it."""
    out = Keys(pg.database, "shop").out
    world.faults({"op": "confirm", "do": "hang", "seconds": 2.0})
    pg.emit("shop", SHIP, "order")
    relay(lease_seconds=LEASE, call_seconds=3, claim_idle_seconds=60)
    until(lambda: world.calls())
    client.xgroup_destroy(out, WORKERS_GROUP)
    relay(pump=False, lease_seconds=LEASE, call_seconds=3, claim_idle_seconds=60)
    until(lambda: pg.open_rows() == 0)
    assert [call["read_back"] for call in world.calls()] == [False, True]
