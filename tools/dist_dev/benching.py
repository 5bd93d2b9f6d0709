"""``make bench``: the scripts of tests/bench one after the other, each on a database of its own.

A script is called with ``-c CONFIG -d DATABASE`` (and ``--quick`` for a run that only shows that it works); one of the
EDI codec, which knows no database, without these. It prints one JSON line per figure:
``{"bench": …, "ours": …, "peer": …, "ratio": …, "unit": …}``, with more keys where it likes.
Every figure is kept in ``.cache/reports/bench.jsonl`` with the machine, the versions, the commit and the date.
"""

from __future__ import annotations

import argparse
import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import benchfacts, benchpeer, benchtable, stack, template, ui
from .layout import Layout
from .postgres import Cluster
from .steps import Stamps, Step, run_step
from .supervisor import Supervisor

DATABASE = "dist_bench"
TEMPLATE = "dist_bench_template"
LEDGER_ADDON = "dist_test_queue"
"""Addon with the jobs that benchmarks run; it lies with the engine's tests."""
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
"""As a production server has them; the development cluster has them off. For the server that this command starts."""
LIMIT = float(os.environ.get("DIST_BENCH_LIMIT", "2400"))
"""A script that takes longer is ended and counted as failed, in seconds."""


def run(layout: Layout, arguments: Sequence[str]) -> int:
    """Run the named scripts, or all. :returns: 0, or 1 when a script failed or printed no figure."""
    options, extra = _arguments(layout).parse_known_args(list(arguments))
    results = layout.reports / "bench.jsonl"
    if options.table:
        return _table(layout, results)
    scripts = chosen(layout, options.names)
    said = "make bench" + _said(arguments)
    more = [*(["--quick"] if options.quick else []), *extra]
    peers = not (options.quick or options.no_peer)
    measured: list[dict[str, Any]] = []
    failed = []

    def keep(script: Path, code: int, rows: list[dict[str, Any]], facts: dict[str, Any]) -> None:
        kept = [{**row, **facts, "script": script.stem, "quick": options.quick} for row in rows]
        benchtable.append(results, kept)
        measured.extend(kept)
        if code or not rows:
            failed.append(script.stem)

    _plain(layout, [script for script in scripts if is_plain(script)], more, peers, said, keep)
    _on_databases(layout, [script for script in scripts if not is_plain(script)], more, peers, said, keep)
    ui.say("\n" + benchtable.text(measured))
    if failed:
        ui.say(ui.paint(f"Failed: {', '.join(failed)}", "red"))
    return 1 if failed else 0


Keep = Callable[[Path, int, "list[dict[str, Any]]", "dict[str, Any]"], None]


def _plain(layout: Layout, scripts: Sequence[Path], more: Sequence[str], peers: bool, said: str, keep: Keep) -> None:
    """Run scripts that need no server."""
    if not scripts:
        return
    folder = benchpeer.edi_ready(layout) if peers else None
    env = {**os.environ, "PYTHONUNBUFFERED": "1", **({"DIST_BENCH_EDI_PEERS": str(folder)} if folder else {})}
    facts = benchfacts.plain(layout, said, peers)
    with Supervisor(layout.logs / "bench", layout.status("bench-edi")) as supervisor:
        for script in scripts:
            ui.step("bench", script.stem)
            keep(script, *_script(layout, supervisor, [str(layout.python), str(script), *more], env), facts)


def _on_databases(
    layout: Layout, scripts: Sequence[Path], more: Sequence[str], peers: bool, said: str, keep: Keep
) -> None:
    """Run scripts that each get a fresh database, and the peer's beside it."""
    if not scripts:
        return
    with (
        Cluster(layout).socket() as (folder, settings),
        stack.test_services(layout, "bench", {**DURABLE, **settings}) as running,
    ):
        # another command's server, which is used while it runs, has no socket
        host = {"db_host": folder} if (folder / f".s.PGSQL.{running.databases.port}").exists() else {}
        config = _template(layout, running, host)
        peer = benchpeer.ready(layout, running.databases, host) if peers else None
        env = {
            **running.environment(),
            "PYTHONUNBUFFERED": "1",
            "DIST_PG_LOG": stack.postgres_log(layout) or "",
            **(benchpeer.environment(layout, peer) if peer else {}),
        }
        facts = benchfacts.of(layout, running.databases, said, peer is not None)
        facts["settings"]["connection"] = "Unix socket" if host else "TCP"
        for script in scripts:
            ui.step("bench", script.stem)
            running.databases.copy(TEMPLATE, DATABASE)
            if peer:
                running.databases.copy(benchpeer.TEMPLATE, benchpeer.DATABASE)
            argv = [str(layout.python), str(script), "-c", str(config), "-d", DATABASE, *more]
            keep(script, *_script(layout, running.supervisor, argv, env), facts)
        for database in (DATABASE, benchpeer.DATABASE):
            running.databases.drop(database)


