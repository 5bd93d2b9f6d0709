"""``fulfillmentCreate`` of the fake store, as strict as the real one."""

from __future__ import annotations

from typing import Any

from . import inventory, orders
from .store import Record, Store

Refusal = list[dict[str, Any]]


def create(store: Store, wanted: dict[str, Any]) -> tuple[Record | None, Refusal]:
    """Fulfil what is named of fulfillment orders of one location; the fulfilment, or what is wrong."""
    chosen: list[tuple[Record, Record, int]] = []
    for each in wanted["lineItemsByFulfillmentOrder"]:
        part = store.find("fo", each["fulfillmentOrderId"].rpartition("/")[2])
        if part is None:
            return None, [_error("Fulfillment order does not exist.")]
        if part["status"] not in ("OPEN", "IN_PROGRESS"):
            return None, [
                _error(f"Fulfillment order {part['id']} has an unfulfillable status= {part['status'].lower()}.")
            ]
        lines = each.get("fulfillmentOrderLineItems")
        named = {line["id"].rpartition("/")[2]: line["quantity"] for line in lines or ()}
        for line in part["lines"]:
            quantity = named.pop(line["id"], None) if lines else line["remaining"]
            if quantity is None:
                continue
            if quantity < 1 or quantity > line["remaining"]:
                return None, [_error("Invalid fulfillment order line item quantity requested.")]
            chosen.append((part, line, quantity))
        if named:
            return None, [_error("Fulfillment order line item does not exist.")]
    if not chosen:
        return None, [_error("At least one line item is needed.")]
    if len({part["location_id"] for part, _, _ in chosen}) > 1:
        return None, [_error("All fulfillment orders must be assigned to the same location.")]
    if len({part["order_id"] for part, _, _ in chosen}) > 1:
        return None, [_error("All fulfillment orders must be of the same order.")]
    return _ship(store, wanted, chosen), []


def _ship(store: Store, wanted: dict[str, Any], chosen: list[tuple[Record, Record, int]]) -> Record:
    order = orders.get(store, chosen[0][0]["order_id"])
    by_id = {line["id"]: line for line in order["lines"]}
    shipped = []
    for part, line, quantity in chosen:
        line["remaining"] -= quantity
        order_line = by_id[line["line_id"]]
        order_line["fulfilled"] += quantity
        if item := orders.item_of(store, order_line):
            inventory.move(store, item, part["location_id"], committed=-quantity)
        shipped.append({"id": store.next_id(), "line_id": line["line_id"], "quantity": quantity})
        open_ = any(each["remaining"] for each in part["lines"])
        part["status"] = "IN_PROGRESS" if open_ else "CLOSED"
        store.put("fo", part["id"], part)
    fulfillment = {
        "id": store.next_id(),
        "order_id": order["id"],
        "status": "SUCCESS",
        "created_at": store.stamp(),
        "location_id": chosen[0][0]["location_id"],
        "tracking": _tracking(wanted.get("trackingInfo") or {}),
        "lines": shipped,
    }
    store.put("fulfillment", fulfillment["id"], fulfillment)
    store.count("fulfillments")
    orders.touch(store, order)
    return fulfillment


def _tracking(info: dict[str, Any]) -> list[dict[str, Any]]:
    numbers = info.get("numbers") or ([info["number"]] if info.get("number") else [])
    urls = info.get("urls") or ([info["url"]] if info.get("url") else [])
    count = max(len(numbers), len(urls))
    return [
        {
            "number": numbers[i] if i < len(numbers) else None,
            "url": urls[i] if i < len(urls) else None,
            "company": info.get("company"),
        }
        for i in range(count)
    ]


def _error(message: str) -> dict[str, Any]:
    return {"field": ["fulfillment"], "message": message}
