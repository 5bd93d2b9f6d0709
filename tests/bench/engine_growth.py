# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What does it cost to find and lock the next 200 jobs, the more rows there are?

The claim is the engine's own (``ready_groups`` and ``claim``), in a transaction that is rolled back; the tables are
vacuumed and analysed first, as autovacuum would. ``ours`` is the median in milliseconds, ``growth`` how many times
that of the same claim with nothing but the jobs that wait, by the fastest tenth of each (the cases follow each other,
and what else the machine does is more in one than in the other); ``buffers`` are PostgreSQL's pages touched, which no
load on the machine disturbs. There is no peer: queue_job's runner keeps what waits in memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from kit import bench
from kit.ours import HANDLER, Ours

LOOSE, KEYED = HANDLER + "_noop", HANDLER + "_noop_single"
ROWS_PER_KEY = 10
DEEP = "deep"


class Growth:
    """Puts rows into the queue and measures the claim among them."""

    def __init__(self, ours: Ours, rounds: int) -> None:
        from odoo.addons.dist_sync_queue.engine import batch, claim, maintain

        self.ours, self.rounds = ours, rounds
        self.claim, self.maintain, self.limit = claim, maintain, batch.MOST

    def add(self, count: int, handler: str, key: str = "NULL", state: str = "pending") -> None:
        """``key``: an SQL expression of the row's number ``n``."""
        # pylint: disable=sql-injection
        self.ours.sql(
            f"""INSERT INTO dist_job (handler, payload, company_id, priority, attempts, state, key, created_at, done_at)
                SELECT '{handler}', '{{"ids": []}}', 1, 5, 0, '{state}', {key}, now() AT TIME ZONE 'UTC',
                       CASE WHEN '{state}' = 'done' THEN now() AT TIME ZONE 'UTC' END
                  FROM generate_series(0, {count} - 1) n"""
        )

    def settle(self) -> None:
        self.ours.sql("VACUUM ANALYZE dist_job")

    def once(self, cr: Any, handler: str, after: Any) -> Any:
        """A worker's claim: which groups are ready, then its jobs. :return: where the keys go on"""
        group = next(group for group in self.claim.ready_groups(cr) if group.handler == handler)
        rows, after = self.claim.claim(cr, group, self.limit, after)
        if not rows:
            raise RuntimeError(f"nothing of {handler} was claimed")
        return after

    def cost(self, handler: str) -> dict[str, float]:
        """Milliseconds and pages of one claim; ``quick``: milliseconds of its fastest tenth."""
        taken, after = [], self.claim.START
        for _round in range(self.rounds + 5):
            with self.ours.registry.cursor() as cr:
                started = time.perf_counter()
                after = self.once(cr, handler, after)
                taken.append((time.perf_counter() - started) * 1000)
                cr.rollback()
        with self.ours.registry.cursor() as cr:
            explained = Explained(cr)
            self.once(explained, handler, self.claim.START)
            cr.rollback()
        quick = bench.percentile(taken[5:], 10)
        return {"ms": bench.median(taken[5:]), "quick": quick, "buffers": explained.buffers}

    def sweep(self) -> float:
        """Milliseconds of the sweep that each worker makes four times a second."""
        taken = []
        for _round in range(20):
            with self.ours.sql.connection.cursor() as cr:
                started = time.perf_counter()
                self.maintain.sweep(cr)
                taken.append((time.perf_counter() - started) * 1000)
        return bench.median(taken)


class Explained:
    """A cursor that has PostgreSQL count the pages of each statement before it is run."""

    def __init__(self, cr: Any) -> None:
        self._cr, self.buffers = cr, 0

    def execute(self, query: str, *arguments: Any, **options: Any) -> None:
        self._cr.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + query, *arguments)
        plan = self._cr.fetchone()[0][0]["Plan"]
        self.buffers += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        self._cr.execute(query, *arguments, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cr, name)


def show(what: str, cost: dict[str, float], base: dict[str, float], wanted: str) -> None:
    growth = {
        "growth": cost["quick"] / base["quick"],
        "buffers": cost["buffers"],
        "buffers_growth": cost["buffers"] / base["buffers"],
    }
    bench.show(f"engine_growth, {what}", cost["ms"], "ms/claim", more_is_better=False, wanted=wanted, **growth)


def finished_rows(growth: Growth, waiting: int, steps: list[int]) -> None:
    """Half of what waits has keys, ten jobs each."""
    growth.add(waiting // 2, LOOSE)
    growth.add(waiting // 2, KEYED, f"'k' || n / {ROWS_PER_KEY}")
    base: dict[str, dict[str, float]] = {}
    there = 0
    for finished in steps:
        growth.add(finished - there, LOOSE, state="done", key="CASE WHEN n % 2 = 0 THEN 'f' || n / 10 END")
        there = finished
        growth.settle()
        for handler, kind in ((LOOSE, "without keys"), (KEYED, "with keys")):
            cost = growth.cost(handler)
            show(f"{finished:,} finished, {kind}", cost, base.setdefault(handler, cost), "growth ≤ 1.3")


def deep_key(growth: Growth, waiting: int, depth: int) -> None:
    """Beside wide keys one that is deep, then the same with a dead head, then with its followers parked."""
    growth.ours.empty()
    growth.add(waiting // 2, KEYED, f"'k' || n / {ROWS_PER_KEY}")
    growth.settle()
    base, sweep = growth.cost(KEYED), growth.sweep()

    def dead() -> None:
        growth.ours.sql(
            "UPDATE dist_job SET state = 'dead', done_at = now() AT TIME ZONE 'UTC'"
            " WHERE id = (SELECT min(id) FROM dist_job WHERE order_key = %s)",
            DEEP,
        )

    def park() -> None:
        with growth.ours.sql.connection.cursor() as cr:
            while growth.maintain.park_followers(cr):
                pass

    cases: tuple[tuple[str, Callable[[], None]], ...] = (
        ("one key", lambda: growth.add(depth, KEYED, f"'{DEEP}'")),
        ("behind a dead head", dead),
        ("parked behind a dead head", park),
    )
    for what, change in cases:
        change()
        growth.settle()
        show(f"{depth:,} jobs {what}", growth.cost(KEYED), base, "growth ≤ 2")
    swept = growth.sweep()
    bench.show(
        f"engine_growth, sweep with {depth:,} parked", swept, "ms/sweep", more_is_better=False, growth=swept / sweep
    )


def alone(growth: Growth, depth: int) -> None:
    """Nothing but one deep key, against as many jobs of keys of their own."""
    costs = []
    for key in ("'k' || n", f"'{DEEP}'"):
        growth.ours.empty()
        growth.add(depth, KEYED, key)
        growth.settle()
        costs.append(growth.cost(KEYED))
    show(f"nothing but {depth:,} jobs of one key", costs[1], costs[0], "growth ≤ 2")


def main() -> None:
    options = bench.options(
        __doc__, waiting=(100_000, 2_000), finished=(1_000_000, 4_000), depth=(50_000, 1_000), rounds=(200, 5)
    )
    growth = Growth(Ours(options), options.rounds)
    finished_rows(growth, options.waiting, [0, options.finished // 10, options.finished])
    deep_key(growth, options.waiting, options.depth)
    alone(growth, options.depth)


if __name__ == "__main__":
    main()
