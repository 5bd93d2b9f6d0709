"""What a snapshot of an order amounts to, so that a repeat is known for one."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from dist_contracts import Order

from .problems import is_cancelled


def _digest(tree: Any) -> str:
    return hashlib.sha256(json.dumps(tree, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def digest(order: Order) -> str:
    """Of the whole snapshot: equal digests are the same message."""
    return _digest(order.to_json())


def commercial_digest(order: Order) -> str:
    """Of what the sales order is made from; payment, holds, tags and what was fulfilled meanwhile are left out."""
    tree = order.to_json()
    lines = sorted(
        (
            {
                name: value
                for name, value in line.items()
                if name
                in (
                    "external_id",
                    "listing",
                    "quantity",
                    "uom",
                    "unit_price",
                    "discounts",
                    "taxes",
                    "requires_shipping",
                )
            }
            for line in tree["lines"]
            if line["quantity"].strip("0.")
        ),
        key=lambda line: line["external_id"],
    )
    names = ("cancelled", "shipping", "ship_to", "taxes_included", "currency", "presentment_currency")
    tree["cancelled"] = is_cancelled(order)
    return _digest({"lines": lines, "total": tree["totals"]["total"], **{name: tree.get(name) for name in names}})
