"""The outside world as a process: HTTP, writes every effect into a ledger (SQLite).

It knows no idempotency keys: what is sent twice takes effect twice, unless the caller looks first whether it did
(``GET /effects/<event id>``). One thing is forgiven, for no caller can prevent it: a request that hung may take effect
after its caller looked, so an event of which one hung takes effect once, however often it is sent.

``python -m dist_relay.testkit.counterpart PORT LEDGER``. It outlives whoever calls it, and a test reads the ledger
without asking. What it offers to pulls lies in the same file. Faults are scripted by ``POST /faults`` with a list of
``{"do": …, "times": n, "key": …}``; ``do`` is ``status`` (with ``status``, ``headers``), ``hang`` (``seconds``, then
the effect), ``late`` (effect, then ``seconds``), ``lose`` (effect, then no answer) or ``effect_status`` (effect, then
``status``).
"""

from __future__ import annotations

import json
import sqlite3
import sys
import threading
import time
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

_TABLES = """
CREATE TABLE IF NOT EXISTS effect (seq INTEGER PRIMARY KEY, account TEXT, op TEXT, key TEXT, event_id TEXT, token TEXT,
    version INTEGER);
CREATE INDEX IF NOT EXISTS effect_event ON effect (event_id);
CREATE TABLE IF NOT EXISTS call (seq INTEGER PRIMARY KEY, account TEXT, op TEXT, key TEXT, event_id TEXT,
    status INTEGER);
CREATE TABLE IF NOT EXISTS offer (seq INTEGER PRIMARY KEY, account TEXT, key TEXT, token TEXT UNIQUE);
"""


class Happened(NamedTuple):
    """One effect."""

    op: str
    key: str
    event_id: str
    token: str
    version: int | None


class Ledger:
    """The file; safe for threads and processes."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        self._lock = threading.Lock()
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;" + _TABLES)

    def effect(self, account: str, body: dict[str, Any], *, once: bool = False) -> bool:
        """Let an event take effect, with ``once`` only if it has not yet; false when it did not."""
        row = [account, *(body.get(name) for name in ("op", "key", "event_id", "token", "version"))]
        text = "INSERT INTO effect (account, op, key, event_id, token, version) SELECT ?,?,?,?,?,?"
        if once:
            text += " WHERE NOT EXISTS (SELECT 1 FROM effect WHERE event_id = ?)"
            row.append(body["event_id"])
        return self._run(text, row) > 0

    def called(self, account: str, body: dict[str, Any], status: int) -> None:
        """Note a call and its answer (0: none)."""
        row = [account, body.get("op"), body.get("key"), body.get("event_id"), status]
        self._run("INSERT INTO call (account, op, key, event_id, status) VALUES (?,?,?,?,?)", row)

    def offer(self, account: str, rows: Iterable[tuple[str, str]]) -> None:
        """Offer (key, token) to pulls."""
        with self._lock:
            found = [(account, key, token) for key, token in rows]
            self._db.executemany("INSERT INTO offer (account, key, token) VALUES (?,?,?)", found)

    def offers(self, account: str, after: int = 0, limit: int = -1) -> list[tuple[int, str, str]]:
        """What is offered behind a position: (position, key, token)."""
        text = "SELECT seq, key, token FROM offer WHERE account = ? AND seq > ? ORDER BY seq LIMIT ?"
        return [(int(seq), key, token) for seq, key, token in self._all(text, account, after, limit)]

    def knows(self, event_id: str) -> bool:
        """Whether an event took effect."""
        return bool(self._all("SELECT 1 FROM effect WHERE event_id = ?", event_id))

    def effects(self, account: str) -> list[Happened]:
        """What took effect, in order."""
        text = "SELECT op, key, event_id, token, version FROM effect WHERE account = ? ORDER BY seq"
        return [Happened(*row) for row in self._all(text, account)]

    def calls(self, account: str) -> list[tuple[str, str, int]]:
        """Every call: key, event id, status of the answer."""
        return self._all("SELECT key, event_id, status FROM call WHERE account = ? ORDER BY seq", account)

    def _run(self, text: str, row: list[Any]) -> int:
        with self._lock:
            return self._db.execute(text, row).rowcount

    def _all(self, text: str, *args: Any) -> list[Any]:
        with self._lock:
            return self._db.execute(text, args).fetchall()


class Faults:
    """What goes wrong next, used up call by call. ``hung``: the events of which a request hung."""

    def __init__(self) -> None:
        self._lock, self._left = threading.Lock(), []  # type: tuple[threading.Lock, list[dict[str, Any]]]
        self.hung: set[str] = set()

    def script(self, faults: list[dict[str, Any]]) -> None:
        """Replace what was scripted."""
        with self._lock:
            self._left = faults

    def next(self, account: str, key: str) -> dict[str, Any]:
        """The fault of this call; empty for none."""
        with self._lock:
            for fault in self._left:
                mine = fault.get("account", account) == account and fault.get("key", key) == key
                if mine and fault.get("times", 1) > 0:
                    fault["times"] = fault.get("times", 1) - 1
                    return fault
        return {}


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    ledger: Ledger
    faults: Faults

    def do_GET(self) -> None:
        """``/effects/<event id>`` (404 when it had none) and ``/offers?account=&after=&limit=``."""
        parts = urlsplit(self.path)
        if parts.path.startswith("/effects/"):
            self._answer(200 if self.ledger.knows(parts.path.rsplit("/", 1)[1]) else 404, {})
            return
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        limit = int(query["limit"])
        rows = self.ledger.offers(query["account"], int(query["after"]), limit)
        self._answer(200, {"offers": rows, "more": len(rows) == limit})

    def do_POST(self) -> None:
        """``/effects`` and ``/faults``."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/faults":
            self.faults.script(body)
            self._answer(200, {})
            return
        account = body["account"]
        fault = self.faults.next(account, body["key"])
        do = fault.get("do", "")
        if do == "hang":
            self.faults.hung.add(body["event_id"])
            time.sleep(float(fault["seconds"]))
        if do == "status":
            self.ledger.called(account, body, fault["status"])
            self._answer(fault["status"], {}, fault.get("headers", {}))
            return
        fresh = self.ledger.effect(account, body, once=body["event_id"] in self.faults.hung)
        if do == "lose":
            self.ledger.called(account, body, 0)
            self.close_connection = True
            return
        if do == "late":
            time.sleep(float(fault["seconds"]))
        status = fault["status"] if do == "effect_status" else 200
        self.ledger.called(account, body, status)
        self._answer(status, {"fresh": fresh})

    def _answer(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def main(port: str, ledger: str) -> None:
    """Serve until killed."""
    bound = type("Bound", (Handler,), {"ledger": Ledger(Path(ledger)), "faults": Faults()})
    _Server(("127.0.0.1", int(port)), bound).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
