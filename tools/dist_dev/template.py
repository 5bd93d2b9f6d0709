"""Database templates: Odoo's own apps once, and this checkout's addons on top; tests and the demo copy the result."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from . import ui
from .layout import Layout
from .odoo import find_odoo
from .postgres import Databases
from .steps import Stamps, Step, run_step

BASE = "dist_template_base"
FULL = "dist_template"
#: Odoo's apps that the suite builds on. Installed once; the addons' dependencies are covered by them.
BASE_APPS = (
    "sale_management", "stock", "purchase", "account", "sale_stock", "purchase_stock", "stock_dropshipping",
    "stock_delivery",
)  # fmt: skip
#: What Odoo's log puts before a message: time, process, level, database, logger.
_ODOO_PREFIX = re.compile(r"^\S+ \S+ \d+ [A-Z]+ \S+ \S+: ")
_IGNORED = {"tests", "static", "i18n", "readme", "__pycache__"}
_SUFFIXES = {".py", ".xml", ".csv", ".sql", ".json"}


def write_config(layout: Layout, databases: Databases, target: Path, **options: object) -> Path:
    """Write an Odoo configuration file for this checkout and this running cluster."""
    settings: dict[str, object] = {
        "db_host": "127.0.0.1",
        "db_port": databases.port,
        "db_user": "odoo",
        "db_password": databases.cluster.password,
        "addons_path": ",".join(map(str, addons_paths(layout))),
        "data_dir": layout.odoo_data,
        "http_interface": "127.0.0.1",
        "list_db": False,
        "max_cron_threads": 0,
        **options,
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch(mode=0o600)
    target.write_text("[options]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items()))
    return target


def addons_paths(layout: Layout) -> list[Path]:
    """Odoo's folders of addons and this checkout's."""
    return [path for path in (*find_odoo(layout).addons_paths, layout.addons_dir) if path.is_dir()]


def addon_files(layout: Layout) -> Iterable[Path]:
    """The files of the addons that decide what an installed database looks like."""
    for addon in layout.addons():
        for path in sorted((layout.addons_dir / addon).rglob("*")):
            inside = path.relative_to(layout.addons_dir / addon).parts
            if path.suffix in _SUFFIXES and not _IGNORED.intersection(inside):
                yield path


def ensure(layout: Layout, databases: Databases, config: Path) -> None:
    """Make or renew the templates where their inputs changed.

    :raises Problem: when Odoo cannot install the modules; the log is named.
    """
    odoo = find_odoo(layout)
    release = odoo.import_path / "odoo" / "release.py"
    stamps = Stamps(layout.state / "stamps")
    base = Step(
        "template_base",
        "Database with Odoo's own apps",
        lambda: [*BASE_APPS, str(odoo.import_path), release],
        lambda: build(layout, databases, config, "template_base", None, BASE, BASE_APPS),
        lambda: databases.exists(BASE),
    )
    renewed = run_step(base, stamps)
    addons = layout.addons()
    if renewed:
        stamps.drop("template")
    names = [str(path.relative_to(layout.addons_dir)) for path in addon_files(layout)]
    full = Step(
        "template",
        f"Database with the addons ({', '.join(addons) or 'none yet'})",
        lambda: [*names, *addon_files(layout)],
        lambda: build(layout, databases, config, "template", BASE, FULL, addons),
        lambda: databases.exists(FULL),
    )
    run_step(full, stamps)


def build(
    layout: Layout,
    databases: Databases,
    config: Path,
    step: str,
    source: str | None,
    target: str,
    modules: Iterable[str],
    extra_env: Mapping[str, str] | None = None,
) -> str:
    """Install into a database with a working name, then rename it: a half-made one is never taken for a whole one."""
    half = f"{target}_unfinished"
    if source:
        databases.copy(source, half)
    else:
        databases.drop(half)
    log = layout.logs / "setup" / f"{target}.log"
    if modules:
        init = ",".join(modules)
        command = [layout.python, "-m", "odoo", "-c", config, "-d", half, "-i", init, "--stop-after-init", "--no-http"]
        hint = "Mend the addon, or `make clean` if the database is at fault."
        # Odoo takes libpq's variables before its file: those of somebody's shell must not lead it elsewhere
        env = {**os.environ, **databases.cluster.environment(databases.port), "PYTHONUNBUFFERED": "1"}
        env.update(extra_env or {})
        title = "installing"
        show = lambda: _ODOO_PREFIX.sub("", ui.last_line(log))  # noqa: E731
        ui.run_logged(command, log, name=step, title=title, hint=hint, env=env, cwd=layout.repo, detail=show)
    else:
        databases.sql("SELECT 1", half)
    databases.rename(half, target)
    return f"{target} ready"
