"""X12's hierarchy of levels (HL) ↔ shipment, orders, units and items.

Any of the orders of levels is read (shipment-order-tare-pack-item, shipment-order-item-pack, …); written is shipment,
order, units from the outside in, item. A unit with items of two orders stands under both, with the same number, and is
put together again when it is read.
"""

from __future__ import annotations

from typing import Any

from ..context import Context
from ..paths import Tree, copied
from . import lots
from .levels import MAX_DEPTH, children, flattened, measured, weighed

ITEM = ("line", "ids", "order_line", "quantity", "uom", "ordered_quantity", "ordered_uom", "status", "packs")
ITEM_TOO = ("description", "references", "dates", "measures", "prices")
UNIT = ("sscc", "marks", "tracking_number", "packaging", "count", "measures", "references", "dates", "transport")
MARKS = ("sscc", "marks", "tracking_number")
ORDER = ("release", "references", "dates", "parties", "measures", "packaging")
SHIPMENT = ("references", "dates", "contacts", "parties", "transport", "measures", "charges")
UNITS = {"T": "pallet", "P": "package", "Q": "package", "X": "package", "H": "package"}


class _Reader:
    def __init__(self, tree: Tree, levels: list[Tree], context: Context) -> None:
        self.tree = tree
        self.context = context
        self.below = children(levels)
        self.known: dict[str, Tree] = {}
        self.orders: list[Tree] = []

    def level(self, level: Tree, holder: Tree, order: str, depth: int) -> None:
        """Read one level into what holds it: the document or a unit."""
        code = level.get("level", "")
        inner = holder
        measured(level)
        if depth > MAX_DEPTH:
            self.unread(level, code)
            return
        if code == "S":
            self.shipment(level)
        elif code == "O":
            order = self.order(level) or order
        elif code in UNITS:
            inner = self.unit(level, UNITS[code], holder)
        elif code == "I":
            inner = self.item(level, holder, order)
        else:
            self.unread(level, code)
        for each in self.below.get(level.get("id", "-"), []):
            self.level(each, inner, order, depth + 1)

    def shipment(self, level: Tree) -> None:
        for key in SHIPMENT:
            if level.get(key):
                self.tree[key] = [*self.tree.get(key, []), *level.pop(key)]
        for key, name in (("packaging", "packaging"), ("count", "package_count")):
            if key in level:
                self.tree[name] = level.pop(key)
        self.unread(level, "S")

    def order(self, level: Tree) -> str:
        number: str = level.pop("order", "")
        if not number:
            self.unread(level, "O")
            return ""
        order = {"number": number, **{key: level.pop(key) for key in ORDER if level.get(key)}}
        for key, name in (("order_date", "issued"), ("count", "package_count")):
            if key in level:
                order[name] = level.pop(key)
        self.orders.append(order)
        self.unread(level, "O")
        return number

    def unit(self, level: Tree, kind: str, holder: Tree) -> Tree:
        """The unit of a level, or the same one where it stood under another order before."""
        unit: Tree = {"kind": kind, **{key: level.pop(key) for key in UNIT if level.get(key)}}
        if unit.get("count") == 1:
            del unit["count"]
        self.unread(level, "T" if kind == "pallet" else "P")
        known = self.known.get(unit.get("sscc", ""))
        if known is not None:
            return known
        if "sscc" in unit:
            self.known[unit["sscc"]] = unit
        holder.setdefault("units", []).append(unit)
        return unit

    def item(self, level: Tree, holder: Tree, order: str) -> Tree:
        """The item; where its packages stand inside it, one package holds it, several are held with it by a unit.

        An item that is marked itself is in a package of its own.
        """
        item = {key: level.pop(key) for key in (*ITEM, *ITEM_TOO) if level.get(key)}
        if order := level.pop("order", order):
            item["order"] = order
        lots.gather(item)
        if marks := {key: level.pop(key) for key in MARKS if level.get(key)}:
            unit: Tree = {"kind": "package", **marks}
            holder.setdefault("units", []).append(unit)
            holder = unit
        self.unread(level, "I")
        packs = [each for each in self.below.get(level.get("id", "-"), []) if each.get("level") in UNITS]
        if not packs:
            holder.setdefault("items", []).append(item)
            return holder
        if len(packs) == 1:
            pack = packs[0]
            unit = self.unit(pack, UNITS[pack["level"]], holder)
            self.below[level["id"]] = self.below.get(pack.get("id", "-"), [])
        else:
            unit = {"kind": "package"}
            holder.setdefault("units", []).append(unit)
        unit.setdefault("items", []).append(item)
        return unit

    def unread(self, level: Tree, code: str) -> None:
        for key, value in level.items():
            if key not in ("id", "parent", "level") and value:
                text = f"{key} is not read in a level {code}"
                self.context.note("mapping.segment", text, element=f"HL {level.get('id', '')}", value=str(value)[:200])


