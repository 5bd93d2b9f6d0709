"""What a figure was measured with: machine, versions, settings, commit, date."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from . import benchpeer
from .layout import Layout
from .postgres import Databases

_SETTINGS = ("fsync", "synchronous_commit", "full_page_writes", "shared_buffers")


def of(layout: Layout, databases: Databases, command: str, peer: bool) -> dict[str, Any]:
    """The facts that all figures of one run share; names of machines and people are not among them."""
    facts = plain(layout, command, False)
    facts["versions"] = {
        "odoo": _output(layout, [str(layout.python), "-c", "import odoo.release as r; print(r.version)"]),
        "postgresql": databases.sql("SHOW server_version"),
        **facts["versions"],
        **({"queue_job": benchpeer.version(layout)} if peer else {}),
    }
    facts["settings"] = {name: databases.sql(f"SHOW {name}") for name in _SETTINGS}
    return facts


def plain(layout: Layout, command: str, peers: bool) -> dict[str, Any]:
    """The same for scripts that need neither Odoo nor a server; ``peers``: with those of the EDI codec."""
    return {
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "commit": commit(layout),
        "command": command,
        "machine": {"cpu": cpu(), "cores": os.cpu_count(), "memory_gib": memory_gib(), "system": distribution()},
        "versions": {"python": platform.python_version(), **(benchpeer.edi_versions(layout) if peers else {})},
        "settings": {},
    }


def commit(layout: Layout) -> str:
    """The checkout's commit, with a plus where files differ from it; "unknown" without git."""
    head = _output(layout, ["git", "rev-parse", "--short=10", "HEAD"])
    return (head + ("+" if _output(layout, ["git", "status", "--porcelain", "-uno"]) else "")) or "unknown"


def cpu() -> str:
    """The processor's name, as the kernel tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def memory_gib() -> float:
    return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1)


def distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _output(layout: Layout, argv: list[str]) -> str:
    try:
        return subprocess.run(argv, cwd=layout.repo, capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""
