"""The fake Shopify store as the conformance suite wants it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from dist_contracts import ListingRef
from dist_relay.channels.shopify import adapter
from dist_relay.testkit.clock import FakeClock
from dist_relay.testkit.conformance import ChannelHarness, Damage, Fulfilled, Trouble

from . import orders
from .control import TOKEN
from .server import FakeShopify

FAULTS = {
    Trouble.THROTTLED: "throttled",
    Trouble.LOST_REQUEST: "lost",
    Trouble.LOST_ANSWER: "lost_answer",
    Trouble.SERVER_ERROR: "error_after",
    Trouble.HTML: "html_after",
    Trouble.CREDENTIALS: "expired",
    Trouble.SCOPE: "denied",
    Trouble.MOVED_STOCK: "moved",
}
OPERATIONS = {
    "connection.check": "Check",
    "orders.pull": "OrderDetails",
    "listings.pull": "Variants",
    "availability.push": "SetQuantities",
    "shipment.confirm": "Fulfil",
    "order.cancel": "Cancel",
}
DAMAGES: dict[Damage, dict[str, Any]] = {
    Damage.UNKNOWN_STATUS: {"displayFinancialStatus": "ON_THE_MOON"},
    Damage.MISSING_FIELD: {"updatedAt": None},
    Damage.WRONG_TYPE: {"lineItems.nodes.0.currentQuantity": "two"},
    Damage.NEGATIVE_PRICE: {"lineItems.nodes.0.originalUnitPriceSet.shopMoney.amount": "-5.00"},
    Damage.HUGE: {"note": "x" * 5_000_000},
}


class ShopifyHarness(ChannelHarness):
    """A store of eight SKUs at two locations. Its clock is the harness's."""

    adapter = adapter
    abilities = frozenset({*Trouble, *Damage, "edit", "hold", "split", "ahead"})

    def __init__(self, clock: FakeClock | None = None, **options: Any) -> None:
        super().__init__()
        self.clock = clock or self.clock
        self.fake = FakeShopify(clock=self.clock, **options)
        self.fake.control.seed(skus=8, stock=1_000)
        self.locations = list(self.fake.store.all("location"))
        self._variants = {each["sku"]: each for each in self.fake.store.all("variant").values()}
        self.skus = list(self._variants)

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"shop_domain": "fake-store.myshopify.com", "endpoint": self.fake.url}

    @property
    def credentials(self) -> Mapping[str, Any]:
        return {"access_token": TOKEN}

    def place(self, lines: Mapping[str, int], *, location: str | None = None, ahead: float = 0) -> str:
        spec: dict[str, Any] = {"lines": [{"sku": s, "quantity": q, "location_id": location} for s, q in lines.items()]}
        if ahead:
            moment = self.fake.store.now() + timedelta(seconds=ahead)
            spec["updated_at"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        return str(self.fake.control.place_order(**spec)["id"])

    def edit(self, order: str, sku: str, quantity: int) -> None:
        self.fake.control.edit_order(order, quantity, sku=sku)

    def cancel(self, order: str) -> None:
        self.fake.control.cancel_order(order)

    def damage(self, order: str, damage: Damage) -> None:
        self.fake.control.patch_order(order, DAMAGES[damage])

    def hold(self, order: str) -> None:
        self.fake.control.hold_order(order, notes="call the buyer")

    def release(self, order: str) -> None:
        self.fake.control.release_order(order)

    def split(self, order: str) -> None:
        self.fake.control.split_order(order, location_id=self.locations[1])

    def is_cancelled(self, order: str) -> bool:
        return bool(orders.get(self.fake.store, order)["cancelled_at"])

    def lines(self, order: str) -> Mapping[str, str]:
        return {line["sku"]: line["id"] for line in orders.get(self.fake.store, order)["lines"]}

    def fulfilled(self, order: str) -> Sequence[Fulfilled]:
        return [
            Fulfilled(
                tuple(track["number"] for track in each["tracking"] if track["number"]),
                {line["line_id"]: line["quantity"] for line in each["lines"]},
                each["location_id"],
            )
            for each in self.fake.store.where("fulfillment", order_id=order)
        ]

    def listing(self, sku: str) -> ListingRef:
        variant = self._variants[sku]
        return ListingRef(inventory_id=variant["item_id"], variant_id=variant["id"], sku=sku)

    def stock(self, sku: str, location: str) -> int:
        return int(self.fake.store.get("level", f"{self._variants[sku]['item_id']}@{location}")["available"])

    def trouble(self, trouble: Trouble, flow: str) -> None:
        self.fake.control.fault(FAULTS[trouble], operation=OPERATIONS[flow])
