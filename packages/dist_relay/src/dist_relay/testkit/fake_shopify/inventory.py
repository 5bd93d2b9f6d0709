"""Stock of the fake store: available + committed = on hand, per item and location."""

from __future__ import annotations

from typing import Any

from .store import Record, Store

MAX_QUANTITIES = 250
HIGHEST = 1_000_000_000


def key(item_id: str, location_id: str) -> str:
    """The id of a level."""
    return f"{item_id}@{location_id}"


def level(store: Store, item_id: str, location_id: str) -> Record | None:
    """The level of an item at a location, when it is stocked there."""
    return store.find("level", key(item_id, location_id))


def stock(store: Store, item_id: str, location_id: str, available: int) -> Record:
    """Stock an item at a location, or say anew how much is available."""
    found = level(store, item_id, location_id) or {"item_id": item_id, "location_id": location_id, "committed": 0}
    found["available"] = available
    return store.put("level", key(item_id, location_id), found)


def move(store: Store, item_id: str, location_id: str, *, available: int = 0, committed: int = 0) -> None:
    """Change quantities by a difference; an item that is not stocked there is left alone."""
    if found := level(store, item_id, location_id):
        found["available"] += available
        found["committed"] += committed
        store.put("level", key(item_id, location_id), found)


def set_quantities(store: Store, wanted: dict[str, Any]) -> list[dict[str, Any]]:
    """``inventorySetQuantities``: all or nothing; the errors, empty when it was done."""
    if wanted["name"] not in ("available", "on_hand"):
        return [_error("INVALID_NAME", ["input", "name"], "The quantity name is invalid.")]
    if wanted["reason"] not in ("correction", "cycle_count_available", "other", "received", "restock"):
        return [_error("INVALID_REASON", ["input", "reason"], "The specified reason is invalid.")]
    errors, seen = [], set()
    for index, each in enumerate(wanted["quantities"]):
        place = (_short(each["inventoryItemId"]), _short(each["locationId"]))
        if found := _wrong(store, each, place, place in seen):
            code, field, message = found
            errors.append(_error(code, ["input", "quantities", str(index), field], message))
        seen.add(place)
    if errors:
        return errors
    for each in wanted["quantities"]:
        item, location = _short(each["inventoryItemId"]), _short(each["locationId"])
        found_level = level(store, item, location)
        committed = found_level["committed"] if found_level else 0
        quantity = each["quantity"] - (committed if wanted["name"] == "on_hand" else 0)
        stock(store, item, location, quantity)
        store.count("quantities_set")
    return []


def _wrong(store: Store, each: dict[str, Any], place: tuple[str, str], twice: bool) -> tuple[str, str, str] | None:
    item = store.find("item", place[0])
    if item is None:
        return "INVALID_INVENTORY_ITEM", "inventoryItemId", "The specified inventory item could not be found."
    if store.find("location", place[1]) is None:
        return "INVALID_LOCATION", "locationId", "The specified location could not be found."
    if not item.get("mutable", True):
        return "NON_MUTABLE_INVENTORY_ITEM", "inventoryItemId", "The inventory item is a bundle's."
    if twice:
        text = "The combination of inventoryItemId and locationId must be unique."
        return "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR", "locationId", text
    found = level(store, *place)
    if found is None:
        text = "The inventory item is not stocked at the location."
        return "ITEM_NOT_STOCKED_AT_LOCATION", "locationId", text
    if abs(each["quantity"]) > HIGHEST:
        return "INVALID_QUANTITY_TOO_HIGH", "quantity", "The quantity is too high."
    expected = each.get("changeFromQuantity")
    if expected is not None and expected != found["available"]:
        text = "The changeFromQuantity does not match the persisted quantity."
        return "CHANGE_FROM_QUANTITY_STALE", "changeFromQuantity", text
    return None


def _error(code: str, field: list[str], message: str) -> dict[str, Any]:
    return {"code": code, "field": field, "message": message}


def _short(gid: str) -> str:
    return gid.rpartition("/")[2]
