"""Steps of the set-up: run once, run again when they must, recover from what was interrupted."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dist_dev import pythonenv, testing, ui
from dist_dev.layout import REPO, Layout
from dist_dev.odoo import find_odoo
from dist_dev.pins import pins
from dist_dev.postgres import Cluster, Databases
from dist_dev.steps import Stamps, Step, exclusive, run_step
from dist_dev.supervisor import Supervisor, free_port


class Counting:
    """A step that counts its runs and whose result is a file."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.result, self.runs, self.inputs = folder, folder / "result", 0, ["one"]
        self.fail = False

    def step(self) -> bool:
        return run_step(
            Step("count", "Counting", lambda: self.inputs, self._run, self.result.exists),
            Stamps(self.folder / "stamps"),
        )

    def _run(self) -> str:
        self.runs += 1
        if self.fail:
            raise ui.Problem("the network is down")
        self.result.touch()
        return "counted"


@pytest.fixture
def counting(tmp_path: Path) -> Counting:
    return Counting(tmp_path)


def test_a_second_run_does_nothing(counting: Counting):
    assert [counting.step(), counting.step()] == [True, False]
    assert counting.runs == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda counting: counting.inputs.append("two"),
        lambda counting: counting.result.unlink(),
        lambda counting: (counting.folder / "stamps" / "count.json").write_text("{half a stam"),
    ],
    ids=["inputs", "result", "stamp"],
)
def test_a_step_is_run_again_when_something_is_not_as_it_was(counting: Counting, change: Callable[[Counting], None]):
    counting.step()
    change(counting)
    assert counting.step()
    assert not counting.step()


def test_a_failed_step_is_run_again(counting: Counting):
    counting.step()
    counting.inputs, counting.fail = ["other"], True
    with pytest.raises(ui.Problem):
        counting.step()
    counting.inputs, counting.fail = ["one"], False
    assert counting.step()


def test_a_file_counts_by_its_content(counting: Counting, tmp_path: Path):
    pinned = tmp_path / "pinned.txt"
    pinned.write_text("a==1")
    counting.inputs = [pinned]
    counting.step()
    pinned.touch()
    assert not counting.step()
    pinned.write_text("a==2")
    assert counting.step()


def test_two_set_ups_take_turns_and_a_killed_one_does_not_lock_the_other_out(tmp_path: Path):
    code = f"""
import sys, time
sys.path.insert(0, {str(REPO / "tools")!r})
from pathlib import Path
from dist_dev.steps import exclusive
with exclusive(Path(sys.argv[1]), "waiting"):
    print("held", flush=True)
    time.sleep(600)
"""
    command = [sys.executable, "-c", code, str(tmp_path / "lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        second = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert second.stdout is not None
        assert second.stdout.readline() == "waiting\n"
        other.send_signal(signal.SIGKILL)
        assert second.stdout.readline() == "held\n"
        second.kill()
        second.communicate()
    with exclusive(tmp_path / "lock", "waiting"):
        pass


def test_a_failing_command_is_one_sentence_with_its_last_line_and_its_log(tmp_path: Path):
    argv = [sys.executable, "-c", "import sys; print('no route to host'); sys.exit(7)"]
    with pytest.raises(ui.Problem, match=r"Fetching failed \(“no route to host”\)\. Check the network\. .*fetch\.log"):
        ui.run_logged(argv, tmp_path / "fetch.log", name="x", title="Fetching", hint="Check the network.")


def test_a_missing_command_is_named(tmp_path: Path):
    with pytest.raises(ui.Problem, match="no-such-tool"):
        ui.run_logged(["no-such-tool"], tmp_path / "log", name="x", title="Fetching", hint="Install it.")


def test_a_half_made_environment_is_made_anew(tmp_path: Path):
    layout = Layout(repo=REPO, cache=tmp_path)
    layout.site_packages.mkdir(parents=True)
    (layout.venv / "bin").mkdir()
    (layout.venv / "half").touch()
    layout.python.symlink_to(sys.executable)
    layout.state.mkdir()
    (layout.state / "venv.unfinished").touch()
    pythonenv._make_venv(layout)
    assert not (layout.venv / "half").exists()
    assert not (layout.state / "venv.unfinished").exists()
    (layout.venv / "whole").touch()
    pythonenv._make_venv(layout)
    assert (layout.venv / "whole").exists()


def odoo_checkout(folder: Path, version: str = "(19, 0, 0, FINAL, 0, '')") -> Path:
    for name in ("odoo/addons/base", "addons/sale"):
        (folder / name).mkdir(parents=True)
    (folder / "odoo" / "release.py").write_text(f"version_info = {version}\n")
    return folder


@pytest.fixture
def no_odoo_known(monkeypatch: pytest.MonkeyPatch):
    find_odoo.cache_clear()
    monkeypatch.delenv("ODOO_HOME", raising=False)
    yield
    find_odoo.cache_clear()


@pytest.mark.usefixtures("no_odoo_known")
def test_a_given_odoo_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    home = odoo_checkout(tmp_path / "odoo-19")
    monkeypatch.setenv("ODOO_HOME", str(home))
    found = find_odoo(Layout(repo=REPO, cache=tmp_path))
    assert found.import_path == home
    assert found.addons_paths == (home / "odoo" / "addons", home / "addons")


@pytest.mark.usefixtures("no_odoo_known")
@pytest.mark.parametrize("version", ["(18, 0, 0, FINAL, 0, '')", None], ids=["another version", "no odoo"])
def test_what_is_no_odoo_19_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str | None):
    home = odoo_checkout(tmp_path / "odoo", version) if version else tmp_path
    monkeypatch.setenv("ODOO_HOME", str(home))
    with pytest.raises(ui.Problem, match=r"holds no Odoo 19\.0"):
        find_odoo(Layout(repo=REPO, cache=tmp_path))


def test_pins_carry_a_marker_where_pythons_differ():
    found = pins({"3.10": {"a": "1", "b": "1", "c": "1"}, "3.11": {"a": "1", "b": "2"}, "3.12": {"a": "1", "b": "2"}})
    assert found == [
        "a==1",
        "b==1 ; python_version < '3.11'",
        "b==2 ; python_version >= '3.11'",
        "c==1 ; python_version < '3.11'",
    ]


REPORT = """<testsuites><testsuite tests="5" failures="1" errors="1" skipped="1"/></testsuites>"""


def test_the_summary_counts_what_pytest_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "a.xml").write_text(REPORT)
    results = [
        testing._count(testing.Result("a", False, 1.0), tmp_path / "a.xml"),
        testing._count(testing.Result("broken down", False, 1.0), tmp_path / "none.xml"),
        testing._count(testing.Result("nothing to collect", True, 1.0), tmp_path / "none.xml"),
    ]
    assert testing._summary(results) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "2 passed, 3 failed, 1 skipped"
    assert testing._summary(results[2:]) == 0


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory):
    """A cluster made anew from the wheel, and running."""
    real = Layout.from_environment()
    folder = tmp_path_factory.mktemp("cluster")
    layout = Layout(repo=REPO, cache=folder)
    layout.venv.symlink_to(real.venv)
    cluster = Cluster(layout)
    try:
        (cluster.home / "data.unfinished").mkdir(parents=True)
        cluster.prepare()
        cluster.initialise()
        port = free_port()
        with (
            cluster.socket() as (_folder, settings),
            Supervisor(folder / "logs", folder / "status.json") as supervisor,
        ):
            supervisor.start(cluster.service(port, settings))
            yield Databases(cluster, port)
    finally:
        if cluster.moved:
            shutil.rmtree(cluster.moved)


