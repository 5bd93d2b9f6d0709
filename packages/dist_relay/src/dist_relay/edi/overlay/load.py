"""Reads and validates an overlay; every error names the key."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Union

from ..errors import GrammarError
from ..grammar.registry import Registry, default
from ..limits import DEFAULT, Limits
from ..profile import Profile, Treatment
from . import mappings, sections
from .merge import verify
from .model import Overlay
from .presets import LEVEL_OF, PRESETS, RULES, merged
from .table import Table

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Source = Union[Mapping[str, Any], str, bytes, "os.PathLike[str]"]
"""A dict, the text of JSON or TOML, the name of a preset, or the path of a file (a ``Path``, not a ``str``)."""

MAX_BYTES = 1 << 18
"""Bytes of one overlay."""
MAX_KEPT = 500
"""Profiles remembered."""

_TREATMENTS: dict[str, Treatment] = {"reject": "reject", "error": "error", "note": "note", "off": "off"}
_LIMITS = {
    "total": 1 << 40,
    "segment": 1 << 26,
    "binary": 1 << 30,
    "elements": 100_000,
    "findings": 100_000,
    "leading": 1 << 20,
    "message_segments": 50_000_000,
    "interchanges": 10_000_000,
    "groups": 10_000_000,
    "messages": 100_000_000,
    "kinds": 10_000,
    "envelope": 1 << 20,
}
"""The most that an overlay may ask for."""

_profiles: OrderedDict[tuple[str, int], tuple[Profile, Registry]] = OrderedDict()


def profile(source: Source, *, name: str = "", registry: Registry | None = None) -> Profile:
    """The profile of an overlay; the same one for the same content, so that its automata stay warm.

    ``name`` is for errors where the overlay names itself not. ``registry`` brings further grammars.

    :raises GrammarError: the overlay says something impossible; names the key.
    """
    if isinstance(source, str) and source in PRESETS:
        source = {"name": source, "base": source}
    data, name = _data(source, name)
    registry = registry or default()
    key = (_digest(data, name), id(registry))
    if key in _profiles:
        _profiles.move_to_end(key)
        return _profiles[key][0]
    made = parse(data, name=name, registry=registry)
    while len(_profiles) >= MAX_KEPT:
        _profiles.popitem(last=False)
    _profiles[key] = (made, registry)
    return made


def parse(data: Mapping[str, Any], *, name: str = "", registry: Registry | None = None) -> Profile:
    """The profile of an overlay's data, made anew."""
    registry = registry or default()
    key = _digest(data, name)
    given = data.get("name") if isinstance(data, Mapping) else None
    top = Table(data, "", (given if isinstance(given, str) and given else name)[:60] or "(unnamed)")
    called = top.text("name", limit=60) or name
    top.text("description", limit=2_000)
    base = top.choice("base", PRESETS, PRESETS["standard"])
    treatment = merged(base, _severities(top.table("severities")))
    limits = _limits(top.table("limits"))
    wires = {standard: sections.wire(top.table(standard), standard) for standard in ("x12", "edifact")}
    definitions = sections.definitions(top.table("define"))
    documents = sections.documents(top.table("documents"))
    mapping = mappings.mapping(top.table("mapping"))
    top.done()
    overlay = Overlay(called, key, documents, wires, definitions, mapping)
    verify(overlay, registry)
    return Profile(called, treatment, limits, overlay)


def _severities(table: Table) -> dict[str, Treatment]:
    found: dict[str, Treatment] = {}
    for key in table:
        if key not in RULES and key not in LEVEL_OF.values():
            raise table.error(
                "this is no rule and no level; levels are " + ", ".join(dict.fromkeys(LEVEL_OF.values())), key
            )
        found[key] = table.choice(key, _TREATMENTS, "error")
    return found


def _limits(table: Table) -> Limits:
    found = {key: table.number(key, 1, most, getattr(DEFAULT, key)) for key, most in _LIMITS.items()}
    table.done()
    return Limits(**found)


def _data(source: Source, name: str) -> tuple[Mapping[str, Any], str]:
    if isinstance(source, Mapping):
        return source, name
    if isinstance(source, os.PathLike):
        path = Path(source)
        name = name or path.stem
        try:
            with path.open("rb") as file:
                source = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise GrammarError(f"overlay {path}: {error.strerror or error}") from None
    raw = source.encode("utf-8", "surrogatepass") if isinstance(source, str) else source
    if not isinstance(raw, bytes):
        raise GrammarError(f"overlay {name or '(unnamed)'}: a table of keys is wanted")
    if len(raw) > MAX_BYTES:
        raise GrammarError(f"overlay {name or '(unnamed)'}: more than {MAX_BYTES} bytes")
    return _decoded(raw, name or "(unnamed)"), name


def _decoded(raw: bytes, name: str) -> Mapping[str, Any]:
    try:
        text = raw.decode("utf-8-sig")
        data = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except UnicodeDecodeError:
        raise GrammarError(f"overlay {name}: it is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise GrammarError(f"overlay {name}: neither JSON nor TOML: {str(error)[:200]}") from None
    if not isinstance(data, dict):
        raise GrammarError(f"overlay {name}: a table of keys is wanted")
    return data


def _digest(data: Mapping[str, Any], name: str) -> str:
    try:
        text = json.dumps([name, data], sort_keys=True, ensure_ascii=False, default=str)
    except (TypeError, ValueError, RecursionError) as error:
        raise GrammarError(f"overlay {name or '(unnamed)'}: {str(error)[:200]}") from None
    if len(text) > 2 * MAX_BYTES:
        raise GrammarError(f"overlay {name or '(unnamed)'}: more than {MAX_BYTES} bytes")
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
