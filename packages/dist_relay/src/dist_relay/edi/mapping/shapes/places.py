"""Sales reports: lines stand in the place where was sold."""

from __future__ import annotations

from ..context import Context
from ..paths import Tree


def read(tree: Tree, context: Context) -> None:
    """Each line gets the place it stood in."""
    lines = []
    for place in tree.pop("places", []):
        for line in place.get("lines", []):
            if place.get("place", {}).get("value"):
                line["place"] = place["place"]
            lines.append(line)
    tree["lines"] = lines


def write(tree: Tree, context: Context) -> None:
    """Lines that follow each other and have the same place stand in it together."""
    places: list[Tree] = []
    for line in tree.pop("lines", []):
        place = line.pop("place", None)
        if not places or places[-1].get("place") != place:
            places.append({"place": place, "lines": []} if place else {"lines": []})
        places[-1]["lines"].append(line)
    tree["places"] = places
