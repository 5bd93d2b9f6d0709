"""JSON Schema (2020-12) of everything that crosses the seam, written the same way on every machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .base import Contract
from .documents import DOCUMENTS
from .envelope import Envelope, Outcome
from .events import EVENTS
from .manifest import Manifest

DIALECT = "https://json-schema.org/draft/2020-12/schema"
PUBLISHED: dict[str, type[Contract]] = {
    "envelope.v1": Envelope,
    "outcome.v1": Outcome,
    "manifest.v1": Manifest,
    **{name: spec.payload for name, spec in EVENTS.items()},
    **DOCUMENTS,
}
"""Name with version → the object it describes."""


def schema_of(name: str) -> dict[str, Any]:
    """The schema of one published object, e.g. ``order.received.v1``.

    Decimals are strings with the pattern they are written in. Rules that JSON Schema cannot say (one currency per
    order, distinct line ids) are checked by the models only.
    """
    body = _exact_decimals(PUBLISHED[name].model_json_schema())
    return {"$schema": DIALECT, "$id": f"urn:dist:contracts:{name}", **body}


def schemas() -> dict[str, dict[str, Any]]:
    """All published schemas, in order of name."""
    return {name: schema_of(name) for name in sorted(PUBLISHED)}


def as_text(schema: Mapping[str, Any]) -> str:
    """The schema as it stands in a file: two spaces, the models' own order of fields, one line feed at the end."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write(folder: Path) -> list[Path]:
    """Write one file per published object into ``folder``; files of objects that no longer exist are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, schema in schemas().items():
        path = folder / f"{name}.json"
        path.write_text(as_text(schema), encoding="utf-8")
        written.append(path)
    for stale in set(folder.glob("*.json")) - set(written):
        stale.unlink()
    return written


def _exact_decimals(node: Any) -> Any:
    """Replace what pydantic says of a bounded ``Decimal`` by a string with the pattern of its digits and bound."""
    if isinstance(node, list):
        return [_exact_decimals(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "max_digits" not in node:
        return {key: _exact_decimals(value) for key, value in node.items()}
    places = node["decimal_places"]
    whole, sign = node["max_digits"] - places, "-?"
    if node.get("ge") == 0 or node.get("gt") == 0:
        sign = "(?=.*[1-9])" if "gt" in node else ""
    pattern = rf"^{sign}[0-9]{{1,{whole}}}([.][0-9]{{1,{places}}})?$"
    other = {"anyOf", "max_digits", "decimal_places", "ge", "gt"}
    kept = {key: value for key, value in node.items() if key not in other}
    return {"type": "string", "format": "decimal", "pattern": pattern, **kept}
