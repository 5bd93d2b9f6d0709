"""Starts the services of one run, keeps them going and leaves no orphan behind. Standard library only.

Each service lives in a session of its own, so that a signal reaches all of its processes, and asks the kernel to be
killed when the supervisor dies (``PR_SET_PDEATHSIG``), so that even ``kill -9`` on the supervisor leaves nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1


class ServiceError(Exception):
    """A service did not start or ended by itself; the message says which one and where its log lies."""


@dataclass(frozen=True)
class Service:
    """What to start.

    ``ready`` tells whether the service can be used; ``grace`` is how long it may take to end after ``stop_signal``,
    in seconds. With ``restart`` it is started again when it ends by itself, otherwise that is an error.
    ``user`` is the numeric id to run as, where that is not ours.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    ready: Callable[[], bool] | None = None
    restart: bool = False
    grace: float = 15.0
    stop_signal: int = signal.SIGTERM
    user: int | None = None
    before_restart: Callable[[], None] | None = None


class Supervisor:
    """Owns the processes of one run. Use it as a context manager: leaving it stops everything, last started first.

    :param logs: folder for one log file per service.
    :param status: file that names the running processes, for ``make stop`` and ``make logs`` in another terminal.
    """

    def __init__(self, logs: Path, status: Path) -> None:
        self._logs, self._status = logs, status
        self._services: dict[str, Service] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.restarts: dict[str, int] = {}

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop_all()

    def start(self, service: Service, timeout: float = 60.0) -> None:
        """Start ``service`` and wait until it is ready.

        :raises ServiceError: when it ends at once or is not ready in ``timeout`` seconds.
        """
        self._services[service.name] = service
        self._spawn(service)
        self.wait_ready(service.name, timeout)

    def wait_ready(self, name: str, timeout: float = 60.0) -> None:
        """Wait until a started service answers its ready check."""
        service, deadline = self._services[name], time.monotonic() + timeout
        while service.ready and not service.ready():
            if self._processes[name].poll() is not None and not service.restart:
                raise ServiceError(f"{name} ended while starting, see {self.log_of(name)}")
            if time.monotonic() > deadline:
                raise ServiceError(f"{name} was not ready after {timeout:.0f} s, see {self.log_of(name)}")
            self.tend()
            time.sleep(0.05)

    def tend(self) -> list[str]:
        """Look after the services: start those again that ended and may; returns their names.

        :raises ServiceError: when one ended that should not have.
        """
        revived = []
        for name, process in list(self._processes.items()):
            if process.poll() is None:
                continue
            service = self._services[name]
            if not service.restart:
                raise ServiceError(f"{name} ended with status {process.returncode}, see {self.log_of(name)}")
            _signal_group(process.pid, signal.SIGKILL)
            if service.before_restart:
                service.before_restart()
            self._spawn(service)
            self.restarts[name] = self.restarts.get(name, 0) + 1
            revived.append(name)
        return revived

    def kill(self, name: str) -> None:
        """SIGKILL a service with all its processes, as a crash would."""
        process = self._processes[name]
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self, name: str) -> None:
        """End a service in an orderly way; after its grace it is killed."""
        process = self._processes.pop(name, None)
        if process is None:
            return
        service = self._services[name]
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(service.stop_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(service.grace)
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()
        self._write_status()

    def stop_all(self) -> None:
        """End all services, last started first."""
        for name in reversed(list(self._processes)):
            self.stop(name)
        self._status.unlink(missing_ok=True)

    def log_of(self, name: str) -> Path:
        """The log file of a service."""
        return self._logs / f"{name}.log"

    def pid(self, name: str) -> int:
        """The process id of a running service."""
        return self._processes[name].pid

    def _spawn(self, service: Service) -> None:
        self._logs.mkdir(parents=True, exist_ok=True)
        with self.log_of(service.name).open("ab") as log:
            self._processes[service.name] = subprocess.Popen(
                list(service.argv),
                env={**os.environ, **service.env},
                cwd=service.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,
                **({"user": service.user, "group": service.user, "extra_groups": []} if service.user else {}),
            )
        self._write_status()

    def _write_status(self) -> None:
        self._status.parent.mkdir(parents=True, exist_ok=True)
        content = {
            "supervisor": os.getpid(),
            "services": {n: {"pid": p.pid, "log": str(self.log_of(n))} for n, p in self._processes.items()},
        }
        temporary = self._status.with_suffix(".tmp")
        temporary.write_text(json.dumps(content, indent=1))
        temporary.replace(self._status)


def stop_from_outside(status: Path, grace: float = 60.0) -> list[str]:
    """``make stop``: ask the supervisor of a run to end, and kill what is left; returns the names of its services."""
    try:
        content = json.loads(status.read_text())
    except (FileNotFoundError, ValueError):
        return []
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(content["supervisor"], signal.SIGTERM)
    deadline = time.monotonic() + grace
    while status.exists() and _alive(content["supervisor"]) and time.monotonic() < deadline:
        time.sleep(0.1)
    if status.exists():
        for service in content["services"].values():
            _signal_group(service["pid"], signal.SIGKILL)
        status.unlink(missing_ok=True)
    return list(content["services"])


def free_port() -> int:
    """A TCP port on loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tcp_ready(port: int) -> Callable[[], bool]:
    """A ready check: somebody listens on the loopback port."""

    def check() -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", port)) == 0

    return check


def http_ready(url: str) -> Callable[[], bool]:
    """A ready check: the address answers with a status below 400."""

    def check() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own loopback address
                return bool(answer.status < 400)
        except (urllib.error.URLError, OSError):
            return False

    return check


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
