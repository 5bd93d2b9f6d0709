# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""How long from the commit that makes a job to the moment it begins?

Idle: single jobs, each in a transaction of its own, at random intervals of at least 50 ms, and nothing else to do.
Busy: the same in lane ``high`` while 50,000 jobs of lane ``low`` that take 20 ms each are worked off. Ours: the job
itself books when it began; two processes. Peer: its ``date_started``, which it sets before it calls the job; priority 0
among jobs of priority 20.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from typing import Any

from kit import bench
from kit.ours import HANDLER, Ours
from kit.peer import Peer

NAP = 0.02
IDLE = (0.05, 0.2)
BUSY = (0.1, 0.3)


def pauses(count: int, bounds: tuple[float, float]) -> list[float]:
    """The same on both sides."""
    chance = random.Random(count)
    return [chance.uniform(*bounds) for _ in range(count)]


def stamps(ours: Ours, method: str, waits: Sequence[float]) -> list[float]:
    """Milliseconds to the beginning of each job."""
    committed = {}
    for number, pause in enumerate(waits):
        time.sleep(pause)
        row = {"handler": HANDLER + method, "payload": {"ids": [], "args": [str(number)]}, "company_id": 1}
        committed[str(number)] = ours.enqueue([row])
    ours_began = "SELECT name, extract(epoch FROM began_at AT TIME ZONE 'UTC')::float8 FROM dist_test_ledger"
    count = "SELECT count(*) FROM dist_test_ledger"
    bench.wait_until(lambda: ours.sql.value(count) == len(waits), 120, "our stamps")
    return [(began - committed[name]) * 1000 for name, began in ours.sql(ours_began)]


def measure(ours: Ours, options: argparse.Namespace) -> dict[str, Any]:
    found = {}
    with ours.workers(options.processes):
        stamps(ours, "_stamp", pauses(10, IDLE))  # each worker has loaded what it needs
        ours.empty()
        found["idle"] = stamps(ours, "_stamp", pauses(options.singles, IDLE))
        ours.empty()
        nap = {"handler": HANDLER + "_nap", "payload": {"ids": [], "args": [NAP]}, "company_id": 1}
        ours.enqueue([nap] * options.backlog)
        time.sleep(1)
        found["busy"] = stamps(ours, "_stamp_high", pauses(options.urgent, BUSY))
        found["left"] = ours.sql.value("SELECT count(*) FROM dist_job WHERE state = 'pending'")
        # what is left would take minutes: take it from the workers
        ours.sql("DELETE FROM dist_job WHERE id IN (SELECT id FROM dist_job FOR UPDATE SKIP LOCKED)")
    return found


def measure_peer(peer: Peer, options: argparse.Namespace) -> dict[str, Any]:
    found = {}
    with peer.server():
        found["idle"] = peer_stamps(peer, pauses(options.singles, IDLE))
        peer.work_off()
        peer.empty()
        peer.make(jobs=options.peer_backlog, duration=NAP, priority=20)
        found["busy"] = peer_stamps(peer, pauses(options.peer_urgent, BUSY))
        found["left"] = peer.left()
    return found


def peer_stamps(peer: Peer, waits: Sequence[float]) -> list[float]:
    made = dict(peer.make(pauses=waits, priority=0, warm_up=10)["jobs"])
    began = (
        "SELECT uuid, extract(epoch FROM date_started AT TIME ZONE 'UTC')::float8 FROM queue_job WHERE uuid = ANY(%s)"
    )
    started = lambda: [row for row in peer.sql(began, list(made)) if row[1] is not None]  # noqa: E731
    bench.wait_until(lambda: len(started()) == len(made), 300, "the peer's stamps")
    return [(moment - made[uuid]) * 1000 for uuid, moment in started()]


def main() -> None:
    options = bench.options(
        __doc__,
        singles=(200, 10),
        backlog=(50_000, 500),
        urgent=(200, 10),
        peer_backlog=(4_000, 100),
        peer_urgent=(100, 10),
        processes=(2, 2),
    )
    peer = Peer.present()
    theirs = measure_peer(peer, options) if peer else {}
    mine = measure(Ours(options), options)
    wanted = {("idle", 50): "p50 ≤ 5 ms", ("idle", 99): "p99 ≤ 15 ms"}
    for when, what in (("idle", "idle"), ("busy", "urgent job among slow ones")):
        for percent in (50, 99):
            bench.show(
                f"engine_latency, {what}, p{percent}",
                bench.percentile(mine[when], percent),
                "ms",
                bench.percentile(theirs[when], percent) if theirs else None,
                more_is_better=False,
                **({"wanted": wanted[when, percent]} if (when, percent) in wanted else {}),
                jobs=len(mine[when]),
                worst=max(mine[when]),
                **({"peer_jobs": len(theirs[when]), "peer_worst": max(theirs[when])} if theirs else {}),
                **({"backlog_left": mine["left"]} if when == "busy" else {}),
                **({"peer_backlog_left": theirs["left"]} if when == "busy" and theirs else {}),
            )


if __name__ == "__main__":
    main()
