"""Rules about Python files: who may import what, and what the oldest Python understands."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from .tree import Problem, at, files

OLDEST_PYTHON = (3, 10)
TRANSPORT = {"redis", "valkey", "requests", "httpx", "urllib3", "aiohttp", "psycopg", "dist_relay"}
NEWER_THAN_OLDEST = {
    "asyncio": {"TaskGroup", "Runner", "timeout"},
    "contextlib": {"chdir"},
    "datetime": {"UTC"},
    "enum": {"StrEnum", "verify", "global_enum"},
    "itertools": {"batched"},
    "tomllib": {"*"},
    "typing": {"LiteralString", "Never", "NotRequired", "Required", "Self", "Unpack", "assert_never", "override"},
}


def addons_import_no_transport(root: Path) -> list[Problem]:
    """Addons speak to the outside through the outbox only: they import no client of Redis, HTTP or the relay."""
    return [
        at(root, path, line, f"an addon imports {module}")
        for path in files(root, "addons/**/*.py")
        for module, _, line in imports(path)
        if module.partition(".")[0] in TRANSPORT
    ]


def relay_imports_no_odoo(root: Path) -> list[Problem]:
    """The relay and the contracts never import Odoo."""
    return [
        at(root, path, line, f"a package imports {module}")
        for path in files(root, "packages/*/src/**/*.py", "examples/*/src/**/*.py")
        for module, _, line in imports(path)
        if module.partition(".")[0] == "odoo"
    ]


def parses_for_oldest_python(root: Path) -> list[Problem]:
    """Every file is understood by the oldest supported Python, in its syntax and in the standard names it imports."""
    found = []
    for path in files(root, "**/*.py"):
        try:
            tree = ast.parse(path.read_bytes(), str(path), feature_version=OLDEST_PYTHON)
        except SyntaxError as error:
            found.append(at(root, path, error.lineno or 1, f"not Python 3.{OLDEST_PYTHON[1]}: {error.msg}"))
            continue
        report = partial(at, root, path)
        found += [report(line, f"{module} has no {name} in Python 3.10") for module, name, line in _too_new(tree)]
    return found


def imports(path: Path) -> Iterator[tuple[str, str | None, int]]:
    """Every absolute import in the file as (module, name, line), wherever it stands; ``__import__`` included."""
    return _imports(ast.parse(path.read_bytes(), str(path)))


def _imports(tree: ast.AST) -> Iterator[tuple[str, str | None, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, None, node.lineno
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                yield node.module or "", alias.name, node.lineno
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            function = node.func
            name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
            if name in ("__import__", "import_module") and isinstance(node.args[0].value, str):
                yield node.args[0].value, None, node.lineno


def _too_new(tree: ast.AST) -> Iterator[tuple[str, str, int]]:
    """Names of the standard library the oldest Python lacks, except where the code provides for their absence."""
    guarded = {id(inner) for node in ast.walk(tree) if _is_guard(node) for inner in ast.walk(node)}
    aliases: dict[str, str] = {}
    for node in ast.walk(tree):
        if id(node) in guarded:
            continue
        if isinstance(node, ast.Import):
            aliases |= {alias.asname or alias.name: alias.name for alias in node.names}
        if isinstance(node, ast.Import | ast.ImportFrom):
            for module, name, line in _imports(ast.Module([node], [])):
                newer = NEWER_THAN_OLDEST.get(module, set())
                if name in newer or "*" in newer:
                    yield module, name or "*", line
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = aliases.get(node.value.id, "")
            if node.attr in NEWER_THAN_OLDEST.get(module, set()):
                yield module, node.attr, node.lineno


def _is_guard(node: ast.AST) -> bool:
    """``if sys.version_info …`` or ``try … except ImportError``."""
    if isinstance(node, ast.If):
        return "version_info" in ast.dump(node.test)
    return isinstance(node, ast.Try) and any(
        "ImportError" in ast.dump(h) or "ModuleNotFoundError" in ast.dump(h) for h in node.handlers
    )
