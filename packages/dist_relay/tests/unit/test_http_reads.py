"""A failed read is tried again in place, in bounds; a change never is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from dist_relay.errors import Broken, OutcomeUnknown, RelayError, RetryLater, Snoozed
from dist_relay.http.deadline import within
from dist_relay.http.reads import ASKED_SECONDS, TRIES, Reads
from dist_relay.http.session import HttpSession
from dist_relay.testkit.bus import MemoryThrottle
from dist_relay.testkit.clock import FakeClock


class Shop:
    """A server whose next answers are scripted: (status, headers, body); then it answers well."""

    def __init__(self) -> None:
        self.script: list[tuple[int, dict[str, str], bytes]] = []
        self.asked = 0
        shop = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                shop.asked += 1
                status, headers, body = shop.script.pop(0) if shop.script else (200, {}, b'{"ok": true}')
                if status == 0:
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *args: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def shop() -> Iterator[Shop]:
    found = Shop()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


class Judge:
    """Keeps what is told of reads; ``go_on`` is what it answers."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str | None]] = []
        self.go_on = True

    def __call__(self, operation: str, error: RelayError | None) -> bool:
        self.heard.append((operation, error.code if error else None))
        return self.go_on


@pytest.fixture
def judge() -> Judge:
    return Judge()


@pytest.fixture
def make(shop: Shop, clock: FakeClock, judge: Judge) -> Iterator[Callable[..., HttpSession]]:
    made: list[HttpSession] = []

    def session(**more: Any) -> HttpSession:
        made.append(HttpSession(shop.url, clock=clock, reads=Reads(clock, draw=lambda: 1.0, told=judge), **more))
        return made[-1]

    yield session
    for each in made:
        each.close()


LOST = (0, {}, b"")


def status(code: int, **headers: str) -> tuple[int, dict[str, str], bytes]:
    return code, {name.replace("_", "-"): value for name, value in headers.items()}, b"{}"


@pytest.mark.parametrize("trouble", [LOST, status(500), status(502), status(503), status(504), status(408)])
def test_a_read_outlives_three_failures(make, shop, clock, judge, trouble):
    shop.script = [trouble] * (TRIES - 1)
    assert make().json("GET", "orders", operation="orders") == {"ok": True}
    assert clock.slept == [0.2, 0.4, 0.8]
    assert [operation for operation, _ in judge.heard] == ["orders"] * TRIES
    assert judge.heard[-1] == ("orders", None)


def test_the_tries_end(make, shop, judge):
    shop.script = [status(500)] * 10
    with pytest.raises(RetryLater):
        make().request("GET", "orders")
    assert shop.asked == TRIES
    assert None not in [code for _, code in judge.heard]


def test_a_web_page_is_no_answer_to_a_read(make, shop):
    shop.script = [(200, {"Content-Type": "text/html"}, b"<html>maintenance")]
    assert make().json("GET", "orders") == {"ok": True}


@pytest.mark.parametrize("trouble", [LOST, status(500), status(429, Retry_After="1"), status(503)])
def test_a_change_is_sent_once(make, shop, trouble):
    shop.script = [trouble]
    with pytest.raises(RelayError):
        make().json("POST", "ship", json={})
    assert shop.asked == 1


def test_a_post_that_is_marked_as_a_read_is_one(make, shop):
    shop.script = [LOST]
    assert make().json("POST", "graphql", json={}, effect=False) == {"ok": True}


@pytest.mark.parametrize("code", [400, 401, 403, 404, 405, 410, 422])
def test_an_answer_that_will_not_change_is_not_asked_for_again(make, shop, code):
    shop.script = [status(code)]
    with pytest.raises(RelayError):
        make().request("GET", "orders")
    assert shop.asked == 1


@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_is_waited_for_and_taken_from_the_budget(make, shop, clock, code):
    throttle = MemoryThrottle(clock)
    shop.script = [status(code, Retry_After="3")]
    assert make(throttle=throttle).json("GET", "orders", operation="orders") == {"ok": True}
    assert clock.slept == [3.2]
    assert throttle.acquired == [("orders", 1.0, 5)]


def test_a_budget_that_comes_back_soon_is_waited_for(make, shop, clock):
    shop.script = [status(429, RateLimit='"burst";r=0;t=2')]
    assert make().json("GET", "orders") == {"ok": True}
    assert clock.slept == [2.2]


def test_the_end_of_a_budget_says_nothing_about_a_server_that_fails(make, shop, clock):
    shop.script = [status(500, X_RateLimit_Reset="3600")]
    assert make().json("GET", "orders") == {"ok": True}
    assert clock.slept == [0.2]


def test_a_long_wait_is_not_sat_out(make, shop, clock):
    shop.script = [status(429, Retry_After=str(ASKED_SECONDS + 1))]
    with pytest.raises(Snoozed) as raised:
        make().request("GET", "orders")
    assert (raised.value.seconds, clock.slept, shop.asked) == (ASKED_SECONDS + 1, [], 1)


def test_the_deadline_of_the_call_ends_the_tries(make, shop, clock):
    shop.script = [status(503, Retry_After="3")] * 10
    with within(clock, 5.0), pytest.raises(RetryLater, match="503"):
        make().request("GET", "orders")
    assert (shop.asked, clock.slept) == (2, [3.2])


def test_nobody_insists_once_the_breaker_is_open(make, shop, judge):
    judge.go_on = False
    shop.script = [status(500)] * 10
    with pytest.raises(RetryLater):
        make().request("GET", "orders")
    assert shop.asked == 1


def test_a_read_of_several_requests_is_repeated_as_a_whole(make, shop, judge):
    session = make()
    seen = []

    def read() -> str:
        first, second = (session.json("GET", path) for path in ("heads", "details"))
        seen.append((first, second))
        return "both"

    shop.script = [status(200), status(500)]
    assert session.read(read, "orders") == "both"
    assert (shop.asked, len(seen)) == (4, 1)
    assert judge.heard == [("orders", "server_error"), ("orders", None)]


@pytest.mark.parametrize("error", [Broken("ours"), OutcomeUnknown("a change inside a read"), ZeroDivisionError()])
def test_what_is_no_failed_read_goes_through(clock, error):
    tries = []

    def read() -> None:
        tries.append(1)
        raise error

    with pytest.raises(type(error)):
        Reads(clock)(read)
    assert len(tries) == 1
