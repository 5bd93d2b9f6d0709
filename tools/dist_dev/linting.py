"""``make lint``: every check of style, types and imports; all run, and all problems are shown."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import ui
from .layout import Layout
from .steps import Stamps, Step, run_step

_FORMATTED = "addons/**/*.{xml,js,scss,css}"


@dataclass(frozen=True)
class Check:
    """One tool. ``mend`` is the command that mends what it can, for ``make lint ARGS=--fix``."""

    name: str
    argv: Sequence[str]
    mend: Sequence[str] | None = None


def run(layout: Layout, arguments: Sequence[str]) -> int:
    """Run the checks; 0 if all are content."""
    failed = []
    for check in checks(layout):
        started = time.monotonic()
        argv = check.mend if check.mend and "--fix" in arguments else check.argv
        done = subprocess.run(argv, cwd=layout.repo, capture_output=True, text=True, env=_environment(layout))
        verdict = ui.paint("ok", "green") if done.returncode == 0 else ui.paint("problems", "red")
        ui.step(check.name, f"{verdict} ({ui.duration(time.monotonic() - started)})")
        if done.returncode:
            failed.append(check.name)
            ui.say((done.stdout + done.stderr).strip())
    if failed:
        ui.say(f"\nProblems from {', '.join(failed)}; `make lint ARGS=--fix` mends what can be mended by a tool.")
    return 1 if failed else 0


def checks(layout: Layout) -> Iterator[Check]:
    """The checks for what this checkout holds."""
    program: Callable[[str], str] = lambda name: str(layout.venv / "bin" / name)  # noqa: E731
    addons = [str(layout.addons_dir / addon) for addon in layout.addons()]
    python = [
        folder for folder in ("addons", "packages", "tools", "tests", "examples") if (layout.repo / folder).is_dir()
    ]
    yield Check("ruff", [program("ruff"), "check", *python], [program("ruff"), "check", "--fix", *python])
    yield Check("format", [program("ruff"), "format", "--check", *python], [program("ruff"), "format", *python])
    modules = [part for folder in layout.packages() for part in ("-p", folder.name)]
    cache = f"--cache-dir={layout.cache / 'mypy'}"
    yield Check("mypy", [program("mypy"), "--config-file=pyproject.toml", cache, *modules])
    yield Check("dev mypy", [program("mypy"), "--config-file=pyproject.toml", cache, "-p", "dist_dev"])
    yield Check("imports", [program("lint-imports"), "--no-cache"])
    if addons:
        yield Check("pylint", [program("pylint"), "--rcfile=.pylintrc", "-j", "2", *addons])
        oca = [program("oca-checks-odoo-module"), *addons]
        yield Check("oca", oca)
        translations = [str(path) for addon in addons for path in sorted(Path(addon).glob("i18n/*.po*"))]
        if translations:
            yield Check("oca po", [program("oca-checks-po"), *translations])
    yield from _prettier(layout)


def _environment(layout: Layout) -> dict[str, str]:
    return {**os.environ, "RUFF_CACHE_DIR": str(layout.cache / "ruff"), "PYTHONPATH": ""}


def _prettier(layout: Layout) -> Iterator[Check]:
    """prettier through npm. Without node it is left out, except where CI says that it must run."""
    if shutil.which("npm") is None:
        if os.environ.get("CI"):
            raise ui.Problem("prettier needs node and npm: install the packages nodejs and npm.")
        ui.step("prettier", "left out: there is no npm (install nodejs and npm to check XML and JavaScript)")
        return
    run_step(_node_step(layout), Stamps(layout.state / "stamps"))
    modules = layout.node / "node_modules"
    command = [str(modules / ".bin" / "prettier"), "--log-level=warn", "--no-error-on-unmatched-pattern"]
    command += [f"--plugin={modules / '@prettier' / 'plugin-xml' / 'src' / 'plugin.js'}", _FORMATTED, "*.yml"]
    yield Check("prettier", [*command, "--check"], [*command, "--write"])


def _node_step(layout: Layout) -> Step:
    wanted = layout.repo / "tools" / "lint" / "package.json"

    def install() -> str:
        shutil.rmtree(layout.node, ignore_errors=True)
        layout.node.mkdir(parents=True)
        shutil.copy(wanted, layout.node)
        argv = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
        log = layout.logs / "setup" / "npm.log"
        hint = "Check the network (or npm's registry setting) and run the same command again."
        ui.run_logged(argv, log, name="node", title="npm install", hint=hint, cwd=layout.node)
        return f"in {layout.short(layout.node)}"

    return Step("node", "prettier", lambda: [wanted], install, (layout.node / "node_modules" / "prettier").is_dir)
