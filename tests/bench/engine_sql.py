# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""How many SQL statements does a no-op job cost at batches of 100?

Counted by PostgreSQL itself: ``log_statement = all`` for the database, and the lines of its log from the first job to
the last, whoever sent them (``BEGIN``, ``COMMIT``, savepoints, the runner's and the supervisor's statements too). The
statements that make the jobs are not among them. Ours is the worker's loop in this process, with its slot and its
sweeps, taking 100 jobs at a time.
"""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path

from kit import bench
from kit.ours import Ours
from kit.peer import Peer

BATCH = 100
STATEMENT = re.compile(rb"LOG:  (statement|execute [^:]*): \s*([A-Za-z]+)?")


class Statements:
    """The statements that sessions of a database send from now on. Only sessions opened after :meth:`begin` count."""

    def __init__(self, database: str, log: Path) -> None:
        self.database, self.log = database, log

    def log_new_sessions(self) -> None:
        bench.connect("postgres").cursor().execute(f"ALTER DATABASE \"{self.database}\" SET log_statement = 'all'")

    def begin(self) -> None:
        self._from = self.log.stat().st_size

    def count(self) -> dict[str, int]:
        """Statements by their first word."""
        with self.log.open("rb") as stream:
            stream.seek(self._from)
            words = [found[2].decode().upper() if found[2] else "?" for found in STATEMENT.finditer(stream.read())]
        return {word: words.count(word) for word in sorted(set(words))}


def measure(options: argparse.Namespace, log: Path) -> tuple[int, dict[str, int]]:
    ours = Ours(options)
    ours.fill(options.jobs, "_noop", keys=options.jobs)
    statements = Statements(options.database, log)
    statements.log_new_sessions()

    from odoo.sql_db import close_db

    from odoo.addons.dist_sync_queue.engine import batch
    from odoo.addons.dist_sync_queue.engine.worker import Worker

    close_db(options.database)  # the pool's sessions are older than the setting
    batch.MOST = BATCH
    worker = Worker(ours.registry)
    statements.begin()
    done = worker.until_empty()["done"]
    return done, statements.count()


def measure_peer(peer: Peer, jobs: int, log: Path) -> tuple[int, dict[str, int]]:
    statements = Statements(peer.database, log)
    statements.log_new_sessions()
    with peer.server():
        statements.begin()
        peer.make(jobs=jobs)
        peer.work_off()
        return jobs, statements.count()


def main() -> None:
    options = bench.options(__doc__, jobs=(10_000, 1_000), peer_jobs=(300, 20))
    log = Path(os.environ["DIST_PG_LOG"])
    peer = Peer.present()
    theirs = measure_peer(peer, options.peer_jobs, log) if peer else None
    done, statements = measure(options, log)
    bench.show(
        "engine_sql",
        sum(statements.values()) / done,
        "statements/job",
        sum(theirs[1].values()) / theirs[0] if theirs else None,
        more_is_better=False,
        wanted="≤ 0.15",
        batch=BATCH,
        jobs=done,
        **({"peer_jobs": theirs[0]} if theirs else {}),
        **{f"{word.lower()}s": count for word, count in statements.items()},
    )


if __name__ == "__main__":
    main()
