"""Shopify's global ids and the short form of them the rest of the house sees."""

from __future__ import annotations

from dist_relay.errors import Broken

_PREFIX = "gid://shopify/"


def gid(kind: str, value: str) -> str:
    """The global id of ``value``, which may be one already.

    >>> gid("Order", "42"), gid("Order", "gid://shopify/Order/42")
    ('gid://shopify/Order/42', 'gid://shopify/Order/42')

    :raises Broken: when ``value`` cannot be an id of that kind.
    """
    short = value.removeprefix(f"{_PREFIX}{kind}/")
    if not short or not short.isascii() or not short.isalnum():
        raise Broken(f"{value[:100]!r} is not the id of a Shopify {kind}", code="bad_id")
    return f"{_PREFIX}{kind}/{short}"


def short(value: str) -> str:
    """The number at the end of a global id, as it stands in the links of the store's admin.

    >>> short("gid://shopify/InventoryLevel/9?inventory_item_id=4"), short("42")
    ('9', '42')
    """
    return value.rpartition("/")[2].partition("?")[0]
