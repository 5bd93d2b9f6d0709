"""Shapes of X12's sales activity (852) and remittance (820)."""

from __future__ import annotations

from ..context import Context
from ..paths import Tree


def read_activity(tree: Tree, context: Context) -> None:
    """Quantities by place become quantities of their own; the period names a report that has no number."""
    if not tree.get("number"):
        tree["number"] = _period(tree)
    for line in tree.get("lines", []):
        found = []
        for quantity in line.pop("quantities", []):
            places = quantity.pop("destinations", [])
            if "quantity" in quantity:
                found.append(dict(quantity))
            for place in places:
                found.append({**quantity, "quantity": place["quantity"], "uom": place["uom"], "place": place["place"]})
        line["quantities"] = found


def write_activity(tree: Tree, context: Context) -> None:
    """Quantities of one kind at several places stand together; a total before them with them."""
    if tree.get("number") == _period(tree) and not context.applies("5010", ""):
        del tree["number"]
    for line in tree.get("lines", []):
        groups: list[Tree] = []
        for quantity in line.pop("quantities", []):
            place = quantity.pop("place", None)
            if place is None:
                groups.append(quantity)
                continue
            same = {key: quantity.get(key) or [] for key in ("kind", "dates")}
            if not groups or {key: groups[-1].get(key) or [] for key in same} != same:
                groups.append({key: value for key, value in same.items() if value})
            share = {"place": place, "quantity": quantity.pop("quantity"), "uom": quantity.pop("uom")}
            groups[-1].setdefault("destinations", []).append(share)
        line["quantities"] = groups


def _period(tree: Tree) -> str:
    return "/".join(tree[key] for key in ("starts", "ends") if tree.get(key))


def read_advices(tree: Tree, context: Context) -> None:
    """An adjustment that stands in RMR itself is one of the document's."""
    for document in tree.get("documents", []):
        adjustment = document.pop("adjustment", None)
        if adjustment and {"amount", "reason"} <= set(adjustment):
            document["adjustments"] = [adjustment, *document.get("adjustments", [])]
        elif adjustment:
            context.note(
                "mapping.value", "an adjustment without amount or reason", element="RMR07", value=str(adjustment)
            )


def write_advices(tree: Tree, context: Context) -> None:
    """Adjustments are written in segments of their own (ADX): nothing to change."""
