# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""How many jobs a second does one transaction enqueue, its commit included?

Ours: ``records.delayed(each=1)._noop()``, one job per record, and ``enqueue(rows)`` for rows made beforehand. Peer:
``record.with_delay()._test_job()`` in a loop over as many records. Nobody works the jobs off meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from kit import bench
from kit.ours import HANDLER, Ours
from kit.peer import Peer

ROUNDS = 5


def seconds(ours: Ours, enqueue: Callable[[Any], Any]) -> float:
    """The median of some rounds, each on an empty queue."""
    taken = []
    for _round in range(ROUNDS):
        ours.empty()
        started = time.perf_counter()
        with ours.registry.cursor() as cr:
            enqueue(ours.env(cr))
        taken.append(time.perf_counter() - started)
    return bench.median(taken)


def main() -> None:
    options = bench.options(__doc__, jobs=(10_000, 200))
    peer = Peer.present()
    theirs = peer.make(jobs=options.jobs, warm_up=200)["seconds"] if peer else None
    ours = Ours(options)
    rows = [
        {"handler": HANDLER + "_noop", "payload": {"ids": [n]}, "company_id": 1, "key": f"k{n}"}
        for n in range(1, options.jobs + 1)
    ]
    ids = range(1, options.jobs + 1)
    cases: tuple[tuple[str, Callable[[Any], Any]], ...] = (
        ("engine_enqueue", lambda env: env["dist.test.ledger"].browse(ids).delayed(each=1)._noop()),
        (
            "engine_enqueue, with a key each",
            lambda env: env["dist.test.ledger"].browse(ids).delayed(each=1, key=lambda record: record.id)._noop(),
        ),
        ("engine_enqueue, rows", lambda env: env["dist.job"].enqueue(rows)),
    )
    for name, enqueue in cases:
        mine = seconds(ours, enqueue)
        bench.show(
            name,
            options.jobs / mine,
            "jobs/s",
            options.jobs / theirs if theirs else None,
            more_is_better=True,
            **({"wanted": "ratio ≥ 80"} if name == "engine_enqueue" else {}),
            jobs=options.jobs,
            us_per_job=mine / options.jobs * 1e6,
            **({"peer_us_per_job": theirs / options.jobs * 1e6} if theirs else {}),
        )


if __name__ == "__main__":
    main()
