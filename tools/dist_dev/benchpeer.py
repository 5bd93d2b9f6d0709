"""The peers of the benchmarks: the OCA's ``queue_job`` (LGPL-3), in a folder and a database of its own; and other
EDI libraries, in a folder of their own.

They are never on the path of anything but their own processes; no addon or package of this checkout depends on them.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from . import template, ui
from .layout import Layout
from .odoo import find_odoo
from .postgres import Databases
from .steps import Stamps, Step, run_step

DATABASE = "dist_bench_peer"
TEMPLATE = "dist_bench_peer_template"


def folder(layout: Layout) -> Path:
    return layout.cache / "bench-peer"


def _requirements(layout: Layout) -> Path:
    return layout.repo / "requirements" / "bench.txt"


def version(layout: Layout) -> str:
    found = re.search(r"^odoo-addon-queue-job==(\S+)", _requirements(layout).read_text(), flags=re.M)
    return found[1] if found else ""


def ready(layout: Layout, databases: Databases, host: Mapping[str, object]) -> Path:
    """Install the peer and make its template database where that is needed; its configuration file.

    Its database holds the same apps of Odoo's as ours, and the peer instead of our addons.

    :param host: where its configuration looks for PostgreSQL instead of the loopback interface
    :raises Problem: when it cannot be downloaded or installed; ``--no-peer`` measures without it.
    """
    stamps = Stamps(layout.state / "stamps")
    files = Step(
        "bench_peer",
        f"queue_job {version(layout)}, to measure against",
        lambda: [_requirements(layout), str(folder(layout))],
        lambda: _install(layout, folder(layout), _requirements(layout)),
        lambda: (folder(layout) / "odoo" / "addons" / "queue_job").is_dir(),
    )
    run_step(files, stamps)
    config = template.write_config(
        layout,
        databases,
        layout.state / "bench-peer.odoo.conf",
        addons_path=",".join(map(str, [*find_odoo(layout).addons_paths, folder(layout) / "odoo" / "addons"])),
        server_wide_modules="base,rpc,web,queue_job",
        **host,
    )
    database = Step(
        "template_bench_peer",
        "Database with queue_job",
        lambda: [stamps.read("template_base").get("inputs", ""), _requirements(layout)],
        lambda: template.build(
            layout, databases, config, "template_bench_peer", template.BASE, TEMPLATE, ["queue_job"], path(layout)
        ),
        lambda: databases.exists(TEMPLATE),
    )
    run_step(database, stamps)
    return config


def path(layout: Layout) -> dict[str, str]:
    """The environment in which Python finds the peer's files."""
    return {"PYTHONPATH": str(folder(layout))}


def environment(layout: Layout, config: Path) -> dict[str, str]:
    """What the scripts read; without it they measure ours only."""
    return {
        "DIST_BENCH_PEER_CONF": str(config),
        "DIST_BENCH_PEER_DB": DATABASE,
        "DIST_BENCH_PEER_PATH": str(folder(layout)),
    }


def edi_folder(layout: Layout) -> Path:
    return layout.cache / "bench-peer-edi"


def _edi_requirements(layout: Layout) -> Path:
    return layout.repo / "requirements" / "bench-edi.txt"


def edi_versions(layout: Layout) -> dict[str, str]:
    """Name → version of each peer of the EDI codec."""
    return dict(re.findall(r"^([\w-]+)==(\S+)", _edi_requirements(layout).read_text(), flags=re.M))


def edi_ready(layout: Layout) -> Path:
    """Install the EDI libraries where that is needed; their folder.

    :raises Problem: when they cannot be downloaded or installed; ``--no-peer`` measures without them.
    """
    target = edi_folder(layout)
    step = Step(
        "bench_peer_edi",
        "EDI libraries, to measure against",
        lambda: [_edi_requirements(layout), str(target)],
        lambda: _install(layout, target, _edi_requirements(layout)),
        lambda: (target / "mockedi").is_dir(),
    )
    run_step(step, Stamps(layout.state / "stamps"))
    return target


def _install(layout: Layout, target: Path, requirements: Path) -> str:
    half = target.with_suffix(".unfinished")
    for old in (half, target):
        shutil.rmtree(old, ignore_errors=True)
    argv = [layout.python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--no-deps"]
    argv += ["--target", half, "--requirement", requirements]
    ui.run_logged(
        argv,
        layout.logs / "bench" / "pip.log",
        name="bench_peer",
        title="pip install",
        hint="Check the network (or pip's index settings), or leave the peer out: make bench ARGS=--no-peer.",
        env={**os.environ, "PIP_PROGRESS_BAR": "off", "PYTHONNOUSERSITE": "1"},
    )
    half.rename(target)
    return layout.short(target)
