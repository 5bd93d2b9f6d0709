"""Named set-up steps with stamps: a step whose inputs did not change and whose result is there is not run again."""

from __future__ import annotations

import fcntl
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import ui


@dataclass(frozen=True)
class Step:
    """One step of the set-up.

    ``inputs`` gives everything the result depends on, as text or files; their hash is the stamp.
    ``run`` does the work, from whatever state an interrupted run left, and returns a note for the person.
    ``valid`` is a cheap look whether the result is still there.
    """

    name: str
    title: str
    inputs: Callable[[], Iterable[str | Path]]
    run: Callable[[], str]
    valid: Callable[[], bool]


def digest(inputs: Iterable[str | Path]) -> str:
    """Hash of texts and of the contents of files (a missing file counts as such)."""
    total = hashlib.sha256()
    for item in inputs:
        data = item.encode() if isinstance(item, str) else (item.read_bytes() if item.is_file() else b"<absent>")
        total.update(len(data).to_bytes(8, "big"))
        total.update(data)
    return total.hexdigest()


class Stamps:
    """Stamps as small JSON files, written by rename, so that a stamp is either whole or absent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, name: str) -> dict[str, str]:
        try:
            found = json.loads((self.folder / f"{name}.json").read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def write(self, name: str, inputs: str, note: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        fresh = self.folder / f"{name}.json.new"
        fresh.write_text(json.dumps({"inputs": inputs, "note": note}))
        fresh.replace(self.folder / f"{name}.json")

    def drop(self, name: str) -> None:
        (self.folder / f"{name}.json").unlink(missing_ok=True)


def run_step(step: Step, stamps: Stamps) -> bool:
    """Run the step unless its stamp is current. True if it ran.

    :raises Problem: from the step itself; the stamp is gone then, so that the next run does the step again.
    """
    inputs = digest(step.inputs())
    if stamps.read(step.name).get("inputs") == inputs and step.valid():
        return False
    stamps.drop(step.name)
    started = time.monotonic()
    ui.step(step.name, f"{step.title} …")
    note = step.run()
    stamps.write(step.name, inputs, note)
    ui.step(step.name, f"{ui.paint('done', 'green')} in {ui.duration(time.monotonic() - started)}: {note}")
    return True


@contextmanager
def exclusive(lock: Path, waiting: str) -> Iterator[None]:
    """Hold a file lock; says ``waiting`` when another process has it. The kernel drops the lock of a killed process."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            ui.say(waiting)
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield
