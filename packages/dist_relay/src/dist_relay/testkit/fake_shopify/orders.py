"""Orders of the fake store: placing, editing, cancelling, holding and splitting them, with their effect on stock."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from . import inventory
from .store import Record, Store

OPEN = ("OPEN", "IN_PROGRESS", "ON_HOLD", "SCHEDULED")


class Unknown(LookupError):
    """There is no such thing in the store."""


def place(store: Store, spec: dict[str, Any]) -> Record:
    """Place an order. ``spec`` has the fields of the record; each line names ``sku`` (or none) and ``quantity``."""
    id_ = store.next_id()
    number = 1000 + len(store.all("order")) + 1
    stamp = spec.get("created_at") or store.stamp()
    lines = [_line(store, line) for line in spec["lines"]]
    order: Record = {
        "id": id_,
        "name": f"#{number}",
        "created_at": stamp,
        "processed_at": stamp,
        "cancelled_at": None,
        "cancel_reason": None,
        "closed": False,
        "test": False,
        "note": None,
        "tags": [],
        "source_name": "web",
        "po_number": None,
        "currency": store.get("meta", "shop").get("currency", "USD"),
        "presentment_currency": None,
        "rate": "1",
        "taxes_included": False,
        "financial_status": "PAID",
        "email": None,
        "phone": None,
        "locale": "en",
        "customer": None,
        "shipping_address": None,
        "billing_address": None,
        "attributes": [],
        "discounts": [],
        "shipping": [],
        "tip": "0",
        "duties": "0",
        "fees": [],
        "edited": False,
        **spec,
        "updated_at": spec.get("updated_at") or stamp,
        "lines": lines,
    }
    for charge in [*order["shipping"], *order["fees"]]:
        charge.setdefault("id", store.next_id())
    store.put("order", id_, order)
    _route(store, order, lines)
    return order


def touch(store: Store, order: Record) -> None:
    """The order has changed now."""
    order["updated_at"] = max(order["updated_at"], store.stamp())
    store.put("order", order["id"], order)


def edit(store: Store, order_id: str, *, line_id: str | None = None, sku: str | None = None, quantity: int) -> Record:
    """Set what stands of a line; a ``sku`` that is not in the order yet becomes a new line."""
    order = get(store, order_id)
    line = next((each for each in order["lines"] if line_id == each["id"] or (sku and each["sku"] == sku)), None)
    if line is None:
        line = _line(store, {"sku": sku, "quantity": quantity})
        order["lines"].append(line)
        _route(store, order, [line])
    elif quantity < line["current"]:
        _take_back(store, order, line, line["current"] - quantity)
    else:
        _route(store, order, [{**line, "quantity": quantity - line["current"]}])
        line["quantity"] += quantity - line["current"]
        line["current"] = quantity
    order["edited"] = True
    touch(store, order)
    return order


def cancel(store: Store, order_id: str, *, reason: str = "CUSTOMER", restock: bool = True) -> Record:
    """Cancel an order of which nothing is fulfilled."""
    order = get(store, order_id)
    if order["cancelled_at"]:
        raise ValueError("Cannot cancel an order that is cancelled already.")
    if any(line["fulfilled"] for line in order["lines"]):
        raise ValueError("Cannot cancel an order with fulfilled items.")
    for line in order["lines"]:
        _take_back(store, order, line, line["current"], restock=restock)
    for part in parts(store, order_id):
        part["status"] = "CANCELLED" if part["status"] in OPEN else part["status"]
        store.put("fo", part["id"], part)
    order.update(cancelled_at=store.stamp(), cancel_reason=reason, financial_status="REFUNDED")
    store.count("cancellations")
    touch(store, order)
    return order


def hold(store: Store, order_id: str, *, reason: str = "HIGH_RISK_OF_FRAUD", notes: str | None = None) -> None:
    """Hold all that is open of an order."""
    for part in parts(store, order_id):
        if part["status"] in ("OPEN", "IN_PROGRESS", "SCHEDULED"):
            part["status"] = "ON_HOLD"
            part["holds"].append({"id": store.next_id(), "reason": reason, "notes": notes})
            store.put("fo", part["id"], part)
    touch(store, get(store, order_id))


def release(store: Store, order_id: str) -> None:
    """Release every hold of an order."""
    for part in parts(store, order_id):
        if part["status"] == "ON_HOLD":
            part.update(status="OPEN", holds=[])
            store.put("fo", part["id"], part)
    touch(store, get(store, order_id))


def split(store: Store, order_id: str, *, location_id: str | None = None) -> Record:
    """Split half of the first open fulfillment order off into a new one, at another location where one is named."""
    old = next((part for part in parts(store, order_id) if part["status"] in OPEN), None)
    if old is None:
        raise Unknown("nothing of the order is open")
    target = location_id or old["location_id"]
    lines = []
    for line in old["lines"]:
        half = (line["remaining"] + 1) // 2
        if not half:
            continue
        line["remaining"] -= half
        line["total"] -= half
        lines.append({"id": store.next_id(), "line_id": line["line_id"], "remaining": half, "total": half})
        if item := _item_of(store, get(store, order_id), line["line_id"]):
            inventory.move(store, item, old["location_id"], available=half, committed=-half)
            inventory.move(store, item, target, available=-half, committed=half)
    new = {**old, "id": store.next_id(), "location_id": target, "lines": lines, "holds": []}
    if not any(line["remaining"] for line in old["lines"]):
        old["status"] = "CLOSED"
    store.put("fo", old["id"], old)
    store.put("fo", new["id"], new)
    touch(store, get(store, order_id))
    return new


def get(store: Store, order_id: str) -> Record:
    """An order.

    :raises Unknown: when there is none.
    """
    order = store.find("order", order_id.rpartition("/")[2])
    if order is None:
        raise Unknown(f"no order {order_id}")
    return order


def parts(store: Store, order_id: str) -> list[Record]:
    """The fulfillment orders of an order."""
    return list(store.where("fo", order_id=order_id))


def item_of(store: Store, line: Record) -> str | None:
    """The inventory item of an order line."""
    return store.get("variant", line["variant_id"]).get("item_id") if line["variant_id"] else None


def _item_of(store: Store, order: Record, line_id: str) -> str | None:
    return next((item_of(store, line) for line in order["lines"] if line["id"] == line_id), None)


def _line(store: Store, wanted: dict[str, Any]) -> Record:
    variant = next(store.where("variant", sku=wanted.get("sku")), None) if wanted.get("sku") else None
    product = store.get("product", variant["product_id"]) if variant else {}
    line: Record = {
        "title": product.get("title", "Custom item"),
        "variant_title": variant["title"] if variant else None,
        "sku": None,
        "variant_id": variant["id"] if variant else None,
        "price": variant["price"] if variant else "10.00",
        "requires_shipping": True,
        "gift_card": False,
        "attributes": [],
        "discounts": [],
        "taxes": [],
        **wanted,
        "id": wanted.get("id") or store.next_id(),
        "current": wanted["quantity"],
        "fulfilled": 0,
    }
    return line


def _route(store: Store, order: Record, lines: Iterable[Record]) -> None:
    """Give lines to locations: where there is enough, else the first one; commit their stock."""
    for line in lines:
        if not line["requires_shipping"] or line["gift_card"]:
            continue
        item = item_of(store, line)
        location = line.get("location_id") or _location(store, item, line["quantity"])
        part = next(
            (p for p in parts(store, order["id"]) if p["location_id"] == location and p["status"] in OPEN), None
        )
        part = part or {
            "id": store.next_id(),
            "order_id": order["id"],
            "status": "OPEN",
            "location_id": location,
            "holds": [],
            "fulfill_at": None,
            "fulfill_by": order.get("fulfill_by"),
            "lines": [],
        }
        count = line["quantity"]
        part["lines"].append({"id": store.next_id(), "line_id": line["id"], "remaining": count, "total": count})
        store.put("fo", part["id"], part)
        if item:
            inventory.move(store, item, location, available=-count, committed=count)


def _location(store: Store, item: str | None, quantity: int) -> str:
    places = list(store.all("location"))
    for place_ in places:
        found = inventory.level(store, item, place_) if item else None
        if found and found["available"] >= quantity:
            return place_
    return places[0]


def _take_back(store: Store, order: Record, line: Record, quantity: int, *, restock: bool = True) -> None:
    """Remove units of a line that are not fulfilled yet."""
    item, left = item_of(store, line), quantity
    for part in parts(store, order["id"]):
        for each in part["lines"]:
            if each["line_id"] != line["id"] or part["status"] not in OPEN:
                continue
            some = min(left, each["remaining"])
            each["remaining"] -= some
            each["total"] -= some
            left -= some
            if item:
                inventory.move(store, item, part["location_id"], available=some if restock else 0, committed=-some)
        if part["status"] in OPEN and not any(each["remaining"] for each in part["lines"]):
            part["status"] = "CLOSED"
        store.put("fo", part["id"], part)
    line["current"] -= quantity
