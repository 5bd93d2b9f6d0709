"""A document as an HTML table: everything is escaped; no scripts, no styles, no addresses, only classes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from ..finding import Finding
from .lines import title
from .views import Row, View, clean

_DEEPEST = 9
_HEAD = ("Position", "Segment", "Element", "Name", "Value", "Meaning")
_COLUMNS = len(_HEAD)


def html(view: View) -> str:
    """A ``section`` with the document's table. Classes: ``edi-document``, ``edi-segment``, ``edi-finding`` …"""
    return "".join(_document(view))


def _document(view: View) -> Iterator[str]:
    yield f'<section class="edi-document edi-{_class(view.status)}"><h3 class="edi-title">{escape(title(view))}</h3>'
    yield from _list(view.notes, "edi-notes")
    yield '<table class="edi-segments"><thead><tr>'
    yield "".join(f"<th>{name}</th>" for name in _HEAD)
    yield "</tr></thead><tbody>"
    for row in view.rows:
        yield from _row(row)
    yield "</tbody></table>"
    if view.more:
        yield f'<p class="edi-more">… {view.more} more segments</p>'
    yield from _list(view.findings, "edi-findings")
    if view.more_findings:
        yield f'<p class="edi-more">… {view.more_findings} more findings</p>'
    yield "</section>"


def _row(row: Row) -> Iterator[str]:
    depth = f"edi-depth-{min(row.depth, _DEEPEST)}"
    for number, loop in enumerate(row.opens, row.depth - len(row.opens) + 1):
        inside = f"edi-depth-{min(number, _DEEPEST)}"
        yield f'<tr class="edi-loop {inside}"><td></td><td colspan="{_COLUMNS - 1}">{escape(loop)}</td></tr>'
    wrong = " edi-wrong" if row.findings or any(cell.findings for cell in row.cells) else ""
    yield (
        f'<tr class="edi-segment {depth}{wrong}"><td class="edi-position">{row.position}</td>'
        f'<td class="edi-tag">{escape(row.tag)}</td>'
        f'<td colspan="{_COLUMNS - 2}" class="edi-label">{escape(row.label)}</td></tr>'
    )
    yield from _findings(row.findings, depth)
    for cell in row.cells:
        bad = " edi-wrong" if cell.findings else ""
        yield (
            f'<tr class="edi-element {depth}{bad}"><td></td><td></td><td class="edi-name">{escape(cell.name)}</td>'
            f'<td class="edi-label">{escape(cell.label)}</td><td class="edi-value">{escape(cell.value)}</td>'
            f'<td class="edi-meaning">{escape(cell.meaning)}</td></tr>'
        )
        yield from _findings(cell.findings, depth)
    if row.more:
        yield f'<tr class="edi-more {depth}"><td></td><td colspan="{_COLUMNS - 1}">… {row.more} more values</td></tr>'


def _findings(findings: Iterable[Finding], depth: str) -> Iterator[str]:
    for each in findings:
        yield (
            f'<tr class="edi-finding edi-{each.severity} {depth}"><td></td>'
            f'<td colspan="{_COLUMNS - 1}">{_sentence(each)}</td></tr>'
        )


def _list(findings: tuple[Finding, ...], name: str) -> Iterator[str]:
    if findings:
        yield f'<ul class="{name}">'
        yield from (f'<li class="edi-finding edi-{each.severity}">{_sentence(each)}</li>' for each in findings)
        yield "</ul>"


def _sentence(finding: Finding) -> str:
    return escape(clean(finding.message, 1_000))


def _class(status: str) -> str:
    return status.replace("_", "-")
