"""Starts the services of one run, keeps them going and leaves no orphan behind. Standard library only.

Every service runs in a session and process group of its own, so that a signal reaches all of its processes:

* leaving the supervisor sends each group its stop signal, waits its grace and sends SIGKILL; stragglers that left
  their group are found by a token in their environment;
* the kernel sends each service SIGKILL when the supervisor dies (``PR_SET_PDEATHSIG``);
* a :mod:`watchdog <dist_dev.watchdog>` process ends their children too when the supervisor was SIGKILLed.

A status file lets ``make logs`` and ``make stop`` work from another terminal.
"""

from __future__ import annotations

import ctypes
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from . import ui, watchdog

LOOPBACK = "127.0.0.1"
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
_POLL = 0.05


class ServiceError(ui.Problem):
    """A service did not start or ended by itself; the message says which one and where its log lies."""


class Stopped(BaseException):
    """The run was told to end (Ctrl-C, SIGTERM, SIGHUP). Not an Exception: nothing may swallow it."""


@dataclass(frozen=True)
class Service:
    """What to start.

    ``ready`` tells whether the service can be used; ``grace`` is how long it may take to end after ``stop_signal``,
    in seconds. With ``restart`` it is started again when it ends by itself, otherwise that is an error.
    ``user`` is the (uid, gid) to run as, where that is not ours. ``facts`` go into the status file.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    ready: Callable[[], bool] | None = None
    restart: bool = False
    grace: float = 15.0
    stop_signal: int = signal.SIGTERM
    user: tuple[int, int] | None = None
    before_restart: Callable[[], None] | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


class Supervisor:
    """Owns the processes of one run. Use it as a context manager: leaving it stops everything, last started first.

    Start services from the main thread: the kernel ties them to the thread that started them.

    :param logs: folder for one log file per service.
    :param status: file that names the running processes, for ``make stop`` and ``make logs`` in another terminal.
    """

    def __init__(self, logs: Path, status: Path) -> None:
        self._logs, self._status = logs, status
        self._services: dict[str, Service] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._watchdog: subprocess.Popen[str] | None = None
        self._token = secrets.token_hex(8)
        self.restarts: dict[str, int] = {}
        self.ended: dict[str, int] = {}
        """Exit status with which a service ended by itself the last time."""

    def __enter__(self) -> Supervisor:
        self._write_status()
        return self

    def __exit__(self, *exc: object) -> None:
        try:
            self.stop_all()
        finally:
            if self._watchdog and self._watchdog.stdin:
                self._watchdog.stdin.close()
                self._watchdog.wait()

    def start(self, service: Service, timeout: float = 60.0) -> None:
        """Start ``service`` and wait until it is ready.

        :raises ServiceError: when it ends at once or is not ready in ``timeout`` seconds.
        """
        if service.name in self._processes:
            raise ValueError(f"service {service.name} runs already")
        self._services[service.name] = service
        self._spawn(service)
        self.wait_ready(service.name, timeout)

    def wait_ready(self, name: str, timeout: float = 60.0) -> None:
        """Wait until a started service answers its ready check."""
        service, deadline = self._services[name], time.monotonic() + timeout
        while service.ready and not service.ready():
            if self._processes[name].poll() is not None and not service.restart:
                raise self._error(name, "ended while starting")
            if time.monotonic() > deadline:
                raise self._error(name, f"was not ready after {timeout:.0f} s")
            self.tend()
            time.sleep(_POLL)

    def tend(self) -> list[str]:
        """Look after the services: start those again that ended and may; returns their names.

        :raises ServiceError: when one ended that should not have.
        """
        revived = []
        for name, process in list(self._processes.items()):
            if process.poll() is None:
                continue
            service = self._services[name]
            self.ended[name] = process.returncode
            self._sweep(process.pid, name)
            if not service.restart:
                del self._processes[name]
                self._write_status()
                raise self._error(name, f"ended with status {process.returncode}")
            if service.before_restart:
                service.before_restart()
            self._spawn(service)
            self.restarts[name] = self.restarts.get(name, 0) + 1
            revived.append(name)
        return revived

    def command(
        self, argv: Sequence[str], env: Mapping[str, str], cwd: Path, limit: float, output: int | None = None
    ) -> int | None:
        """Run a command to its end, its output on this terminal; whatever it left behind is ended with it.

        :param output: a file descriptor that gets all output instead.
        :returns: its exit status, or None if it took longer than ``limit`` seconds and was ended.
        """
        name = "command"
        self._processes[name] = process = self._popen(Service(name, argv, env, cwd), output)
        try:
            return process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            return None
        finally:
            self._services[name] = Service(name, argv, grace=10)
            self.stop(name)

    def kill(self, name: str) -> None:
        """SIGKILL a service with all its processes, as a crash would."""
        process = self._processes[name]
        watchdog.send(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self, name: str) -> None:
        """End a service and all it started in an orderly way; after its grace it is killed."""
        process = self._processes.pop(name, None)
        if process is None:
            return
        service = self._services[name]
        try:
            watchdog.send(process.pid, service.stop_signal)
            deadline = time.monotonic() + service.grace
            while time.monotonic() < deadline and (process.poll() is None or watchdog.group_alive(process.pid)):
                time.sleep(_POLL)
        finally:
            self._sweep(process.pid, name)
            process.wait()
            self._write_status()

    def stop_all(self) -> None:
        """End all services, last started first; a second Ctrl-C ends them at once."""
        while self._processes:
            try:
                self.stop(next(reversed(self._processes)))
            except (Stopped, KeyboardInterrupt):
                for process in self._processes.values():
                    watchdog.send(process.pid, signal.SIGKILL)
        watchdog.end_marked(self._token)
        self._status.unlink(missing_ok=True)

    def log_of(self, name: str) -> Path:
        """The log file of a service."""
        return self._logs / f"{name}.log"

    def pid(self, name: str) -> int:
        """The process id of a running service."""
        return self._processes[name].pid

    def runs(self, name: str) -> bool:
        """Whether a service was started and not stopped; it may have died a moment ago."""
        return name in self._processes

    def _spawn(self, service: Service) -> None:
        self._logs.mkdir(parents=True, exist_ok=True)
        with self.log_of(service.name).open("ab") as log:
            try:
                self._processes[service.name] = self._popen(service, log.fileno())
            except OSError as error:
                raise ServiceError(f"{service.name} cannot start: {error}; `make setup` may help") from error
        self._write_status()

    def _popen(self, service: Service, output: int | None) -> subprocess.Popen[bytes]:
        identity: dict[str, Any] = {}
        if service.user:
            identity = {"user": service.user[0], "group": service.user[1], "extra_groups": []}
        process = subprocess.Popen(
            [str(part) for part in service.argv],
            env={**os.environ, **service.env, watchdog.TOKEN: f"{self._token}:{service.name}"},
            cwd=service.cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=None if output is None else subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent,
            **identity,
        )
        self._tell_watchdog(f"add {process.pid} {int(service.stop_signal)} {min(service.grace, 10)}")
        return process

    def _sweep(self, group: int, name: str) -> None:
        """End what a service left behind: the rest of its group, and whatever else carries its token."""
        watchdog.send(group, signal.SIGKILL)
        watchdog.end_marked(f"{self._token}:{name}")
        self._tell_watchdog(f"del {group}")

    def _tell_watchdog(self, line: str) -> None:
        if self._watchdog is None:
            self._watchdog = subprocess.Popen(
                [sys.executable, "-I", "-S", watchdog.__file__, self._token],
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True, text=True, bufsize=1, cwd="/",
            )  # fmt: skip
        if self._watchdog.stdin:
            self._watchdog.stdin.write(line + "\n")

    def _error(self, name: str, what: str) -> ServiceError:
        end = [f"    {line}" for line in ui.tail(self.log_of(name), 3000).strip().splitlines()[-12:]]
        return ServiceError("\n".join([f"{name} {what}, see {self.log_of(name)}", *end]))

    def _write_status(self) -> None:
        self._status.parent.mkdir(parents=True, exist_ok=True)
        content = {
            "supervisor": os.getpid(),
            "started": started_at(os.getpid()),
            "token": self._token,
            "services": {
                name: {"pid": process.pid, "log": str(self.log_of(name)), **self._services[name].facts}
                for name, process in self._processes.items()
                if name in self._services
            },
        }
        temporary = self._status.with_suffix(".tmp")
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps(content, indent=1))
        temporary.replace(self._status)


@contextmanager
def stop_signals() -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into :class:`Stopped`, raised in the main thread."""

    def handler(number: int, _frame: FrameType | None) -> None:
        raise Stopped(signal.Signals(number).name)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def stop_from_outside(status: Path, grace: float = 60.0) -> list[str]:
    """``make stop``: ask the supervisor of a run to end, and kill what is left; returns its services' names."""
    try:
        content = json.loads(status.read_text())
    except (FileNotFoundError, ValueError):
        return []
    pid, began = content["supervisor"], content["started"]
    if started_at(pid) == began:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + grace
        while started_at(pid) == began and time.monotonic() < deadline:
            time.sleep(_POLL)
        if started_at(pid) == began:
            os.kill(pid, signal.SIGKILL)
    watchdog.end_marked(content["token"])
    status.unlink(missing_ok=True)
    return list(content["services"])


def running(folder: Path) -> dict[str, dict[str, dict[str, str]]]:
    """The services of the live supervisors whose status files lie in ``folder``: run → service → its facts."""
    found = {}
    for path in sorted(folder.glob("*.status.json")):
        try:
            content = json.loads(path.read_text())
        except (OSError, ValueError):
            continue
        if started_at(content["supervisor"]) == content["started"]:
            found[path.name.removesuffix(".status.json")] = content["services"]
    return found


def started_at(pid: int) -> str:
    """When a process began, in kernel ticks; with the pid it names a process for good. Empty if it does not run."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def free_port() -> int:
    """A TCP port on loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def tcp_ready(port: int) -> Callable[[], bool]:
    """A ready check: somebody listens on the loopback port."""

    def check() -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex((LOOPBACK, port)) == 0

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


def file_ready(path: Path) -> Callable[[], bool]:
    """A ready check: the file is there and not empty."""
    return lambda: path.is_file() and path.stat().st_size > 0


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == 1:  # the parent died between fork and here
        os._exit(1)
