"""``availability.push``: absolute quantities, each guarded by the quantity it replaces.

Round by round: read what the store shows, leave out what is equal, set the rest in one call. The call is all or
nothing, so an item it refuses is settled by name and the others are sent again; a quantity that moved is read again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from pydantic import ValidationError

from dist_contracts import Availability, Envelope, Outcome, explain
from dist_relay.errors import Broken, OutcomeUnknown, Rejected, RelayError, RetryLater, Snoozed, delivered
from dist_relay.ports import Context

from .client import Client, TooCostly
from .ids import gid, short
from .manifest import MAX_QUANTITIES
from .reading import Node, Unmappable

ROUNDS = 8
"""Calls one batch may take: an item is refused, or moved, at each."""

STALE_TRIES = 3

REFUSED = {
    "INVALID_INVENTORY_ITEM": "unknown_item",
    "INVALID_LOCATION": "unknown_location",
    "ITEM_NOT_STOCKED_AT_LOCATION": "not_stocked",
    "NON_MUTABLE_INVENTORY_ITEM": "not_mutable",
    "INVALID_QUANTITY_NEGATIVE": "bad_quantity",
    "INVALID_QUANTITY_TOO_HIGH": "bad_quantity",
    "INVALID_QUANTITY_TOO_LOW": "bad_quantity",
    "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR": "duplicate_item",
}
"""Codes that refuse one item for good → our code."""

STALE = {"CHANGE_FROM_QUANTITY_STALE", "COMPARE_QUANTITY_STALE"}
AGAIN = {"IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"}
DEFECT = {"INVALID_NAME", "INVALID_REASON", "INVALID_REFERENCE_DOCUMENT", "COMPARE_QUANTITY_REQUIRED"}


@dataclass
class Item:
    """One quantity to set and how far it has come."""

    event: Envelope
    inventory: str
    location: str
    quantity: int
    shown: int | None = None
    stale: int = 0


class PushAvailability:
    """Sets quantities; see the module."""

    def __init__(self, ctx: Context) -> None:
        self._client = Client(ctx)
        self._log = ctx.log

    def publish(self, events: Sequence[Envelope]) -> list[Outcome]:
        """One outcome per event, in their order."""
        done: dict[Any, Outcome] = {}
        items: dict[tuple[str, str], Item] = {}
        for event in events:
            try:
                item = _item(event)
            except RelayError as error:
                done[event.event_id] = error.outcome(event)
                continue
            place = (item.inventory, item.location)
            if (other := items.get(place)) and (other.event.version or 0) > (event.version or 0):
                item, other = other, item
            if other:
                done[other.event.event_id] = delivered(other.event, {"superseded": True})
            items[place] = item
        waiting = list(items.values())
        try:
            self._settle(waiting, done)
        except RelayError as error:
            if len(waiting) == len(events):
                raise  # nothing is known of any: the engine treats the call as failed
            done.update({item.event.event_id: error.outcome(item.event) for item in waiting})
        return [done[event.event_id] for event in events]

    def _settle(self, waiting: list[Item], done: dict[Any, Outcome]) -> None:
        """Bring every item of ``waiting`` to an outcome; those that are leave the list."""
        for round_ in range(ROUNDS + len(waiting)):
            self._read(waiting, done)
            some = waiting[:MAX_QUANTITIES]
            if not some:
                return
            errors = self._set(some, round_)
            if not errors:
                for item in some:
                    _finish(item, waiting, done, delivered(item.event, _kept(item)))
                continue
            self._sort_out(some, errors, waiting, done)
        raise RetryLater(5, "the store's quantities move faster than they can be set", code="stale")

    def _read(self, waiting: list[Item], done: dict[Any, Outcome]) -> None:
        """Read what the store shows for each item that has not been read; settle what is equal or not there."""
        unread = [item for item in waiting if item.shown is None]
        for location in dict.fromkeys(item.location for item in unread):
            here = [item for item in unread if item.location == location]
            for start in range(0, len(here), MAX_QUANTITIES):
                some = here[start : start + MAX_QUANTITIES]
                for item, found in zip(some, self._quantities(some, location), strict=True):
                    if isinstance(found, Rejected):
                        _finish(item, waiting, done, found.outcome(item.event))
                    elif found == item.quantity:
                        _finish(item, waiting, done, delivered(item.event, {"quantity": found, "unchanged": True}))
                    else:
                        item.shown = found

    def _quantities(self, some: Sequence[Item], location: str) -> list[int | Rejected]:
        try:
            ids = [item.inventory for item in some]
            nodes = self._client.run("InventoryAt", {"ids": ids, "location": location}).get("nodes")
        except TooCostly:
            if len(some) == 1:
                raise
            half = len(some) // 2
            return self._quantities(some[:half], location) + self._quantities(some[half:], location)
        if not isinstance(nodes, list) or len(nodes) != len(some):
            raise RetryLater(None, "the store's answer about quantities is incomplete", code="bad_answer")
        try:
            return [_available(node, item) for node, item in zip(nodes, some, strict=True)]
        except Unmappable as error:
            raise RetryLater(None, f"the store's quantities cannot be read: {error}", code="bad_answer") from error

    def _set(self, some: Sequence[Item], round_: int) -> list[Node]:
        quantities = [
            {
                "inventoryItemId": item.inventory,
                "locationId": item.location,
                "quantity": item.quantity,
                "changeFromQuantity": item.shown,
            }
            for item in some
        ]
        wanted = {"name": "available", "reason": "correction", "quantities": quantities}
        data = self._client.run("SetQuantities", {"input": wanted, "key": _key(some, round_)})
        try:
            return list(Node.of(data.get("inventorySetQuantities"), "inventorySetQuantities").children("userErrors"))
        except Unmappable as error:
            raise OutcomeUnknown(f"the store's answer cannot be read: {error}", code="bad_answer") from error

    def _sort_out(
        self, some: Sequence[Item], errors: Iterable[Node], waiting: list[Item], done: dict[Any, Outcome]
    ) -> None:
        """What each error means for its item. An error without an item is of the whole call."""
        for error in errors:
            code, message = error.text("code", optional=True) or "", error.text("message")
            item = _blamed(error, some)
            if code in DEFECT:
                raise Broken(f"the store refuses the whole batch: {message}", code=code.lower())
            if code == "IDEMPOTENCY_CONCURRENT_REQUEST":
                raise Snoozed(5, f"the same change is being made already: {message}", code="concurrent")
            if code in AGAIN:
                continue  # the next round has another key
            if code in STALE:
                for moved in [item] if item else list(some):
                    _read_again(moved, waiting, done)
            elif item is None:
                raise RetryLater(None, f"the store refuses a batch without naming the item: {message}", code="refused")
            elif item.event.event_id not in done:
                refused = Rejected(REFUSED.get(code, "refused"), f"{message} ({code or 'no code'})", data=_kept(item))
                _finish(item, waiting, done, refused.outcome(item.event))


def _item(event: Envelope) -> Item:
    try:
        wanted, _ = Availability.read(event.payload)
    except ValidationError as error:
        raise Broken(f"not an availability: {explain(error)}", code="bad_payload") from error
    if not wanted.listing.inventory_id:
        raise Rejected("no_item", "the listing has no inventory item at the store")
    if wanted.quantity != wanted.quantity.to_integral_value():
        raise Rejected("bad_quantity", f"the store takes whole pieces only, not {wanted.quantity}")
    inventory = gid("InventoryItem", wanted.listing.inventory_id)
    return Item(event, inventory, gid("Location", wanted.location_id), int(wanted.quantity))


def _available(node: Any, item: Item) -> int | Rejected:
    if not node:
        return Rejected("unknown_item", f"the store has no inventory item {short(item.inventory)}")
    level = Node.of(node, "inventory").child("inventoryLevel", optional=True)
    if level is None:
        text = f"inventory item {short(item.inventory)} is not stocked at location {short(item.location)}"
        return Rejected("not_stocked", text)
    for quantity in level.children("quantities"):
        if quantity.text("name") == "available":
            return int(quantity.decimal("quantity"))
    raise Unmappable(f"{level.path}: no available quantity")


def _blamed(error: Node, some: Sequence[Item]) -> Item | None:
    """The item an error's path (``input.quantities.3.…``) points at."""
    path = error.tree.get("field")
    for before, after in pairwise(path or ()):
        if before == "quantities" and str(after).isdecimal() and int(after) < len(some):
            return some[int(after)]
    return some[0] if len(some) == 1 else None


def _key(some: Sequence[Item], round_: int) -> str:
    """Equal for an equal call only: events, versions, and the quantities they replace."""
    parts = [(str(item.event.event_id), item.event.version, item.quantity, item.shown) for item in some]
    return str(uuid5(NAMESPACE_URL, json.dumps([parts, round_, [item.event.attempt for item in some]])))


def _read_again(item: Item, waiting: list[Item], done: dict[Any, Outcome]) -> None:
    item.shown = None
    item.stale += 1
    if item.stale > STALE_TRIES and item in waiting:
        moving = RetryLater(5, "the store's quantity moves faster than it can be set", code="stale")
        _finish(item, waiting, done, moving.outcome(item.event))


def _kept(item: Item) -> dict[str, Any]:
    return {"quantity": item.quantity, "previous": item.shown}


def _finish(item: Item, waiting: list[Item], done: dict[Any, Outcome], outcome: Outcome) -> None:
    waiting.remove(item)
    done[item.event.event_id] = outcome
