# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What the benchmarks of the EDI codec share: their files, and runs in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dist_relay.testkit.edi import edifact, x12

from . import bench

RUNNERS = Path(__file__).with_name("edi_runners.py")
MAKERS: dict[str, Callable[[int], Iterator[bytes]]] = {
    "856": x12.ship_notices,
    "856, one set": lambda size: x12.ship_notices(size, one_set=True),
    "850": x12.purchase_orders,
    "DESADV": edifact.despatch_advices,
}
"""What a file holds → who makes it, given its size in bytes."""


class Files:
    """A folder of generated files."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def __call__(self, what: str, size: int) -> Path:
        """The file that holds ``what`` in about ``size`` bytes."""
        path = self.folder / f"{what.replace(', ', '-').replace(' ', '-')}-{size}.edi"
        if not path.exists():
            with path.open("wb") as stream:
                stream.writelines(MAKERS[what](size))
        return path


@contextmanager
def files() -> Iterator[Files]:
    """A folder for generated files, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="dist-bench-edi-") as folder:
        yield Files(folder)


def peers() -> Path | None:
    """Where the other libraries are installed; None when only ours is measured."""
    folder = os.environ.get("DIST_BENCH_EDI_PEERS")
    return Path(folder) if folder else None


def run(runner: str, path: Path | None = None, warm: Path | None = None, times: int = 1) -> dict[str, Any]:
    """Run one of ``edi_runners.py`` in a fresh process.

    :param warm: a small file that is read before, so that imports and the loading of grammars are not measured
    :return: ``seconds`` (CPU time of the quickest time), ``megabytes`` (peak of resident memory), and what it found
    """
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, _paths(runner)))}
    argv = [sys.executable, "-W", "ignore", str(RUNNERS), runner, str(path or ""), str(warm or ""), str(times)]
    done = subprocess.run(argv, env=env, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def _paths(runner: str) -> list[Path]:
    """Ours sees no peer and a peer sees nothing of ours."""
    import dist_contracts
    import dist_relay

    folder = peers()
    if runner.startswith("peer ") and folder:
        return [folder]
    return [Path(package.__file__ or "").parents[1] for package in (dist_relay, dist_contracts)]


def compare(bench_name: str, what: str, wanted: dict[str, str], size: int, rounds: int) -> None:
    """Read one file with ours and with the peers in turn, and print a figure for each peer.

    :param wanted: the peers' runners → what is wanted of the ratio
    """
    with files() as file:
        path, warm = file(what, size), file(what, 1)
        names = ["floor", "ours", "ours keeping", *(wanted if peers() else ())]
        best: dict[str, dict[str, Any]] = {}
        for _round in range(rounds):
            for name in names:
                one = run(name, path, warm)
                if name not in best or one["seconds"] < best[name]["seconds"]:
                    best[name] = one
        ours, floor = best["ours"], best["floor"]
        if ours["findings"]:
            sys.exit(f"{what}: {ours['findings']} findings in a file that is valid")
        seconds = ours["seconds"]
        facts = {
            "megabytes_of_file": path.stat().st_size / 1e6,
            "segments": floor["segments"],
            "thousand_segments_per_second": floor["segments"] / seconds / 1000,
            "times_the_floor": seconds / floor["seconds"],
            "seconds_keeping_segments": best["ours keeping"]["seconds"],
        }
    for name in [*wanted] if peers() else [""]:
        theirs = best.get(name)
        bench.show(
            ", ".join(filter(None, (bench_name, what, name.removeprefix("peer ")))),
            seconds,
            "s",
            theirs and theirs["seconds"],
            more_is_better=False,
            **({"wanted": wanted[name]} if wanted.get(name) else {}),
            **facts,
        )
