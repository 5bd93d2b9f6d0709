"""Pump and worker against the addon's real SQL functions, as the least-privilege role.

``DIST_TEST_DB`` is a connection string, as a superuser, of a database with ``dist_sync_queue`` installed. It is copied;
the copy is what the test writes to. ``make test`` sets it.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import conninfo, sql

from dist_contracts import BOUND, new_traceparent
from dist_relay import crypto, doctor_redis
from dist_relay.doctor import examine
from dist_relay.pump.pg import Pg
from dist_relay.pump.port import Refused, Unavailable
from dist_relay.runtime.keys import Keys
from dist_relay.runtime.redis_client import connect
from dist_relay.runtime.streams import Consumer, ensure_group
from dist_relay.service import Service
from dist_relay.settings import Settings
from dist_relay.testkit.fake_adapter import adapter
from dist_relay.testkit.waiting import until

SOURCE = os.environ.get("DIST_TEST_DB", "")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not SOURCE, reason="DIST_TEST_DB is not set: no database with the addon dist_sync_queue"),
]

SHIP, AVAILABLE = "shipment.confirm.v1", "availability.changed.v1"
CONNECTION = "3f0e5d7c-0000-4000-8000-00000000c0de"


class Database:
    """A copy of the source, written to as Odoo would."""

    def __init__(self) -> None:
        self.name = f"c_test_{secrets.token_hex(4)}"
        given = conninfo.conninfo_to_dict(SOURCE)
        self._admin = conninfo.make_conninfo(SOURCE, dbname="postgres")
        with psycopg.connect(self._admin, autocommit=True) as connection:
            template = sql.Identifier(str(given["dbname"]))
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(self.name), template))
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'dist_relay'").fetchone():
                connection.execute("CREATE ROLE dist_relay LOGIN")
        self.owner = psycopg.connect(conninfo.make_conninfo(SOURCE, dbname=self.name), autocommit=True)
        self.dsn = conninfo.make_conninfo(SOURCE, dbname=self.name, user="dist_relay")

    def prepare(self, world: str) -> None:
        """Let it publish, and make one active connection of the fake adapter."""
        self.sql("SELECT dist_relay.grant_to('dist_relay')")
        self.sql(
            "INSERT INTO ir_config_parameter (key, value) VALUES ('dist_sync_queue.identity_confirmed',"
            " dist_relay.database_uuid()) ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value"
        )
        manifest = psycopg.types.json.Jsonb([adapter.manifest.to_json()])
        self.sql("SELECT dist_relay.announce(%s, NULL, 'test')", manifest)
        self.sql(
            "INSERT INTO dist_connection (adapter_id, company_id, max_in_flight, name, ref, state, active, settings,"
            " config_version) SELECT a.id, c.id, 500, 'Shop', %s, 'active', true, %s, 1 FROM dist_adapter a,"
            " res_company c WHERE a.code = 'fake' ORDER BY c.id LIMIT 1",
            CONNECTION,
            psycopg.types.json.Jsonb({"world": world}),
        )

    def sql(self, text: str, *args: Any) -> list[tuple[Any, ...]]:
        """Run as Odoo's own user."""
        cursor = self.owner.execute(text, args or None)
        return cursor.fetchall() if cursor.description else []

    def emit(self, type_: str, key: str, number: int, version: int | None = None) -> str:
        """An outbox row as the addon writes it."""
        id_ = str(uuid4())
        self.sql(
            "INSERT INTO dist_outbox_event (connection_id, company_id, priority, event_id, type, kind, key, state,"
            " occurred_at, payload, version, correlation_id, attempts, max_attempts, publication, lapses, read_back,"
            " report) SELECT id, company_id, 5, %s, %s, %s, %s, 'pending', clock_timestamp() AT TIME ZONE 'UTC',"
            " %s, %s, %s, 0, 8, 0, 0, false, true FROM dist_connection WHERE ref = %s",
            id_,
            type_,
            "state" if version else "fact",
            key,
            psycopg.types.json.Jsonb({"n": number}),
            version,
            new_traceparent(),
            CONNECTION,
        )
        return id_

    def states(self) -> dict[str, int]:
        """How many events are in which state."""
        return dict(self.sql("SELECT state, count(*) FROM dist_outbox_event GROUP BY 1"))

    def drop(self) -> None:
        """Remove the copy."""
        self.owner.close()
        with psycopg.connect(self._admin, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(self.name)))


@pytest.fixture
def database(world: Any) -> Iterator[Database]:
    """A copy with one connection."""
    found = Database()
    try:
        found.prepare(str(world.folder))
        yield found
    finally:
        found.drop()


