"""EDIFACT's packaging levels (CPS with PAC, PCI, GIN) ↔ units that hold units and items."""

from __future__ import annotations

from ..context import Context
from ..paths import Tree
from .levels import children, flattened, kind_of

SSCC = "BJ"


def read(tree: Tree, context: Context) -> None:
    """Levels become units; what is in the level of the whole shipment is in no unit."""
    levels = tree.pop("levels", [])
    below = children(levels)
    tree["units"], tree["items"] = [], []
    for level in below.pop("", []):
        inner = below.pop(level.get("id", ""), [])
        packs = level.get("packs", [])
        if inner or not any(pack.get("numbers") for pack in packs):
            _whole(tree, level)
            tree["units"] += [unit for each in inner for unit in _units(each, below, context)]
        else:
            tree["units"] += _units(level, below, context)
    for unit in flattened(tree["units"]):
        unit["kind"] = kind_of(unit)


def write(tree: Tree, context: Context) -> None:
    """One level for the shipment, then one for each unit."""
    root: Tree = {"id": "1", "items": tree.pop("items", [])}
    pack = {
        name: tree.pop(key) for key, name in (("package_count", "count"), ("packaging", "packaging")) if key in tree
    }
    root["packs"] = [pack] if pack else []
    levels = [root]
    _write(tree.get("units", []), "1", levels)
    if not tree.get("units"):
        tree.pop("units", None)
    tree["units"] = _left(tree.pop("units", []))
    tree["levels"] = levels


def _whole(tree: Tree, level: Tree) -> None:
    """The level of the whole shipment: how many packages of which kind, and items that are in none."""
    tree["items"] += level.get("items", [])
    for pack in level.get("packs", []):
        if "package_count" not in tree and "packaging" not in tree:
            if pack.get("count") is not None:
                tree["package_count"] = pack["count"]
            if pack.get("packaging"):
                tree["packaging"] = pack["packaging"]
            if pack.get("measures"):
                tree.setdefault("measures", []).extend(pack["measures"])
        else:
            tree["units"].append(_unit(pack))


def _units(level: Tree, below: dict[str, list[Tree]], context: Context) -> list[Tree]:
    """The units of one level: usually one; several where it has several packages or numbers.

    What is below is taken out of ``below``: numbers that name each other in a circle end there.
    """
    packs = level.get("packs", [])
    units = [unit for pack in packs for unit in _numbered(pack)] or [{}]
    first, *rest = units
    first["items"] = level.get("items", [])
    first["units"] = [unit for each in below.pop(level.get("id", ""), []) for unit in _units(each, below, context)]
    if rest and (first["items"] or first["units"]):
        # Several numbers share what is said once: they are packages in one unit that has no number itself.
        holder: Tree = {"items": first.pop("items"), "units": [first, *rest, *first.pop("units")]}
        return [holder]
    return units


def _numbered(pack: Tree) -> list[Tree]:
    """A unit for each SSCC of a package group."""
    codes = [each["value"] for each in pack.get("numbers", []) if each["kind"] == SSCC and _is_sscc(each["value"])]
    if len(codes) < 2:
        return [_unit(pack)]
    shared = {key: value for key, value in pack.items() if key in ("packaging", "measures")}
    return [{**shared, "sscc": code} for code in codes]


def _unit(pack: Tree) -> Tree:
    unit = {key: pack[key] for key in ("packaging", "measures") if pack.get(key)}
    if pack.get("count", 1) != 1:
        unit["count"] = pack["count"]
    for number in pack.get("numbers", []):
        if number["kind"] == SSCC and _is_sscc(number["value"]) and "sscc" not in unit:
            unit["sscc"] = number["value"]
        else:
            unit.setdefault("marks", []).append({"kind": f"edifact:{number['kind']}", "value": number["value"]})
    if pack.get("label"):
        unit.setdefault("marks", []).append({"kind": "edifact:PCI", "value": pack["label"][:255]})
    return unit


def _is_sscc(text: str) -> bool:
    return len(text) == 18 and text.isascii() and text.isdigit()


def _write(units: list[Tree], parent: str, levels: list[Tree]) -> None:
    for unit in units:
        pack: Tree = {}
        numbers = [{"kind": SSCC, "value": unit.pop("sscc")}] if unit.get("sscc") else []
        for mark in unit.pop("marks", []):
            standard, _, kind = mark["kind"].partition(":")
            if standard != "edifact":
                unit.setdefault("marks", []).append(mark)
            elif kind == "PCI":
                pack["label"] = mark["value"]
            else:
                numbers.append({"kind": kind, "value": mark["value"]})
        for key in ("packaging", "measures", "count"):
            if unit.get(key):
                pack[key] = unit.pop(key)
        if numbers:
            pack["numbers"] = numbers
        if pack:
            pack.setdefault("count", 1)
        unit.pop("kind", None)
        level: Tree = {"id": str(len(levels) + 1), "parent": parent, "items": unit.pop("items", [])}
        level["packs"] = [pack] if pack else []
        levels.append(level)
        _write(unit.get("units", []), level["id"], levels)


def _left(units: list[Tree]) -> list[Tree]:
    """What was not taken out of the units."""
    found = []
    for unit in units:
        rest = {key: value for key, value in unit.items() if key != "units" and value not in ([], None)}
        if inner := _left(unit.get("units", [])):
            rest["units"] = inner
        if rest:
            found.append(rest)
    return found
