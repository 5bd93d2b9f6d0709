"""What a person sees: one line per step, progress of long commands, one clear sentence on a problem."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_TTY = sys.stdout.isatty()
_COLORS = {"green": "32", "red": "31", "yellow": "33", "bold": "1", "dim": "2"}
NAME_WIDTH = 13  # of the first column: the name of what a line is about
_QUIET_INTERVAL = 15.0  # seconds between two lines about a long command when nobody watches a terminal


class Problem(Exception):
    """Something the person at the keyboard has to know: one sentence that says what is wrong and what to do."""


def paint(text: str, color: str) -> str:
    if not _TTY or os.environ.get("NO_COLOR"):
        return text
    return f"\033[{_COLORS[color]}m{text}\033[0m"


def say(text: str = "") -> None:
    print(text, flush=True)


def step(name: str, text: str) -> None:
    say(f"{paint(f'{name:>{NAME_WIDTH}}', 'bold')}  {text}")


def duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds + 0.5), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"


def last_line(log: Path, limit: int = 4000) -> str:
    """The last non-empty line of a log file, for progress lines and problem reports."""
    lines = [line.strip() for line in tail(log, limit).replace("\r", "\n").splitlines() if line.strip()]
    return lines[-1] if lines else ""


def tail(log: Path, limit: int = 4000) -> str:
    """The last ``limit`` bytes of a file, decoded leniently; empty when there is no such file."""
    try:
        with log.open("rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - limit))
            return stream.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""


class Progress:
    """A line that is rewritten on a terminal, and a line now and then elsewhere."""

    def __init__(self, name: str, title: str) -> None:
        self.name, self.title = name, title
        self.started = time.monotonic()
        self._next = self.started + (0.2 if _TTY else _QUIET_INTERVAL)

    def update(self, detail: str) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        elapsed = duration(now - self.started)
        if _TTY:
            self._next = now + 0.2
            left = f"{self.name:>{NAME_WIDTH}}  {self.title} {elapsed} "
            width = max(20, os.get_terminal_size(sys.stdout.fileno()).columns - len(left) - 4)
            print(f"\r\033[K{left}{paint(detail[:width], 'dim')}", end="", flush=True)
        else:
            self._next = now + _QUIET_INTERVAL
            say(f"{self.name:>{NAME_WIDTH}}  … {self.title} {elapsed}: {detail[:100]}")

    def clear(self) -> None:
        if _TTY:
            print("\r\033[K", end="", flush=True)


def run_logged(
    argv: Sequence[object],
    log: Path,
    *,
    name: str,
    title: str,
    hint: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    detail: Callable[[], str] | None = None,
) -> None:
    """Run a long command with its output in ``log`` and its progress shown.

    :param hint: what to do when it fails, the second half of the sentence the person gets.
    :param detail: what to show beside the clock; the last line of the log by default.
    :raises Problem: when the command is missing or does not exit with 0.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    progress = Progress(name, title)
    with log.open("ab") as stream:
        stream.write(f"\n$ {' '.join(map(str, argv))}\n".encode())
        stream.flush()
        try:
            process = subprocess.Popen(
                [str(part) for part in argv],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=cwd,
            )
        except OSError as error:
            raise Problem(f"{title} failed: {error}. {hint}") from error
        try:
            while process.poll() is None:
                try:
                    process.wait(timeout=0.2)
                except subprocess.TimeoutExpired:
                    progress.update(detail() if detail else last_line(log))
        finally:
            progress.clear()
            if process.poll() is None:
                process.terminate()
                process.wait()
    if process.returncode:
        raise Problem(f"{title} failed (“{last_line(log)[:300]}”). {hint} The whole output is in {log}.")
