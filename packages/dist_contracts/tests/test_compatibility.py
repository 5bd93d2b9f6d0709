"""The compatibility checker sees each kind of break, and lets each kind of widening pass."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from dist_contracts.compatibility import breaks

Schema = dict[str, Any]
Change = Callable[[Schema], object]

RELEASED: Schema = {
    "$defs": {
        "Line": {
            "type": "object",
            "title": "Line",
            "additionalProperties": False,
            "properties": {"id": {"type": "string", "maxLength": 255, "minLength": 1}, "open": {"type": "boolean"}},
            "required": ["id"],
        },
        "Status": {"type": "string", "enum": ["open", "closed"]},
        "Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}, "value": {"type": "integer"}}},
    },
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "number": {"type": "string", "maxLength": 40},
        "status": {"$ref": "#/$defs/Status"},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "priority": {"type": "integer", "minimum": 0, "maximum": 9, "default": 5},
        "note": {"anyOf": [{"type": "string", "maxLength": 4000}, {"type": "null"}], "default": None},
        "line": {"anyOf": [{"$ref": "#/$defs/Line"}, {"type": "null"}], "default": None},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}, "maxItems": 1000},
        "extra": {"type": "object", "additionalProperties": True},
        "sums": {"type": "object", "additionalProperties": {"type": "string"}},
        "pair": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]},
        "kind": {"const": "a"},
        "tree": {"$ref": "#/$defs/Node"},
    },
    "required": ["number"],
}


def put(*path: str, value: Any) -> Change:
    def change(schema: Schema) -> None:
        *parents, last = path
        node: Any = schema
        for step in parents:
            node = node[int(step)] if isinstance(node, list) else node[step]
        node[int(last) if isinstance(node, list) else last] = value

    return change


def drop(*path: str) -> Change:
    def change(schema: Schema) -> None:
        *parents, last = path
        node: Any = schema
        for step in parents:
            node = node[int(step)] if isinstance(node, list) else node[step]
        del node[int(last) if isinstance(node, list) else last]

    return change


def changed(*changes: Change) -> Schema:
    schema = copy.deepcopy(RELEASED)
    for change in changes:
        change(schema)
    return schema


P = "properties"
BREAKS: list[tuple[str, Change, str]] = [
    ("property removed", drop(P, "number"), "number: removed"),
    ("nested property removed", drop("$defs", "Line", P, "open"), "lines[].open: removed"),
    ("optional object's property removed", drop("$defs", "Line", P, "open"), "line.open: removed"),
    ("property required", put("required", value=["number", "status"]), "status: is required now"),
    ("nested required", put("$defs", "Line", "required", value=["id", "open"]), "lines[].open: is required now"),
    ("type changed", put(P, "number", "type", value="integer"), "number: type narrowed from string to integer"),
    ("type given", put(P, "kind", value={"type": "string"}), "kind: type narrowed from anything to string"),
    ("null no longer taken", put(P, "note", "anyOf", value=[{"type": "string"}]), "note: null is no longer taken"),
    ("enum value removed", put("$defs", "Status", "enum", value=["open"]), "status: no longer takes closed"),
    ("enum introduced", put(P, "number", "enum", value=["1"]), "number: limited to 1"),
    ("const changed", put(P, "kind", "const", value="b"), "kind: no longer takes a"),
    ("pattern changed", put(P, "currency", "pattern", value="^[A-Z]{2}$"), "currency: pattern changed from"),
    ("pattern introduced", put(P, "number", "pattern", value="^#"), "number: pattern changed from none to ^#"),
    ("format introduced", put(P, "number", "format", value="uuid"), "number: format changed from none to uuid"),
    ("length shortened", put(P, "number", "maxLength", value=39), "number: maxLength narrowed from 40 to 39"),
    (
        "length in alternative",
        put(P, "note", "anyOf", "0", "maxLength", value=10),
        "note: maxLength narrowed from 4000",
    ),
    ("length introduced", put(P, "currency", "maxLength", value=3), "currency: maxLength narrowed from none to 3"),
    ("minimum length", put(P, "number", "minLength", value=1), "number: minLength narrowed from none to 1"),
    ("minimum raised", put(P, "priority", "minimum", value=1), "priority: minimum narrowed from 0 to 1"),
    ("maximum lowered", put(P, "priority", "maximum", value=8), "priority: maximum narrowed from 9 to 8"),
    ("exclusive bound", put(P, "priority", "exclusiveMinimum", value=0), "priority: exclusiveMinimum narrowed"),
    ("fewer items", put(P, "lines", "maxItems", value=500), "lines: maxItems narrowed from 1000 to 500"),
    ("items must be there", put(P, "lines", "minItems", value=1), "lines: minItems narrowed from none to 1"),
    ("unique items", put(P, "lines", "uniqueItems", value=True), "lines: uniqueItems changed from none to True"),
    ("items changed", put(P, "lines", "items", value={"type": "string"}), "lines[]: type narrowed from object"),
    ("keys closed", put(P, "extra", "additionalProperties", value=False), "extra.*: closed against other keys"),
    ("values limited", put(P, "extra", "additionalProperties", value={"type": "string"}), "extra.*: type narrowed"),
    ("values changed", put(P, "sums", "additionalProperties", value={"type": "integer"}), "sums.*: type narrowed"),
    ("default changed", put(P, "priority", "default", value=3), "priority: default changed"),
    ("default removed", drop(P, "priority", "default"), "priority: default changed"),
    ("position removed", drop(P, "pair", "prefixItems", "1"), "pair: number of positions changed from 2 to 1"),
    ("position changed", put(P, "pair", "prefixItems", "0", "type", value="integer"), "pair[0]: type narrowed"),
    ("recursive type", put("$defs", "Node", P, "value", "type", value="string"), "tree.value: type narrowed"),
]


@pytest.mark.parametrize(("change", "told"), [case[1:] for case in BREAKS], ids=[case[0] for case in BREAKS])
def test_break_is_seen(change: Change, told: str) -> None:
    found = breaks(RELEASED, changed(change))
    assert any(text.startswith(told) for text in found), found


WIDENINGS: list[tuple[str, list[Change]]] = [
    ("nothing", []),
    ("optional property", [put(P, "colour", value={"type": "string", "maxLength": 9})]),
    ("optional property of a line", [put("$defs", "Line", P, "colour", value={"type": "string"})]),
    ("no longer required", [put("required", value=[])]),
    ("longer", [put(P, "number", "maxLength", value=80)]),
    ("unbounded", [drop(P, "number", "maxLength"), drop("$defs", "Line", P, "id", "minLength")]),
    ("any pattern", [drop(P, "currency", "pattern")]),
    ("more values", [put("$defs", "Status", "enum", value=["open", "closed", "held"])]),
    ("const to enum", [put(P, "kind", value={"enum": ["a", "b"]})]),
    ("integer to number", [put(P, "priority", "type", value="number")]),
    ("wider range", [put(P, "priority", "minimum", value=-1), put(P, "priority", "maximum", value=99)]),
    ("null taken", [put(P, "number", value={"anyOf": [{"type": "null"}, {"type": "string", "maxLength": 40}]})]),
    ("text only", [put("$defs", "Line", "description", value="new"), put("$defs", "Line", "title", value="Row")]),
    ("keys opened", [put("additionalProperties", value=True)]),
    ("any value", [put(P, "sums", "additionalProperties", value=True)]),
    ("minimum length of zero", [put(P, "number", "minLength", value=0)]),
    ("default given", [put(P, "number", "default", value="")]),
]


@pytest.mark.parametrize("changes", [case[1] for case in WIDENINGS], ids=[case[0] for case in WIDENINGS])
def test_widening_passes(changes: list[Change]) -> None:
    assert breaks(RELEASED, changed(*changes)) == []


def test_a_definition_may_be_renamed_or_inlined() -> None:
    schema = changed(put(P, "status", value=RELEASED["$defs"]["Status"]), drop("$defs", "Status"))
    assert breaks(RELEASED, schema) == []
    assert breaks(schema, RELEASED) == []
