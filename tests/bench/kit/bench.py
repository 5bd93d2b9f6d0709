# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A benchmark's options and its lines of JSON. Nothing is ever asserted about a time."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import psutil
import psycopg2


def options(doc: str | None, *, plain: bool = False, **numbers: tuple[int, int]) -> argparse.Namespace:
    """Read the command line.

    :param plain: the script knows neither Odoo's configuration nor a database
    :param numbers: name → (default, default with ``--quick``) of each number that can be set
    """
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    if not plain:
        parser.add_argument("-c", "--config", required=True)
        parser.add_argument("-d", "--database", required=True, help="its queue is emptied")
    parser.add_argument("--quick", action="store_true", help="small numbers: shows that the script works")
    for name, (usual, quick) in numbers.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, help=f"default {usual}, quick {quick}")
    chosen = parser.parse_args()
    for name, (usual, quick) in numbers.items():
        if getattr(chosen, name) is None:
            setattr(chosen, name, quick if chosen.quick else usual)
    return chosen


def show(bench: str, ours: float, unit: str, peer: float | None = None, *, more_is_better: bool, **extra: Any) -> None:
    """Print one figure. ``ratio`` tells how many times better ours is."""
    ratio = None
    if peer and ours:
        ratio = neat(ours / peer if more_is_better else peer / ours)
    row = {"bench": bench, "ours": neat(ours), "peer": neat(peer), "ratio": ratio, "unit": unit}
    print(json.dumps(row | {name: neat(value) for name, value in extra.items()}, ensure_ascii=False), flush=True)


def neat(value: Any) -> Any:
    """A float with the digits that mean something."""
    return float(f"{value:.4g}") if isinstance(value, float) and abs(value) < 1000 else _whole(value)


def _whole(value: Any) -> Any:
    return round(value) if isinstance(value, float) else value


def percentile(values: Sequence[float], percent: float) -> float:
    """Nearest rank, so that it is one of the values: the worst 1 % of 200 are the last two."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * percent // 100) - 1).__int__())]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def wait_until(condition: Callable[[], Any], limit: float, what: str, poll: float = 0.05) -> Any:
    """Wait for a true answer and return it. :raises TimeoutError: after ``limit`` seconds"""
    deadline = time.monotonic() + limit
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {limit:g} s for {what}")
        time.sleep(poll)
    return found


def connect(database: str) -> Any:
    """A plain connection that commits by itself; server and user by libpq's environment."""
    connection = psycopg2.connect(dbname=database)
    connection.autocommit = True
    return connection


class Sql:
    """Look into a database without keeping a snapshot open."""

    def __init__(self, database: str) -> None:
        self.connection = connect(database)

    def __call__(self, query: str, *parameters: Any) -> list[tuple]:
        with self.connection.cursor() as cursor:
            cursor.execute(query, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def value(self, query: str, *parameters: Any) -> Any:
        return self(query, *parameters)[0][0]


class Cpu:
    """CPU seconds of processes with all their children, those that have ended included."""

    def __init__(self, pid: int, sql: Sql) -> None:
        self._roots = [psutil.Process(pid), psutil.Process(sql.value("SELECT pg_backend_pid()")).parent()]
        self._began = self._now()

    def _now(self) -> list[float]:
        return [_tree(root) for root in self._roots]

    def microseconds(self, jobs: int) -> dict[str, float]:
        """Per job since this object was made: of the Python processes, and of PostgreSQL."""
        spent = [(now - then) * 1e6 / max(1, jobs) for now, then in zip(self._now(), self._began, strict=True)]
        return {"python": spent[0], "postgres": spent[1]}


def _tree(root: psutil.Process | None) -> float:
    total = 0.0
    for process in [root, *root.children(recursive=True)] if root else []:
        try:
            total += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return total
