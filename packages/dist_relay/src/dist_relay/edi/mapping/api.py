"""Documents ↔ canonical objects: the two public functions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import ValidationError

from dist_contracts import explain, trade
from dist_contracts.trade import TradeDocument

from ..errors import MappingError, WriteError
from ..segment import Loop
from . import notation
from .context import DEFAULT, NO_CURRENCY, Context, MappingProfile, Note, Problem
from .model import Mapping
from .paths import Tree
from .reading import Reader
from .shapes import SHAPES
from .writing import Writer

_SURROGATE = re.compile("[\ud800-\udfff]")
_DEFAULTS = {("uom", "C62"), ("purpose", "original"), ("credit", True)}
_LABELS = ("kind", "scheme")
"""What says of which kind the rest of an object is: nothing without the rest."""
_DEFAULT_KINDS = {"general", "net", "invoice", "request", "package"}


class Document(Protocol):
    """What of a :class:`~dist_relay.edi.Message` is used here."""

    @property
    def standard(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def version(self) -> str: ...
    def tree(self) -> Loop: ...


@dataclass(frozen=True)
class CanonicalResult:
    """The object, and what of the document is not in it."""

    object: TradeDocument
    notes: tuple[Note, ...]


def to_canonical(message: Document, profile: MappingProfile | None = None) -> CanonicalResult:
    """The canonical object of a message, with a note for everything that was not understood.

    :raises MappingError: there is no mapping for it, or what every such object needs is missing.
    """
    profile = profile or DEFAULT
    mapping = _for_reading(message.standard, message.type, profile)
    context = Context(message.standard, message.version, profile)
    try:
        tree = Reader(context).document(mapping, message.tree())
        if mapping.shape:
            SHAPES[mapping.shape].read(tree, context)
    except Problem as problem:
        raise MappingError(f"{message.type}: {problem}") from None
    if _has_surrogates(tree):
        context.note("mapping.value", "bytes that are no characters of the document's set are replaced")
        tree = _without_surrogates(tree)
    try:
        return CanonicalResult(_model(mapping).from_json(tree), tuple(context.notes))
    except ValidationError as error:
        raise MappingError(f"{message.type} is no {mapping.model}: {explain(error)}") from None


def from_canonical(
    document: TradeDocument,
    *,
    standard: str,
    type: str,
    version: str,
    profile: MappingProfile | None = None,
    notes: list[Note] | None = None,
) -> Loop:
    """The body of a message (without ST or UNH) that says what the object says.

    What the document has no place for is put into ``notes`` when a list is given.

    :raises WriteError: something has no place in it and ``notes`` is not given.
    :raises MappingError: there is no mapping for it.
    """
    mapping = _for_writing(standard, type, document.__class__.__name__)
    context = Context(standard, version, profile or DEFAULT)
    context.currency = document.currency or NO_CURRENCY
    tree: Tree = document.to_json()
    if mapping.currency is None:
        tree.pop("currency", None)
    try:
        if mapping.shape:
            SHAPES[mapping.shape].write(tree, context)
        root = Writer(context).document(mapping, tree)
    except Problem as problem:
        raise WriteError(f"{type}: {problem}") from None
    left = [*context.notes, *_left(tree, "")]
    if notes is not None:
        notes += left
    elif left:
        more = f" and {len(left) - 5} more" if len(left) > 5 else ""
        raise WriteError(f"{type} has no place for {', '.join(each.element for each in left[:5])}{more}")
    return root


def objects_of(standard: str, type: str) -> list[str]:
    """Names of the objects that a document may be; the first is the usual one."""
    return [notation.load(standard, name).model for name in notation.available(standard).get(type, [])]


def _for_reading(standard: str, type_: str, profile: MappingProfile) -> Mapping:
    names = notation.available(standard).get(type_, [])
    wanted = profile.objects.get(type_, "")
    for name in names:
        mapping = notation.load(standard, name)
        if not wanted or mapping.model == wanted:
            return mapping
    raise MappingError(f"there is no mapping of {standard} {type_} to {wanted or 'a canonical object'}")


def _for_writing(standard: str, type_: str, model: str) -> Mapping:
    for name in notation.available(standard).get(type_, []):
        mapping = notation.load(standard, name)
        if mapping.model == model:
            return mapping
    raise MappingError(f"there is no mapping of {model} to {standard} {type_}")


def _model(mapping: Mapping) -> type[TradeDocument]:
    found: type[TradeDocument] = getattr(trade, mapping.model)
    return found


def _has_surrogates(node: Any) -> bool:
    """Whether a text holds bytes that the reader could not decode and kept as they were."""
    if isinstance(node, dict):
        return any(_has_surrogates(each) for each in node.values())
    if isinstance(node, list):
        return any(_has_surrogates(each) for each in node)
    return isinstance(node, str) and _SURROGATE.search(node) is not None


def _without_surrogates(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _without_surrogates(each) for key, each in node.items()}
    if isinstance(node, list):
        return [_without_surrogates(each) for each in node]
    return _SURROGATE.sub("\ufffd", node) if isinstance(node, str) else node


def _left(node: Any, path: str) -> list[Note]:
    """A note for each value that was not written; what objects have by default is no loss."""
    if isinstance(node, list):
        return [note for index, each in enumerate(node) for note in _left(each, f"{path}[{index}]")]
    if not isinstance(node, dict):
        return [Note("mapping.unwritten", f"{path} has no place", element=path, value=str(node))]
    found: list[Note] = []
    labels: list[Note] = []
    for key, value in node.items():
        if not _is_default(key, value):
            notes = _left(value, f"{path}.{key}" if path else key)
            (labels if key in _LABELS else found).extend(notes)
    return found or labels


def _is_default(key: str, value: Any) -> bool:
    if isinstance(value, dict | list):
        return not value
    return (key, value) in _DEFAULTS or (key == "kind" and value in _DEFAULT_KINDS)
