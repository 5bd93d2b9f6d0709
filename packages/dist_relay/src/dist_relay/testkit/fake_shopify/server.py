"""The fake store as an HTTP server on loopback."""

from __future__ import annotations

import json
import socket
import time
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from dist_relay.ports import Clock

from .control import TOKEN_SECONDS, Control
from .cost import Bucket
from .engine import Answer, Engine
from .faults import Faults
from .schema import VERSION, Documents, published, reduced
from .store import Store

MAX_BODY = 10_000_000


class FakeShopify:
    """A store, its API and its control API.

    :param port: 0 takes a free one; :attr:`url` says which.
    :param state: file to keep the state in.
    :param small: answer by the reduced schema even where the published one is at hand.
    :param clock: the store's time; the system's when none is given.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        state: Path | None = None,
        maximum: float = 20_000.0,
        rate: float = 1_000.0,
        small: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self.store = Store(state, clock.now if clock else None)
        self.faults = Faults()
        self.bucket = Bucket(maximum, rate, clock.monotonic if clock else time.monotonic)
        schema = reduced() if small else published() or reduced()
        self.engine = Engine(self.store, Documents(schema), self.bucket, self.faults)
        self.control = Control(self.store, self.faults)
        self.version = VERSION
        self._server = _Server(("127.0.0.1", port), _handler(self))
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> FakeShopify:
        """Serve in a thread of its own."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving and write the state."""
        self._server.shutdown()
        self.close()

    def close(self) -> None:
        """Give the port back and write the state; for a store that was never started."""
        self._server.server_close()
        with self.store.lock:
            self.store.close()

    def serve_forever(self) -> None:
        """Serve in this thread until it is interrupted."""
        try:
            self._server.serve_forever(poll_interval=0.1)
        finally:
            self.close()

    def __enter__(self) -> FakeShopify:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128


def _handler(fake: FakeShopify) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path.startswith("/_control/"):
                self._send(_control(fake, path.removeprefix("/_control/"), {}))
            else:
                self._send(Answer(404, {"errors": "Not Found"}))

        def do_POST(self) -> None:
            path = urlsplit(self.path).path
            body = self._body()
            if path.startswith("/_control/"):
                self._send(_control(fake, path.removeprefix("/_control/"), body))
            elif path == "/admin/oauth/access_token":
                self._send(_token(fake, body))
            elif path.startswith("/admin/api/") and path.endswith("/graphql.json"):
                token = self.headers.get("X-Shopify-Access-Token")
                with fake.store.lock:
                    answer = fake.engine.answer(body, token)
                    fake.store.commit()
                self._send(answer)
            else:
                self._send(Answer(404, {"errors": "Not Found"}))

        def _body(self) -> Any:
            length = min(int(self.headers.get("Content-Length") or 0), MAX_BODY)
            try:
                return json.loads(self.rfile.read(length) or b"{}")
            except ValueError:
                return None

        def _send(self, answer: Answer) -> None:
            if answer.delay:
                time.sleep(answer.delay)
            if answer.broken:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            body = answer.body.encode() if answer.html else json.dumps(answer.body).encode()
            self.send_response_only(answer.status)
            self.send_header("Date", format_datetime(fake.store.now(), usegmt=True))
            self.send_header("Content-Type", "text/html" if answer.html else "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Shopify-Api-Version", fake.version)
            if answer.retry_after is not None:
                self.send_header("Retry-After", str(answer.retry_after))
            self.end_headers()
            self.wfile.write(body)

    return Handler


def _control(fake: FakeShopify, name: str, arguments: Any) -> Answer:
    command = getattr(fake.control, name, None)
    if name.startswith("_") or command is None:
        known = sorted(n for n in vars(Control) if not n.startswith("_"))
        return Answer(404, {"error": f"no command {name!r}", "commands": known})
    try:
        with fake.store.lock:
            found = command(**(arguments or {}))
            fake.store.commit()
            return Answer(200, {"result": found})
    except (TypeError, ValueError, LookupError, StopIteration) as error:
        return Answer(400, {"error": f"{type(error).__name__}: {error}"})


def _token(fake: FakeShopify, body: Any) -> Answer:
    if not isinstance(body, dict) or body.get("grant_type") != "client_credentials":
        return Answer(400, {"error": "invalid_request"})
    with fake.store.lock:
        token = fake.control.grant_token(str(body.get("client_id")), str(body.get("client_secret")))
        scopes = fake.store.get("meta", "app")["scopes"]
        fake.store.commit()
    if token is None:
        return Answer(400, {"error": "invalid_client", "error_description": "The client credentials are invalid."})
    return Answer(200, {"access_token": token, "scope": ",".join(scopes), "expires_in": TOKEN_SECONDS})