@pytest.fixture
def service(valkey: Any, database: Database) -> Iterator[Service]:
    """Pump and worker in threads, on the copy."""
    settings = Settings(
        dsn=database.dsn,
        redis_url=valkey.url,
        poll_ms=50,
        pull_poll_seconds=0.2,
        config_seconds=0.3,
        call_seconds=2,
        claim_idle_seconds=3,
        lease_seconds=4,
        threads=8,
        http_enabled=False,
    )
    found = Service(settings, pump=True, worker=True, installed={"fake": adapter})
    found.start()
    yield found
    found.end()


def test_the_whole_way(service, database, world):
    for number in range(150):
        database.emit(SHIP, f"order-{number % 60}", number)
    for version in (1, 2):
        for number in range(40):
            database.emit(AVAILABLE, f"sku-{number}", number, version)
    world.listings(45)
    database.sql(
        "INSERT INTO dist_connection_schedule (connection_id, interval_seconds, timeout_seconds, capability, active,"
        " next_run_at) SELECT id, 3600, 60, 'listings.pull', true, clock_timestamp() AT TIME ZONE 'UTC'"
        " FROM dist_connection WHERE ref = %s",
        CONNECTION,
    )
    until(lambda: set(database.states()) <= {"delivered", "cancelled"})
    shipped = [line for line in world.ledger() if line["op"] == "confirm"]
    assert len({line["event_id"] for line in shipped}) == len(shipped) == 150
    for key in {line["key"] for line in shipped}:
        numbers = [line["n"] for line in shipped if line["key"] == key]
        assert numbers == sorted(numbers)
    newest = {line["key"]: line["version"] for line in world.ledger() if line["op"] == "publish"}
    assert newest == {f"sku-{number}": 2 for number in range(40)}
    until(lambda: database.sql("SELECT cursor FROM dist_connection_schedule WHERE cursor IS NOT NULL"))
    assert database.sql("SELECT cursor->'next' FROM dist_connection_schedule WHERE cursor IS NOT NULL") == [(45,)]
    jobs = dict(database.sql("SELECT handler, count(*) FROM dist_job GROUP BY 1"))
    assert jobs["listing.found.v1"] == 45
    assert jobs[f"{SHIP}#outcome"] == 150


def test_backends_are_terminated_on_the_way(service, database, world):
    stop = threading.Event()

    def terminate() -> None:
        with psycopg.connect(conninfo.make_conninfo(SOURCE, dbname=database.name), autocommit=True) as connection:
            while not stop.wait(0.15):
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'dist_relay'"
                    " AND datname = current_database()"
                )

    thread = threading.Thread(target=terminate)
    thread.start()
    try:
        for number in range(120):
            database.emit(SHIP, f"order-{number % 30}", number)
        until(lambda: len(world.ledger()) > 40)
    finally:
        stop.set()
        thread.join()
    until(lambda: database.states() == {"delivered": 120})
    effects = world.ledger()
    assert len({line["event_id"] for line in effects}) == len(effects) == 120


