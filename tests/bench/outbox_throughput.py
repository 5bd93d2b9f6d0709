# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""How many events a second go the whole way: Odoo's outbox → pump → Valkey → worker → pump → settled?

Pump and worker are processes of their own, started here with a no-op adapter; Valkey is started here too
(``DIST_VALKEY_SERVER``).

* facts: events with distinct keys are committed while the pump is stopped; events/s from letting it go to the last
  settled row. The peer is a plain outbox on the same servers: one row at a time by ``SKIP LOCKED``, one XADD,
  one XACK and two UPDATEs an event, in a publishing and a settling process.
* idle: 100 events/s, each committed alone: milliseconds from the insert to the settled row.
* marks: business transactions of 10, 50 and 200 dirty marks by eight processes at once, as Odoo's workers are (of
  10 by four and by one, too); nine of ten repeat a key, while an engine process computes the values and the relay
  delivers them. The peer is an upsert a key in transactions of the same size by as many writers, with nothing computed.
"""

from __future__ import annotations

import json
import multiprocessing
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg2
from kit import bench
from kit.relay_stage import Stage, used

FACT, STATE = "shipment.confirm.v1", "availability.changed.v1"
MARK_SIZES = (10, 50, 200)
MOST_SECONDS = 600
FEWER_WRITERS = {4: 1, 1: 5}
"""How many other writers the smallest transactions are measured with, and by what their marks are divided."""
SHIPMENT = {
    "order_id": "1001",
    "reference": "OUT/1",
    "shipped_at": "2026-01-01T00:00:00Z",
    "packages": [{"reference": "P1", "lines": [{"line_id": "1", "quantity": "2"}]}],
}


def emit(stage: Stage, count: int, start: int = 0, size: int = 100) -> float:
    """Commit ``count`` facts with distinct keys in transactions of ``size``; the seconds it took."""
    began = time.perf_counter()
    for first in range(start, start + count, size):
        with stage.ours.registry.cursor() as cr:
            env = stage.ours.env(cr)
            rows = [{"key": f"order-{n}", "payload": SHIPMENT} for n in range(first, min(first + size, start + count))]
            env["dist.outbox.event"].emit_many(env["dist.connection"].browse(stage.connection), FACT, rows)
    return time.perf_counter() - began


def facts(stage: Stage) -> None:
    """A backlog of facts worked off; then the same while it is written."""
    stage.empty()
    events = stage.options.events
    with stage.node("worker") as worker, stage.node("pump") as pump:
        emit(stage, 1, start=-1)
        warm_up(stage, pump, worker)
        pump.send_signal(signal.SIGSTOP)
        emitting = emit(stage, events)
        stage.ours.sql("ANALYZE dist_outbox_event")
        before, start = stage.cpu(pump=pump, worker=worker), time.time()
        pump.send_signal(signal.SIGCONT)
        backlog = events / (stage.until_settled() - start)
        cpu = used(before, stage.cpu(pump=pump, worker=worker))
        start = time.time()
        written = emit(stage, events // 2, start=events)
        together = (events // 2) / (stage.until_settled() - start)
        states = dict(stage.ours.sql("SELECT state, count(*) FROM dist_outbox_event GROUP BY 1"))
    bench.show(
        "outbox_throughput, facts",
        backlog,
        "events/s",
        None if stage.options.quick else plain_outbox(stage),
        more_is_better=True,
        wanted="≥ 5,000/s",
        peer_is="a plain outbox: one row, one XADD, one XACK and two UPDATEs an event, two processes",
        events=events,
        states=states,
        cpu_seconds=cpu,
        cpu_us={name: round(seconds / events * 1e6) for name, seconds in cpu.items() if name != "odoo"},
        emitted_per_second=events / emitting,
        settled_per_second_while_emitting=together,
        emitted_per_second_then=events // 2 / written,
    )


def warm_up(stage: Stage, *nodes: subprocess.Popen[bytes]) -> None:
    """Wait until the first event is settled: everybody is up."""
    while not stage.ours.sql("SELECT 1 FROM dist_outbox_event WHERE state = 'delivered' LIMIT 1"):
        alive(stage, *nodes)
        time.sleep(0.01)


def alive(stage: Stage, *nodes: subprocess.Popen[bytes]) -> None:
    """Fail where a process of the run has ended; its log is shown."""
    for node in nodes:
        if node.poll() is not None:
            sys.exit("\n".join(log.read_text(errors="replace")[-2000:] for log in stage.folder.glob("*.log")))


def plain_outbox(stage: Stage) -> float:
    """The peer: events/s of an outbox a careful programmer writes in an afternoon."""
    from kit.relay_nodes import PLAIN_TABLE

    sql, events = stage.ours.sql, stage.options.events // 10
    insert = "INSERT INTO dist_bench_outbox (payload) SELECT %s::jsonb FROM generate_series(1, %s)"
    open_ = "SELECT 1 FROM dist_bench_outbox WHERE state <> 'done' LIMIT 1"
    sql(PLAIN_TABLE)
    with stage.node("plain-publish"), stage.node("plain-settle"):
        sql(insert, json.dumps(SHIPMENT), 10)
        bench.wait_until(lambda: not sql(open_), 120, "the plain outbox")
        sql(insert, json.dumps(SHIPMENT), events)
        start = time.perf_counter()
        bench.wait_until(lambda: not sql(open_), 600, "the plain outbox", poll=0.02)
        seconds = time.perf_counter() - start
    sql("DROP TABLE dist_bench_outbox")
    return events / seconds


def idle(stage: Stage) -> None:
    """One event at a time, 100 a second: how long until it is settled."""
    stage.empty()
    count = 100 * stage.options.seconds
    with stage.node("worker") as worker, stage.node("pump") as pump:
        emit(stage, 1, start=-1)
        warm_up(stage, pump, worker)
        before, start = stage.cpu(pump=pump, worker=worker), time.perf_counter()
        for number in range(count):
            time.sleep(max(0.0, start + number / 100 - time.perf_counter()))
            emit(stage, 1, start=number, size=1)
        stage.until_settled()
        cpu = used(before, stage.cpu(pump=pump, worker=worker))
    took = stage.ours.sql(
        "SELECT extract(epoch FROM settled_at - occurred_at)::float8 * 1000 FROM dist_outbox_event"
        " WHERE key <> 'order--1'"
    )
    values = [value for (value,) in took]
    bench.show(
        "outbox_throughput, idle",
        bench.median(values),
        "ms",
        more_is_better=False,
        wanted="p50 ≤ 30 ms",
        p99=bench.percentile(values, 99),
        worst=max(values),
        cpu_seconds=cpu,
    )


def marks(stage: Stage) -> None:
    """Dirty marks of several writers, nine of ten repeats, with everything behind them at work."""
    sizes = MARK_SIZES[:1] if stage.options.quick else MARK_SIZES
    for size in sizes:
        marked(stage, size, stage.options.writers, stage.options.marks)
    if not stage.options.quick:
        for fewer, count in FEWER_WRITERS.items():
            if fewer == stage.options.writers:
                continue
            marked(stage, sizes[0], fewer, stage.options.marks // count)


def marked(stage: Stage, size: int, writers: int, count: int) -> None:
    """One figure: ``count`` marks in transactions of ``size`` by ``writers`` processes at once."""
    stage.empty()
    keys = count // 10
    with stage.node("worker") as worker, stage.node("pump") as pump, stage.node("engine") as engine:
        mark(stage, 10, 10, 10)
        warm_up(stage, pump, worker, engine)
        with Writers(
            lambda number: mark(stage, size, count // writers, keys, number * keys // writers), writers
        ) as run:
            before = stage.cpu(pump=pump, worker=worker, engine=engine)
            watched = Watch(lambda: stage.ours.sql("SELECT count(*) FROM dist_dirty_mark")[0][0])
            start = time.perf_counter()
            seconds = run.seconds()
        backlog = watched.end()
        absorbed = used(before, stage.cpu(pump=pump, worker=worker, engine=engine))
        while stage.ours.sql("SELECT 1 FROM dist_dirty_mark LIMIT 1"):
            alive(stage, pump, worker, engine)
            time.sleep(0.05)
        computed = time.perf_counter() - start
        stage.until_settled()
        cpu = used(before, stage.cpu(pump=pump, worker=worker, engine=engine))
        whole = time.perf_counter() - start
        states = dict(stage.ours.sql("SELECT state, count(*) FROM dist_outbox_event GROUP BY 1"))
    theirs, aborts = (None, 0) if stage.options.quick else upserts(stage, size, writers, count // 4, keys)
    bench.show(
        f"outbox_throughput, marks_{size}" + (f", writers {writers}" if writers != stage.options.writers else ""),
        count / seconds,
        "marks/s",
        theirs,
        more_is_better=True,
        **({"wanted": "≥ 20,000/s"} if writers == stage.options.writers else {}),
        peer_is="an upsert a key into a table of dirty keys, transactions of the same size and as many writers, "
        "nothing computed; a transaction that is aborted is repeated",
        peer_aborts=aborts,
        writers=writers,
        marks=count,
        distinct_keys=keys,
        marks_per_transaction=size,
        transactions_per_second=count / size / seconds,
        keys_computed_per_second=sum(states.values()) / computed,
        versions_published=states.get("delivered", 0),
        versions_superseded=states.get("cancelled", 0),
        most_marks_waiting=max(backlog, default=0),
        seconds_of_marking=seconds,
        seconds_until_all_settled=whole,
        cpu_seconds_of_marking=absorbed,
        cpu_seconds=cpu,
    )


def mark(stage: Stage, size: int, count: int, keys: int, first: int = 0) -> int:
    """``count`` marks over ``keys`` keys from ``first`` on, in transactions of ``size`` different keys each.

    The cursor is kept as a worker keeps its own: what opening one costs (0.4 ms) is Odoo's, with marks or without.
    """
    with stage.ours.registry.cursor() as cr:
        for start in range(first, first + count, size):
            env = stage.ours.env(cr)
            names = [f"sku-{(start + n) % keys}" for n in range(size)]
            env["dist.dirty.mark"].mark(env["dist.connection"].browse(stage.connection), STATE, names)
            cr.commit()
    return 0


def upserts(stage: Stage, size: int, writers: int, count: int, keys: int) -> tuple[float, int]:
    """The peer of the marks: upserts a second, and how many of their transactions PostgreSQL aborted."""
    stage.ours.sql(
        "DROP TABLE IF EXISTS dist_bench_dirty; CREATE TABLE dist_bench_dirty (key text PRIMARY KEY, at timestamp)"
    )
    with Writers(lambda number: upsert(stage, size, count // writers, keys, number * keys // writers), writers) as run:
        seconds = run.seconds()
    stage.ours.sql("DROP TABLE dist_bench_dirty")
    return count / seconds, sum(run.answers)


def upsert(stage: Stage, size: int, count: int, keys: int, first: int) -> int:
    """What one writer of the peer does, in Odoo's REPEATABLE READ; how many transactions were aborted."""
    aborts = 0
    with stage.ours.registry.cursor() as cr:
        for start in range(first, first + count, size):
            while True:
                try:
                    for n in range(size):
                        cr.execute(
                            "INSERT INTO dist_bench_dirty VALUES (%s, now())"
                            " ON CONFLICT (key) DO UPDATE SET at = EXCLUDED.at",
                            (f"sku-{(start + n) % keys}",),
                            log_exceptions=False,
                        )
                    cr.commit()
                    break
                except psycopg2.extensions.TransactionRollbackError:
                    cr.rollback()
                    aborts += 1
    return aborts


