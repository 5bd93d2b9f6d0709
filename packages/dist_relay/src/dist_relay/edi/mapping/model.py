"""A mapping read from its file: which place of a document is which place of the canonical object.

The object is handled as the tree of JSON types that it is written as, so one notation serves all objects.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

Place = tuple[int, int]
"""Element and component, counted from 1."""


class Step(NamedTuple):
    """One step of a path: a key, and for a list which item: the one whose ``key`` is ``value``."""

    name: str
    key: str = ""
    value: str = ""


Path = tuple[Step, ...]


@dataclass(frozen=True)
class Field:
    """What one or several elements of a segment are. ``kind`` says which of the attributes matter:

    ``take``    elements ↔ paths through a converter
    ``const``   an element that always has ``value``
    ``ignore``  an element that follows from others
    ``imply``   no element: the path has ``value`` wherever this segment is
    ``count``   how many items there are at the path; written only
    ``pairs``   qualifier and value from ``places[0]`` to ``places[1]``, an item of the list at the path for each pair
    ``comps``   the same in composites: component ``parts[0]`` is the value, ``parts[1]`` the qualifier
    ``switch``  qualifier and value: the qualifier chooses the path in ``choices``
    """

    kind: str
    places: tuple[Place, ...] = ()
    paths: tuple[Path, ...] = ()
    converter: str = "text"
    arguments: tuple[str, ...] = ()
    value: str = ""
    required: bool = False
    needs: Place | None = None
    """Written only where this other element is written."""
    direction: str = ""
    """``<`` read only, ``>`` written only."""
    parts: tuple[int, int] = (1, 2)
    choices: tuple[tuple[str, Path], ...] = ()
    only: tuple[str, ...] = ()
    since: str = ""
    before: str = ""
    line: int = 0


class Condition(NamedTuple):
    """An element that has one of these values; ``""`` is among them where it may be absent."""

    place: Place
    values: tuple[str, ...]


@dataclass
class Node:
    """A segment or loop of the document and what is in it."""

    tag: str
    loop: bool = False
    conditions: tuple[Condition, ...] = ()
    target: str = ""
    """``each``: one item of the list at ``path`` for every occurrence; ``in``: the object there; "": around it."""
    path: Path = ()
    always: bool = False
    read_only: bool = False
    times: int = 1
    function: str = ""
    split: tuple[str, int, int] | None = None
    """For texts: the key that is spread over several segments, characters per line, lines per segment."""
    fields: list[Field] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)
    since: str = ""
    before: str = ""
    line: int = 0


@dataclass
class Mapping:
    """One document of one standard ↔ one canonical object."""

    standard: str
    type: str
    model: str
    """Name of the class in :mod:`dist_contracts.trade`."""
    name: str = ""
    """Which mapping it is, where a document may be several objects: ``DESADV.WarehouseShipment``."""
    shape: str = ""
    currency: tuple[str, Place] | None = None
    nodes: list[Node] = field(default_factory=list)
