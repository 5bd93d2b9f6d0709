"""Changes of shape between the flat list of levels that documents have and the tree of units that goods are."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..context import Context
from ..paths import Tree
from . import answers, cps, deductions, hl, lots, movements, places, receipts, reports, warehouse


class Shape(NamedTuple):
    """Both change the tree in place: ``read`` after a document was read, ``write`` before it is written."""

    read: Callable[[Tree, Context], None]
    write: Callable[[Tree, Context], None]


SHAPES: dict[str, Shape] = {
    "activity": Shape(reports.read_activity, reports.write_activity),
    "advices": Shape(reports.read_advices, reports.write_advices),
    "adjusted": Shape(warehouse.read_adjusted, lots.write),
    "advised": Shape(warehouse.read_shipped, warehouse.write_advised),
    "answer": Shape(answers.read_answer, answers.write_answer),
    "change": Shape(answers.read_change, answers.write_change),
    "cps": Shape(cps.read, cps.write),
    "deductions": Shape(deductions.read, deductions.write),
    "hl": Shape(hl.read, hl.write),
    "lots": Shape(lots.read, lots.write),
    "movement": Shape(movements.read, movements.write),
    "places": Shape(places.read, places.write),
    "receipt": Shape(receipts.read, receipts.write),
    "received": Shape(warehouse.read_received, warehouse.write_received),
    "ship_order": Shape(warehouse.read_order, warehouse.write_order),
    "shipped": Shape(warehouse.read_shipped, warehouse.write_shipped),
}
