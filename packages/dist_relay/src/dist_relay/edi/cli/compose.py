"""Canonical objects into one interchange."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from dist_contracts.trade import TradeDocument

from ..errors import MappingError, WriteError
from ..grammar import versions
from ..mapping import Note, from_canonical, objects_of
from ..mapping.notation import available
from ..overlay.model import Wire
from ..overlay.writing import Standard, header, writer
from ..reader import Codec
from ..segment import Loop
from ..writer import Document, GroupHeader, Party

_USUAL = {"x12": "4010", "edifact": "96A"}


@dataclass(frozen=True)
class Ready:
    """An object to be written or printed, with what is known of where it comes from."""

    object: TradeDocument
    notes: tuple[Note, ...] = ()
    source: dict[str, Any] = field(default_factory=dict)


def compose(ready: list[Ready], options: argparse.Namespace, codec: Codec, at: datetime) -> tuple[bytes, list[Note]]:
    """One interchange with all documents, and what is not in it.

    :raises WriteError: something cannot be written, or (unless it may be lossy) has no place.
    :raises MappingError: an object cannot be such a document.
    """
    standard: Standard = options.to
    wire = codec.profile.wire(standard) or Wire()
    version = _version(options.version, wire, standard)
    notes: list[Note] = []
    bodies = [(_type(each, options), _body(each, options, standard, version, codec, notes)) for each in ready]
    head = header(
        codec.profile,
        standard,
        options.control,
        at,
        sender=_party(options.sender, wire.sender is not None, ready[0].source, "sender", standard),
        receiver=_party(options.receiver, wire.receiver is not None, ready[0].source, "receiver", standard),
        version=f"{int(version) // 10:05d}" if standard == "x12" else "",
    )
    out = writer(codec.profile, standard, codec=codec, choose=True)
    if standard == "edifact":
        named = wire.version if wire.version.split(":")[1:2] == [version] else f"D:{version}:UN"
        documents = [Document(type_, number, body, named) for number, (type_, body) in enumerate(bodies, 1)]
        return out.interchange(head, documents), notes
    named = wire.version if versions.x12(wire.version) == version else f"{version:0>6}"
    groups = []
    for number, (type_, members) in enumerate(groupby(bodies, key=lambda each: each[0]), 1):
        group = GroupHeader(codec.grammar("x12", type_, version).group or "ZZ", number, named)
        groups.append((group, [Document(type_, count, body) for count, (_, body) in enumerate(members, 1)]))
    return out.interchange(head, groups), notes


def _body(
    each: Ready, options: argparse.Namespace, standard: Standard, version: str, codec: Codec, notes: list[Note]
) -> Loop:
    overlay = codec.profile.overlay
    left: list[Note] = []
    type_ = _type(each, options)
    body = from_canonical(
        each.object,
        standard=standard,
        type=type_,
        version=version,
        profile=overlay.mapping if overlay else None,
        notes=left,
    )
    if left and not options.lossy:
        more = f" and {len(left) - 5} more" if len(left) > 5 else ""
        named = ", ".join(note.element for note in left[:5])
        raise WriteError(f"{type_} has no place for {named}{more}; with --lossy it is written without them")
    notes += left
    return body


def _type(each: Ready, options: argparse.Namespace) -> str:
    """The type asked for, that of the source where the standard stays, or the usual one of the object."""
    if options.type:
        return str(options.type)
    name = type(each.object).__name__
    if each.source.get("standard") == options.to and name in objects_of(options.to, str(each.source.get("type"))):
        return str(each.source["type"])
    found = [
        (objects_of(options.to, type_).index(name), type_)
        for type_ in available(options.to)
        if name in objects_of(options.to, type_)
    ]
    if not found:
        raise MappingError(f"there is no {options.to} document for {name}")
    return min(found)[1]


def _version(asked: str, wire: Wire, standard: Standard) -> str:
    if standard == "x12":
        found = asked or versions.x12(wire.version) or _USUAL[standard]
    else:
        found = asked or "".join(wire.version.split(":")[1:2]) or _USUAL[standard]
    if not versions.order(standard, found):
        raise WriteError(f"a version of {standard} is written as in {_USUAL[standard]}")
    return found


def _party(given: tuple[str, str] | None, agreed: bool, source: dict[str, Any], key: str, to: Standard) -> Party | None:
    """Who is asked for; the overlay comes next, then who it was in the document that is converted."""
    if given is not None:
        return Party(*given)
    found = source.get(key)
    if agreed or not isinstance(found, dict) or not isinstance(found.get("id"), str) or not found["id"]:
        return None
    qualifier = found.get("qualifier")
    return Party(found["id"], _qualifier(qualifier if isinstance(qualifier, str) else "", source.get("standard"), to))


_TO_EDIFACT = {"01": "1", "07": "14", "08": "8", "12": "12", "16": "9", "20": "20", "ZZ": "ZZZ"}
"""What an interchange address is: ISA05 and the code of data element 0007 for the same."""
_TO_X12 = {**{theirs: ours for ours, theirs in _TO_EDIFACT.items()}, "ZZ": "ZZ"}


def _qualifier(qualifier: str, source: object, to: Standard) -> str:
    """The qualifier in the standard that is written; one without a counterpart is mutually defined, or left out."""
    if source == to or not qualifier:
        return qualifier
    return _TO_X12.get(qualifier, "ZZ") if to == "x12" else _TO_EDIFACT.get(qualifier, "")
