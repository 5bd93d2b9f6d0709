"""``dist-relay doctor``: looks at everything the relay needs and says what to do about what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Literal, NamedTuple

from dist_relay import adapters
from dist_relay.errors import SettingsError
from dist_relay.pump.pg import Pg
from dist_relay.pump.port import Unavailable
from dist_relay.runtime import keys
from dist_relay.runtime.redis_client import RedisError, connect, now_ms, policy
from dist_relay.service import private_key
from dist_relay.settings import Settings


class Finding(NamedTuple):
    """One thing that was looked at."""

    level: Literal["ok", "note", "bad"]
    what: str


def examine(settings: Settings) -> Iterator[Finding]:
    """Findings, one after the other."""
    yield from _key(settings)
    yield from _adapters()
    database = None
    for finding, uuid in _postgres(settings):
        database = uuid or database
        yield finding
    yield from _redis(settings, database)


def _key(settings: Settings) -> Iterator[Finding]:
    try:
        key = private_key(settings)
    except SettingsError as error:
        yield Finding("bad", str(error))
        return
    if key:
        yield Finding("ok", "the private key is usable")
    else:
        yield Finding("bad", "no private key: credentials cannot be opened. Run: dist-relay keygen relay.key")


def _adapters() -> Iterator[Finding]:
    class Left:
        def __init__(self) -> None:
            self.out: list[str] = []

        def error(self, _event: str, **values: Any) -> None:
            self.out.append(f"adapter {values['adapter']} is left out: {values['error']}")

    left: Any = Left()
    found = adapters.discover(left)
    for text in left.out:
        yield Finding("bad", text)
    for adapter in found.values():
        manifest = adapter.manifest
        text = f"adapter {manifest.code} {manifest.version}: {', '.join(c.value for c in manifest.capabilities)}"
        yield Finding("ok", text)
        sunset = manifest.api_sunset
        if sunset and sunset < date.today() + timedelta(days=60):
            yield Finding("note", f"{manifest.label}: API version {manifest.api_version} ends on {sunset}; update")


def _postgres(settings: Settings) -> Iterator[tuple[Finding, str | None]]:
    dsn = settings.dsn.get_secret_value()
    if not dsn:
        yield Finding("note", "no dsn is set: fine for a worker, a pump needs DIST_RELAY_DSN"), None
        return
    pg = Pg(dsn, "dist-relay doctor")
    try:
        hello = pg.hello()
        yield Finding("ok", f"PostgreSQL: addon {hello.addon_version}, database {hello.database}"), hello.database
        rows = pg.connections()
        active = sum(1 for row in rows if row["state"] == "active")
        yield Finding("ok", f"{len(rows)} connections, {active} active"), None
        for row in rows:
            if row["state"] == "active" and not row["sealed_credentials"]:
                yield Finding("note", f"connection {row['name']} has no credentials"), None
        yield Finding("ok", f"events and jobs: {pg.status()}"), None
    except Unavailable as error:
        yield Finding("bad", str(error)), None
    finally:
        pg.close()


def _redis(settings: Settings, database: str | None) -> Iterator[Finding]:
    try:
        client = connect(settings.redis_url.get_secret_value())
        found = policy(client)
        yield Finding("ok", f"Redis {found.get('version')} answers")
    except (RedisError, SettingsError) as error:
        yield Finding("bad", f"Redis: {error}")
        return
    evicts = found.get("maxmemory-policy", "unknown")
    if evicts == "noeviction":
        yield Finding("ok", "maxmemory-policy is noeviction")
    elif evicts == "unknown":
        yield Finding("note", "the server does not tell its maxmemory-policy; make sure it is noeviction")
    else:
        yield Finding("bad", f"maxmemory-policy is {evicts}: it may throw events away. Set it to noeviction")
    if found.get("appendonly") == "no":
        yield Finding(
            "note",
            "appendonly is no (Debian's default): after a crash of Redis what was in it is published again when its "
            f"lease of {settings.lease_seconds} s ends. Nothing is lost; `appendonly yes` saves the wait",
        )
    if database:
        workers: Any = client.hgetall(keys.workers(database))
        yield Finding("ok" if workers else "note", f"{len(workers)} workers were seen within the last hour")
    yield Finding("ok", f"Redis clock {now_ms(client)} ms")
