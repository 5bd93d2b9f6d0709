"""The files that a command line names: folders are gone through, what cannot be read is said in a sentence."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from .console import Console

MAX_FILES = 1_000_000


@dataclass(frozen=True)
class Input:
    """Something to read, or why it cannot be."""

    name: str
    path: Path | None
    """None: standard input."""
    problem: str = ""

    def open(self, console: Console) -> BinaryIO:
        """A binary stream of it.

        :raises OSError: it cannot be read.
        """
        return console.stdin() if self.path is None else self.path.open("rb")


def collect(names: Sequence[str], *, recursive: bool) -> list[Input]:
    """All files that are meant, in a fixed order."""
    found: list[Input] = []
    for at, name in enumerate(names):
        if name == "-" and "-" in names[:at]:
            found.append(Input("-", None, "what comes in can be read only once"))
            continue
        for each in _named(name, recursive):
            found.append(each)
            if len(found) >= MAX_FILES:
                return [*found, Input(name, None, f"more than {MAX_FILES} files: the rest is left out")]
    return found


def _named(name: str, recursive: bool) -> Iterator[Input]:
    if name == "-":
        yield Input("-", None)
        return
    path = Path(name)
    try:
        is_folder, exists = path.is_dir(), path.exists()
    except (OSError, ValueError) as error:
        yield Input(name, path, getattr(error, "strerror", None) or str(error))
        return
    if not exists:
        yield Input(name, path, "there is no such file or folder")
    elif is_folder:
        yield from _folder(path, recursive)
    else:
        yield Input(name, path)


def _folder(folder: Path, recursive: bool) -> Iterator[Input]:
    problems: list[Input] = []
    count = 0

    def unreadable(error: OSError) -> None:
        problems.append(Input(str(error.filename), folder, error.strerror or str(error)))

    for here, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(each for each in folders if not each.startswith(".")) if recursive else []
        for name in sorted(files):
            path = Path(here) / name
            if not name.startswith(".") and path.is_file():
                count += 1
                yield Input(str(path), path)
    yield from problems
    if not count and not problems:
        hint = "" if recursive else " (folders in it are gone into with --recursive)"
        yield Input(str(folder), folder, f"there is no file in this folder{hint}")
