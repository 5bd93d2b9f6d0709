"""The supervisor's second line: ends what is left when the supervisor itself is gone, by whatever way.

Runs as a process of its own, in a session of its own. Reads from standard input, one command a line::

    add <process group> <stop signal> <grace seconds>
    del <process group>

The other end of that pipe is held by the supervisor alone. End of file means that it is dead: every group still
listed is ended, and every process that carries the supervisor's token (see :func:`marked`) after it.
"""

from __future__ import annotations

import os
import signal
import sys
import time

TOKEN = "DIST_SUPERVISED"  # noqa: S105 - a name, no secret


def marked(token: str) -> list[int]:
    """Processes whose environment carries ``DIST_SUPERVISED=<token>``, wherever their parents went."""
    wanted = f"{TOKEN}={token}".encode()
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as stream:
                environment = stream.read().split(b"\0")
        except OSError:
            continue
        if any(entry == wanted or entry.startswith(wanted + b":") for entry in environment):
            found.append(int(name))
    return found


def group_alive(group: int) -> bool:
    """Is there a process in the group that is not a zombie?"""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as stream:
                    fields = stream.read().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == group and fields[0] not in "ZX":
                return True
    return False


def send(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


def end_marked(token: str) -> None:
    """SIGKILL for stragglers that left their process group."""
    for pid in marked(token):
        try:
            os.kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


def main(token: str) -> None:
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    groups: dict[int, tuple[int, float]] = {}
    for line in sys.stdin:
        word, group, *rest = line.split()
        if word == "add":
            groups[int(group)] = (int(rest[0]), float(rest[1]))
        else:
            groups.pop(int(group), None)
    for group, (number, _grace) in groups.items():
        send(group, number)
    deadline = time.monotonic() + max((grace for _number, grace in groups.values()), default=0)
    while time.monotonic() < deadline and any(group_alive(group) for group in groups):
        time.sleep(0.05)
    for group in groups:
        send(group, signal.SIGKILL)
    end_marked(token)


if __name__ == "__main__":
    main(sys.argv[1])
