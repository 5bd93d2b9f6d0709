"""The folder as the conformance suite wants it: the partner's side is a few files."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from dist_csv_drop import adapter
from dist_csv_drop.folder import write

from dist_contracts import ListingRef
from dist_relay.testkit.conformance import ChannelHarness, Damage, Fulfilled

DAMAGES: dict[Damage, dict[str, str]] = {
    Damage.UNKNOWN_STATUS: {"status": "on the moon"},
    Damage.MISSING_FIELD: {"updated_at": ""},
    Damage.WRONG_TYPE: {"quantity": "two"},
    Damage.NEGATIVE_PRICE: {"unit_price": "-5.00"},
    Damage.HUGE: {"title": "x" * 5_000_000},
}
COLUMNS = (
    "order_id",
    "line_id",
    "status",
    "placed_at",
    "updated_at",
    "currency",
    "sku",
    "title",
    "quantity",
    "unit_price",
)


class FolderHarness(ChannelHarness):
    """A partner with eight products who writes one file per order and change."""

    adapter = adapter
    abilities = frozenset({*Damage, "ahead"})
    page = 1
    skus = [f"SKU-{number}" for number in range(8)]
    locations = ["main"]
    settings = {"folder": "shop"}
    credentials: Mapping[str, Any] = {}

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.place_ = root / "shop"
        self.orders: dict[str, list[dict[str, str]]] = {}
        self.files = 0
        write(self.place_ / "products.csv", ["sku"], [{"sku": sku} for sku in self.skus])

    def place(self, lines: Mapping[str, int], *, location: str | None = None, ahead: float = 0) -> str:
        order, at = f"A{len(self.orders) + 1}", (self.clock.now() + timedelta(seconds=ahead)).isoformat()
        row = {"order_id": order, "placed_at": at, "updated_at": at, "currency": "USD", "unit_price": "12.50"}
        self.orders[order] = [
            {**row, "line_id": f"{order}-{sku}", "sku": sku, "title": sku, "quantity": str(quantity)}
            for sku, quantity in lines.items()
        ]
        self._write(order, f"{len(self.orders):06}-{order}")
        return order

    def cancel(self, order: str) -> None:
        for row in self.orders[order]:
            row |= {"status": "cancelled", "updated_at": self.clock.now().isoformat()}
        self._write(order, f"900000-{order}")

    def damage(self, order: str, damage: Damage) -> None:
        self.orders[order][0] |= DAMAGES[damage]
        self._write(order, f"{int(order[1:]):06}-{order}")

    def lines(self, order: str) -> Mapping[str, str]:
        return {row["sku"]: row["line_id"] for row in self.orders[order]}

    def fulfilled(self, order: str) -> Sequence[Fulfilled]:
        found: dict[tuple[str, str], dict[str, int]] = {}
        for row in self._rows("shipments/*/*.csv"):
            if row["order_id"] == order:
                found.setdefault((row["package"], row["tracking_number"]), {})[row["line_id"]] = int(row["quantity"])
        return [Fulfilled((tracking,) if tracking else (), lines) for (_, tracking), lines in found.items()]

    def listing(self, sku: str) -> ListingRef:
        return ListingRef(sku=sku)

    def stock(self, sku: str, location: str) -> int:
        rows = [row for row in self._rows("availability/*.csv") if (row["sku"], row["location_id"]) == (sku, location)]
        return int(max(rows, key=lambda row: int(row["version"]))["quantity"])

    def _write(self, order: str, name: str) -> None:
        write(self.place_ / "orders" / f"{name}.csv", COLUMNS, self.orders[order])

    def _rows(self, pattern: str) -> list[dict[str, str]]:
        rows = []
        for path in sorted(self.place_.glob(pattern)):
            with path.open(encoding="utf-8", newline="") as file:
                rows += list(csv.DictReader(file))
        return rows
