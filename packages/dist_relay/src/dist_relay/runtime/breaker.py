"""The circuit breaker of a connection, shared by all workers.

Own code because the state has to change in one step for many processes, on Redis' clock, under a key with the
connection's hash tag. pybreaker keeps state, counter and opening time under separate keys of its own naming and writes
them in separate commands by the host's clock; purgatory brings its own client by URL, without Sentinel and Cluster.

Failures are 5xx, timeouts and lost connections in a row; refusals (4xx) and rate limits say nothing about health and
are not counted. Open: work is parked without spending an attempt. When the time is up one worker may probe; success
closes, failure opens for twice as long.

    closed --(N failures)--> open --(time)--> half_open --(good)--> closed
                              ^-------(bad)-------'
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from dist_contracts import Verdict
from dist_relay.errors import RelayError, Snoozed

from . import scripts
from .redis_client import RedisClient, RedisError

MOST_TIMES = 20
BAD = frozenset({Verdict.RETRY, Verdict.UNKNOWN})
GOOD = frozenset({Verdict.DELIVERED, Verdict.REJECTED})

Changed = Callable[[str, str], None]
"""Told the new state and why."""


class State(NamedTuple):
    """Answer of the script."""

    state: str
    wait: float
    changed: bool


class Breaker:
    """One connection's breaker. ``probe_seconds``: how long one probe may take before another is let through.

    ``changed`` is told what this worker's calls did to it; ``seen`` every state that was met, whoever it was.
    """

    def __init__(
        self,
        client: RedisClient,
        key: str,
        failures: int,
        seconds: float,
        probe_seconds: float,
        changed: Changed,
        seen: Callable[[str], None] = lambda state: None,
    ) -> None:
        self._client, self._seen, self.state = client, seen, "closed"
        self._key, self._failures, self._ms = key, failures, int(seconds * 1000)
        self._probe_ms = int(probe_seconds * 1000)
        self._script = client.register_script(scripts.BREAKER)
        self._changed = changed

    def ask(self) -> None:
        """Return when a call may be made.

        :raises Snoozed: while the breaker is open, for the time that is left.
        """
        found = self._call("ask")
        if found.changed:
            self._changed(found.state, "trying again")
        if found.wait > 0:
            raise Snoozed(found.wait, "the connection failed repeatedly and is given a rest", code="breaker_open")

    def tell(self, verdict: Verdict, message: str = "") -> None:
        """Note how a call ended."""
        self._tell(verdict, message)

    def tell_error(self, error: RelayError) -> None:
        """Note that a call ended with ``error``."""
        if error.code not in ("deadline", "not_begun"):
            self._tell(error.verdict, error.message)

    def look(self) -> None:
        """See what state it is in; for a worker without work, which others' calls tell nothing."""
        state: Any = self._client.hget(self._key, "state")
        self._note(state.decode() if state else "closed")

    def _note(self, state: str) -> None:
        self.state = state
        self._seen(state)

    def judge(self, error: RelayError | None) -> bool:
        """Note a read that failed and may be tried again in place; ``None``: it then succeeded.

        False when the breaker is open now, or cannot be asked: then it is no use to insist.
        """
        try:
            if error is None:
                return self._tell(Verdict.DELIVERED, "") != "open"
            return self._tell(error.verdict, error.message) != "open"
        except RedisError:
            return False

    def _tell(self, verdict: Verdict, message: str) -> str | None:
        """The state then; ``None`` for a verdict that says nothing about health."""
        word = "good" if verdict in GOOD else "bad" if verdict in BAD else None
        if word is None:
            return None
        found = self._call(word)
        if found.changed:
            self._changed(found.state, message)
        return found.state

    def _call(self, word: str) -> State:
        state, wait, changed = self._script(
            keys=[self._key],
            args=[word, self._failures, self._ms, self._ms * MOST_TIMES, self._probe_ms],
        )
        text = state.decode() if isinstance(state, bytes) else str(state)
        self._note(text)
        return State(text, int(wait) / 1000, bool(changed))
