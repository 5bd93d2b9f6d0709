"""A document as data of JSON, for screens that draw it themselves."""

from __future__ import annotations

from typing import Any

from ..finding import Finding
from .views import Row, View


def as_json(view: View) -> dict[str, Any]:
    """The document as dicts and lists; keys without a value are left out of values and segments."""
    return {
        "standard": view.standard,
        "type": view.type,
        "label": view.label,
        "version": view.version,
        "grammar_version": view.grammar_version,
        "association": view.association,
        "control": view.control,
        "status": view.status,
        "segments": [_row(each) for each in view.rows],
        "findings": _findings(view.findings),
        "notes": _findings(view.notes),
        "segment_count": view.segments,
        "more_segments": view.more,
        "more_findings": view.more_findings,
    }


def _row(row: Row) -> dict[str, Any]:
    found: dict[str, Any] = {
        "position": row.position,
        "tag": row.tag,
        "label": row.label,
        "depth": row.depth,
        "loops": list(row.opens),
        "elements": [
            _full(name=each.name, label=each.label, value=each.value, meaning=each.meaning)
            | ({"findings": _findings(each.findings)} if each.findings else {})
            for each in row.cells
        ],
    }
    if row.findings:
        found["findings"] = _findings(row.findings)
    if row.more:
        found["more_elements"] = row.more
    return found


def _full(**values: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value or key == "value"}


def _findings(findings: tuple[Finding, ...]) -> list[dict[str, Any]]:
    return [each.as_json() for each in findings]
