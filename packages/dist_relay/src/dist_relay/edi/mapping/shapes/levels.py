"""What the shapes of packaging levels share."""

from __future__ import annotations

from collections.abc import Iterator

from ..context import Problem
from ..paths import Tree

MAX_DEPTH = 20
TOTALS = (("weight", "gross_weight"), ("volume", "volume"))
PALLETS = {"PX", "PF", "edifact:200", "edifact:202", "x12:PLT"}


def children(levels: list[Tree]) -> dict[str, list[Tree]]:
    """Levels by the id of their parent ("" for those without a known one); loops of parents are cut."""
    known = {level.get("id", ""): level for level in levels}
    found: dict[str, list[Tree]] = {}
    for level in levels:
        parent = level.get("parent", "")
        if parent not in known or _circular(level, known):
            parent = ""
        found.setdefault(parent, []).append(level)
    return found


def _circular(level: Tree, known: dict[str, Tree]) -> bool:
    for _ in range(MAX_DEPTH + 1):
        parent = known.get(level.get("parent", ""))
        if parent is None:
            return False
        level = parent
    return True


def measured(level: Tree) -> None:
    """Weight and volume of their own elements become the last of the measures."""
    for name, kind in TOTALS:
        total = level.pop(name, None)
        if total:
            level["measures"] = [*level.get("measures", []), {"kind": kind, "uom": "ZZ", **total}]


def weighed(level: Tree) -> None:
    """The last gross weight and the last volume go to elements of their own."""
    for name, kind in TOTALS:
        found = [each for each in level.get("measures", []) if each.get("kind") == kind and each.get("value")]
        if found:
            level["measures"] = [each for each in level["measures"] if each is not found[-1]]
            level[name] = {"value": found[-1]["value"], "uom": found[-1].get("uom", "ZZ")}


def flattened(units: list[Tree], depth: int = 0) -> Iterator[Tree]:
    """All units, outer ones first.

    :raises Problem: nested too deeply.
    """
    if depth > MAX_DEPTH:
        raise Problem("units are nested too deeply")
    for unit in units:
        yield unit
        yield from flattened(unit.get("units", []), depth + 1)


def kind_of(unit: Tree) -> str:
    """A unit that holds units, or is packed on a pallet, is one."""
    return "pallet" if unit.get("units") or unit.get("packaging") in PALLETS else "package"
