"""A store, the adapter's client on it, and orders as the API shows them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dist_relay.channels.shopify.client import Client
from dist_relay.channels.shopify.documents import document
from dist_relay.testkit.fake_shopify import TOKEN
from dist_relay.testkit.fake_shopify.harness import ShopifyHarness


@pytest.fixture
def harness() -> Iterator[ShopifyHarness]:
    """A running store."""
    shop = ShopifyHarness(small=True)
    with shop.fake:
        yield shop


@pytest.fixture
def client(harness: ShopifyHarness) -> Client:
    """The adapter's client, with a fixed token."""
    return Client(harness.context())


@pytest.fixture(scope="session")
def raw_orders() -> list[dict[str, Any]]:
    """Fifty orders as the API shows them, some edited or cancelled, all differing."""
    shop = ShopifyHarness(small=True)
    shop.fake.control.place_orders(count=50, seed=7, edits=0.2, cancellations=0.1)
    found = []
    for id_ in shop.fake.store.all("order"):
        variables = {"ids": [f"gid://shopify/Order/{id_}"]}
        request = {"query": document("OrderDetails"), "operationName": "OrderDetails", "variables": variables}
        answer = json.dumps(shop.fake.engine.answer(request, TOKEN).body)
        found.append(json.loads(answer, parse_float=str)["data"]["nodes"][0])
    shop.fake.close()
    return found


@pytest.fixture
def raw(raw_orders: list[dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """An order with some fields replaced, given as dotted paths (``__`` for the dots)."""

    def make(index: int = 0, **changes: Any) -> dict[str, Any]:
        order = copy.deepcopy(raw_orders[index])
        for path, value in changes.items():
            *parents, last = path.split("__")
            node: Any = order
            for step in parents:
                node = node[int(step)] if isinstance(node, list) else node[step]
            node[int(last) if isinstance(node, list) else last] = value
        return order

    return make
