"""The session against a real server on loopback that misbehaves on demand."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from dist_contracts import Verdict
from dist_relay.clock import SystemClock
from dist_relay.errors import Broken, CredentialsRefused, OutcomeUnknown, Rejected, RelayError, RetryLater, Snoozed
from dist_relay.http.deadline import within
from dist_relay.http.reads import Reads
from dist_relay.http.session import HttpLimits, HttpSession
from dist_relay.testkit.bus import MemoryThrottle
from dist_relay.testkit.clock import FakeClock

LIMITS = HttpLimits(connect_seconds=10, read_seconds=30, total_seconds=60, max_bytes=10_000)
HASTY = replace(LIMITS, read_seconds=0.3, total_seconds=1.5)
"""For answers that never come; with patience everything else, or a loaded machine decides the test."""
BOMB = gzip.compress(gzip.compress(b" " * 20_000_000))


class Handler(BaseHTTPRequestHandler):
    """``/status/<n>`` and other paths named after what they do."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        what, _, rest = self.path.lstrip("/").partition("/")
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        getattr(self, f"do_{what}", self.do_json)(rest)

    do_POST = do_GET

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_json(self, _rest: str) -> None:
        self.answer(200, b'{"ok": true}', Content_Type="application/json")

    def do_status(self, rest: str) -> None:
        self.answer(int(rest), b'{"errors": "told so"}')

    def do_wait(self, rest: str) -> None:
        self.answer(429, b"{}", Retry_After=rest)

    def do_html(self, _rest: str) -> None:
        self.answer(200, b"<!DOCTYPE html><title>Sign in</title>", Content_Type="text/html")

    def do_large(self, _rest: str) -> None:
        self.answer(200, b"x" * 50_000)

    def do_hang(self, _rest: str) -> None:
        self.server.gone.wait(5)  # type: ignore[attr-defined]

    def do_drip(self, _rest: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        while not self.server.gone.wait(0.1):  # type: ignore[attr-defined]
            try:
                self.wfile.write(b" ")
            except OSError:
                return

    def do_stall(self, _rest: str) -> None:
        type(self).before_stall()
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b" ")
        self.wfile.flush()
        self.server.gone.wait(5)  # type: ignore[attr-defined]
        self.close_connection = True

    def do_bomb(self, _rest: str) -> None:
        self.answer(200, BOMB, Content_Encoding="gzip, gzip")

    def do_drop(self, _rest: str) -> None:
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def do_away(self, _rest: str) -> None:
        self.answer(302, b"", Location="http://attacker.example/steal")

    def do_moved(self, _rest: str) -> None:
        self.answer(302, b"", Location="/json")

    def do_circle(self, _rest: str) -> None:
        self.answer(302, b"", Location="/circle")

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.gone = threading.Event()  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.gone.set()  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


@pytest.fixture
def session(url: str) -> Iterator[HttpSession]:
    clock = SystemClock()
    found = HttpSession(url, {"X-Token": "t"}, clock=clock, limits=LIMITS, reads=Reads(clock, draw=lambda: 0.0))
    yield found
    found.close()


def raised(session: HttpSession, method: str, path: str, **more: Any) -> RelayError:
    with pytest.raises(RelayError) as caught:
        session.json(method, path, **more)
    return caught.value


def test_json(session):
    assert session.json("GET", "json") == {"ok": True}
    assert session.json("POST", "json", json={"a": 1}) == {"ok": True}


@pytest.mark.parametrize(
    ("status", "read", "write", "code"),
    [
        (400, Rejected, Rejected, "bad_request"),
        (401, CredentialsRefused, CredentialsRefused, "credentials"),
        (403, CredentialsRefused, CredentialsRefused, "credentials"),
        (402, Snoozed, Snoozed, "account_blocked"),
        (404, Rejected, Rejected, "not_found"),
        (405, Broken, Broken, "method_not_allowed"),
        (408, RetryLater, OutcomeUnknown, "request_timeout"),
        (410, Rejected, Rejected, "gone"),
        (422, Rejected, Rejected, "unprocessable"),
        (423, RetryLater, RetryLater, "locked"),
        (429, Snoozed, Snoozed, "rate_limited"),
        (500, RetryLater, OutcomeUnknown, "server_error"),
        (502, RetryLater, OutcomeUnknown, "bad_gateway"),
        (503, RetryLater, RetryLater, "unavailable"),
        (504, RetryLater, OutcomeUnknown, "gateway_timeout"),
        (520, RetryLater, OutcomeUnknown, "http_520"),
        (418, Rejected, Rejected, "http_418"),
    ],
)
def test_each_status_has_its_error(session, status, read, write, code):
    for method, kind in (("GET", read), ("POST", write)):
        error = raised(session, method, f"status/{status}")
        assert type(error) is kind
        assert error.code == code
        assert str(status) in error.message
        assert "told so" in error.message


