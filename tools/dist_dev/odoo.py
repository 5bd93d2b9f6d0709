"""Which Odoo 19 is used: the one named by ODOO_HOME, one that Python already imports, or Debian's package."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from . import ui
from .layout import Layout


@dataclass(frozen=True)
class Odoo:
    """``import_path`` goes on Python's path, ``addons_paths`` into Odoo's configuration."""

    source: str
    import_path: Path
    addons_paths: tuple[Path, ...]


@cache
def find_odoo(layout: Layout) -> Odoo:
    """The Odoo to use. Debian's package is named even before it is unpacked.

    :raises Problem: when ODOO_HOME names something that is not an Odoo 19.
    """
    home = os.environ.get("ODOO_HOME")
    if home:
        return _given(Path(home).expanduser().absolute())
    if not (layout.odoo_root / "usr").is_dir():
        imported = _importable()
        if imported:
            return imported
    packages = layout.odoo_root / "usr" / "lib" / "python3" / "dist-packages"
    return Odoo("debian", packages, (packages / "odoo" / "addons",))


def _given(home: Path) -> Odoo:
    for root in (home, home / "lib" / "python3" / "dist-packages"):
        release = root / "odoo" / "release.py"
        if release.is_file() and "(19, 0" in release.read_text():
            return Odoo("ODOO_HOME", root, _addons_paths(root))
    raise ui.Problem(f"ODOO_HOME={home} holds no Odoo 19.0 (no odoo/release.py that says 19.0); name its checkout.")


def _importable() -> Odoo | None:
    code = "import odoo, odoo.release as r; print(r.version_info[0], list(odoo.__path__)[0])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd="/")
    major, _, path = found.stdout.strip().partition(" ")
    if found.returncode or major != "19":
        return None
    root = Path(path).parent
    return Odoo("importable", root, _addons_paths(root))


def _addons_paths(root: Path) -> tuple[Path, ...]:
    """Odoo's own addons: ``odoo/addons`` and, in a source checkout, ``addons``."""
    inner, outer = root / "odoo" / "addons", root / "addons"
    return (inner, outer) if not (inner / "sale").is_dir() and outer.is_dir() else (inner,)
