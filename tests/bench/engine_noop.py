# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""How many no-op jobs a second are worked off?

Ours: ``odoo dist_worker --processes 2`` with everything on that production has: supervisor, worker slots, signalling,
doorbell, poison watch, and in the first case a key on every job. Measured from the commit that makes the jobs to the
last ``done_at``. Peer: from its first ``date_started`` to its last ``date_done``.
"""

from __future__ import annotations

from kit import bench
from kit.ours import Ours
from kit.peer import WARM_UP, Peer

#: (name, method, keys as a share of the jobs, jobs as a share of all)
CASES = (
    ("engine_noop", "_noop", 1.0, 1.0),
    ("engine_noop, without keys", "_noop", 0.0, 1.0),
    ("engine_noop, 20 deep keys", "_noop", 20, 0.5),
    ("engine_noop, one call per job", "_noop_single", 0.0, 0.2),
)


def measure(ours: Ours, supervisor: int, method: str, jobs: int, keys: int) -> dict[str, float]:
    """jobs/s, and what it cost."""
    ours.fill(WARM_UP, method, keys)
    ours.work_off()
    ours.empty()
    cpu = bench.Cpu(supervisor, ours.sql)
    committed = ours.fill(jobs, method, keys)
    ours.work_off()
    spent = cpu.microseconds(jobs)
    ended, done = ours.sql(
        "SELECT extract(epoch FROM max(done_at) AT TIME ZONE 'UTC')::float8, count(*)"
        "  FROM dist_job WHERE state = 'done'"
    )[0]
    ours.empty()
    return {
        "rate": done / (ended - committed),
        "jobs": done,
        "cpu_us": spent["python"],
        "postgres_us": spent["postgres"],
    }


def measure_peer(peer: Peer, jobs: int) -> dict[str, float]:
    with peer.server() as server:
        cpu = bench.Cpu(server.pid, peer.sql)
        peer.make(jobs=jobs)
        peer.work_off()
        spent = cpu.microseconds(jobs)
    seconds, done = peer.sql(
        "SELECT extract(epoch FROM max(date_done) - min(date_started))::float8, count(*)"
        "  FROM queue_job WHERE state = 'done'"
    )[0]
    return {"rate": done / seconds, "jobs": done, "cpu_us": spent["python"], "postgres_us": spent["postgres"]}


def main() -> None:
    options = bench.options(__doc__, jobs=(100_000, 400), peer_jobs=(600, 20), processes=(2, 2))
    peer = Peer.present()
    theirs = measure_peer(peer, options.peer_jobs) if peer else {}
    ours = Ours(options)
    with ours.workers(options.processes) as supervisor:
        for name, method, keys, share in CASES:
            jobs = int(options.jobs * share)
            mine = measure(ours, supervisor.pid, method, jobs, int(keys * jobs) if keys <= 1 else int(keys))
            show(name, options.processes, mine, theirs)


def show(name: str, processes: int, mine: dict[str, float], theirs: dict[str, float]) -> None:
    costs = ("jobs", "cpu_us", "postgres_us")
    bench.show(
        name,
        mine["rate"],
        "jobs/s",
        theirs.get("rate"),
        more_is_better=True,
        **({"wanted": "ratio ≥ 200"} if name == "engine_noop" else {}),
        processes=processes,
        **{name: mine[name] for name in costs},
        **{f"peer_{name}": theirs[name] for name in costs if theirs},
    )


if __name__ == "__main__":
    main()
