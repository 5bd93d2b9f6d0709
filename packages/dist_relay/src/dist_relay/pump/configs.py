"""Connections → the hash workers read them from. An older row never replaces a newer one, whoever is slow."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dist_relay.runtime import keys, scripts
from dist_relay.runtime.redis_client import RedisClient

from .port import PgPort

NOTHING: Mapping[str, int] = {}


def tell(
    client: RedisClient, database: str, rows: Sequence[dict[str, Any]], replace: Mapping[str, int] = NOTHING
) -> dict[str, int]:
    """Write rows of ``connections()``; the versions known of those that were not written, for they are newer.

    ``replace`` names such a version per connection that may be replaced nevertheless.
    """
    args: list[str | int] = []
    for row in rows:
        reference = str(row["connection"])
        args += [reference, int(row["config_version"]), replace.get(reference, ""), _text(row)]
    if not args:
        return {}
    refused: Any = client.register_script(scripts.TELL)(keys=[keys.config(database)], args=args)
    return {name.decode(): int(version) for name, version in zip(refused[::2], refused[1::2], strict=True)}


def publish_all(client: RedisClient, pg: PgPort, database: str) -> list[dict[str, Any]]:
    """Write all connections, forget those that are gone; the rows.

    Where Redis knows a newer version, somebody read PostgreSQL after us, or PostgreSQL was restored from a copy: what
    it says when asked again decides.
    """
    name = keys.config(database)
    known: Any = client.hkeys(name)  # before the rows: a connection made meanwhile is not forgotten
    rows = pg.connections()
    if refused := tell(client, database, rows):
        rows = pg.connections()
        tell(client, database, rows, refused)
    there = {str(row["connection"]) for row in rows}
    if gone := [field for field in known if field.decode() not in there]:
        client.hdel(name, *gone)
    return rows


def _text(row: dict[str, Any]) -> str:
    return json.dumps(row, default=str, sort_keys=True)