def test_a_rate_limit_is_told_to_the_throttle(url):
    clock = FakeClock()
    throttle = MemoryThrottle(clock)
    seen: list[tuple[str, str]] = []
    session = HttpSession(
        url, clock=clock, limits=LIMITS, throttle=throttle, observe=lambda op, out, _s: seen.append((op, out))
    )
    error = raised(session, "POST", "wait/17", operation="orders")
    assert (type(error), error.seconds) == (Snoozed, 17.0)
    assert throttle.penalties == [("orders", 17.0)]
    assert seen == [("orders", "rate_limited")]
    session.close()


def test_a_web_page_instead_of_json(session):
    assert type(raised(session, "GET", "html")) is RetryLater
    error = raised(session, "POST", "html")
    assert type(error) is OutcomeUnknown
    assert error.code == "not_json"
    assert "web page" in error.message
    assert type(raised(session, "POST", "html", effect=False)) is RetryLater


@pytest.mark.parametrize("path", ["hang", "drop", "drip"])
def test_a_lost_answer_of_a_write_is_unknown_of_a_read_is_not(url, path):
    session = HttpSession(url, clock=SystemClock(), limits=HASTY)
    assert raised(session, "POST", path).verdict is Verdict.UNKNOWN
    assert raised(session, "GET", path).verdict is Verdict.RETRY


def test_nothing_listens_is_certain(url):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    session = HttpSession(f"http://127.0.0.1:{port}", clock=SystemClock(), limits=LIMITS)
    error = raised(session, "POST", "x")
    assert type(error) is RetryLater
    assert error.code == "connect"


def test_sizes_are_bounded(session):
    assert type(raised(session, "GET", "large")) is Broken
    assert type(raised(session, "POST", "large")) is OutcomeUnknown
    assert raised(session, "GET", "bomb").code == "too_large"


def test_an_answer_that_stalls_ends_with_the_time_of_the_call(url, monkeypatch):
    """Not only when the pause between two bytes becomes too long."""
    clock = FakeClock()
    monkeypatch.setattr(Handler, "before_stall", lambda: clock.advance(59.9), raising=False)
    session = HttpSession(url, clock=clock, limits=replace(LIMITS, read_seconds=60, total_seconds=60))
    assert raised(session, "GET", "stall").code == "timeout"
    session.close()


def test_redirects_stay_at_home(session):
    assert session.json("GET", "moved") == {"ok": True}
    for path in ("away", "circle"):
        error = raised(session, "GET", path)
        assert (type(error), error.code) == (Broken, "redirect")
    assert raised(session, "POST", "moved").code == "redirect"


def test_another_origin_is_refused(session):
    assert raised(session, "GET", "http://attacker.example/x").code == "redirect"


@pytest.mark.parametrize("host", ["localhost:1\\@127.0.0.1", "user@127.0.0.1", "user:pw@127.0.0.1"])
def test_an_address_of_two_hosts_is_none(session, url, host):
    """Python's parser reads the host behind the backslash, the one of requests that before it."""
    port = url.rpartition(":")[2]
    assert raised(session, "GET", f"http://{host}:{port}/json").code == "redirect"
    with pytest.raises(Broken, match="not a web address") as caught:
        HttpSession(f"http://{host}:{port}", clock=SystemClock(), limits=LIMITS)
    assert "pw@" not in caught.value.message


@pytest.mark.parametrize("token", ["tok-geheim\n", " tok-geheim", "tok-geheim\r\nX: y", "tok-geheim…"])
def test_a_token_that_is_no_header_parks_and_is_not_told(url, token):
    session = HttpSession(url, clock=SystemClock(), limits=LIMITS)
    error = raised(session, "POST", "json", headers={"X-Token": token})
    assert type(error) is CredentialsRefused
    assert "geheim" not in error.message
    session.close()


def test_the_deadline_of_the_call_counts(session):
    clock = SystemClock()
    with within(clock, 0.0):
        time.sleep(0.001)
        error = raised(session, "POST", "json")
    assert (type(error), error.code) == (RetryLater, "deadline")
    assert session.json("GET", "json") == {"ok": True}


def test_credentials_need_tls():
    with pytest.raises(Broken, match="without TLS"):
        HttpSession("http://shop.example", clock=SystemClock())
    with pytest.raises(Broken, match="not a web address"):
        HttpSession("shop.example", clock=SystemClock())
    HttpSession(
        "http://shop.example", clock=SystemClock(), limits=HttpLimits(plain_http_hosts=frozenset({"shop.example"}))
    )
