"""The commands behind ``make``."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence

from . import setup, ui
from .layout import Layout
from .supervisor import Stopped, running, stop_from_outside, stop_signals

LONG_CHAOS = {
    "DIST_CHAOS_SECONDS": "600",
    "DIST_CHAOS_ROUNDS": "3",
    "DIST_SUITE_LIMIT": "7200",
    "PYTEST_ADDOPTS": "-o faulthandler_timeout=1800",
}
"""What makes the tests of faults long: seconds of the random loop, how often each crash point is tried; and what keeps
a long test from being taken for one that hangs."""

LONG_FUZZ = {"DIST_FUZZ_INPUTS": "200000", "DIST_FUZZ_DOCUMENTS": "2000"}
"""What makes the fuzz tests of the EDI codec long: broken inputs, and documents made from the grammars."""

COMMANDS: dict[str, tuple[Callable[[Layout, list[str]], int], str]] = {}


def command(name: str, text: str) -> Callable[[Callable[[Layout, list[str]], int]], Callable[[Layout, list[str]], int]]:
    def register(function: Callable[[Layout, list[str]], int]) -> Callable[[Layout, list[str]], int]:
        COMMANDS[name] = (function, text)
        return function

    return register


@command("help", "this text")
def help_(layout: Layout, _arguments: list[str]) -> int:
    ui.say("make <command>\n")
    for name, (_function, text) in COMMANDS.items():
        ui.say(f"  {ui.paint(f'{name:<15}', 'bold')} {text}")
    ui.say(f"\nEverything is kept in {layout.short(layout.cache)} (DIST_CACHE names another folder).")
    ui.say("More: docs/development.md")
    return 0


@command("setup", "make ready: Python environment, Odoo 19, PostgreSQL, Valkey, template database")
def setup_(layout: Layout, _arguments: list[str]) -> int:
    if not setup.everything(layout):
        ui.step("setup", "nothing to do")
    return 0


@command("demo", "run the whole house against a fake store and compare (KEEP=1 leaves it running)")
def demo(layout: Layout, arguments: list[str]) -> int:
    setup.everything(layout)
    return _in_venv(layout, "dist_dev.demo", arguments)


@command("chaos", "the long form of tests/chaos, then the demo with kills (ARGS='-k name' runs some tests only)")
def chaos(layout: Layout, arguments: list[str]) -> int:
    os.environ["CHAOS"] = "1"
    for name, value in LONG_CHAOS.items():
        os.environ.setdefault(name, value)
    from . import testing  # reads its limit when it is imported

    setup.everything(layout)
    failed = testing.run(layout, [str(layout.repo / "tests" / "chaos"), *arguments])
    return failed if failed or arguments else demo(layout, [])


@command("test", "run every test (ARGS='tests/dev -k name' runs some)")
def test(layout: Layout, arguments: list[str]) -> int:
    from . import testing

    setup.everything(layout)
    return testing.run(layout, arguments)


@command("fuzz", "the long form of the EDI codec's fuzz tests (ARGS='-k x12' runs some tests only)")
def fuzz(layout: Layout, arguments: list[str]) -> int:
    for name, value in LONG_FUZZ.items():
        os.environ.setdefault(name, value)
    setup.python_only(layout)
    tests = layout.repo / "packages" / "dist_relay" / "tests" / "unit" / "edi" / "fuzz"
    argv = [str(layout.python), "-m", "pytest", "-q", "-p", "no:odoo", "-n", "2", *arguments, str(tests)]
    return subprocess.run(argv, cwd=layout.repo).returncode


@command("lint", "run every check of style, types and imports")
def lint(layout: Layout, arguments: list[str]) -> int:
    from . import linting

    setup.python_only(layout)
    return linting.run(layout, arguments)


@command("bench", "run the benchmarks in tests/bench")
def bench(layout: Layout, arguments: list[str]) -> int:
    from . import benching

    setup.everything(layout)
    return benching.run(layout, arguments)


@command("shell", "Odoo's Python shell on a copy of the template (DB=name: on that database)")
def shell(layout: Layout, arguments: list[str]) -> int:
    from . import stack

    setup.everything(layout)
    with stack.test_services(layout, "shell") as services:
        name = os.environ.get("DB") or "dist_shell"
        if not services.databases.exists(name):
            services.databases.copy("dist_template", name)
        argv = [layout.python, "-m", "odoo", "shell", "-c", services.odoo_config, "-d", name, "--no-http", *arguments]
        return subprocess.run([str(part) for part in argv], env={**os.environ, **services.environment()}).returncode


@command("logs", "follow the logs of what runs (SERVICE=name: only that one)")
def logs(layout: Layout, _arguments: list[str]) -> int:
    wanted = os.environ.get("SERVICE")
    found = [each for services in running(layout.state).values() for each in services.items()]
    files = [facts["log"] for service, facts in found if wanted in (None, "", service)]
    if found and not files:
        names = ", ".join(dict.fromkeys(service for service, _facts in found))
        raise ui.Problem(f"No service {wanted} runs; there are {names}.")
    if not files:
        raise ui.Problem("Nothing runs in this cache; `make demo KEEP=1` starts it.")
    try:
        return subprocess.run(["tail", "-n", "20", "-F", *files]).returncode
    except (KeyboardInterrupt, Stopped):
        return 0


@command("stop", "end everything that was started from this checkout")
def stop(layout: Layout, _arguments: list[str]) -> int:
    stopped = [name for path in layout.state.glob("*.status.json") for name in stop_from_outside(path)]
    ui.step("stop", f"ended {', '.join(stopped)}" if stopped else "nothing was running")
    return 0


@command("clean", "end everything and remove the cache folder")
def clean(layout: Layout, _arguments: list[str]) -> int:
    from .postgres import Cluster

    stop(layout, [])
    moved = Cluster(layout).moved
    known = {"venv", "state", "logs", "odoo-root", "apt"}
    if layout.cache.exists() and not known.intersection(os.listdir(layout.cache)) and os.listdir(layout.cache):
        raise ui.Problem(f"{layout.cache} does not look like a cache of this project; remove it yourself.")
    for folder in filter(None, (layout.cache, moved)):
        shutil.rmtree(folder, ignore_errors=True)
    ui.step("clean", f"removed {layout.short(layout.cache)}")
    return 0


def _in_venv(layout: Layout, module: str, arguments: Sequence[str]) -> int:
    """Go on in the environment's Python, in this same process."""
    env = {**os.environ, "PYTHONPATH": str(layout.repo / "tools")}
    os.execve(layout.python, [str(layout.python), "-m", module, *arguments], env)  # noqa: S606


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="make", add_help=False)
    parser.add_argument("command", nargs="?", default="help", choices=list(COMMANDS))
    known, rest = parser.parse_known_args(argv)
    layout = Layout.from_environment()
    # libpq's variables of the caller's shell come before Odoo's configuration: they would lead to another server.
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]
    try:
        with stop_signals():
            return COMMANDS[known.command][0](layout, rest)
    except ui.Problem as problem:
        ui.say(f"\n{ui.paint('Problem:', 'red')} {problem}")
        return 1
    except (Stopped, KeyboardInterrupt):
        ui.say("\nEnded on request; the same command goes on where it was.")
        return 130
