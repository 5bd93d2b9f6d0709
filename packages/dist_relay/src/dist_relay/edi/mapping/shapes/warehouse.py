"""Shapes of X12's warehouse documents: load groups (LX) ↔ units and lines, and totals that follow from them."""

from __future__ import annotations

from decimal import Decimal

from ..context import Context
from ..convert import plain
from ..paths import Tree
from . import lots
from .levels import flattened, measured, weighed


def read_shipped(tree: Tree, context: Context) -> None:
    """943 and 945: a group with a number or mark is a unit, the items of the others are in none."""
    _totals_read(tree)
    if "number" not in tree and "ship_order" in tree:
        tree["number"] = tree["ship_order"]
    items = tree.get("items", [])
    units = []
    for level in tree.pop("levels", []):
        level.pop("id", None)
        inner = level.pop("items", [])
        if level:
            units.append({"kind": "package", **level, "items": inner})
        else:
            items += inner
    tree["units"], tree["items"] = units, items
    for item in [*items, *(each for unit in units for each in unit["items"])]:
        item.setdefault("quantity", "0")
        lots.gather(item)


def write_shipped(tree: Tree, context: Context) -> None:
    """Each unit that holds items becomes a group; units around it have no place."""
    units = list(flattened(tree.pop("units", [])))
    items = tree.pop("items", [])
    every = [*items, *(each for unit in units for each in unit.get("items", []))]
    _totals_write(tree, every)
    for item in every:
        lots.spread(item, element=True)
    levels = [{"items": items}] if items else []
    left: list[Tree] = []
    for unit in units:
        unit.pop("units", None)
        unit.pop("kind", None)
        (levels if unit.get("items") else left).append(unit)
    for number, level in enumerate(levels, 1):
        level["id"] = str(number)
    tree["levels"] = levels
    if left:
        tree["units"] = left


def write_advised(tree: Tree, context: Context) -> None:
    """943 has items only: units have no place."""
    items = tree.get("items", [])
    _totals_write(tree, items)
    for item in items:
        lots.spread(item, element=False)


def read_order(tree: Tree, context: Context) -> None:
    """940: the lines of all groups."""
    _totals_read(tree)
    tree["lines"] = [line for load in tree.pop("loads", []) for line in load.get("lines", [])]
    lots.read(tree, context)


def write_order(tree: Tree, context: Context) -> None:
    """940: a group for each line."""
    lines = tree.pop("lines", [])
    _totals_write(tree, lines)
    for line in lines:
        lots.spread(line, element=True)
    tree["loads"] = [{"id": str(number), "lines": [line]} for number, line in enumerate(lines, 1)]


def read_adjusted(tree: Tree, context: Context) -> None:
    """947: the warehouse's number, or else the depositor's."""
    if "number" not in tree and "depositor_number" in tree:
        tree["number"] = tree["depositor_number"]
    lots.read(tree, context)


def read_received(tree: Tree, context: Context) -> None:
    """944: lines stand alone before 5010, in groups since; a group with a number is a unit."""
    tree.pop("total_quantity", None)
    lines = tree.get("lines", [])
    units = []
    for level in tree.pop("levels", []):
        if level.get("sscc"):
            units.append({"sscc": level["sscc"], "lines": level.get("lines", [])})
        else:
            lines += level.get("lines", [])
    tree["lines"], tree["units"] = lines, units
    for line in [*lines, *(each for unit in units for each in unit["lines"])]:
        lots.gather(line)


def write_received(tree: Tree, context: Context) -> None:
    """The other way round; before 5010 units have no place."""
    units, lines = tree.get("units", []), tree.get("lines", [])
    every = [*lines, *(each for unit in units for each in unit.get("lines", []))]
    tree["total_quantity"] = _sum(every)
    for line in every:
        lots.spread(line, element=True)
    if context.applies("5010", ""):
        levels = [{"lines": lines}] if lines else []
        tree["levels"] = [*levels, *tree.pop("units", [])]
        tree.pop("lines", None)
        for number, level in enumerate(tree["levels"], 1):
            level["id"] = str(number)


def _totals_read(tree: Tree) -> None:
    """The total quantity follows from the lines; weight and volume are measures of the document."""
    tree.pop("total_quantity", None)
    measured(tree)


def _totals_write(tree: Tree, lines: list[Tree]) -> None:
    tree["total_quantity"] = _sum(lines)
    weighed(tree)


def _sum(lines: list[Tree]) -> str:
    return plain(sum((Decimal(line.get("quantity", "0")) for line in lines), Decimal(0)))