def test_a_cluster_is_made_over_a_half_made_one(databases: Databases):
    assert databases.sql("SHOW listen_addresses") == "127.0.0.1"
    assert "unix_socket_directories = ''" in (databases.cluster.data / "postgresql.conf").read_text()
    assert databases.sql("SELECT rolsuper FROM pg_roles WHERE rolname = 'dist_relay'") == "f"


def test_the_superuser_needs_the_password(databases: Databases):
    command = [str(databases.cluster.bin / "psql"), "-wXAtc", "SELECT 1"]
    env = {**os.environ, **databases.cluster.environment(databases.port)}
    assert subprocess.run(command, env=env, capture_output=True).returncode == 0
    refused = subprocess.run(command, env={**env, "PGPASSWORD": "odoo"}, capture_output=True, text=True)
    assert "password authentication failed" in refused.stderr


def test_over_its_socket_too(databases: Databases):
    folder = databases.sql("SHOW unix_socket_directories")
    assert Path(folder).stat().st_mode & 0o077 == 0
    command = [str(databases.cluster.bin / "psql"), "-wXAtc", "SELECT current_user", "-h", folder]
    env = {**os.environ, **databases.cluster.environment(databases.port)}
    assert subprocess.run(command, env=env, capture_output=True, text=True).stdout.strip() == "odoo"
    refused = subprocess.run(command, env={**env, "PGPASSWORD": "odoo"}, capture_output=True, text=True)
    assert "password authentication failed" in refused.stderr
    relay = subprocess.run(command, env={**env, "PGUSER": "dist_relay"}, capture_output=True, text=True)
    assert relay.stdout.strip() == "dist_relay"


def test_a_database_is_copied_with_its_files_and_dropped_with_them(databases: Databases):
    databases.sql("CREATE DATABASE one")
    files = databases.cluster.layout.odoo_data / "filestore"
    (files / "one" / "ab").mkdir(parents=True)
    (files / "one" / "ab" / "abcdef").write_text("a logo")
    databases.copy("one", "two")
    databases.drop("one")
    assert databases.exists("two")
    assert not databases.exists("one")
    assert (files / "two" / "ab" / "abcdef").read_text() == "a logo"
    databases.rename("two", "three")
    assert databases.exists("three")
    assert not (files / "two").exists()
    databases.drop("three")
    assert not (files / "three").exists()
