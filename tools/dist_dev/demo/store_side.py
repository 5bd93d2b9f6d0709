"""The fake store as the demo sees it: filled, ordered from and read through its control address."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import requests

from .compare import Line, OrderView, Side
from .distributor import Product


class Store:
    """Control of a running ``dist_relay.testkit.fake_shopify``; ``url`` is its base address."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()

    def tell(self, command: str, **arguments: Any) -> Any:
        """Send one control command and return its answer."""
        response = self._session.post(f"{self.url}/_control/{command}", json=arguments, timeout=60)
        response.raise_for_status()
        return response.json()["result"]

    def assortment(self, stock: Sequence[int]) -> list[Product]:
        """What the store lists, as the distributor's products with ``stock`` pieces per location."""
        catalog = self.tell("catalog")
        places = [location["id"] for location in catalog["locations"]]
        return [
            Product(
                sku=variant["sku"],
                barcode=variant["barcode"],
                title=variant["product_title"],
                price=float(variant["price"]),
                stock=dict(zip(places, stock, strict=False)),
            )
            for variant in catalog["variants"]
        ]

    def side(self, warehouses: Sequence[str]) -> Side:
        """The store's side of the comparison, for the locations that are linked to a warehouse."""
        state = self.tell("state")
        return Side(
            {order["id"]: _order(order) for order in state["orders"]},
            {
                (sku, location): Decimal(level["available"])
                for sku, levels in state["stock"].items()
                for location, level in levels.items()
                if location in warehouses
            },
        )


def _order(order: dict[str, Any]) -> OrderView:
    return OrderView(
        cancelled=order["cancelled"],
        lines={
            line["id"]: Line(Decimal(line["quantity"]), Decimal(line["fulfilled"]))
            for line in order["lines"]
            if line["requires_shipping"]
        },
        tracking=tuple(number for done in order["fulfillments"] for number in done["tracking"]),
    )
