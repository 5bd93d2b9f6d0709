"""A session to one origin: bounded in time and size, verified TLS, no redirects elsewhere, every failure named."""

from __future__ import annotations

import json as jsonlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError, ReadTimeoutError

from dist_relay.errors import Broken, CredentialsRefused, OutcomeUnknown, RelayError, RetryLater
from dist_relay.ports import Clock, Response, Throttle

from .deadline import remaining
from .reads import Reads
from .retry_after import asked_wait
from .status import Means, error, rule

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
REDIRECTS = 3
_CHUNK = 65_536

T = TypeVar("T")

Observe = Callable[[str, str, float], None]
"""Told after each request: operation, outcome (``ok`` or the error's code), seconds."""


@dataclass(frozen=True)
class HttpLimits:
    """Bounds of every request: seconds to connect, between two bytes, in all; bytes of an answer.

    Plain ``http`` is refused except to loopback and to ``plain_http_hosts``; ``ca_file`` replaces the usual roots.
    """

    connect_seconds: float = 5.0
    read_seconds: float = 20.0
    total_seconds: float = 30.0
    max_bytes: int = 20_000_000
    plain_http_hosts: frozenset[str] = frozenset()
    ca_file: str | None = None
    user_agent: str = "dist-relay"


class HttpSession:
    """:class:`dist_relay.ports.Session` over requests. Used by one thread at a time."""

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str] | None = None,
        *,
        clock: Clock,
        limits: HttpLimits | None = None,
        throttle: Throttle | None = None,
        observe: Observe | None = None,
        reads: Reads | None = None,
    ) -> None:
        self._limits = limits or HttpLimits()
        self._base = base_url if base_url.endswith("/") else base_url + "/"
        self._origin = _origin(base_url)
        self._check_scheme(base_url)
        self._clock, self._throttle, self._observe = clock, throttle, observe
        self._reads = reads or Reads(clock)
        self._http = requests.Session()
        self._http.trust_env = False  # a .netrc must not add credentials nobody configured
        self._http.verify = self._limits.ca_file or os.environ.get("REQUESTS_CA_BUNDLE") or True
        if self._origin[1] not in LOOPBACK:
            self._http.proxies.update(get_environ_proxies(base_url))
        self._http.mount("https://", HTTPAdapter(max_retries=0))
        self._http.mount("http://", HTTPAdapter(max_retries=0))
        self._http.headers.update({"User-Agent": self._limits.user_agent, "Accept": "application/json"})
        self._http.headers.update(headers or {})

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        data: bytes | None = None,
        effect: bool | None = None,
        operation: str | None = None,
    ) -> Response:
        """Send and return a 2xx answer; see :class:`dist_relay.ports.Session`."""
        changes = method.upper() not in SAFE if effect is None else effect

        def send() -> Response:
            return self._request(method, path, headers, params, json, data, changes, operation)

        return send() if changes else self._reading(send, method, operation)

    def _request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None,
        params: Mapping[str, str] | None,
        json: Any,
        data: bytes | None,
        changes: bool,
        operation: str | None,
    ) -> Response:
        label = operation or method.upper()
        start = self._clock.monotonic()
        outcome = "defect"
        try:
            answer = self._follow(method, path, headers, params, json, data, changes)
            outcome = "ok" if 200 <= answer.status < 300 else rule(answer.status).code
            self._raise_for(answer, changes, operation)
            return answer
        except RelayError as failure:
            outcome = failure.code or failure.verdict.value
            raise
        finally:
            if self._observe:
                self._observe(label, outcome, self._clock.monotonic() - start)

    def json(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        effect: bool | None = None,
        operation: str | None = None,
    ) -> Any:
        """As :meth:`request`, decoded; an answer that is not JSON is raised by name."""
        changes = method.upper() not in SAFE if effect is None else effect

        def send() -> Any:
            answer = self.request(
                method, path, headers=headers, params=params, json=json, effect=changes, operation=operation
            )
            return self._decoded(answer, method, changes)

        return send() if changes else self._reading(send, method, operation)

    def read(self, call: Callable[[], T], operation: str = "read") -> T:
        """Run ``call``, which changes nothing outside, again where it fails; see :class:`dist_relay.ports.Session`."""
        return self._reads(call, operation)

    def _reading(self, send: Callable[[], T], method: str, operation: str | None) -> T:
        """A read; each repetition takes from the budget what the adapter took for the first try."""
        again = False

        def budgeted() -> T:
            nonlocal again
            if again and self._throttle and operation:
                self._throttle.acquire(operation)
            again = True
            return send()

        return self._reads(budgeted, operation or method.upper())

    def _decoded(self, answer: Response, method: str, changes: bool) -> Any:
        try:
            return answer.json()
        except (ValueError, RecursionError):
            what = "a web page" if looks_like_html(answer) else "something"
            text = f"{self._origin[1]} answered {method.upper()} {_path(answer.url)} with {what} that is not JSON"
            text += f": {excerpt(answer.body)}"
            if changes:
                raise OutcomeUnknown(text, code="not_json") from None
            raise RetryLater(None, text, code="not_json") from None

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def _follow(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None,
        params: Mapping[str, str] | None,
        json: Any,
        data: bytes | None,
        effect: bool,
    ) -> Response:
        url = urljoin(self._base, path)
        until = self._clock.monotonic() + remaining(self._clock, self._limits.total_seconds)
        for _ in range(REDIRECTS + 1):
            if _origin(url) != self._origin:
                raise Broken(f"refused to leave {self._origin[1]} for {_host(url)}", code="redirect")
            body = jsonlib.dumps(json).encode() if json is not None else data
            sent = {"Content-Type": "application/json"} if json is not None else {}
            answer = self._send(method, url, {**sent, **(headers or {})}, params, body, effect, until)
            target = answer.headers.get("location")
            if answer.status not in (301, 302, 303, 307, 308) or not target:
                return answer
            if method.upper() not in SAFE:
                raise Broken(f"{_host(url)} redirects {method.upper()} {_path(url)} to {target[:200]}", code="redirect")
            url, params = urljoin(url, target), None
        raise Broken(f"{self._origin[1]} redirects in a circle at {_path(url)}", code="redirect")

    def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None,
        body: bytes | None,
        effect: bool,
        until: float,
    ) -> Response:
        start = self._clock.monotonic()
        left = until - start
        what = f"{method.upper()} {_path(url)} at {_host(url)}"
        if left <= 0:
            raise RetryLater(None, f"no time left for {what}", code="deadline")
        timeout = (min(self._limits.connect_seconds, left), min(self._limits.read_seconds, left))
        try:
            with self._http.request(
                method,
                url,
                headers=dict(headers),
                params=dict(params) if params else None,
                data=body,
                timeout=timeout,
                allow_redirects=False,
                stream=True,
            ) as raw:
                content = self._read(raw, until, what, effect)
                names = {name.lower(): value for name, value in raw.headers.items()}
                return Response(raw.status_code, names, content, url, self._clock.monotonic() - start)
        except (requests.exceptions.RequestException, HTTPError) as failure:
            raise _named(failure, what, effect) from failure
        except UnicodeEncodeError:
            raise _bad_header(what) from None
        except ValueError as failure:
            raise Broken(f"{what} cannot be sent: {failure}", code="bad_url") from failure

    def _read(self, raw: requests.Response, until: float, what: str, effect: bool) -> bytes:
        chunks: list[bytes] = []
        size = 0
        # read1 returns what has come; iter_content would wait for a whole chunk, and a dripping answer has no end
        while chunk := self._chunk(raw, until):
            size += len(chunk)
            chunks.append(chunk)
            if size > self._limits.max_bytes:
                text = f"{what}: the answer is larger than {self._limits.max_bytes} bytes"
                raise OutcomeUnknown(text, code="too_large") if effect else Broken(text, code="too_large")
            if self._clock.monotonic() > until:
                raise _late(f"{what}: the answer did not end in time", effect)
        return b"".join(chunks)

    def _chunk(self, raw: requests.Response, until: float) -> Any:
        """What has come, waiting for it no longer than the whole answer may take."""
        sock = getattr(raw.raw.connection, "sock", None)
        if sock is not None:
            sock.settimeout(min(self._limits.read_seconds, max(until - self._clock.monotonic(), 0.001)))
        return raw.raw.read1(_CHUNK, decode_content=True)

    def _raise_for(self, answer: Response, effect: bool, operation: str | None) -> None:
        if 200 <= answer.status < 300:
            return
        means = rule(answer.status).means
        wait = asked_wait(answer.headers, self._clock.now(), rate=means is Means.RATE)
        if means is Means.RATE and self._throttle and operation:
            self._throttle.penalise(operation, wait or 10.0)
        text = f"{self._origin[1]} answered {answer.status} for {_path(answer.url)}: {excerpt(answer.body)}"
        raise error(answer.status, text, effect=effect, wait=wait)

    def _check_scheme(self, url: str) -> None:
        scheme, host, _ = self._origin
        if scheme == "https" or (scheme == "http" and (host in LOOPBACK or host in self._limits.plain_http_hosts)):
            return
        if scheme == "http":
            raise Broken(
                f"refused to send credentials to {host} without TLS; use https, or list the host in "
                "DIST_RELAY_PLAIN_HTTP_HOSTS",
                code="no_tls",
            )
        raise Broken(f"not a web address: {url.rpartition('@')[2][:200]}", code="bad_url")


