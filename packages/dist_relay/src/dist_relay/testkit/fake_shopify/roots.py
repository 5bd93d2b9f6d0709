"""The root fields of the fake API: what each query and mutation does."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any, TypeAlias

from graphql import GraphQLError, get_directive_values
from graphql import GraphQLResolveInfo as _Info

from . import fulfillments, inventory, orders
from .store import Record, Store
from .views import Tree, Views, connection, gid

Info: TypeAlias = _Info[Any]
_FILTER = re.compile(r"updated_at:(>=|>|<=|<)'?([^'\s]+)'?")
_COMPARE: dict[str, Callable[[datetime, datetime], bool]] = {
    ">=": lambda a, b: a >= b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    "<": lambda a, b: a < b,
}


class Roots:
    """One request's root value. ``fault`` is what the request is to suffer, where that concerns lists or stock."""

    def __init__(self, store: Store, fault: str | None = None, seed: int = 1) -> None:
        self._store, self._views, self._fault, self._random = store, Views(store), fault, Random(seed)

    def value(self) -> dict[str, Callable[..., Any]]:
        """Root field → resolver."""
        return {
            "shop": self._shop,
            "currentAppInstallation": self._installation,
            "locations": self._locations,
            "order": self._order,
            "orders": self._orders,
            "node": lambda info, id: self._node(id),
            "nodes": self._nodes,
            "productVariants": self._variants,
            "job": self._job,
            "inventorySetQuantities": self._set_quantities,
            "fulfillmentCreate": self._fulfil,
            "orderCancel": self._cancel,
        }

    def _shop(self, _info: Info) -> Tree:
        shop = self._store.get("meta", "shop")
        return {
            "name": shop["name"],
            "myshopifyDomain": shop["domain"],
            "currencyCode": shop["currency"],
            "ianaTimezone": shop["timezone"],
            "plan": {"publicDisplayName": shop["plan"], "partnerDevelopment": True},
        }

    def _installation(self, _info: Info) -> Tree:
        return {"accessScopes": [{"handle": scope} for scope in self._store.get("meta", "app")["scopes"]]}

    def _locations(self, info: Info, **args: Any) -> Tree:
        places = [place for place in self._store.all("location").values() if place.get("active", True)]
        return connection(places, self._views.location)(info, **args)

    def _order(self, _info: Info, id: str) -> Tree | None:
        found = self._store.find("order", id.rpartition("/")[2])
        return self._views.order(found) if found else None

    def _orders(self, info: Info, **args: Any) -> Tree:
        sort = "updated_at" if args.get("sortKey") == "UPDATED_AT" else None
        found = self._matching("order", args.pop("query", None), sort)
        if args.get("reverse"):
            found.reverse()
        page = connection(found, self._views.order)(info, **args)
        if self._fault == "duplicate":
            page["nodes"] = page["nodes"] + page["nodes"][:3]
        if self._fault == "out_of_order":
            self._random.shuffle(page["nodes"])
        return page

    def _variants(self, info: Info, **args: Any) -> Tree:
        return connection(self._matching("variant", args.pop("query", None), None), self._views.variant)(info, **args)

    def _matching(self, kind: str, query: str | None, sort: str | None) -> list[Record]:
        """Records that match ``updated_at`` bounds, sorted by ``sort`` and id."""
        bounds = [(_COMPARE[sign], _time(text)) for sign, text in _FILTER.findall(query or "")]
        if query and not bounds:
            raise GraphQLError(f"the fake does not know the filter {query!r}", extensions={"code": "BAD_REQUEST"})
        found = [
            {**record, "sort": record[sort] if sort else ""}
            for record in self._store.all(kind).values()
            if all(holds(_time(record["updated_at"]), bound) for holds, bound in bounds)
        ]
        return sorted(found, key=lambda record: (record["sort"], int(record["id"])))

    def _nodes(self, _info: Info, ids: list[str]) -> list[Tree | None]:
        if len(ids) > inventory.MAX_QUANTITIES:
            raise GraphQLError("too many ids", extensions={"code": "MAX_INPUT_SIZE_EXCEEDED"})
        return [self._node(each) for each in ids]

    def _node(self, global_id: str) -> Tree | None:
        kind, _, id_ = global_id.removeprefix("gid://shopify/").partition("/")
        kinds: dict[str, tuple[str, Callable[[Record], Tree]]] = {
            "Order": ("order", self._views.order),
            "InventoryItem": ("item", self._views.item),
            "ProductVariant": ("variant", self._views.variant),
            "FulfillmentOrder": ("fo", lambda r: self._views.part(r, orders.get(self._store, r["order_id"]))),
            "Fulfillment": (
                "fulfillment",
                lambda r: self._views.fulfillment(r, orders.get(self._store, r["order_id"])),
            ),
        }
        if kind not in kinds:
            raise GraphQLError(f"Invalid global id '{global_id}'", extensions={"code": "argumentLiteralsIncompatible"})
        name, view = kinds[kind]
        found = self._store.find(name, id_)
        return view(found) if found else None

    def _job(self, _info: Info, id: str) -> Tree | None:
        job = self._store.find("job", id.rpartition("/")[2])
        if job is None:
            return None
        if not job["done"]:
            job["polls"] -= 1
            if job["polls"] <= 0:
                finish(self._store, job)
            self._store.put("job", job["id"], job)
        return {"id": gid("Job", job["id"]), "done": job["done"]}

    def _set_quantities(self, info: Info, input: dict[str, Any]) -> Tree:
        quantities = input["quantities"]
        if len(quantities) > inventory.MAX_QUANTITIES:
            text = f"The input array size of {len(quantities)} is greater than the maximum allowed of 250."
            raise GraphQLError(text, extensions={"code": "MAX_INPUT_SIZE_EXCEEDED"})
        if any("changeFromQuantity" not in each for each in quantities):
            raise GraphQLError("changeFromQuantity is required", extensions={"code": "BAD_REQUEST"})
        key = _idempotency_key(info)
        print_ = hashlib.sha256(json.dumps(input, sort_keys=True).encode()).hexdigest()
        if earlier := self._store.find("idempotency", key):
            if earlier["print"] != print_:
                return _refused("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", "The same key was used for other parameters.")
            if not earlier["done"]:
                return _refused("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", "The previous attempt with this key failed.")
            self._store.count("replays")
            return {"inventoryAdjustmentGroup": {"id": earlier["group"]}, "userErrors": []}
        if self._fault == "moved":
            self._move(quantities[0])
        errors = inventory.set_quantities(self._store, input)
        group = gid("InventoryAdjustmentGroup", self._store.next_id())
        self._store.put("idempotency", key, {"print": print_, "done": not errors, "group": group})
        return {"inventoryAdjustmentGroup": None if errors else {"id": group}, "userErrors": errors}

    def _move(self, each: dict[str, Any]) -> None:
        item, location = (each[name].rpartition("/")[2] for name in ("inventoryItemId", "locationId"))
        inventory.move(self._store, item, location, available=-1)

    def _fulfil(self, _info: Info, fulfillment: dict[str, Any], **_: Any) -> Tree:
        made, errors = fulfillments.create(self._store, fulfillment)
        view = self._views.fulfillment(made, orders.get(self._store, made["order_id"])) if made else None
        return {"fulfillment": view, "userErrors": errors}

    def _cancel(self, _info: Info, orderId: str, reason: str, restock: bool, **_: Any) -> Tree:
        errors: list[dict[str, Any]] = []
        try:
            order = orders.get(self._store, orderId)
            if order["cancelled_at"] or any(line["fulfilled"] for line in order["lines"]):
                errors = [{"code": "INVALID", "field": ["orderId"], "message": "Cannot cancel this order."}]
        except orders.Unknown as error:
            errors = [{"code": "NOT_FOUND", "field": ["orderId"], "message": str(error)}]
        if errors:
            return {"job": None, "orderCancelUserErrors": errors}
        job = {"id": self._store.next_id(), "done": False, "polls": 2, "order_id": order["id"]}
        job.update(reason=reason, restock=restock)
        self._store.put("job", job["id"], job)
        return {"job": {"id": gid("Job", job["id"]), "done": False}, "orderCancelUserErrors": []}


def finish(store: Store, job: Record) -> None:
    """Do what the job is about."""
    job["done"] = True
    try:
        orders.cancel(store, job["order_id"], reason=job["reason"], restock=job["restock"])
    except ValueError:
        store.count("failed_jobs")


def _idempotency_key(info: Info) -> str:
    directive = info.schema.get_directive("idempotent")
    assert directive is not None
    given = get_directive_values(directive, info.field_nodes[0], info.variable_values)
    if not given or not given.get("key"):
        text = "The @idempotent directive is required for this mutation."
        raise GraphQLError(text, extensions={"code": "BAD_REQUEST"})
    return str(given["key"])


def _refused(code: str, message: str) -> Tree:
    return {"inventoryAdjustmentGroup": None, "userErrors": [{"code": code, "field": None, "message": message}]}


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
