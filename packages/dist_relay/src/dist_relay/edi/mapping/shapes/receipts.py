"""Shapes of receipts: the units and lines of RECADV, and what a line's quantity is where it is not said."""

from __future__ import annotations

from ..context import Context
from ..paths import Tree

SSCC = "BJ"


def read(tree: Tree, context: Context) -> None:
    """Levels with a numbered package become units, the lines of the others stand alone."""
    tree["units"], tree["lines"] = [], []
    for level in tree.pop("levels", []):
        lines = [_line(line) for line in level.get("lines", [])]
        units = [_unit(pack) for pack in level.get("packs", [])]
        if not units:
            tree["lines"] += lines
        else:
            units[0]["lines"] = lines
            tree["units"] += units


def write(tree: Tree, context: Context) -> None:
    """One level for lines without a package, one for each unit."""
    levels: list[Tree] = []
    lines = tree.pop("lines", [])
    if lines:
        levels.append({"id": "1", "lines": [_written(line) for line in lines]})
    for unit in tree.pop("units", []):
        pack = {key: unit[key] for key in ("packaging", "count") if unit.get(key)}
        numbers = [{"kind": SSCC, "value": unit["sscc"]}] if unit.get("sscc") else []
        for mark in unit.get("marks", []):
            if mark["kind"].startswith("edifact:"):
                numbers.append({"kind": mark["kind"][8:], "value": mark["value"]})
            else:
                context.note("mapping.unwritten", "the mark has no place", element="units.marks", value=mark["value"])
        if numbers:
            pack["numbers"] = numbers
        pack.setdefault("count", 1)
        written = [_written(line) for line in unit.get("lines", [])]
        levels.append({"id": str(len(levels) + 1), "packs": [pack], "lines": written})
    tree["levels"] = levels


def _unit(pack: Tree) -> Tree:
    unit: Tree = {key: pack[key] for key in ("packaging",) if pack.get(key)}
    if pack.get("count", 1) != 1:
        unit["count"] = pack["count"]
    for number in pack.get("numbers", []):
        value = number["value"]
        if number["kind"] == SSCC and len(value) == 18 and value.isdigit() and value.isascii() and "sscc" not in unit:
            unit["sscc"] = value
        else:
            unit.setdefault("marks", []).append({"kind": f"edifact:{number['kind']}", "value": value})
    return unit


def _line(line: Tree) -> Tree:
    """Where only what was accepted is said, that is what was received."""
    unit = line.pop("accepted_uom", None)
    if "quantity" not in line and "accepted" in line:
        line["quantity"] = line["accepted"]
        if unit:
            line["uom"] = unit
    return line


def _written(line: Tree) -> Tree:
    if "accepted" in line:
        line["accepted_uom"] = line.get("uom", "C62")
    return line
