"""Changes of stock in EDIFACT: a quantity without sign, and its direction beside it."""

from __future__ import annotations

from ..context import Context
from ..paths import Tree

OUT, IN = "1", "2"


def read(tree: Tree, context: Context) -> None:
    """What moves out of stock is negative."""
    for line in tree.get("lines", []):
        if line.pop("direction", "") == OUT and not line.get("quantity", "-").startswith("-"):
            line["quantity"] = f"-{line['quantity']}"


def write(tree: Tree, context: Context) -> None:
    """The direction from the sign."""
    for line in tree.get("lines", []):
        quantity = line["quantity"]
        line["direction"] = OUT if quantity.startswith("-") else IN
        line["quantity"] = quantity.removeprefix("-")