class Writers:
    """Processes that write at the same time, forked from this one, each with connections of its own."""

    def __init__(self, work: Callable[[int], int], count: int) -> None:
        from odoo import sql_db

        context = multiprocessing.get_context("fork")
        self._go, self._told, self.answers = context.Event(), context.Queue(), []
        sql_db.close_all()  # a child must not speak on its parent's connections
        self._processes = [context.Process(target=self._run, args=(work, number)) for number in range(count)]

    def _run(self, work: Callable[[int], int], number: int) -> None:
        self._go.wait()
        self._told.put(work(number))

    def __enter__(self) -> Writers:
        for process in self._processes:
            process.start()
        return self

    def seconds(self) -> float:
        """Let them go; the time until the last one was done. :raises RuntimeError: when one of them failed"""
        start = time.perf_counter()
        self._go.set()
        while len(self.answers) < len(self._processes):
            try:
                self.answers.append(self._told.get(timeout=1))
            except queue.Empty:
                late = time.perf_counter() - start > MOST_SECONDS
                if late or any(process.exitcode for process in self._processes):
                    raise RuntimeError("a writer hangs" if late else "a writer failed, see above") from None
        seconds = time.perf_counter() - start
        for process in self._processes:
            process.join(30)  # their CPU time counts from here on
        return seconds

    def __exit__(self, *_error: object) -> None:
        for process in self._processes:
            process.kill()


class Watch:
    """Asks for a number four times a second, beside."""

    def __init__(self, ask: Callable[[], int]) -> None:
        self._ask, self._stop, self._found = ask, threading.Event(), []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(0.25):
            self._found.append(self._ask())

    def end(self) -> list[int]:
        """What was found."""
        self._stop.set()
        self._thread.join()
        return self._found


def main() -> None:
    options = bench.options(
        __doc__,
        events=(30_000, 300),
        marks=(100_000, 1_000),
        writers=(8, 2),
        seconds=(10, 1),
        in_flight=(2_000, 2_000),
    )
    with tempfile.TemporaryDirectory(prefix="dist-bench-") as folder:
        stage = Stage(options, Path(folder))
        try:
            for case in (facts, idle, marks):
                case(stage)
        finally:
            stage.valkey.kill()


if __name__ == "__main__":
    main()
