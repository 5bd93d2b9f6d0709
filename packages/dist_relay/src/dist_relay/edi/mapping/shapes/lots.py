"""Lots of X12: a lot number in an element of its own or in a reference, with its dates among the line's."""

from __future__ import annotations

from ..context import Context
from ..paths import Tree

DATES = ("expires", "best_before", "produced")


def gather(line: Tree) -> None:
    """Make one lot of what the line's elements, references, product numbers and dates say of it."""
    lots = [line.pop("lot")] if line.get("lot") else []
    lots += _taken(line, "references", "kind", "lot") + _taken(line, "ids", "scheme", "lot")
    serials = _taken(line, "references", "kind", "serial") + _taken(line, "ids", "scheme", "serial")
    if not lots and not serials:
        return
    dates = {}
    for kind in DATES:
        found = next((each for each in line.get("dates", []) if each["kind"] == kind and "until" not in each), None)
        if found:
            line["dates"].remove(found)
            dates[kind] = found["on"]
    first = {"lot": lots[0]} if lots else {}
    line["lots"] = [{**first, **dates, "serial": each} for each in serials] or [{**first, **dates}]
    line["lots"] += [{"lot": each} for each in dict.fromkeys(lots[1:]) if each != lots[0]]


def spread(line: Tree, element: bool) -> None:
    """Take a line's lot apart again, into ``lot`` where it has an element, else a reference. One lot a line is said."""
    lots = line.get("lots", [])
    first = {key: lots[0].get(key) for key in ("lot", *DATES)} if lots else {}
    same = [each for each in lots if {key: each.get(key) for key in first} == first]
    if not lots or len(same) != len(lots):
        return
    del line["lots"]
    references = []
    for each in lots:
        if each.get("serial"):
            references.append({"kind": "serial", "value": each["serial"]})
    if first["lot"] and element:
        line["lot"] = first["lot"]
    elif first["lot"]:
        references.insert(0, {"kind": "lot", "value": first["lot"]})
    if references:
        line["references"] = [*line.get("references", []), *references]
    dates = [{"kind": kind, "on": first[kind]} for kind in DATES if first[kind]]
    if dates:
        line["dates"] = [*line.get("dates", []), *dates]
    left = [{k: v for k, v in each.items() if k in ("quantity",)} for each in lots]
    if any(left):
        line["lots"] = [each for each in left if each]


def read(tree: Tree, context: Context) -> None:
    """All lines of the document."""
    for line in tree.get("lines", []):
        gather(line)


def write(tree: Tree, context: Context) -> None:
    """All lines of the document."""
    for line in tree.get("lines", []):
        spread(line, element=True)


def _taken(line: Tree, name: str, key: str, word: str) -> list[str]:
    items = line.get(name, [])
    found = [each["value"] for each in items if each.get(key) == word]
    if found:
        line[name] = [each for each in items if each.get(key) != word]
    return found
