"""``make test``: every suite in a process of its own, one summary at the end."""

from __future__ import annotations

import os
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import stack, template, ui
from .layout import Layout
from .template import FULL

#: A suite that takes longer is ended and counted as failed, in seconds.
SUITE_LIMIT = float(os.environ.get("DIST_SUITE_LIMIT", "3000"))
_NOTHING_COLLECTED = 5
_HEAVY = ("e2e", "chaos", "bench")


@dataclass
class Suite:
    """One pytest run. ``addon`` suites run inside Odoo, on a copy of the template database."""

    name: str
    paths: list[Path]
    addon: bool = False
    parallel: bool = False
    install: str = ""
    """An addon outside of ``addons/`` that is installed first."""
    options: list[str] = field(default_factory=list)


@dataclass
class Result:
    suite: str
    ok: bool
    seconds: float
    passed: int = 0
    failed: int = 0
    skipped: int = 0


def suites(layout: Layout) -> Iterator[Suite]:
    """All suites of this checkout, the quick ones first."""
    for package in layout.packages():
        if (package / "tests").is_dir():
            yield Suite(package.name, [package / "tests"], parallel=True)
    for project in sorted((layout.repo / "examples").glob("*/pyproject.toml")):
        yield Suite(project.parent.name, [project.parent / "tests"], parallel=True)
    tests = layout.repo / "tests"
    unit = [*sorted(tests.glob("test_*.py"))]
    unit += [path for path in sorted(tests.iterdir()) if path.is_dir() and path.name not in _HEAVY and _has_tests(path)]
    if unit:
        yield Suite("tests", unit, parallel=True)
    for addon in layout.addons():
        if (layout.addons_dir / addon / "tests").is_dir():
            yield Suite(addon, [layout.addons_dir / addon / "tests"], addon=True)
    for manifest in sorted((layout.repo / "examples").glob("*/__manifest__.py")):
        example = manifest.parent
        yield Suite(example.name, [example / "tests"], addon=True, install=example.name)
    for heavy in ("e2e", "chaos", "bench"):
        if _has_tests(tests / heavy):
            yield Suite(heavy, [tests / heavy])


def run(layout: Layout, arguments: Sequence[str]) -> int:
    """Run all suites, or those that the given paths name; 0 if all passed."""
    chosen = list(suites(layout))
    named = [Path(argument).absolute() for argument in arguments if not argument.startswith("-") and _exists(argument)]
    extra = [argument for argument in arguments if not _exists(argument) or argument.startswith("-")]
    if named:
        chosen = [suite for suite in (_narrowed(suite, named) for suite in chosen) if suite.paths]
        if not chosen:
            raise ui.Problem(f"No suite holds {' '.join(map(str, named))}; run `make test` without ARGS for all.")
    layout.reports.mkdir(parents=True, exist_ok=True)
    for old in layout.reports.glob("*.xml"):  # what benchmarks left there stays
        old.unlink()
    with stack.test_services(layout, "test") as running:
        results = [_run_suite(running, suite, extra) for suite in chosen]
    return _summary(results)


def _exists(argument: str) -> bool:
    return Path(argument.split("::")[0]).exists()


def _narrowed(suite: Suite, named: list[Path]) -> Suite:
    """The suite reduced to what was named inside it."""

    def inside(path: Path, folder: Path) -> bool:
        return Path(str(path).split("::")[0]).is_relative_to(folder)

    paths = [path for path in named if any(inside(path, own) for own in suite.paths)]
    if not paths and any(inside(own, path) for own in suite.paths for path in named):
        paths = [own for own in suite.paths if any(inside(own, path) for path in named)]
    return replace(suite, paths=paths, parallel=suite.parallel and len(paths) > 1)


def _has_tests(folder: Path) -> bool:
    return next(folder.rglob("test_*.py"), None) is not None if folder.is_dir() else False


def _run_suite(running: stack.Running, suite: Suite, extra: Sequence[str]) -> Result:
    layout = running.layout
    report = layout.reports / f"{suite.name}.xml"
    argv = [str(layout.python), "-m", "pytest", "-q", f"--junitxml={report}", f"--rootdir={layout.repo}"]
    argv += ["-c", str(layout.repo / "pyproject.toml")]
    database = f"dist_test_{suite.name}"
    if suite.addon:
        config = _database(running, suite, database)
        argv += [f"--odoo-database={database}", f"--odoo-config={config}", "--odoo-http"]
    else:
        argv += ["-p", "no:odoo", *(["-n", "2"] if suite.parallel and not _debugging(extra) else [])]
    argv += [*extra, *map(str, suite.paths)]
    ui.say(f"\n{ui.paint(f'== {suite.name}', 'bold')}")
    started = time.monotonic()
    try:
        env = {**running.environment(), "CI": "true"}  # hypothesis: the same examples each time, and no deadlines
        code = running.supervisor.command(argv, env, layout.repo, SUITE_LIMIT)
    finally:
        if suite.addon:
            running.databases.drop(database)
    if code is None:
        ui.say(ui.paint(f"{suite.name} took longer than {SUITE_LIMIT:.0f} s and was ended", "red"))
    # With a selection (-k) a suite may have nothing to run; without one, that means its tests are not found.
    fine = (0, _NOTHING_COLLECTED) if extra else (0,)
    result = Result(suite.name, code in fine, time.monotonic() - started)
    return _count(result, report)


def _database(running: stack.Running, suite: Suite, name: str) -> Path:
    """Make the suite's database; the configuration to use with it."""
    if not suite.install:
        running.databases.copy(FULL, name)
        return running.odoo_config
    layout = running.layout
    paths = [*template.addons_paths(layout), layout.repo / "examples"]
    config = template.write_config(
        layout, running.databases, layout.state / f"{name}.odoo.conf", addons_path=",".join(map(str, paths))
    )
    template.build(layout, running.databases, config, suite.name, FULL, name, [suite.install])
    return config


def _debugging(extra: Sequence[str]) -> bool:
    return any(option in ("--pdb", "-s", "--trace") for option in extra)


def _count(result: Result, report: Path) -> Result:
    """Take the counts out of pytest's JUnit report; no report means that the run broke down."""
    try:
        root = ElementTree.parse(report).getroot()  # noqa: S314 - our own file
    except (OSError, ElementTree.ParseError):
        result.failed += not result.ok
        return result
    for element in root.iter("testsuite"):
        number = {name: int(element.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")}
        bad = number["failures"] + number["errors"]
        result.failed += bad
        result.skipped += number["skipped"]
        result.passed += number["tests"] - bad - number["skipped"]
    if not result.ok and not result.failed:
        result.failed = 1
    return result


def _summary(results: Sequence[Result]) -> int:
    ui.say(f"\n{'suite':<24}{'passed':>8}{'failed':>8}{'skipped':>8}  time")
    for result in results:
        row = (
            f"{result.suite:<24}{result.passed:>8}{result.failed:>8}{result.skipped:>8}  {ui.duration(result.seconds)}"
        )
        ui.say(row if result.ok else ui.paint(row, "red"))
    totals = [sum(getattr(result, name) for result in results) for name in ("passed", "failed", "skipped")]
    ui.say("\n{} passed, {} failed, {} skipped".format(*totals))
    return 0 if all(result.ok for result in results) else 1
