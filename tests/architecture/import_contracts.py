"""Break an import-linter contract on purpose: the change a careless import would be, in a copy of the tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Contract = Mapping[str, Any]
OFFENCE = "import_linter_offence"


def contracts(root: Path) -> list[Contract]:
    """The contracts the root ``pyproject.toml`` names."""
    config = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    return list(config["tool"]["importlinter"]["contracts"])


def copy_of_the_tree(root: Path, target: Path) -> Path:
    """Copy what the linter looks at: the configuration and the packages' sources."""
    shutil.copy(root / "pyproject.toml", target / "pyproject.toml")
    for source in sorted(root.glob("packages/*/src")):
        shutil.copytree(source, target / source.relative_to(root), ignore=shutil.ignore_patterns("__pycache__"))
    return target


def lint(root: Path, contract_id: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run import-linter over the sources below ``root`` and nothing installed elsewhere."""
    paths = [str(path) for path in sorted(root.glob("packages/*/src"))]
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    command += ["--config", str(root / "pyproject.toml")]
    command += ["--contract", contract_id] if contract_id else []
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


def break_contract(root: Path, contract: Contract) -> str:
    """Write one module that breaks ``contract`` and return the import it makes, for the report."""
    importer, imported = offence(root, contract)
    folder = _folder(root, importer)
    (folder / f"{OFFENCE}.py").write_text(f"import {imported}\n", encoding="utf-8")
    return f"{importer}.{OFFENCE} -> {imported}"


def offence(root: Path, contract: Contract) -> tuple[str, str]:
    """A package and a module it must not import, by the kind of the contract."""
    kind = contract["type"]
    if kind == "forbidden":
        return _first_package(root, contract["source_modules"]), _first(root, contract["forbidden_modules"])
    if kind == "independence":
        found = [*_expanded(root, contract["modules"]), _new_sibling(root, contract["modules"])]
        return found[0], found[1]
    if kind == "layers":
        return _against_the_layers(root, contract)
    if kind == "protected":
        protected = _first(root, contract["protected_modules"])
        allowed = tuple(contract["allowed_importers"])
        return _stranger(root, protected, allowed), protected
    raise ValueError(f"no way known to break a contract of type {kind!r}")


def _against_the_layers(root: Path, contract: Contract) -> tuple[str, str]:
    """The lowest layer that is a package imports a higher one."""
    containers = contract.get("containers") or [""]
    for container in containers:
        found = []
        for layer in contract["layers"]:
            names = [name.strip(" ()") for name in layer.replace(":", "|").split("|")]
            found += _expanded(root, [f"{container}.{name}" if container else name for name in names])[:1]
        lower = next((name for name in reversed(found) if _folder(root, name).is_dir()), None)
        if lower and found.index(lower) > 0:
            return lower, found[0]
    raise ValueError(f"no two layers of {contract['name']!r} exist")


def _new_sibling(root: Path, names: Sequence[str]) -> str:
    """A package beside those of a contract over ``parent.*``, for a tree that has only one so far."""
    parent = next(name.removesuffix(".*") for name in names if name.endswith(".*"))
    folder = _folder(root, parent) / "import_linter_sibling"
    folder.mkdir()
    (folder / "__init__.py").touch()
    return f"{parent}.{folder.name}"


def _stranger(root: Path, protected: str, allowed: Sequence[str]) -> str:
    """A package that may not import what is protected, be that one of ours or somebody else's."""
    for init in sorted(root.glob("packages/*/src/*/*/__init__.py")):
        name = f"{init.parents[1].name}.{init.parent.name}"
        if not protected.startswith(name) and not name.startswith(tuple(allowed)):
            return name
    raise ValueError(f"everything may import {protected}")


def _first(root: Path, names: Sequence[str]) -> str:
    own = [name for name in names if name.partition(".")[0] in _roots(root)]
    return (_expanded(root, own) or list(names))[0]


def _first_package(root: Path, names: Sequence[str]) -> str:
    return next(name for name in _expanded(root, names) if _folder(root, name).is_dir())


def _expanded(root: Path, names: Sequence[str]) -> list[str]:
    """The modules that exist, with ``*`` and ``**`` replaced by what is there."""
    found = []
    for name in names:
        for source in sorted(root.glob("packages/*/src")):
            matches = sorted(source.glob(name.replace(".", "/"))) + sorted(source.glob(name.replace(".", "/") + ".py"))
            modules = [path.relative_to(source).with_suffix("") for path in matches if _is_module(path)]
            found += [".".join(module.parts) for module in modules]
    return found


def _is_module(path: Path) -> bool:
    return (path / "__init__.py").exists() or (path.suffix == ".py" and path.stem != "__init__")


def _folder(root: Path, name: str) -> Path:
    candidates = [source / name.replace(".", "/") for source in sorted(root.glob("packages/*/src"))]
    return next((path for path in candidates if path.is_dir()), candidates[0])


def _roots(root: Path) -> set[str]:
    return {path.parent.name for path in root.glob("packages/*/src/*/__init__.py")}
