"""``dist-relay doctor``: looks at everything the relay needs and says what to do about what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from dist_contracts import BOUND
from dist_relay import adapters, crypto
from dist_relay.doctor_postgres import examine_postgres
from dist_relay.doctor_redis import examine_redis
from dist_relay.errors import SettingsError
from dist_relay.finding import Finding
from dist_relay.ports import Adapter
from dist_relay.pump.examiner import Examiner
from dist_relay.pump.port import Unavailable
from dist_relay.service import private_key
from dist_relay.settings import Settings


def examine(settings: Settings) -> Iterator[Finding]:
    """Findings, one after the other."""
    key: str | None = None
    try:
        key = private_key(settings)
        yield _key(key)
    except SettingsError as error:
        yield Finding("bad", str(error))
    installed = yield from _adapters()
    database, rows = None, []
    dsn = settings.dsn.get_secret_value()
    if dsn:
        pg = Examiner(dsn, "dist-relay doctor")
        try:
            database = pg.hello().database
            rows = pg.connections()
            yield from examine_postgres(pg, rows)
            yield from _connections(rows, installed, key)
        except Unavailable as error:
            yield Finding("bad", str(error))
        finally:
            pg.close()
    else:
        yield Finding("note", "no dsn is set: fine for a worker, a pump needs DIST_RELAY_DSN")
    yield from examine_redis(settings, database, rows)


def _key(key: str | None) -> Finding:
    if key:
        return Finding("ok", "the private key is usable")
    return Finding("bad", "no private key: credentials cannot be opened", "Run: dist-relay keygen relay.key")


def _adapters() -> Any:
    class Left:
        def __init__(self) -> None:
            self.out: list[str] = []

        def error(self, _event: str, **values: Any) -> None:
            self.out.append(f"adapter {values['adapter']} is left out: {values['error']}")

    left: Any = Left()
    found = adapters.discover(left)
    for text in left.out:
        yield Finding("bad", text, "Install its package anew, or remove it.")
    for adapter in found.values():
        manifest = adapter.manifest
        text = f"adapter {manifest.code} {manifest.version}: {', '.join(c.value for c in manifest.capabilities)}"
        yield Finding("ok", text)
        sunset = manifest.api_sunset
        if sunset and sunset < date.today() + timedelta(days=60):
            text = f"{manifest.label}: API version {manifest.api_version} ends on {sunset}"
            yield Finding("note", text, "Update the adapter before.")
    return found


def _connections(rows: list[dict[str, Any]], installed: dict[str, Adapter], key: str | None) -> Iterator[Finding]:
    active = [row for row in rows if row["state"] == "active"]
    yield Finding("ok", f"{len(rows)} connections, {len(active)} active")
    for row in active:
        name, sealed = row["name"], row["sealed_credentials"]
        if row["adapter"] not in installed:
            hint = "Install its package here and restart the relay; until then its work waits."
            yield Finding("bad", f"connection {name}: the adapter {row['adapter']} is not installed", hint)
        if not sealed:
            yield Finding("note", f"connection {name} has no credentials", "Enter them in Odoo, if it needs any.")
        elif key:
            yield from _sealed(name, key, sealed)


def _sealed(name: str, key: str, sealed: str) -> Iterator[Finding]:
    try:
        bound = BOUND in crypto.unseal(key, sealed)
    except crypto.SealError:
        hint = "Restore the key file they were sealed to, or enter them again in Odoo."
        yield Finding("bad", f"connection {name}: its credentials cannot be opened with this key", hint)
        return
    if not bound:
        hint = "Enter them once more: then they are sent to the address they were entered for, and to no other."
        yield Finding("note", f"connection {name}: its credentials are not bound to its address", hint)
