"""Sets the distributor's Odoo up as its people would: products with stock, a channel, a test, go."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .odoo_rpc import OdooRpc


class SetUpFailed(Exception):
    """The set-up of the channel did not come as far as it should; the message says where it stopped."""


@dataclass(frozen=True)
class Product:
    """One product of the assortment; ``stock`` in pieces by the channel's location id."""

    sku: str
    barcode: str
    title: str
    price: float
    stock: Mapping[str, int]


@dataclass(frozen=True)
class Channel:
    """The channel that was set up: its ids, and the warehouse behind each location."""

    id: int
    connection_id: int
    warehouses: Mapping[str, int]


class Distributor:
    """The people at the distributor's, through Odoo's API."""

    def __init__(self, odoo: OdooRpc, *, patience: float = 90.0, tend: Callable[[], object] = lambda: None) -> None:
        self._odoo, self._patience, self._tend = odoo, patience, tend

    def warehouses(self, locations: Sequence[Mapping[str, str]]) -> dict[str, int]:
        """One warehouse per location of the store; the first location is the company's own warehouse."""
        own = self._odoo.search_read("stock.warehouse", [], ["id"], limit=1, order="id")[0]["id"]
        found = {locations[0]["id"]: own}
        for number, location in enumerate(locations[1:], start=2):
            values = {"name": location["name"], "code": f"WH{number}"}
            found[location["id"]] = self._odoo.call("stock.warehouse", "create", vals_list=[values])[0]
        return found

    def stock(self, products: Sequence[Product], warehouses: Mapping[str, int]) -> None:
        """Create the assortment and count its stock into the warehouses."""
        ids = self._odoo.call(
            "product.product",
            "create",
            vals_list=[
                {
                    "name": product.title,
                    "default_code": product.sku,
                    "barcode": product.barcode,
                    "list_price": product.price,
                    "type": "consu",
                    "is_storable": True,
                }
                for product in products
            ],
        )
        places = {
            row["id"]: row["lot_stock_id"][0]
            for row in self._odoo.call("stock.warehouse", "read", list(warehouses.values()), fields=["lot_stock_id"])
        }
        counts = [
            {"product_id": id_, "location_id": places[warehouses[location]], "inventory_quantity": quantity}
            for id_, product in zip(ids, products, strict=True)
            for location, quantity in product.stock.items()
            if quantity
        ]
        quants = self._odoo.call("stock.quant", "create", vals_list=counts, context={"inventory_mode": True})
        self._odoo.call("stock.quant", "action_apply_inventory", quants)

    def open_channel(
        self,
        name: str,
        adapter: str,
        settings: Mapping[str, Any],
        credentials: Mapping[str, Any],
        warehouses: Mapping[str, int],
    ) -> Channel:
        """Create a channel, enter its credentials, test it, link its locations, activate it.

        :raises SetUpFailed: when the relay has not announced the adapter, or the test fails.
        """
        adapter_id = self._until(lambda: self._adapter(adapter), f"the relay announces the adapter {adapter}")
        first = next(iter(warehouses.values()))
        values = {"name": name, "adapter_id": adapter_id, "settings": dict(settings), "warehouse_id": first}
        channel = self._odoo.call("dist.channel", "create", vals_list=[values])[0]
        row = self._odoo.call("dist.channel", "read", [channel], fields=["connection_id"])[0]
        connection = row["connection_id"][0]
        self._odoo.call("dist.connection", "set_credentials", [connection], credentials=dict(credentials))
        self._odoo.call("dist.connection", "action_test_connection", [connection])
        self._until(lambda: self._passed(connection), "the test of the connection is answered")
        self._link(channel, warehouses)
        self._odoo.call("dist.connection", "action_activate", [connection])
        return Channel(channel, connection, warehouses)

    def await_matches(self, channel: Channel, count: int) -> None:
        """Wait until the store's listings are known and matched with products.

        :raises SetUpFailed: when fewer than ``count`` are matched in time.
        """
        domain = [("channel_id", "=", channel.id), ("state", "=", "matched")]
        self._until(
            lambda: self._odoo.call("dist.channel.mapping", "search_count", domain=domain) >= count,
            f"{count} listings are matched",
        )

    def hurry(self, channel: Channel) -> None:
        """Pull orders every few seconds instead of every minute; pull everything now."""
        domain = [("connection_id", "=", channel.connection_id), ("capability", "=", "orders.pull")]
        ids = [row["id"] for row in self._odoo.search_read("dist.connection.schedule", domain, ["id"])]
        self._odoo.call("dist.connection.schedule", "write", ids, vals={"interval_seconds": 5, "timeout_seconds": 30})
        self._odoo.call("dist.connection", "action_pull_now", [channel.connection_id])

    def await_stock(self, shown: Callable[[], Mapping[tuple[str, str], Any]]) -> None:
        """Wait until the store offers something of everything.

        :raises SetUpFailed: when it does not in time.
        """
        self._until(lambda: all(shown().values()), "the store shows our stock")

    def _adapter(self, code: str) -> int | None:
        rows = self._odoo.search_read("dist.adapter", [("code", "=", code)], ["id"])
        return rows[0]["id"] if rows else None

    def _passed(self, connection: int) -> bool:
        row = self._odoo.call("dist.connection", "read", [connection], fields=["check_state", "check_message"])[0]
        if row["check_state"] == "failed":
            raise SetUpFailed(f"the test of the connection failed: {row['check_message']}")
        return bool(row["check_state"] == "ok")

    def _link(self, channel: int, warehouses: Mapping[str, int]) -> None:
        rows = self._odoo.search_read("dist.channel.location", [("channel_id", "=", channel)], ["external_id"])
        for row in rows:
            warehouse = warehouses.get(row["external_id"])
            if warehouse:
                self._odoo.call("dist.channel.location", "write", [row["id"]], vals={"warehouse_id": warehouse})

    def _until(self, condition: Callable[[], Any], what: str) -> Any:
        deadline = time.monotonic() + self._patience
        while not (found := condition()):
            if time.monotonic() > deadline:
                raise SetUpFailed(f"waited {self._patience:.0f} s in vain until {what}")
            self._tend()
            time.sleep(0.3)
        return found
