"""The command as people use it: real processes, exit codes, one clear line for what is wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request

import pytest

from dist_relay.testkit.waiting import until

pytestmark = pytest.mark.integration


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DIST_RELAY_")}
    return {**kept, **more}


def relay_command(*args, **variables):
    command = [sys.executable, "-m", "dist_relay.cli", *args]
    return subprocess.run(
        command, env=environment(**variables), capture_output=True, text=True, timeout=60, check=False
    )


def test_keygen_writes_once(tmp_path):
    file = tmp_path / "relay.key"
    first = relay_command("keygen", str(file))
    assert first.returncode == 0
    assert len(first.stdout.strip()) == 44
    second = relay_command("keygen", str(file))
    assert second.returncode == 2
    assert "exists already" in second.stderr
    assert "Traceback" not in second.stderr


def test_help_teaches():
    found = relay_command("--help").stdout
    for word in ("run", "pump", "worker", "doctor", "status", "replay", "keygen", "manifests", "DIST_RELAY_DSN"):
        assert word in found


def test_bad_settings_are_one_line(tmp_path):
    for variables, says in (
        ({"DIST_RELAY_POLL_MS": "soon"}, "DIST_RELAY_POLL_MS"),
        ({}, "dsn is not set"),
        ({"DIST_RELAY_DSN": "postgresql://x", "DIST_RELAY_KEY_FILE": str(tmp_path / "none")}, "keygen"),
        ({"DIST_RELAY_DSN": "postgresql://x", "DIST_RELAY_REDIS_URL": "ftp://x"}, "redis+sentinel"),
    ):
        found = relay_command("run", DIST_RELAY_HTTP_PORT="0", **variables)
        assert found.returncode == 2
        assert says in found.stderr
        assert "Traceback" not in found.stderr


def test_doctor_says_what_is_missing(valkey):
    found = relay_command(
        "doctor", DIST_RELAY_REDIS_URL=valkey.url, DIST_RELAY_DSN="postgresql://nobody@127.0.0.1:1/none"
    )
    assert found.returncode == 1
    assert "BAD   PostgreSQL cannot be reached" in found.stdout
    assert "ok    maxmemory-policy is noeviction" in found.stdout
    assert "Traceback" not in found.stderr


def test_manifests_and_settings_are_listed():
    assert any(manifest["code"] == "shopify" for manifest in json.loads(relay_command("manifests").stdout))
    assert "DIST_RELAY_LEASE_SECONDS [120]" in relay_command("settings").stdout


def test_it_runs_without_postgres_and_stops_when_asked(valkey, tmp_path):
    port = tmp_path / "log"
    variables = environment(
        DIST_RELAY_REDIS_URL=valkey.url,
        DIST_RELAY_DSN="postgresql://nobody@127.0.0.1:1/none",
        DIST_RELAY_HTTP_PORT="0",
        DIST_RELAY_LOG_FORMAT="json",
    )
    with open(port, "wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "dist_relay.cli", "run"], env=variables, stderr=log)
    try:
        until(lambda: b'"started"' in port.read_bytes())
        lines = [json.loads(line) for line in port.read_text().splitlines() if line.startswith("{")]
        address = next(line["http"] for line in lines if line["event"] == "started")
        until(lambda: b"PostgreSQL cannot be reached" in port.read_bytes())
        with urllib.request.urlopen(f"http://{address}/metrics") as answer:
            assert b"dist_loop_errors_total" in answer.read()
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0
    finally:
        process.kill()
        process.wait()
