"""The parts of an overlay: what is changed in documents, and how interchanges look on the wire."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from ..charset import BY_SYNTAX
from ..delimiters import EDIFACT, EDIFACT_4, X12, Delimiters
from ..grammar.model import UNLIMITED
from ..grammar.versions import order
from . import places
from .model import Address, DocumentRules, ElementRule, Extra, SegmentRule, Use, Wire
from .table import Table

MAX_RULES = 500
"""Rules of one document."""
MAX_DOCUMENTS = 100
MAX_CODES = 2_000

CHARSETS = frozenset({*BY_SYNTAX.values(), "cp1250", "cp1251", "cp1252", "cp437", "cp850"})
"""Encodings that an overlay may name: those whose lower half is ASCII, byte for byte, or UTF-8."""

_USES: dict[str, Use] = {"required": "required", "forbidden": "forbidden", "optional": "optional"}
_WRAPS = {"none": "", "lf": "\n", "crlf": "\r\n"}
_DEFINITIONS = ("elements", "composites", "segments")


def documents(table: Table) -> Mapping[tuple[str, str], DocumentRules]:
    """``documents.850`` and the like."""
    names = table.keys()
    if len(names) > MAX_DOCUMENTS:
        raise table.error(f"more than {MAX_DOCUMENTS} documents")
    found = {}
    for name in names:
        if not re.fullmatch("[0-9]{3}|TA1|[A-Z]{6}", name):
            raise table.error("a document is named as in 850 or ORDERS", name)
        standard = "edifact" if name.isalpha() else "x12"
        found[standard, name] = _document(table.table(name), name, standard)
    return MappingProxyType(found)


def _document(table: Table, name: str, standard: str) -> DocumentRules:
    version = table.text("version", limit=10)
    if version and not order(standard, version):
        raise table.error("a version is written 4010 or 96A", "version")
    segments = table.table("segments").each(_segment)
    elements = table.table("elements").each(_element)
    extras = [_extra(each) for each in table.tables("extra")]
    table.done()
    if len(segments) + len(elements) + len(extras) > MAX_RULES:
        raise table.error(f"more than {MAX_RULES} rules")
    return DocumentRules(name, version, tuple(segments), tuple(elements), tuple(extras))


def _segment(table: Table, key: str) -> SegmentRule:
    found = places.segment(key)
    if not found:
        raise table.error("a segment is named as in BEG, PO1/PID, /REF, */N1 or REF 1=DP", key)
    spot, qualifier = found
    if qualifier and (spot.path or spot.rooted or spot.anywhere):
        raise table.error("segments by their qualifier are counted in the whole message: name no loop", key)
    value = table.text(key, limit=30)
    if value in ("required", "optional"):
        return SegmentRule(spot, int(value == "required"), None, qualifier)
    if value == "forbidden":
        return SegmentRule(spot, 0, 0, qualifier)
    use = places.cardinality(value)
    if use is None:
        raise table.error("required, optional, forbidden or a use such as 0..5 or 1..* is wanted", key)
    return SegmentRule(spot, use[0], UNLIMITED if use[1] is None else use[1], qualifier)


def _element(table: Table, key: str) -> ElementRule:
    found = places.element(key)
    if not found:
        raise table.error("an element is named as in BEG02, NAD02-03, PO1/REF01, */N104 or N104 1=ST", key)
    spot, element, component, qualifier = found
    if qualifier and (spot.path or spot.rooted or spot.anywhere):
        raise table.error("with a qualifier the rule is for the whole message: name no loop", key)
    if table.is_text(key):
        use = table.choice(key, _USES, _USES["optional"])
        return ElementRule(spot, element, component, qualifier, use)
    inner = table.table(key)
    codes, add = inner.texts("codes", most=MAX_CODES, limit=35), inner.table("add")
    if len(add.keys()) > MAX_CODES:
        raise inner.error(f"more than {MAX_CODES} codes", "add")
    made = ElementRule(
        spot,
        element,
        component,
        qualifier,
        inner.choice("use", _USES, ""),
        None if codes is None else frozenset(codes),
        MappingProxyType({code: add.text(code) for code in add}),
        inner.text("default"),
        inner.number("min", 1, 1_000_000, 0),
        inner.number("max", 1, 1_000_000, 0),
    )
    inner.done()
    _sensible(made, inner)
    return made


def _sensible(rule: ElementRule, table: Table) -> None:
    if rule.codes is not None and not rule.codes:
        raise table.error("a list without codes would allow nothing", "codes")
    if rule.default and rule.use == "forbidden":
        raise table.error("a forbidden element has no default", "default")
    if rule.default and rule.codes is not None and rule.default not in rule.codes:
        raise table.error("the default is none of the codes", "default")
    if not all(each.isprintable() for each in rule.default):
        raise table.error("printable characters are wanted", "default")
    if rule.qualifier and (rule.add or rule.min or rule.max):
        raise table.error("with a qualifier, only use, codes and default can be said")
    if rule.max and rule.min > rule.max:
        raise table.error("min is more than max", "min")


def _extra(table: Table) -> Extra:
    text = table.text("segments", limit=10_000)
    if not text.strip():
        raise table.error("what is added is missing: lines such as 'ZA 0..5'", "segments")
    into, after = table.text("in"), table.text("after")
    table.done()
    if into and after:
        raise table.error("either in or after, not both", "in")
    behind = places.segment(after) if after else None
    if after and (behind is None or behind[1] or behind[0].anywhere):
        raise table.error("a place is named as in BEG, PO1/PID or /REF", "after")
    if into and not re.fullmatch("[A-Z][A-Z0-9]{1,2}(/[A-Z][A-Z0-9]{1,2})*", into):
        raise table.error("a loop is named as in PO1 or PO1/SLN", "in")
    return Extra(table.where, text, tuple(into.split("/")) if into else (), behind[0] if behind else None)


def definitions(table: Table) -> Mapping[str, Mapping[str, str]]:
    """``define.x12.segments`` and the like, in the notation of grammars."""
    found = {}
    for standard in ("x12", "edifact"):
        inner = table.table(standard)
        found[standard] = MappingProxyType({each: inner.text(each, limit=50_000) for each in _DEFINITIONS})
        inner.done()
    table.done()
    return MappingProxyType(found)


def wire(table: Table, standard: str) -> Wire:
    """``x12`` or ``edifact``: delimiters, character set, versions, line breaks, parties."""
    charset = table.text("charset", limit=20)
    if charset and charset not in CHARSETS:
        raise table.error(f"none of {', '.join(sorted(CHARSETS))}", "charset")
    made = Wire(
        _delimiters(table.table("delimiters"), standard) if table.has("delimiters") else None,
        charset,
        _written(table, "version", "[0-9]{6}[A-Z0-9]{0,6}" if standard == "x12" else _MESSAGE),
        _written(table, "interchange_version", "[0-9]{5}" if standard == "x12" else "UNO[A-Y]:[1-4]"),
        *_wrap(table),
        una=table.yes("una") if standard == "edifact" else False,
        test=table.yes("test"),
        acknowledge=table.yes("acknowledge"),
        sender=_address(table, "sender", standard),
        receiver=_address(table, "receiver", standard),
    )
    table.done()
    return made


_MESSAGE = "[A-Z0-9]:[A-Z0-9]{2,3}(:[A-Z]{2}(:[A-Z0-9]{1,6})?)?"


def _written(table: Table, key: str, pattern: str) -> str:
    found = table.text(key, limit=30)
    if found and not re.fullmatch(pattern, found):
        raise table.error("004010VICS, 00401, D:96A:UN:EAN008 and UNOC:3 are how versions are written", key)
    return found


def _wrap(table: Table) -> tuple[str, int]:
    record = table.number("record", 20, 32_000, 0)
    line_end = table.choice("line_end", _WRAPS, "")
    if record and line_end:
        raise table.error("either a line for each segment or records of a length, not both", "record")
    return line_end, record


def _delimiters(table: Table, standard: str) -> Delimiters:
    names = ("element", "component", "terminator", "repetition") + (
        ("release", "decimal") if standard == "edifact" else ()
    )
    usual = X12 if standard == "x12" else EDIFACT_4 if table.has("repetition") else EDIFACT
    found = {}
    for name in names:
        has = table.has(name)
        found[name] = table.text(name, limit=1) if has else getattr(usual, name)
        if has and not found[name] and name in ("element", "component", "terminator", "decimal"):
            raise table.error("one character is wanted", name)
    table.done()
    made = Delimiters(**found)
    if problem := made.problem():
        raise table.error(problem)
    if not made.all.isascii() or made.decimal not in (".", ","):
        raise table.error("delimiters are of ASCII, and the decimal mark is . or ,")
    return made


def _address(table: Table, key: str, standard: str) -> Address | None:
    if not table.has(key):
        return None
    inner = table.table(key)
    id_ = inner.text("id", limit=15 if standard == "x12" else 35)
    made = Address(id_, inner.text("qualifier", limit=2 if standard == "x12" else 4))
    inner.done()
    if not id_:
        raise inner.error("the identification is missing", "id")
    return made
