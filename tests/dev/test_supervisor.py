"""The supervisor against real processes: ready, restart, kill, stop, and no orphan whatever happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dist_dev.supervisor import Service, ServiceError, Supervisor, free_port, running, stop_from_outside, tcp_ready
from dist_dev.watchdog import TOKEN

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
DEAF = [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"]
PARENT = [
    sys.executable,
    "-c",
    "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "open(sys.argv[1], 'w').write(str(child.pid)); child.wait()",
]


@pytest.fixture
def supervisor(tmp_path: Path):
    with Supervisor(tmp_path / "logs", tmp_path / "status.json") as supervisor:
        yield supervisor


def gone(pid: int, seconds: float = 10.0) -> bool:
    """Whether a process ends within the time (a zombie of somebody else's counts as gone)."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)


def child_of(path: Path) -> int:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if path.exists() and path.read_text():
            return int(path.read_text())
        time.sleep(0.02)
    raise AssertionError("the parent never wrote its child's id")


def test_a_service_is_ready_when_its_check_says_so(supervisor: Supervisor):
    port = free_port()
    server = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    supervisor.start(Service("web", server, ready=tcp_ready(port)))
    assert tcp_ready(port)()


def test_one_that_ends_while_starting_is_named_with_its_log(supervisor: Supervisor, tmp_path: Path):
    with pytest.raises(ServiceError, match=r"broken ended while starting, see .*broken.log"):
        supervisor.start(Service("broken", [sys.executable, "-c", "print('why')"], ready=lambda: False))
    assert (tmp_path / "logs" / "broken.log").read_text() == "why\n"


def test_one_that_is_never_ready_is_given_up(supervisor: Supervisor):
    with pytest.raises(ServiceError, match=r"slow was not ready after 0 s"):
        supervisor.start(Service("slow", SLEEP, ready=lambda: False), timeout=0.2)


def test_a_killed_service_is_started_again_where_that_is_wanted(supervisor: Supervisor):
    supervisor.start(Service("worker", SLEEP, restart=True))
    before = supervisor.pid("worker")
    supervisor.kill("worker")
    assert supervisor.tend() == ["worker"]
    assert supervisor.pid("worker") != before
    assert supervisor.restarts == {"worker": 1}


def test_a_killed_service_is_an_error_where_it_is_not(supervisor: Supervisor):
    supervisor.start(Service("worker", SLEEP))
    supervisor.kill("worker")
    with pytest.raises(ServiceError, match="worker ended with status -9"):
        supervisor.tend()


def test_killing_reaches_the_children_too(supervisor: Supervisor, tmp_path: Path):
    supervisor.start(Service("parent", [*PARENT, str(tmp_path / "child")]))
    child = child_of(tmp_path / "child")
    supervisor.kill("parent")
    assert gone(child)


def test_one_that_does_not_listen_is_killed_after_its_grace(supervisor: Supervisor):
    supervisor.start(Service("deaf", DEAF, grace=0.2))
    pid = supervisor.pid("deaf")
    supervisor.stop("deaf")
    assert gone(pid)


#: A service whose child leaves its process group and session, as daemons do.
DAEMON = [sys.executable, "-c", PARENT[2].replace("'import time;", "'import os, time; os.setsid();"), "CHILD"]

RUN = """
import sys, time
from pathlib import Path
from dist_dev.supervisor import Service, Supervisor, stop_signals
folder, daemon = Path(sys.argv[1]), eval(sys.argv[2])
with stop_signals(), Supervisor(folder / "logs", folder / "status.json") as supervisor:
    supervisor.start(Service("daemon", daemon))
    (folder / "pid").write_text(str(supervisor.pid("daemon")))
    while True:
        time.sleep(0.1)
"""


@pytest.fixture
def run(tmp_path: Path):
    """A supervisor in a process of its own, with a service whose child left the group: (process, pid, child)."""
    daemon = [*DAEMON[:-1], str(tmp_path / "child")]
    command = [sys.executable, "-c", RUN, str(tmp_path), repr(daemon)]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "tools")}
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=env) as process:
        yield process, child_of(tmp_path / "pid"), child_of(tmp_path / "child")
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_no_orphan_when_the_supervisor_is_interrupted_or_killed(run, number: int):
    process, pid, child = run
    os.kill(process.pid, number)
    process.wait(20)
    assert gone(pid)
    assert gone(child)


def test_stop_from_another_terminal_waits_for_the_supervisor(run, tmp_path: Path):
    _process, pid, child = run
    assert stop_from_outside(tmp_path / "status.json") == ["daemon"]
    assert gone(pid)
    assert gone(child)
    assert not (tmp_path / "status.json").exists()


def test_stop_from_another_terminal_ends_what_a_dead_supervisor_left(tmp_path: Path):
    orphan = subprocess.Popen(SLEEP, start_new_session=True, env={**os.environ, TOKEN: "lost:left"})
    status = tmp_path / "status.json"
    content = {"supervisor": os.getpid(), "started": "a process that had this number before", "token": "lost"}
    status.write_text(json.dumps({**content, "services": {"left": {"pid": orphan.pid, "log": ""}}}))
    assert stop_from_outside(status, grace=0.2) == ["left"]
    assert orphan.wait(10) == -signal.SIGKILL
    assert not status.exists()


def test_a_command_leaves_nothing_behind_and_gives_its_status(supervisor: Supervisor, tmp_path: Path):
    leaver = DAEMON[2].replace("child.wait()", "sys.exit(3)")
    argv = [sys.executable, "-c", leaver, str(tmp_path / "child")]
    assert supervisor.command(argv, {}, tmp_path, limit=20) == 3
    assert gone(child_of(tmp_path / "child"))


def test_a_command_that_takes_too_long_is_ended(supervisor: Supervisor, tmp_path: Path):
    argv = [
        sys.executable,
        "-c",
        "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(99)",
    ]
    assert supervisor.command([*argv, str(tmp_path / "pid")], {}, tmp_path, limit=1) is None
    assert gone(child_of(tmp_path / "pid"))


def test_the_status_of_a_live_run_tells_its_services(tmp_path: Path):
    with Supervisor(tmp_path / "logs", tmp_path / "demo.status.json") as supervisor:
        supervisor.start(Service("web", SLEEP, facts={"port": "1"}))
        assert running(tmp_path)["demo"]["web"]["port"] == "1"
    assert running(tmp_path) == {}
