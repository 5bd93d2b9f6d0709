"""What a demo or a test tells the fake: fill it, order from it, break it, look into it.

Every public method is a command of ``POST /_control/<name>`` with its arguments as JSON.
"""

from __future__ import annotations

import secrets
from typing import Any

from . import generator, inventory, orders
from .faults import KINDS, Faults
from .store import Record, Store
from .views import totals

SCOPES = [
    "read_products",
    "read_inventory",
    "write_inventory",
    "read_locations",
    "read_orders",
    "write_orders",
    "read_merchant_managed_fulfillment_orders",
    "write_merchant_managed_fulfillment_orders",
]
TOKEN = "shpat_fake"
CLIENT = {"id": "fake-client", "secret": "fake-secret"}
TOKEN_SECONDS = 86_399


class Control:
    """Commands on one store; the caller holds its lock."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self._store, self._faults = store, faults
        if not store.find("meta", "shop"):
            self._init()

    def seed(self, skus: int = 50, stock: int = 100, locations: int = 2, seed: int = 1) -> Any:
        """Fill an empty store: locations, ``skus`` variants, ``stock`` pieces of each at each location."""
        return generator.catalog(self._store, skus=skus, stock=stock, locations=locations, seed=seed)

    def place_orders(self, count: int = 1, seed: int = 1, edits: float = 0.0, cancellations: float = 0.0) -> Any:
        """Place random orders; a part of them is edited or cancelled at once. Their ids."""
        return generator.place_orders(self._store, count, seed=seed, edits=edits, cancellations=cancellations)

    def place_order(self, patch: dict[str, Any] | None = None, **spec: Any) -> Any:
        """Place one order; see :func:`.orders.place`. ``patch``: see :meth:`patch_order`; nobody sees it without."""
        order = orders.place(self._store, spec)
        if patch:
            self._store.put("patch", order["id"], patch)
        return order

    def place_example(self) -> Any:
        """Place the order of the vendor's own example payload; ``None`` where that is not at hand."""
        return generator.place_example(self._store)

    def edit_order(self, order_id: str, quantity: int, line_id: str | None = None, sku: str | None = None) -> Any:
        """Set what stands of a line."""
        return orders.edit(self._store, order_id, line_id=line_id, sku=sku, quantity=quantity)

    def cancel_order(self, order_id: str, reason: str = "CUSTOMER", restock: bool = True) -> Any:
        """Cancel an order, as the buyer or the shop's staff would."""
        return orders.cancel(self._store, order_id, reason=reason, restock=restock)

    def hold_order(self, order_id: str, reason: str = "HIGH_RISK_OF_FRAUD", notes: str | None = None) -> Any:
        """Put what is open of an order on hold."""
        orders.hold(self._store, order_id, reason=reason, notes=notes)

    def release_order(self, order_id: str) -> Any:
        """Release the holds of an order."""
        orders.release(self._store, order_id)

    def split_order(self, order_id: str, location_id: str | None = None) -> Any:
        """Split half of an order's first open part off, to another location where one is named."""
        return orders.split(self._store, order_id, location_id=location_id)

    def patch_order(self, order_id: str, patch: dict[str, Any]) -> Any:
        """Have answers show something the schema does not allow: dotted path in the order → value."""
        order = orders.get(self._store, order_id)
        self._store.put("patch", order["id"], patch)
        orders.touch(self._store, order)

    def set_stock(self, sku: str, location_id: str, quantity: int) -> Any:
        """Say how much of a SKU is available at a location."""
        variant = next(self._store.where("variant", sku=sku))
        inventory.stock(self._store, variant["item_id"], location_id, quantity)

    def fault(self, kind: str, **options: Any) -> Any:
        """Have a fault: ``operation``, ``times`` (1), ``probability``, ``skip``, ``seconds``. See :mod:`.faults`."""
        self._faults.add(kind, **options)

    def clear_faults(self) -> Any:
        """Have none any more."""
        self._faults.clear()

    def faults(self) -> Any:
        """The faults in force, those there are, and how often each happened."""
        return {"active": self._faults.list(), "known": KINDS, "happened": dict(self._faults.happened)}

    def clock(self, offset: float = 0) -> Any:
        """Have the store's clock be wrong by ``offset`` seconds."""
        self._store.put("meta", "clock", {"offset": offset})

    def scopes(self, scopes: list[str] | None = None) -> Any:
        """Set what the app may do; everything when nothing is named."""
        app = self._store.get("meta", "app")
        app["scopes"] = SCOPES if scopes is None else scopes
        self._store.put("meta", "app", app)

    def expire_tokens(self) -> Any:
        """All tokens got by client credentials expire now."""
        for token, record in self._store.all("token").items():
            if record["expires"] is not None:
                self._store.put("token", token, {"expires": 0})

    def revoke_token(self, token: str = TOKEN) -> Any:
        """A fixed token is revoked."""
        self._store.put("token", token, {"expires": 0})

    def grant_token(self, client_id: str, client_secret: str) -> Any:
        """A token for client credentials; ``None`` when they are wrong."""
        if {"id": client_id, "secret": client_secret} != CLIENT:
            return None
        token = f"shpat_{secrets.token_hex(12)}"
        self._store.put("token", token, {"expires": self._store.now().timestamp() + TOKEN_SECONDS})
        self._store.count("tokens")
        return token

    def state(self) -> Any:
        """For the comparison: every order with its lines, fulfilments and tracking; stock per SKU and location."""
        stock: dict[str, dict[str, Any]] = {}
        for variant in self._store.all("variant").values():
            levels = self._store.where("level", item_id=variant["item_id"])
            stock[variant["sku"]] = {
                each["location_id"]: {"available": each["available"], "committed": each["committed"]} for each in levels
            }
        return {
            "orders": [self._order(order) for order in self._store.all("order").values()],
            "stock": stock,
            "effects": self.effects(),
        }

    def effects(self) -> Any:
        """How often something took effect, to see what was done twice."""
        return dict(self._store.get("meta", "effects"))

    def catalog(self) -> Any:
        """Locations and variants with their ids."""
        names = ("id", "sku", "barcode", "title", "price", "product_id", "item_id")
        variants = [{name: v[name] for name in names} for v in self._store.all("variant").values()]
        titles = {p["id"]: p["title"] for p in self._store.all("product").values()}
        return {
            "locations": list(self._store.all("location").values()),
            "variants": [{**v, "product_title": titles[v["product_id"]]} for v in variants],
            "access_token": TOKEN,
            "client": CLIENT,
        }

    def reset(self) -> Any:
        """Forget everything."""
        self._store.clear()
        self._faults.clear()
        self._init()

    def _init(self) -> None:
        shop = {"name": "Fake Store", "domain": "fake-store.myshopify.com", "currency": "USD"}
        self._store.put("meta", "shop", {**shop, "timezone": "America/New_York", "plan": "Plus"})
        self._store.put("meta", "app", {"scopes": SCOPES})
        self._store.put("token", TOKEN, {"expires": None})

    def _order(self, order: Record) -> dict[str, Any]:
        done = [f for f in self._store.where("fulfillment", order_id=order["id"]) if f["status"] == "SUCCESS"]
        lines = order["lines"]
        shippable = [line for line in lines if line["requires_shipping"] and not line["gift_card"]]
        fulfilled = all(line["fulfilled"] >= line["current"] for line in shippable)
        status = "fulfilled" if fulfilled else "partial" if any(line["fulfilled"] for line in lines) else "unfulfilled"
        return {
            "id": order["id"],
            "name": order["name"],
            "updated_at": order["updated_at"],
            "cancelled": bool(order["cancelled_at"]),
            "total": str(totals(order)["total"]),
            "status": "cancelled" if order["cancelled_at"] else status,
            "malformed": bool(self._store.get("patch", order["id"])),
            "lines": [
                {
                    "id": line["id"],
                    "sku": line["sku"],
                    "quantity": line["current"],
                    "ordered": line["quantity"],
                    "fulfilled": line["fulfilled"],
                    "requires_shipping": line["requires_shipping"] and not line["gift_card"],
                }
                for line in lines
            ],
            "parts": [
                {"id": p["id"], "location_id": p["location_id"], "status": p["status"]}
                for p in orders.parts(self._store, order["id"])
            ],
            "fulfillments": [
                {
                    "id": f["id"],
                    "location_id": f["location_id"],
                    "tracking": [t["number"] for t in f["tracking"] if t["number"]],
                    "carrier": next((t["company"] for t in f["tracking"]), None),
                    "lines": {line["line_id"]: line["quantity"] for line in f["lines"]},
                }
                for f in done
            ],
        }
