"""The Redis client by URL: single, TLS, Sentinel or Cluster; explicit timeouts, no hidden retries.

=========================================================  ===================================================
URL                                                        meaning
=========================================================  ===================================================
``redis://:password@host:6379/0``                          one server
``rediss://user:password@host:6380/0``                     the same with TLS (``?ssl_ca_certs=/path``)
``unix:///run/redis.sock?db=0``                            a local socket
``redis+sentinel://:pw@s1:26379,s2:26379/0?service=main``  the master that Sentinels name (``rediss+sentinel``: TLS;
                                                           ``&sentinel_password=`` where Sentinels want one)
``redis+cluster://:pw@n1:6379,n2:6379``                    a Cluster (``rediss+cluster``: TLS)
=========================================================  ===================================================

redis-py 8 repeats a command ten times by default, which turns one lost reply into several entries: retries are off
here, and every caller knows what its command means when it is repeated.
"""

from __future__ import annotations

import os
from typing import Any, TypeAlias
from urllib.parse import parse_qs, unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.exceptions import RedisClusterException
from redis.retry import Retry
from redis.sentinel import Sentinel

from dist_relay.errors import SettingsError

RedisClient: TypeAlias = "redis.Redis | RedisCluster"

SOCKET_SECONDS = 5.0
"""Longest wait for one reply. Blocking reads stay below :data:`BLOCK_MS`."""
BLOCK_MS = 2_000

SAFE_POLICIES = frozenset({"noeviction"})

RedisError = redis.RedisError


def connect(url: str, *, max_connections: int = 256) -> RedisClient:
    """A client for ``url``; it connects with the first command.

    :raises SettingsError: when the URL makes no sense, or names a file that cannot be read.
    """
    _readable(url)
    common: dict[str, Any] = {
        "socket_timeout": SOCKET_SECONDS,
        "socket_connect_timeout": SOCKET_SECONDS,
        "socket_keepalive": True,
        "protocol": 2,
        "retry": Retry(NoBackoff(), 0),
        "health_check_interval": 30,
    }
    scheme, has_scheme, _ = url.partition("://")
    try:
        if scheme in ("redis", "rediss", "unix"):
            return redis.Redis.from_url(url, max_connections=max_connections, **common)
        if scheme in ("redis+sentinel", "rediss+sentinel"):
            return _sentinel(url, common, max_connections)
        if scheme in ("redis+cluster", "rediss+cluster"):
            return _cluster(url, common, max_connections)
    except (ValueError, TypeError):  # its text may repeat a part of the password
        raise SettingsError(
            "redis_url is not usable: look at host, port and number of the database, and write special characters of "
            "the password as %40, %2F, %23, …"
        ) from None
    except RedisClusterException:
        raise SettingsError("redis_url: no node of the Redis Cluster answers, or they are no Cluster") from None
    begins = f"begins with {scheme!r}" if has_scheme else "has no scheme"
    raise SettingsError(f"redis_url {begins}; use redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://")


def is_cluster(client: RedisClient) -> bool:
    """Whether commands on several connections' keys must be sent one by one."""
    return isinstance(client, RedisCluster)


def _sentinel(url: str, common: dict[str, Any], max_connections: int) -> RedisClient:
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    service = query.pop("service", None)
    if not service:
        raise SettingsError("redis_url for Sentinel needs ?service=<name of the master>")
    tls: dict[str, Any] = {"ssl": True, **_tls(query)} if parts.scheme.startswith("rediss") else {}
    path = parts.path.strip("/")
    kwargs = {**common, **tls, **_auth(url), "db": int(path or 0), "max_connections": max_connections}
    asks = {**common, **tls}
    if password := query.pop("sentinel_password", None):
        asks["password"] = password
    sentinel = Sentinel(_hosts(url, 26379), sentinel_kwargs=asks, **kwargs)  # type: ignore[no-untyped-call]
    master: redis.Redis = sentinel.master_for(service)  # type: ignore[no-untyped-call]
    return master


def _cluster(url: str, common: dict[str, Any], max_connections: int) -> RedisClient:
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    tls: dict[str, Any] = {"ssl": True, **_tls(query)} if parts.scheme.startswith("rediss") else {}
    nodes = [ClusterNode(host, port) for host, port in _hosts(url, 6379)]  # type: ignore[no-untyped-call]
    kwargs: dict[str, Any] = {**common, **tls, **_auth(url), "max_connections": max_connections}
    return RedisCluster(startup_nodes=nodes, **kwargs)


def _hosts(url: str, default: int) -> list[tuple[str, int]]:
    netloc = urlsplit(url).netloc.rpartition("@")[2]
    found = []
    for item in filter(None, netloc.split(",")):
        host, _, port = item.rpartition(":") if item.rpartition(":")[2].isdigit() else (item, "", "")
        found.append((host.strip("[]") or item, int(port or default)))
    if not found:
        raise SettingsError("redis_url names no host")
    return found


def _auth(url: str) -> dict[str, str]:
    auth = urlsplit(url).netloc.rpartition("@")[0]
    user, _, password = auth.partition(":")
    found = {"username": unquote(user), "password": unquote(password)}
    return {name: value for name, value in found.items() if value}


def _readable(url: str) -> None:
    """redis-py would say that some file is missing, with each command, and not which."""
    query = parse_qs(url.partition("?")[2])
    for name, path in _tls({name: values[0] for name, values in query.items()}).items():
        if not os.access(path, os.R_OK):
            raise SettingsError(f"redis_url: {name}={path} cannot be read")


def _tls(query: dict[str, str]) -> dict[str, str]:
    return {name: query[name] for name in ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile") if name in query}


def now_ms(client: RedisClient) -> int:
    """Redis' own clock in ms; hosts' clocks are not compared anywhere."""
    answer: Any = client.time(target_nodes="random") if isinstance(client, RedisCluster) else client.time()
    return int(answer[0]) * 1000 + int(answer[1]) // 1000


def policy(client: RedisClient) -> dict[str, str]:
    """What the server says about losing data: ``maxmemory-policy``, ``maxmemory``, ``appendonly``, version.

    A managed Redis may forbid CONFIG; INFO says the policy there. A setting that neither tells is left out.
    """
    found: dict[str, str] = {}
    info = client.info(target_nodes="random") if isinstance(client, RedisCluster) else client.info()
    if "maxmemory_policy" not in info and info and all(isinstance(value, dict) for value in info.values()):
        info = next(iter(info.values()))
    found["version"] = str(info.get("valkey_version") or info.get("redis_version", "?"))
    for name, key in (("maxmemory-policy", "maxmemory_policy"), ("maxmemory", "maxmemory")):
        if key in info:
            found[name] = str(info[key])
    if "aof_enabled" in info:
        found["appendonly"] = "yes" if int(info["aof_enabled"]) else "no"
    return found


def refuse_eviction(client: RedisClient) -> None:
    """Refuse a Redis that may throw entries away to make room.

    :raises SettingsError: saying what to set.
    """
    found = policy(client).get("maxmemory-policy")
    if found is not None and found not in SAFE_POLICIES:
        raise SettingsError(
            f"Redis has maxmemory-policy {found}, which may throw events away while writes keep succeeding; "
            "set maxmemory-policy noeviction (redis.conf, or CONFIG SET maxmemory-policy noeviction)"
        )
