"""What the doctor finds in Redis."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Iterator
from typing import Any

from dist_relay.doctor_postgres import clocks
from dist_relay.errors import SettingsError
from dist_relay.finding import Finding
from dist_relay.runtime import keys
from dist_relay.runtime.redis_client import RedisClient, RedisError, connect, is_cluster, now_ms, policy
from dist_relay.settings import Settings

ALIVE_MS = 60_000
IDLE_MS = 600_000
FULL = 0.8
_NAME_DIFFERS = (62, 64)
"""OpenSSL's codes for a valid certificate of another host name or address."""


def examine_redis(settings: Settings, database: str | None, rows: list[dict[str, Any]]) -> Iterator[Finding]:
    """Findings about the server, the workers and the streams."""
    try:
        client = connect(settings.redis_url.get_secret_value())
        found = policy(client)
        yield Finding("ok", f"Redis {found.get('version')} answers")
        before = time.time()
        then = now_ms(client)
        yield clocks("Redis", then / 1000 - (before + time.time()) / 2)
        yield from _policy(found, settings)
        if not is_cluster(client):
            yield from memory(client.info())
        if database:
            yield from _workers(client, database, bool(rows))
            for row in rows:
                yield from _streams(client, settings, keys.Keys(database, str(row["connection"])), str(row["name"]))
    except (RedisError, SettingsError) as error:
        tls = settings.redis_url.get_secret_value().startswith("rediss")
        yield Finding("bad", f"Redis: {error}", _remedy(error, tls))


def _remedy(error: BaseException, tls: bool) -> str:
    """What to do about a Redis that does not answer."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            if seen.verify_code in _NAME_DIFFERS:
                return "Its certificate is for another name: write the host in DIST_RELAY_REDIS_URL as it is there."
            return "Its certificate is not trusted: name its authority, DIST_RELAY_REDIS_URL=rediss://…?ssl_ca_certs=/path."
        if tls and isinstance(seen, (ssl.SSLError, TimeoutError)):  # a port without TLS waits for the end of a line
            return "Does it run, and speak TLS at this port? Without TLS, DIST_RELAY_REDIS_URL begins with redis://."
        seen = seen.__cause__ or seen.__context__
    return "Start it, or set DIST_RELAY_REDIS_URL."


def _policy(found: dict[str, Any], settings: Settings) -> Iterator[Finding]:
    evicts = found.get("maxmemory-policy", "unknown")
    if evicts == "noeviction":
        yield Finding("ok", "maxmemory-policy is noeviction")
    elif evicts == "unknown":
        yield Finding("note", "the server does not tell its maxmemory-policy", "Make sure it is noeviction.")
    else:
        text = f"maxmemory-policy is {evicts}: it may throw events away"
        yield Finding("bad", text, "CONFIG SET maxmemory-policy noeviction, and in redis.conf.")
    if found.get("appendonly") == "no":
        text = (
            "appendonly is no (Debian's default): after a crash of Redis what was in it is published again when its "
            f"lease of {settings.lease_seconds} s ends"
        )
        yield Finding("note", text, "Nothing is lost; `appendonly yes` saves the wait.")


def memory(info: dict[str, Any]) -> Iterator[Finding]:
    """What ``INFO`` says of memory and persistence."""
    used, most = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    if most and used > FULL * most:
        text = f"Redis uses {used * 100 // most} % of its maxmemory"
        yield Finding("bad", text, "Give it memory, or find who else fills it: when it is full nothing is published.")
    if int(info.get("evicted_keys", 0)):
        text = f"Redis has thrown away {info['evicted_keys']} keys since it started"
        yield Finding("bad", text, "Its policy was not noeviction; what was lost is published again after its lease.")
    for name, what in (
        ("aof_last_write_status", "the last write to the append-only file failed"),
        ("aof_last_bgrewrite_status", "the last rewrite of the append-only file failed"),
        ("rdb_last_bgsave_status", "the last snapshot failed"),
    ):
        if info.get(name, "ok") != "ok":
            yield Finding("bad", what, "Look at the log of Redis and at the space on its disk.")


def _workers(client: RedisClient, database: str, needed: bool) -> Iterator[Finding]:
    found: Any = client.hgetall(keys.workers(database))
    now = now_ms(client)
    alive = 0
    for text in found.values():
        try:
            alive += now - int(json.loads(text)["at"]) < ALIVE_MS
        except (ValueError, KeyError, TypeError):
            continue
    if alive or not needed:
        yield Finding("ok", f"{alive} workers are alive")
    else:
        yield Finding("bad", "no worker is alive", "Start: dist-relay run, or dist-relay worker.")


def _streams(client: RedisClient, settings: Settings, names: keys.Keys, connection: str) -> Iterator[Finding]:
    for stream, group, what in (
        (names.out, keys.WORKERS_GROUP, "events"),
        (names.pull, keys.WORKERS_GROUP, "pulls"),
        (names.results, keys.PUMP_GROUP, "results"),
    ):
        yield from _group(client, stream, group, f"{connection}: {what}", settings.results_limit // 2)


def _group(client: RedisClient, stream: str, group: str, what: str, most: int) -> Iterator[Finding]:
    length = int(client.xlen(stream))
    idle: Any = []
    consumers: Any = []
    groups: Any = []
    try:
        groups = client.xinfo_groups(stream)
        idle = client.xpending_range(stream, group, "-", "+", 100, idle=IDLE_MS)
        consumers = client.xinfo_consumers(stream, group)
    except RedisError as error:
        if "NOGROUP" not in str(error) and "no such key" not in str(error):
            raise
    if length:
        in_hand, lag = figures(groups, group, length)
        text = f"{what}: {lag} not taken yet, {in_hand} in hand"
        who = "Is a pump running, and is PostgreSQL slow?" if group == keys.PUMP_GROUP else "Are there enough workers?"
        yield Finding("bad", text, who) if length > most else Finding("ok", text)
    if idle:
        text = f"{what}: {len(idle)} entries are in hand for ten minutes or more"
        yield Finding("bad", text, "Others take over what a dead process held; is any alive?")
    if dead := [c["name"].decode() for c in consumers if c["pending"] and c["idle"] > IDLE_MS]:
        text = f"{what}: held by {', '.join(dead[:3])}, not heard of for ten minutes"
        yield Finding("note", text, "A worker that died; another one takes its entries over.")


def figures(groups: list[dict[str, Any]], group: str, length: int) -> tuple[int, int]:
    """Entries of a stream that its group has in hand, and its lag: those nobody has taken yet.

    Redis does not know the lag where entries were deleted that nobody took; every entry left is then one or the other.
    """
    found: dict[str, Any] = next((each for each in groups if each["name"].decode() == group), {})
    in_hand, lag = int(found.get("pending", 0)), found.get("lag")
    return in_hand, max(0, length - in_hand) if lag is None else int(lag)
