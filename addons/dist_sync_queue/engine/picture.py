# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""How a graph of jobs is drawn: in layers from what comes first to what comes last, wide layers collapsed. Pure.

A group of a thousand jobs becomes one box that tells how many there are in each state; the job looked at always keeps
a box of its own. Of long chains the layers around that job are drawn.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

WIDE = 6
"""Boxes of a layer; a layer with more is collapsed by handler."""
REACH = 5
"""Layers drawn before and after the job looked at."""


class Node(NamedTuple):
    """One job of the graph."""

    id: int
    handler: str
    state: str


class Edge(NamedTuple):
    """``child`` waits for ``parent``; ``kind``: ``stop``, ``continue`` (on failure), ``undo`` (takes it back)."""

    parent: int
    child: int
    kind: str = "stop"


def layers(ids: Iterable[int], edges: Iterable[Edge]) -> dict[int, int]:
    """Job → its layer: one more than the deepest job it waits for. Edges to jobs not in ``ids`` are left out.

    >>> layers([1, 2, 3, 4], [Edge(1, 2), Edge(1, 3), Edge(2, 4), Edge(3, 4), Edge(1, 4)])
    {1: 0, 2: 1, 3: 1, 4: 2}
    """
    layer = dict.fromkeys(ids, 0)
    children: dict[int, list[int]] = defaultdict(list)
    missing: Counter[int] = Counter()
    for edge in edges:
        if edge.parent in layer and edge.child in layer:
            children[edge.parent].append(edge.child)
            missing[edge.child] += 1
    free = [id_ for id_ in layer if not missing[id_]]
    while free:
        id_ = free.pop()
        for child in children[id_]:
            layer[child] = max(layer[child], layer[id_] + 1)
            missing[child] -= 1
            if not missing[child]:
                free.append(child)
    return layer


def draw(nodes: Iterable[Node], edges: Iterable[Edge], focus: int) -> dict[str, Any]:
    """Boxes and lines for the picture of the graph ``focus`` belongs to.

    ``boxes``: ``key``, ``layer`` (from 0), ``handler``, ``states`` (state → number), ``ids``, ``focus``.
    ``lines``: ``from``, ``to`` (keys), ``kind``. ``before``, ``after``: jobs in layers that are not drawn.
    """
    by_id = {node.id: node for node in nodes}
    edges = [edge for edge in edges if edge.parent in by_id and edge.child in by_id]
    layer = layers(sorted(by_id), edges)
    middle = layer.get(focus, 0)
    shown = {id_ for id_, number in layer.items() if abs(number - middle) <= REACH}
    first = max(0, middle - REACH)
    boxes = _boxes([by_id[id_] for id_ in sorted(shown)], layer, focus)
    box_of = {id_: box["key"] for box in boxes for id_ in box["ids"]}
    lines = {
        (box_of[edge.parent], box_of[edge.child], edge.kind): None
        for edge in edges
        if edge.parent in box_of and edge.child in box_of
    }
    return {
        "boxes": [{**box, "layer": box["layer"] - first} for box in boxes],
        "lines": [{"from": start, "to": end, "kind": kind} for start, end, kind in lines if start != end],
        "before": sum(number < middle - REACH for number in layer.values()),
        "after": sum(number > middle + REACH for number in layer.values()),
        "jobs": len(by_id),
    }


def _boxes(nodes: list[Node], layer: dict[int, int], focus: int) -> list[dict[str, Any]]:
    """Boxes in order of layer; inside a layer the job looked at comes first."""
    by_layer: dict[int, list[Node]] = defaultdict(list)
    for node in nodes:
        by_layer[layer[node.id]].append(node)
    boxes = []
    for number, members in sorted(by_layer.items()):
        parts: dict[Any, list[Node]] = defaultdict(list)
        handlers = {node.handler for node in members}
        for node in members:
            name: Any = node.id
            if len(members) > WIDE and node.id != focus:
                name = node.handler if len(handlers) <= WIDE else ""
            parts[name].append(node)
        for name, part in sorted(parts.items(), key=lambda item: (item[0] != focus, item[1][0].id)):
            boxes.append(
                {
                    "key": f"{number}/{name}",
                    "layer": number,
                    "handler": part[0].handler if len({node.handler for node in part}) == 1 else "",
                    "states": dict(Counter(node.state for node in part)),
                    "ids": [node.id for node in part],
                    "focus": name == focus,
                }
            )
    return boxes