def looks_like_html(answer: Response) -> bool:
    """Whether an answer is a web page: a login, a maintenance notice, a firewall's refusal."""
    return "html" in answer.headers.get("content-type", "") or answer.body[:200].lstrip()[:1] == b"<"


def excerpt(body: bytes, limit: int = 300) -> str:
    """The beginning of a body as one line, for messages.

    >>> excerpt(b'{"errors":  "Not\\n Found"}')
    '{"errors": "Not Found"}'
    """
    text = " ".join(body[: limit * 4].decode("utf-8", "replace").replace("\x00", "").split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _named(failure: requests.exceptions.RequestException | HTTPError, what: str, effect: bool) -> RelayError:
    kinds = requests.exceptions
    if isinstance(failure, kinds.InvalidHeader):
        return _bad_header(what)
    if isinstance(failure, kinds.InvalidURL | kinds.InvalidSchema | kinds.MissingSchema):
        return Broken(f"{what} cannot be sent: {failure}", code="bad_url")
    if isinstance(failure, kinds.SSLError):
        return RetryLater(None, f"{what}: TLS failed: {failure}", code="tls")
    if isinstance(failure, kinds.ConnectTimeout | kinds.ProxyError) or _never_connected(failure):
        return RetryLater(None, f"{what}: no connection: {failure}", code="connect")
    if isinstance(failure, kinds.Timeout | ReadTimeoutError):
        return _late(f"{what}: no answer in time", effect)
    text = f"{what}: connection lost: {failure}"
    return OutcomeUnknown(text, code="lost") if effect else RetryLater(None, text, code="lost")


def _bad_header(what: str) -> RelayError:
    """Headers that can be wrong are those of credentials; what requests says of one repeats it."""
    return CredentialsRefused(
        f"{what} cannot be sent: a credential has a line break, a space at its edge or a character no header takes; "
        "enter it again"
    )


def _never_connected(failure: BaseException) -> bool:
    cause = failure.args[0] if failure.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    return isinstance(reason, NewConnectionError)


def _late(text: str, effect: bool) -> RelayError:
    return OutcomeUnknown(text, code="timeout") if effect else RetryLater(None, text, code="timeout")


def _origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port; empty for what two parsers could read as two hosts (``https://a\\@b``)."""
    try:
        parts = urlsplit(url)
        if "\\" in url or "@" in parts.netloc:
            return "", "", None
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
        return parts.scheme, (parts.hostname or "").lower(), port
    except ValueError:
        return "", "", None


def _host(url: str) -> str:
    return _origin(url)[1] or "an address that is none"


def _path(url: str) -> str:
    return urlsplit(url).path[:200] or "/"
