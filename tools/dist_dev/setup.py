"""``make setup``: the steps in their order."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable

from . import browser, debian, pythonenv, stack, ui
from .layout import Layout
from .odoo import find_odoo
from .postgres import cluster_step
from .steps import Stamps, Step, exclusive, run_step

_TOOLS = {"make": "make", "setpriv": "util-linux"}
_DEBIAN_TOOLS = {"apt-get": "apt", "dpkg-deb": "dpkg"}
_PYTHON = (pythonenv.venv_step, pythonenv.packages_step, debian.odoo_step, pythonenv.link_step)


def check_tools(layout: Layout) -> None:
    """Say at once which tools are missing.

    :raises Problem: naming the packages to install.
    """
    needed = dict(_TOOLS)
    if find_odoo(layout).source == "debian" and not layout.odoo_root.is_dir():
        needed.update(_DEBIAN_TOOLS)
    missing = {tool: package for tool, package in needed.items() if shutil.which(tool) is None}
    if "apt-get" in missing or "dpkg-deb" in missing:
        raise ui.Problem(
            "Odoo 19 is unpacked from Debian's package with apt-get and dpkg, which this machine lacks: name an "
            "Odoo 19 checkout with ODOO_HOME=/path, or use Docker Compose (docs/install.md)."
        )
    if missing:
        raise ui.Problem(f"Missing {', '.join(missing)}: install the packages {', '.join(missing.values())}.")


def everything(layout: Layout) -> bool:
    """Set up all there is. True if a step had to run."""
    check_tools(layout)
    with exclusive(layout.state / "setup.lock", "Another set-up works in this cache; waiting for it."):
        ran = [_run(layout, _PYTHON), _run(layout, (cluster_step, browser.chromium_step))]
        if stack.template_needed(layout):
            ran.append(True)
            with stack.test_services(layout, "setup"):
                pass  # starting the services makes the templates
    return any(ran)


def python_only(layout: Layout) -> None:
    """What the checks need: the environment, and Odoo's sources to resolve imports."""
    check_tools(layout)
    with exclusive(layout.state / "setup.lock", "Another set-up works in this cache; waiting for it."):
        _run(layout, _PYTHON)


def _run(layout: Layout, steps: Iterable[Callable[[Layout], Step]]) -> bool:
    """Run the steps one after the other, each made only when its turn comes: it may look at what came before."""
    ran = [run_step(make(layout), Stamps(layout.state / "stamps")) for make in steps]
    return any(ran)