def read(tree: Tree, context: Context) -> None:
    """Put the tree of units together."""
    levels = tree.pop("levels", [])
    reader = _Reader(tree, levels, context)
    for level in reader.below.get("", []):
        reader.level(level, tree, "", 0)
    weighed(tree)
    measured(tree)
    orders: dict[str, Tree] = {}
    for order in reader.orders:
        orders.setdefault(order["number"] + "\n" + order.get("release", ""), order)
    tree["orders"] = list(orders.values())


class _Writer:
    def __init__(self) -> None:
        self.levels: list[Tree] = []

    def add(self, code: str, parent: str, fields: Tree) -> str:
        weighed(fields)
        level = {"id": str(len(self.levels) + 1), **({"parent": parent} if parent else {}), "level": code, **fields}
        self.levels.append(level)
        return str(level["id"])

    def units(self, units: list[Tree], parent: str) -> None:
        for unit in units:
            fields = {key: value for key, value in unit.items() if key not in ("kind", "items", "units")}
            if "packaging" in fields:
                fields.setdefault("count", 1)
            own = self.add("T" if unit.get("kind") == "pallet" else "P", parent, fields)
            self.units(unit.get("units", []), own)
            self.items(unit.get("items", []), own)

    def items(self, items: list[Tree], parent: str) -> None:
        for item in copied(items):
            lots.spread(item, element=False)
            item.pop("order", None)
            self.add("I", parent, item)


def write(tree: Tree, context: Context) -> None:
    """One level for the shipment, then orders with their units, then what is of no order."""
    writer = _Writer()
    root: Tree = {key: tree.pop(key) for key in SHIPMENT if key in tree}
    for key, name in (("packaging", "packaging"), ("package_count", "count")):
        if key in tree:
            root[name] = tree.pop(key)
    top = writer.add("S", "", root)
    units, items = tree.pop("units", []), tree.pop("items", [])
    orders = tree.pop("orders", [])
    named = {order["number"] for order in orders}
    for number in dict.fromkeys(each.get("order") for each in [*items, *_items(units)]):
        if number and number not in named:
            orders.append({"number": number})
    seen: set[Any] = set()
    for order in orders:
        number = order.pop("number")
        fields = {"order": number, **{key: order.pop(key) for key in ORDER if key in order}}
        for key, name in (("issued", "order_date"), ("package_count", "count")):
            if key in order:
                fields[name] = order.pop(key)
        own = writer.add("O", top, fields)
        if number in seen:
            continue
        seen.add(number)
        writer.units(_of_order(units, number), own)
        writer.items([each for each in items if each.get("order") == number], own)
    writer.units(_of_order(units, None), top)
    writer.items([each for each in items if not each.get("order")], top)
    tree["levels"] = writer.levels


def _items(units: list[Tree]) -> list[Tree]:
    return [item for unit in flattened(units) for item in unit.get("items", [])]


def _of_order(units: list[Tree], number: str | None) -> list[Tree]:
    """The units with only the items of one order. Those that hold nothing at all are of no order."""
    found = []
    for unit in units:
        items = [copied(each) for each in unit.get("items", []) if each.get("order") == number]
        inner = _of_order(unit.get("units", []), number)
        empty = not unit.get("items") and not unit.get("units") and number is None
        if items or inner or empty:
            shell = {key: copied(value) for key, value in unit.items() if key not in ("items", "units")}
            found.append({**shell, "items": items, "units": inner})
    return found
