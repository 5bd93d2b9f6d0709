"""The files a rule looks at."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

Problem = str
Rule = Callable[[Path], list[Problem]]

_SKIPPED = {".git", ".cache", "node_modules", "__pycache__", ".venv", "dist", "build", ".mypy_cache", ".ruff_cache"}


def files(root: Path, *patterns: str) -> Iterator[Path]:
    """Files of the project below ``root`` that match one of the glob ``patterns`` (``addons/**/*.py``), in order.

    In a git work tree these are the files git knows or would add; elsewhere all but caches.
    """
    wanted = {path for pattern in patterns for path in root.glob(pattern) if path.is_file()}
    yield from sorted(wanted & _project(root))


def addons(root: Path) -> Iterator[Path]:
    """The folder of each addon."""
    for manifest in files(root, "addons/*/__manifest__.py"):
        yield manifest.parent


def at(root: Path, path: Path, line: int, what: str) -> Problem:
    """One problem, named so that an editor jumps to it."""
    return f"{path.relative_to(root).as_posix()}:{line}: {what}"


def text(path: Path) -> str | None:
    """The file as text, or ``None`` for a picture or another binary."""
    data = path.read_bytes()
    if b"\x00" in data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _project(root: Path) -> set[Path]:
    if (root / ".git").exists():
        command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, check=True, capture_output=True).stdout.decode("utf-8")
        return {root / name for name in listed.split("\0") if name}
    return {path for path in root.rglob("*") if path.is_file() and not _SKIPPED & set(path.relative_to(root).parts)}
