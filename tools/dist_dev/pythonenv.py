"""The virtual environment: pinned requirements, Odoo's folder on its path, this checkout's packages editable."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from . import debian, ui
from .layout import Layout
from .odoo import find_odoo
from .steps import Step

GROUPS = ("odoo", "relay", "dev")
_NETWORK_HINT = "Check the network (or pip's index settings) and run the same command again; it goes on from here."


def venv_step(layout: Layout) -> Step:
    files = [layout.repo / "requirements" / f"{group}.txt" for group in GROUPS]

    def inputs() -> Iterable[str | Path]:
        return ["%d.%d" % sys.version_info[:2], str(layout.venv), *files]

    def run() -> str:
        _make_venv(layout)
        with _unfinished(layout):
            _pip(layout, [part for path in files for part in ("--requirement", str(path))])
        return f"{sum(len(_names(path)) for path in files)} pinned distributions in {layout.short(layout.venv)}"

    return Step("venv", "Python environment with pinned requirements", inputs, run, lambda: _works(layout))


def packages_step(layout: Layout) -> Step:
    def inputs() -> Iterable[str | Path]:
        return [str(layout.repo), str(layout.venv), *[folder / "pyproject.toml" for folder in layout.packages()]]

    def run() -> str:
        for folder in layout.packages():
            _pip(layout, ["--no-deps", "--no-build-isolation", "--editable", str(folder)])
        return ", ".join(folder.name for folder in layout.packages())

    return Step("packages", "Packages of this checkout, editable", inputs, run, lambda: _works(layout))


def link_step(layout: Layout) -> Step:
    """Puts Odoo's folder and the set-up's own modules on the path of the environment."""
    link = layout.site_packages / "dist_dev.pth"

    def content() -> str:
        return f"{find_odoo(layout).import_path}\n{layout.repo / 'tools'}\n"

    def run() -> str:
        link.write_text(content())
        odoo = subprocess.run(
            [layout.python, "-c", "import odoo.release as r; print(r.version)"], capture_output=True, text=True
        )
        if odoo.returncode or not odoo.stdout.startswith("19.0"):
            link.unlink()
            reason = odoo.stderr.strip().splitlines()[-1:] or [odoo.stdout]
            raise ui.Problem(f"The Odoo found is not a working Odoo 19 ({reason[0]}); mend ODOO_HOME or unset it.")
        return f"Odoo {odoo.stdout.strip()}"

    return Step("link", "Odoo importable", lambda: [content(), str(layout.venv)], run, link.exists)


def _works(layout: Layout) -> bool:
    return layout.python.exists() and (layout.site_packages / "pytest").is_dir()


def _names(requirements: Path) -> list[str]:
    return re.findall(r"^[A-Za-z0-9][\w.-]*(?===)", requirements.read_text(), flags=re.M)


def _make_venv(layout: Layout) -> None:
    """Make the environment, or keep a whole one. A mark lies beside it while it is being made."""
    sound = layout.python.exists() and layout.site_packages.is_dir() and not _mark(layout).exists()
    if sound and subprocess.run([layout.python, "-m", "pip", "--version"], capture_output=True).returncode == 0:
        return
    with _unfinished(layout):
        if layout.venv.exists():
            ui.step("venv", "an unfinished or unsuitable environment was found and is made anew")
            shutil.rmtree(layout.venv)
        _make_empty_venv(layout)


def _make_empty_venv(layout: Layout) -> None:
    log = layout.logs / "setup" / "venv.log"
    hint = "Install the package python3-venv and run the same command again."
    if _has_ensurepip():
        ui.run_logged(
            [sys.executable, "-m", "venv", layout.venv], log, name="venv", title="Making the environment", hint=hint
        )
    else:
        try:
            wheel = debian.download_pip_wheel(layout)
        except ui.Problem as problem:
            raise ui.Problem(f"This Python makes no environments (it has no ensurepip). {hint}") from problem
        command = [sys.executable, "-m", "venv", "--without-pip", layout.venv]
        ui.run_logged(command, log, name="venv", title="Making the environment", hint=hint)
        bootstrap = [layout.python, wheel / "pip", "install", "--no-index", wheel]
        ui.run_logged(bootstrap, log, name="venv", title="Installing pip", hint=hint)


def _mark(layout: Layout) -> Path:
    return layout.state / "venv.unfinished"


@contextmanager
def _unfinished(layout: Layout) -> Iterator[None]:
    """Keep a mark beside the environment while it is worked on; it stays where the work was killed in the middle.

    A command that fails has tidied up after itself, so the mark goes then, and the next run goes on from there.
    """
    layout.state.mkdir(parents=True, exist_ok=True)
    _mark(layout).touch()
    try:
        yield
    except ui.Problem:
        _mark(layout).unlink()
        raise
    _mark(layout).unlink()


def _has_ensurepip() -> bool:
    return subprocess.run([sys.executable, "-c", "import ensurepip, venv"], capture_output=True).returncode == 0


def _pip(layout: Layout, arguments: list[str]) -> None:
    command = [layout.python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *arguments]
    env = {**os.environ, "PIP_PROGRESS_BAR": "off", "PYTHONNOUSERSITE": "1"}
    log = layout.logs / "setup" / "pip.log"
    ui.run_logged(command, log, name="venv", title="pip install", hint=_NETWORK_HINT, env=env)