def test_the_role_sees_functions_and_no_tables(database):
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        for table in ("dist_outbox_event", "dist_connection", "res_users", "dist_job"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(sql.SQL("SELECT 1 FROM {}").format(sql.Identifier(table)))
        assert connection.execute("SELECT database_uuid FROM dist_relay.hello()").fetchone()


def test_the_session_by_itself(database):
    pg = Pg(database.dsn)
    assert pg.hello().api_version == 1
    assert [row["adapter"] for row in pg.connections()] == ["fake"]
    with pytest.raises(Refused):
        pg.intake(['{"kind": "event", "note": "\\u0000"}'])
    assert pg.intake(['{"kind": "nonsense"}', '{"kind": "outcome"}']) == ["invalid", "invalid"]
    assert pg.try_lock("x")
    other = Pg(database.dsn)
    assert not other.try_lock("x")
    pg.close()
    until(lambda: other.try_lock("x"))
    bell = Pg(database.dsn)
    assert bell.wait(0.01) is False
    database.sql("NOTIFY dist_outbox")
    assert bell.wait(20) is True
    other.close()
    bell.close()


def test_what_is_missing_is_said_in_one_line(database):
    with pytest.raises(Unavailable, match="install the addon dist_sync_queue"):
        Pg(conninfo.make_conninfo(SOURCE, dbname="postgres")).hello()
    with pytest.raises(Unavailable, match="PostgreSQL cannot be reached"):
        Pg("postgresql://nobody@127.0.0.1:1/none").hello()


def seen(dsn: str, valkey: Any, **more: Any) -> dict[str, str]:
    """What the doctor says: text and hint → level."""
    found = examine(Settings(dsn=dsn, redis_url=valkey.url, **more))
    return {f"{finding.what} {finding.hint}": finding.level for finding in found}


def level(found: dict[str, str], part: str) -> str | None:
    return next((level for text, level in found.items() if part in text), None)


def test_doctor_as_the_relays_role(database, valkey):
    private, public = crypto.keygen()
    found = seen(database.dsn, valkey, private_key=private)
    assert level(found, "its functions and nothing else") == "ok"
    assert level(found, "clock of PostgreSQL agrees") == "ok"
    assert level(found, "clock of Redis agrees") == "ok"
    assert level(found, "adapter fake is not installed") == "bad"
    assert level(found, "no pump has a session") == "bad"
    assert level(found, "no worker is alive") == "bad"
    assert level(found, "has no credentials") == "note"
    assert not any("{" in text for text in found)
    for sealed, says, how in (
        (crypto.seal(public, {"token": "x"}), "not bound to its address", "note"),
        (crypto.seal(crypto.keygen()[1], {"token": "x"}), "cannot be opened with this key", "bad"),
        (crypto.seal(public, {"token": "x", BOUND: {}}), "credentials", None),
    ):
        database.sql("UPDATE dist_connection SET sealed_credentials = %s", sealed)
        assert level(seen(database.dsn, valkey, private_key=private), says) == how


def test_doctor_sees_rights_that_are_too_many_or_too_few(database, valkey):
    owner = conninfo.make_conninfo(SOURCE, dbname=database.name)
    assert level(seen(owner, valkey), "the role may do more: superuser") == "bad"
    database.sql("GRANT SELECT ON res_partner TO dist_relay")
    assert level(seen(database.dsn, valkey), "access to 1 tables (res_partner") == "note"
    database.sql("REVOKE SELECT ON res_partner FROM dist_relay")
    database.sql("REVOKE EXECUTE ON FUNCTION dist_relay.claim_pulls(int), dist_relay.diagnose() FROM dist_relay")
    found = seen(database.dsn, valkey)
    assert level(found, "missing, or not allowed for this role: claim_pulls(integer), diagnose()") == "bad"
    assert level(found, "may call its functions") is None


def test_doctor_finds_what_is_stuck(database, valkey):
    for number, (state, column) in enumerate(
        [("published", "lease_until"), ("pending", "next_try_at"), ("unknown", "next_try_at")]
    ):
        id_ = database.emit(SHIP, f"stuck-{state}", number)
        database.sql(
            f"UPDATE dist_outbox_event SET state = %s, {column} = (now() AT TIME ZONE 'UTC') - interval '3 h'"
            " WHERE event_id = %s",
            state,
            id_,
        )
    found = seen(database.dsn, valkey)
    for part in ("1 events were published", "1 events have been ready", "1 events have an unknown outcome"):
        assert level(found, part) in ("bad", "note"), part
    database.sql("DELETE FROM ir_config_parameter WHERE key = 'dist_sync_queue.identity_confirmed'")
    assert level(seen(database.dsn, valkey), "may not publish (never confirmed)") == "bad"


def test_doctor_finds_entries_nobody_takes(database, valkey, monkeypatch):
    client, uuid = connect(valkey.url), database.sql("SELECT dist_relay.database_uuid()")[0][0]
    stream = Keys(uuid, CONNECTION).out
    ensure_group(client, stream, "workers")
    client.xadd(stream, {"e": "{}"})
    Consumer(client, stream, "workers", "gone-1").read(1, None)
    for _ in range(2):
        last = client.xadd(stream, {"e": "{}"})
    assert level(seen(database.dsn, valkey), "events: 2 not taken yet, 1 in hand") == "ok"
    client.xdel(stream, last)  # from here on Redis itself does not know the lag
    assert level(seen(database.dsn, valkey), "events: 1 not taken yet, 1 in hand") == "ok"
    for _ in range(50):
        client.xadd(stream, {"e": "{}"})
    assert level(seen(database.dsn, valkey, results_limit=100), "events: 51 not taken yet") == "bad"
    monkeypatch.setattr(doctor_redis, "IDLE_MS", 0)
    until(lambda: level(seen(database.dsn, valkey), "held by gone-1") == "note")
    assert level(seen(database.dsn, valkey), "1 entries are in hand") == "bad"
