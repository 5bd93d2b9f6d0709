# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""How many no-op jobs a second does the engine run? One JSON line per case; nothing is asserted.

    python tests/bench/engine_noop_quick.py -c odoo.conf -d database_with_dist_test_queue [--jobs 20000] [--processes 2]

The database needs ``dist_test_queue`` (addons/dist_sync_queue/tests/addons on the addons path). Its queue is emptied.
Only ours is measured here: ``peer`` and ``ratio`` are null.
Signalling, drain lock, worker slots and crash table are on, as in production.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time

HANDLER = "dist.test.ledger:"


def fill(dbname: str, jobs: int, method: str, keys: int) -> float:
    """Enqueue in one transaction; the seconds it took."""
    from odoo import SUPERUSER_ID, api
    from odoo.modules.registry import Registry

    with Registry(dbname).cursor() as cr:
        cr.execute("DELETE FROM dist_job; DELETE FROM dist_job_crash")
        cr.commit()
        started = time.perf_counter()
        rows = [
            {
                "handler": HANDLER + method,
                "payload": {"ids": []},
                "key": f"k{n % keys}" if keys else None,
                "company_id": 1,
            }
            for n in range(jobs)
        ]
        api.Environment(cr, SUPERUSER_ID, {})["dist.job"].enqueue(rows)
        cr.commit()
        seconds = time.perf_counter() - started
    with Registry(dbname).cursor() as cr:
        cr.execute("ANALYZE dist_job")
    return seconds


def serve(dbname: str, barrier, results) -> None:
    """One worker process, measured from the common start to its last batch."""
    from odoo import sql_db
    from odoo.modules.registry import Registry

    from odoo.addons.dist_sync_queue.engine.worker import Worker

    worker = Worker(Registry(dbname))
    barrier.wait()
    started, statements = time.perf_counter(), sql_db.sql_counter
    worker.until_empty()
    results.put(
        (time.perf_counter() - started, worker.total["done"], worker.batches_run, sql_db.sql_counter - statements)
    )


def measure(dbname: str, case: str, jobs: int, processes: int, method: str, keys: int) -> None:
    enqueue = fill(dbname, jobs, method, keys)
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(processes), context.Queue()
    import sys

    workers = [context.Process(target=child, args=(sys.argv[1:], barrier, results)) for _ in range(processes)]
    for process in workers:
        process.start()
    outcomes = [results.get() for _ in workers]
    for process in workers:
        process.join()
    done, seconds = sum(o[1] for o in outcomes), max(o[0] for o in outcomes)
    print(
        json.dumps(
            {
                "bench": f"engine_noop, {case}",
                "ours": round(done / seconds),
                "peer": None,
                "ratio": None,
                "unit": "jobs/s",
                "processes": processes,
                "done": done,
                "enqueued_per_second": round(jobs / enqueue),
                "jobs_per_batch": round(done / max(1, sum(o[2] for o in outcomes))),
                "sql_per_job": round(sum(o[3] for o in outcomes) / max(1, done), 3),
            }
        ),
        flush=True,
    )


def child(argv: list[str], barrier, results) -> None:
    """Entry of a spawned process: read the configuration again, then serve."""
    serve(configure(argv).database, barrier, results)


def configure(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-c", "--config", required=True)
    parser.add_argument("-d", "--database", required=True)
    parser.add_argument("--jobs", type=int, default=20_000)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args(argv)
    from odoo.modules import initialize_sys_path
    from odoo.tools import config

    config.parse_config(["-c", options.config, "-d", options.database, "--no-http", "--log-level=warn"])
    initialize_sys_path()
    return options


def main() -> None:
    options = configure(None)
    import odoo.modules.registry  # noqa: F401

    for case, method, keys in (
        ("batched", "_noop", 0),
        ("one call per job", "_noop_single", 0),
        ("wide keys", "_noop", options.jobs),
        ("20 deep keys", "_noop", 20),
    ):
        measure(options.database, case, options.jobs, options.processes, method, keys)


if __name__ == "__main__":
    main()
