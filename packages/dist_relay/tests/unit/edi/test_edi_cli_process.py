"""The command line as a process: exit status, pipes, terminals, and no traceback whatever happens."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest
from overlay_samples import ORDER, changed

PYTHON = (sys.executable, "-m", "dist_relay.edi")
WRONG = changed(ORDER, (b"PO1*1*10", b"PO1*1*ten"))


def run(*arguments: object, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    found = subprocess.run(
        [*PYTHON, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, **environment},
    )
    assert b"Traceback" not in found.stderr
    return found


@pytest.mark.parametrize(
    ("inputs", "status"),
    [([ORDER], 0), ([WRONG], 1), ([b"nothing"], 2), ([b""], 2), ([ORDER, WRONG], 1), ([WRONG, b"nothing", ORDER], 2)],
)
def test_the_exit_status_of_validate_is_that_of_the_worst_file(tmp_path, inputs, status):
    paths = []
    for number, data in enumerate(inputs):
        paths.append(tmp_path / f"{number}.edi")
        paths[-1].write_bytes(data)
    assert run("validate", *paths).returncode == status
    assert run("validate", "--json", *paths).returncode == status


def test_the_usual_command_has_it_too(tmp_path):
    command = [sys.executable, "-m", "dist_relay.cli", "edi", "validate", "--json", "-"]
    found = subprocess.run(command, input=WRONG, capture_output=True, check=False, timeout=60)
    assert found.returncode == 1
    assert found.stdout.startswith(b'{"file": "-", "standard": "x12"')
    shown = subprocess.run([*command[:4], "--help"], capture_output=True, check=False, timeout=60)
    assert shown.returncode == 0
    assert b"inspect" in shown.stdout


def test_a_reader_that_goes_away_is_no_fault(tmp_path):
    many = tmp_path / "many.edi"
    many.write_bytes(ORDER * 2_000)
    process = subprocess.Popen([*PYTHON, "inspect", many], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(100)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(tmp_path):
    path = tmp_path / "secret.edi"
    path.write_bytes(ORDER)
    path.chmod(0)
    found = run("validate", path)
    assert found.returncode == 2
    assert b"Permission denied" in found.stdout


@pytest.mark.parametrize("name", ["missing.edi", "a\0b", "x" * 5_000, "/proc/self/mem"])
def test_what_cannot_be_opened_is_a_sentence(name):
    if "\0" in name:
        pytest.skip("the system passes no such argument")
    for command in ("validate", "inspect", "ack", "convert"):
        found = run(command, name)
        assert found.returncode == 2
        assert len((found.stdout + found.stderr).splitlines()) <= 2


def test_an_output_without_unicode():
    data = changed(ORDER, (b"Store 5", "Bäckerei 北".encode()))
    found = run("inspect", "-", stdin=data, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert found.returncode == 0
    assert b"B\\xe4ckerei \\u5317" in found.stdout


def test_colours_on_a_terminal():
    main, other = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    process = subprocess.Popen([*PYTHON, "validate", "-"], stdin=subprocess.PIPE, stdout=other, env=environment)
    assert process.stdin is not None
    process.stdin.write(WRONG)
    process.stdin.close()
    assert process.wait(60) == 1
    os.close(other)
    seen = os.read(main, 10_000)
    os.close(main)
    assert b"\x1b[33maccepted with errors\x1b[0m" in seen


def test_it_starts_without_what_it_does_not_need():
    code = "import sys, dist_relay.edi.cli.validate, dist_relay.edi.cli; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
