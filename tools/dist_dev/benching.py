"""``make bench``: every script in tests/bench, one after the other, on a database of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from . import stack, template, ui
from .layout import Layout

DATABASE = "dist_bench"
LEDGER_ADDON = "dist_test_queue"
"""Addon with the jobs that benchmarks run; it lies with the engine's tests."""


def run(layout: Layout, arguments: Sequence[str]) -> int:
    """Run the scripts with ``-c CONFIG -d DATABASE`` and ``arguments``; each prints one JSON line per case.

    :returns: 0, or 1 when a script failed.
    """
    scripts = sorted((layout.repo / "tests" / "bench").glob("*.py"))
    with stack.test_services(layout, "bench") as running:
        config = _database(layout, running)
        env = {**os.environ, **running.environment()}
        failed = [script.name for script in scripts if _script(layout, script, config, arguments, env)]
    if failed:
        ui.say(f"Failed: {', '.join(failed)}")
    return 1 if failed else 0


def _database(layout: Layout, running: stack.Running) -> Path:
    paths = next(line for line in running.odoo_config.read_text().splitlines() if line.startswith("addons_path"))
    own = layout.addons_dir / "dist_sync_queue" / "tests" / "addons"
    config = template.write_config(
        layout,
        running.databases,
        layout.state / "bench.odoo.conf",
        addons_path=f"{paths.partition('=')[2].strip()},{own}",
    )
    running.databases.copy(template.FULL, DATABASE)
    argv = [
        layout.python,
        "-m",
        "odoo",
        "-c",
        config,
        "-d",
        DATABASE,
        "-i",
        LEDGER_ADDON,
        "--stop-after-init",
        "--no-http",
    ]
    hint = "See the log; the addon lies in addons/dist_sync_queue/tests/addons."
    log = layout.logs / "bench" / "install.log"
    ui.run_logged(argv, log, name="bench", title="odoo -i", hint=hint, env={**os.environ}, cwd=layout.repo)
    return config


def _script(layout: Layout, script: Path, config: Path, arguments: Sequence[str], env: dict[str, str]) -> bool:
    ui.step("bench", script.name)
    argv = [str(layout.python), str(script), "-c", str(config), "-d", DATABASE, *arguments]
    return subprocess.run(argv, env=env, cwd=layout.repo).returncode != 0
