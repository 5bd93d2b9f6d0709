"""The folder of a connection, and writing a file so that nobody reads half of it."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from dist_relay.errors import Broken, RetryLater
from dist_relay.ports import Context

ROOT = "DIST_CSV_DROP_ROOT"


def folder(ctx: Context) -> Path:
    """The connection's folder below the root the operator allowed: a setting never leads anywhere else."""
    root, name = os.environ.get(ROOT), str(ctx.settings["folder"])
    if not root:
        raise Broken(f"{ROOT} is not set where the relay runs", code="no_root")
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise Broken(f"{name!r} is no name of a folder", code="bad_folder")
    return Path(root) / name


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
