"""The access token: a fixed one, or one by client credentials that lives 24 hours and is fetched under a lock."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from dist_relay.errors import CredentialsRefused, Rejected
from dist_relay.ports import Clock, Session

MARGIN_SECONDS = 300.0
"""A token is renewed this long before it expires."""


@dataclass
class _Held:
    token: str
    expires: float


_LOCK = Lock()
_LOCKS: dict[tuple[str, str], Lock] = {}
_HELD: dict[tuple[str, str], _Held] = {}


class TokenSource:
    """Gives the token of one connection; all threads of a process share what was fetched."""

    def __init__(
        self, connection: str, credentials: Mapping[str, Any], session: Session, clock: Clock, store: str
    ) -> None:
        self._fixed, self._id, self._secret = (
            str(credentials.get(name) or "").strip() for name in ("access_token", "client_id", "client_secret")
        )
        if not self._fixed and not (self._id and self._secret):
            raise CredentialsRefused("the connection has neither an access token nor a client id with its secret")
        self._session, self._clock = session, clock
        # a token of other credentials, or of another address, must answer for these in no test of the connection
        mark = hashlib.sha256("\n".join((store, self._id, self._secret)).encode()).hexdigest()
        self._key = (connection, mark)
        with _LOCK:
            self._lock = _LOCKS.setdefault(self._key, Lock())

    def get(self) -> str:
        """A token that is good for some minutes at least."""
        if self._fixed:
            return self._fixed
        with self._lock:
            held = _HELD.get(self._key)
            if held is None or held.expires - MARGIN_SECONDS <= self._clock.now().timestamp():
                held = _HELD[self._key] = self._fetch()
            return held.token

    def renew(self, refused: str) -> bool:
        """Forget ``refused``; False when there is no way to get another one."""
        if self._fixed:
            return False
        with self._lock:
            held = _HELD.get(self._key)
            if held and held.token == refused:
                del _HELD[self._key]
        return True

    def _fetch(self) -> _Held:
        wanted = {"client_id": self._id, "client_secret": self._secret, "grant_type": "client_credentials"}
        try:
            answer = self._session.json(
                "POST", "/admin/oauth/access_token", json=wanted, effect=False, operation="token"
            )
        except Rejected as refused:
            raise CredentialsRefused(f"the store gives no token for this client id: {refused.message}") from refused
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token:
            raise CredentialsRefused("the store's answer to the request for a token holds none")
        seconds = answer.get("expires_in")
        lives = float(seconds) if isinstance(seconds, int | float) and not isinstance(seconds, bool) else 3_600.0
        return _Held(token, self._clock.now().timestamp() + lives)