def is_plain(script: Path) -> bool:
    """Whether it needs no server and no database."""
    return script.stem.startswith(benchtable.EDI)


def _arguments(layout: Layout) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", allow_abbrev=False)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(path.stem for path in all_scripts(layout)))
    parser.add_argument("--quick", action="store_true", help="small numbers, ours only: shows that the scripts work")
    parser.add_argument("--no-peer", action="store_true", help="measure ours only")
    parser.add_argument(
        "--table", action="store_true", help="run nothing: put the latest figures into docs/benchmarks.md"
    )
    return parser


def all_scripts(layout: Layout) -> list[Path]:
    found = sorted((layout.repo / "tests" / "bench").glob("*.py"))
    return [path for path in found if not path.stem.startswith(("test_", "conftest"))]


def chosen(layout: Layout, names: Sequence[str]) -> list[Path]:
    """The scripts of these names (with or without folder and suffix); all without names.

    :raises Problem: when there is no such script.
    """
    scripts = {path.stem: path for path in all_scripts(layout)}
    wanted = [Path(name).stem for name in names] or list(scripts)
    if unknown := [name for name in wanted if name not in scripts]:
        raise ui.Problem(f"No benchmark {', '.join(unknown)}; there are {', '.join(scripts)}.")
    return [scripts[name] for name in dict.fromkeys(wanted)]


def _said(arguments: Sequence[str]) -> str:
    return f' ARGS="{" ".join(arguments)}"' if arguments else ""


def _template(layout: Layout, running: stack.Running, host: Mapping[str, object]) -> Path:
    """The configuration of the benchmarks; their template database is made where it is missing or old."""
    ledger = layout.addons_dir / "dist_sync_queue" / "tests" / "addons"
    paths = template.addons_paths(layout)
    config = template.write_config(
        layout,
        running.databases,
        layout.state / "bench.odoo.conf",
        addons_path=",".join(map(str, [*paths, ledger])),
        **host,
    )
    files = [*template.addon_files(layout), *sorted(ledger.rglob("*.py")), *sorted(ledger.rglob("*.csv"))]
    step = Step(
        "template_bench",
        "Database for benchmarks",
        lambda: [*map(str, files), *files],
        lambda: template.build(
            layout, running.databases, config, "template_bench", template.FULL, TEMPLATE, [LEDGER_ADDON]
        ),
        lambda: running.databases.exists(TEMPLATE),
    )
    run_step(step, Stamps(layout.state / "stamps"))
    return config


def _script(
    layout: Layout, supervisor: Supervisor, argv: Sequence[str], env: Mapping[str, str]
) -> tuple[int, list[dict[str, Any]]]:
    """Run one script. What it prints is shown; its figures are returned, and its exit status."""
    rows: list[dict[str, Any]] = []
    read, write = os.pipe()

    def listen() -> None:
        with os.fdopen(read, "r", errors="replace") as stream:
            for line in stream:
                row = figure(line)
                if row is not None:
                    rows.append(row)
                ui.say(line.rstrip("\n"))

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        code = supervisor.command(argv, env, layout.repo, LIMIT, output=write)
    finally:
        os.close(write)
    listener.join(timeout=10)
    if code is None:
        ui.say(ui.paint(f"took longer than {LIMIT:.0f} s and was ended", "red"))
    return (1 if code is None else code), rows


def figure(line: str) -> dict[str, Any] | None:
    """A line that is a figure; None for anything else that a script says."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and {"bench", "ours", "peer", "ratio", "unit"} <= row.keys() else None


def _table(layout: Layout, results: Path) -> int:
    page = layout.repo / "docs" / "benchmarks.md"
    rows = benchtable.latest(benchtable.read(results), [path.stem for path in all_scripts(layout)])
    if not rows:
        raise ui.Problem("No figures yet; run `make bench` first.")
    page.write_text(benchtable.placed(page.read_text(), benchtable.markdown(rows)))
    ui.step("bench", f"{len(rows)} figures written to {layout.short(page)}")
    return 0
