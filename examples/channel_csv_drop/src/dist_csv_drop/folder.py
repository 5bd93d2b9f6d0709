"""The folder of a connection: where it is, reading a CSV file, and writing one so that nobody sees half of it."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from dist_relay.errors import Broken, RetryLater
from dist_relay.ports import Context

ROOT = "DIST_CSV_DROP_ROOT"
MOST_BYTES = 20_000_000
EXTRA = ""
"""Name of what stands behind the last column."""

Row = dict[str, str]


class BadFile(ValueError):
    """A file that cannot be read as CSV; the message names it."""


def folder(ctx: Context) -> Path:
    """The connection's folder below the root the operator allowed: a setting never leads anywhere else."""
    root, name = os.environ.get(ROOT), str(ctx.settings["folder"])
    if not root:
        raise Broken(f"{ROOT} is not set where the relay runs", code="no_root")
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise Broken(f"{name!r} is no name of a folder", code="bad_folder")
    return Path(root) / name


def location(ctx: Context) -> str:
    """The one location of the connection."""
    return str(ctx.settings.get("location") or "main")


def read(path: Path) -> list[Row]:
    """The rows of a file; empty cells are left out.

    :raises BadFile: when it is no CSV file or too large
    :raises RetryLater: when it cannot be read at this moment
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadFile(f"{path.name} is larger than {MOST_BYTES} bytes")
        csv.field_size_limit(MOST_BYTES)
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [
                {key or EXTRA: (value if key else str(value)).strip() for key, value in row.items() if value}
                for row in csv.DictReader(file)
            ]
    except OSError as error:
        raise RetryLater(None, f"{path.name} cannot be read: {error.strerror}", code="folder") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadFile(f"{path.name} is no CSV file in UTF-8: {error}") from error


def write(path: Path, columns: Iterable[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write a CSV file under its name in one step; writing it again has no second effect."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(columns))
            writer.writeheader()
            writer.writerows(rows)
        part.replace(path)
    except OSError as error:
        raise RetryLater(None, f"{path.name} cannot be written: {error.strerror}", code="folder") from error
