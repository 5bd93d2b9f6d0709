"""Keys, logs, Redis URLs, JSON for PostgreSQL, adapters that cannot be loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from dist_contracts import Capability, Verdict
from dist_relay import adapters, crypto
from dist_relay.errors import CredentialsRefused, RetryLater, SettingsError
from dist_relay.logging import BLACK, redact
from dist_relay.ports import Adapter
from dist_relay.pump.pg import Pg
from dist_relay.pump.port import Unavailable
from dist_relay.runtime import redis_client
from dist_relay.runtime.connection import Config
from dist_relay.runtime.lane import dump
from dist_relay.testkit.bus import MemoryBus
from dist_relay.testkit.fake_adapter import MANIFEST, World, adapter


def test_keys_and_seals(tmp_path):
    path = tmp_path / "new" / "relay.key"
    public = crypto.write_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    private = crypto.read_key(path)
    assert crypto.public_of(private) == public
    sealed = crypto.seal(public, {"token": "shpat_1"})
    assert "shpat" not in sealed
    assert crypto.unseal(private, sealed) == {"token": "shpat_1"}
    other, _ = crypto.keygen()
    for bad in (sealed[:-4] + "AAAA", "%%%", ""):
        with pytest.raises(crypto.SealError):
            crypto.unseal(private, bad)
    with pytest.raises(crypto.SealError):
        crypto.unseal(other, sealed)
    with pytest.raises(SettingsError, match="exists already"):
        crypto.write_key(path)
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        crypto.read_key(path)
    path.write_text("no key")
    path.chmod(0o600)
    with pytest.raises(SettingsError, match="keygen"):
        crypto.read_key(path)
    with pytest.raises(SettingsError, match="keygen"):
        crypto.read_key(tmp_path / "none")


def test_logs_black_secrets_out():
    found = redact(
        None,
        "info",
        {
            "event": "call with Bearer abcdef123456 and shpat_deadbeef00",
            "access_token": "x",
            "url": "redis://:hunter2@host/0",
            "nested": {"password": "y", "fine": ["postgresql://u:pw@h/d"]},
        },
    )
    text = json.dumps(found)
    for secret in ("abcdef123456", "deadbeef", '"x"', "hunter2", '"y"', ":pw@"):
        assert secret not in text
    assert found["access_token"] == BLACK
    assert found["url"] == f"redis://:{BLACK}@host/0"


def test_redis_urls():
    single = redis_client.connect("rediss://u:p@host:6380/2")
    kwargs = single.connection_pool.connection_kwargs
    assert (kwargs["host"], kwargs["port"], kwargs["db"], kwargs["username"]) == ("host", 6380, 2, "u")
    assert kwargs["retry"].get_retries() == 0
    assert kwargs["socket_timeout"] * 1000 > redis_client.BLOCK_MS
    main = redis_client.connect("redis+sentinel://:p%40ss@s1:26379,s2/3?service=main&sentinel_password=q")
    manager = main.connection_pool.sentinel_manager
    hosts = [s.connection_pool.connection_kwargs for s in manager.sentinels]
    assert [(h["host"], h["port"], h["password"]) for h in hosts] == [("s1", 26379, "q"), ("s2", 26379, "q")]
    assert main.connection_pool.connection_kwargs["password"] == "p@ss"
    assert main.connection_pool.connection_kwargs["db"] == 3
    with pytest.raises(SettingsError, match="service"):
        redis_client.connect("redis+sentinel://s1")
    with pytest.raises(SettingsError, match="begins with 'http'"):
        redis_client.connect("http://host")
    with pytest.raises(SettingsError, match="not usable"):
        redis_client.connect("redis://host:port")
    assert not redis_client.is_cluster(single)


@pytest.mark.parametrize("url", [":geheim@host:6379/0", "redis://:geheim/x@h:6379/0", "redis://:geheim#x@h:6379/0"])
def test_a_bad_redis_url_is_refused_without_its_password(url):
    with pytest.raises(SettingsError) as caught:
        redis_client.connect(url)
    assert "geheim" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_cluster_that_is_away_is_one_line():
    with pytest.raises(SettingsError, match="no node of the Redis Cluster answers"):
        redis_client.connect("redis+cluster://:geheim@127.0.0.1:1")


@pytest.mark.parametrize(
    "dsn", ["postgres:/u:geheim@h/d", "postgresql://u:geheim %@h/d", "postgresql://u:geheim%zz@h/d"]
)
def test_a_bad_dsn_is_refused_without_its_password(dsn):
    with pytest.raises(Unavailable, match="no address of a database") as caught:
        Pg(dsn).hello()
    assert "geheim" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("text", ["a\x00b", "half \ud83d pair", "whole 😀", "back\\u0000slash"])
def test_items_are_json_postgresql_takes(text):
    found = dump({"note": text, "list": [{"k\x00": text}]})
    assert "\\u0000" not in found.replace("\\\\u0000", "")
    back = json.loads(found)
    back["note"].encode("utf-8")
    if "\x00" not in text and "\ud83d" not in text:
        assert back["note"] == text


def test_an_adapter_that_cannot_be_loaded_stops_nobody(monkeypatch):
    entries = [
        EntryPoint("broken", "no.such.module:adapter", adapters.GROUP),
        EntryPoint("fake", "dist_relay.testkit.fake_adapter:adapter", adapters.GROUP),
        EntryPoint("renamed", "dist_relay.testkit.fake_adapter:adapter", adapters.GROUP),
        EntryPoint("wrong", "dist_relay.testkit.fake_adapter:MANIFEST", adapters.GROUP),
    ]
    monkeypatch.setattr(adapters, "entry_points", lambda group: entries)
    left = []

    class Log:
        def error(self, _event, **values):
            left.append(values["adapter"])

    assert adapters.discover(Log()) == {"fake": adapter}
    assert left == ["broken", "renamed", "wrong"]


def test_a_manifest_and_its_flows_agree():
    with pytest.raises(ValueError, match=r"disagree about .*orders.pull"):
        Adapter(MANIFEST, {c: f for c, f in adapter.flows.items() if c is not Capability.ORDERS_PULL})


def test_waits_are_bounded_and_exact(tmp_path):
    event = MemoryBus(adapter, {"world": str(tmp_path)}).event("shipment.confirm.v1", "k", {})
    outcome = RetryLater(1e9, "later").outcome(event)
    assert float(outcome.retry_after) == 86_400
    assert RetryLater(-3, "x").seconds == 0
    assert CredentialsRefused("no").outcome(event).to_json()["retry_after"] == "300.000"
    assert len(RetryLater(1, "m" * 9_999).outcome(event).message) == 2_000


def test_the_memory_bus_answers_for_every_event(tmp_path):
    world = World(tmp_path / "w")
    bus = MemoryBus(adapter, {"world": str(world.folder)})
    world.faults({"op": "publish", "do": "missing", "key": "b"}, {"op": "confirm", "do": "raise", "key": "c"})
    events = [bus.event("availability.changed.v1", key, {}, version=1) for key in "ab"]
    events += [bus.event("shipment.confirm.v1", "c", {}), bus.event("no.such_type.v1", "d", {})]
    events.append(bus.event("connection.check.v1", "e", {}))
    found = [outcome.verdict for outcome in bus.deliver(events)]
    assert found == [Verdict.DELIVERED, Verdict.UNKNOWN, Verdict.UNKNOWN, Verdict.BROKEN, Verdict.DELIVERED]
    world.listings(25)
    assert [len(page.events) for page in bus.pull(Capability.LISTINGS_PULL)] == [10, 10, 5]


def test_a_row_that_is_no_connection():
    with pytest.raises(ValueError, match="not a connection"):
        Config.read('{"connection": "x"}')
    config = Config.read('{"connection": "x", "adapter": "fake", "state": "active", "sealed_credentials": "abc"}')
    assert "abc" not in repr(config)


def test_nothing_but_the_testkit_needs_what_only_tests_need():
    """The extra ``testkit`` is not installed where the relay runs."""
    script = """
import importlib, pkgutil, sys
for name in ("graphql", "jsonschema", "pytest", "dist_relay.testkit"):
    sys.modules[name] = None
import dist_relay
for found in pkgutil.walk_packages(dist_relay.__path__, "dist_relay.", onerror=lambda name: None):
    if not found.name.startswith("dist_relay.testkit"):
        importlib.import_module(found.name)
        print(found.name)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "dist_relay.channels.shopify.client" in done.stdout.split()
