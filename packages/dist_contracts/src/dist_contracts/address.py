"""Which settings of a connection say where its credentials are sent.

Credentials are sealed together with the address they were entered for. Odoo forgets them when it changes, and the relay
refuses them for another one: who may edit settings must not be able to send a token he cannot read to his own host.

A setting belongs to the address when its schema says ``"x-address": true``, or by its name (``shop_domain``,
``endpoint``, ``sftp_host``, ``base_url``, …) unless its schema says ``"x-address": false``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

BOUND = "_bound_to"
"""Name under which the address is sealed with the credentials."""

_NAME = re.compile(r"(?:^|_)(?:domain|endpoint|host|hostname|port|server|uri|url)$", re.IGNORECASE)


def address(adapter: str, schema: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """What credentials are bound to: the adapter and the settings that name an address; empty ones are left out.

    >>> address("shop", {}, {"shop_domain": "a.example", "overlap": 5, "endpoint": "", "sftp": {"host": "b"}})
    {'adapter': 'shop', 'sftp.host': 'b', 'shop_domain': 'a.example'}
    >>> address("shop", {"properties": {"region": {"x-address": True}, "url": {"x-address": False}}},
    ...         {"region": "eu", "url": "b"})
    {'adapter': 'shop', 'region': 'eu'}
    """
    return {"adapter": adapter, **_of(schema, settings, "")}


def moved(bound: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Names whose values differ between two addresses, sorted.

    >>> moved({"adapter": "shop", "host": "a"}, {"adapter": "shop", "host": "b", "port": 22})
    ['host', 'port']
    """
    return sorted(name for name in {*bound, *now} if bound.get(name) != now.get(name))


def _of(schema: Mapping[str, Any], settings: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    properties = schema.get("properties")
    found: dict[str, Any] = {}
    for name, value in sorted(settings.items()):
        inner = properties.get(name) if isinstance(properties, Mapping) else None
        inner = inner if isinstance(inner, Mapping) else {}
        if value in (None, "", [], {}, False):
            continue
        if inner.get("x-address", bool(_NAME.search(name))):
            found[prefix + name] = value
        elif isinstance(value, Mapping):
            found.update(_of(inner, value, f"{prefix}{name}."))
    return found
