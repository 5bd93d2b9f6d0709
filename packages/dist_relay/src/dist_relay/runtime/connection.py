"""One connection as a worker sees it: its configuration, its adapter, and the flows built from them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dist_contracts import BOUND, Capability, address, moved
from dist_relay import __version__, crypto, metrics
from dist_relay.errors import Broken, CredentialsRefused, RelayError, Snoozed
from dist_relay.http.reads import Reads
from dist_relay.http.session import HttpLimits, HttpSession
from dist_relay.ports import Adapter, Clock, Context, Flow, Log, Session, Throttle


@dataclass(frozen=True)
class Config:
    """A row of ``dist_relay.connections()`` as the pump published it."""

    connection: str
    adapter: str
    name: str
    state: str
    config_version: int
    settings: Mapping[str, Any]
    sealed_credentials: str | None = field(default=None, repr=False)
    max_in_flight: int = 0

    @classmethod
    def read(cls, text: bytes | str) -> Config:
        """From the JSON in the config hash.

        :raises ValueError: when it is not one.
        """
        row = json.loads(text)
        try:
            return cls(
                connection=str(row["connection"]),
                adapter=str(row["adapter"]),
                name=str(row.get("name") or row["connection"]),
                state=str(row["state"]),
                config_version=int(row.get("config_version") or 0),
                settings=dict(row.get("settings") or {}),
                sealed_credentials=row.get("sealed_credentials") or None,
                max_in_flight=int(row.get("max_in_flight") or 0),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a connection: {error}") from error


class Flows:
    """The flows of one connection for one thread; made anew when its configuration changed."""

    def __init__(
        self,
        database: str,
        clock: Clock,
        private_key: str | None,
        limits: HttpLimits | None = None,
        judge: Callable[[RelayError | None], bool] = lambda _error: True,
    ) -> None:
        """``judge`` is told of every read that is tried again, or that succeeded then; False ends the tries."""
        self._database, self._clock, self._private_key, self._judge = database, clock, private_key, judge
        self._limits = limits or HttpLimits(user_agent=f"dist-relay/{__version__}")
        self._config: Config | None = None
        self._adapter: Adapter | None = None
        self._throttle: Throttle | None = None
        self._log: Log | None = None
        self._context: Context | None = None
        self._flows: dict[Capability, Flow] = {}
        self._sessions: list[Session] = []

    def use(self, config: Config, adapter: Adapter | None, throttle: Throttle, log: Log) -> None:
        """Set what the next :meth:`get` builds from; forgets flows of an older configuration."""
        if config != self._config or adapter is not self._adapter:
            self.close()
            self._config, self._adapter, self._throttle, self._log = config, adapter, throttle, log

    def get(self, capability: Capability) -> Flow:
        """The flow of a capability.

        :raises RelayError: when it does not exist, or the settings or credentials do not allow to build it; the last
            two park the work, for a person can mend them.
        """
        if found := self._flows.get(capability):
            return found
        if self._adapter is None or self._config is None:
            raise Snoozed(60, "this worker has no such adapter installed", code="adapter_missing")
        build = self._adapter.flows.get(capability)
        if build is None:
            raise Broken(f"{self._adapter.manifest.label} has no {capability.value}", code="no_flow")
        if self._context is None:
            self._context = self._make_context()
        try:
            flow = build(self._context)
        except RelayError:
            raise
        except Exception as error:
            raise Snoozed(
                120, f"the settings of the connection cannot be used: {type(error).__name__}: {error}", code="settings"
            ) from error
        self._flows[capability] = flow
        return flow

    def close(self) -> None:
        """Forget everything built, credentials included."""
        for session in self._sessions:
            session.close()
        self._sessions, self._flows, self._context = [], {}, None

    def _make_context(self) -> Context:
        assert self._config
        assert self._adapter
        assert self._throttle
        assert self._log
        return Context(
            connection=self._config.connection,
            database=self._database,
            settings=self._config.settings,
            credentials=self._unseal(self._config.sealed_credentials),
            clock=self._clock,
            throttle=self._throttle,
            session_factory=self._session_factory(self._adapter.manifest.code, self._throttle),
            log=self._log,
        )

    def _unseal(self, sealed: str | None) -> dict[str, Any]:
        if not sealed:
            return {}
        if not self._private_key:
            raise CredentialsRefused("this worker has no private key to open the credentials with; set key_file")
        try:
            found = crypto.unseal(self._private_key, sealed)
        except crypto.SealError as error:
            raise CredentialsRefused(str(error)) from error
        bound = found.pop(BOUND, None)
        # sealed by an addon that did not bind yet: taken, and told by the doctor
        if isinstance(bound, dict) and (names := moved(bound, self._address())):
            raise CredentialsRefused(
                f"the credentials were entered for another address ({', '.join(names)} changed since); enter them again"
            )
        return found

    def _address(self) -> dict[str, Any]:
        assert self._config
        assert self._adapter
        return address(self._config.adapter, self._adapter.manifest.settings_schema, self._config.settings)

    def _read_again(self, operation: str, error: RelayError | None) -> bool:
        assert self._config
        assert self._log
        if error is not None:
            metrics.RETRIES.labels(self._config.name, operation, error.verdict.value).inc()
            self._log.info("a read failed", operation=operation, code=error.code, error=error.message)
        return self._judge(error)

    def _session_factory(self, channel: str, throttle: Throttle) -> Callable[..., Session]:
        def observe(operation: str, outcome: str, seconds: float) -> None:
            metrics.API_REQUESTS.labels(channel, operation, outcome).inc()
            metrics.API_SECONDS.labels(channel, operation).observe(seconds)

        def make(base_url: str, headers: Mapping[str, str] | None = None) -> Session:
            session = HttpSession(
                base_url,
                headers,
                clock=self._clock,
                limits=self._limits,
                throttle=throttle,
                observe=observe,
                reads=Reads(self._clock, told=self._read_again),
            )
            self._sessions.append(session)
            return session

        return make
