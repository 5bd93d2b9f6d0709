"""A document as a tree of text lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..finding import Finding
from .views import Row, View, clean

Paint = Callable[[str, str], str]
"""Text and what it is (``title``, ``loop``, ``tag``, ``label``, ``value``, ``error``, …) to text with colour."""

_LABEL = 34
_SENTENCE = 1_000


def plain(text: str, _what: str) -> str:
    """No colour."""
    return text


def text(view: View, paint: Paint = plain) -> Iterator[str]:
    """The lines of a document, without line ends."""
    yield paint(title(view), "title")
    for note in view.notes:
        yield finding(note, paint, "  ")
    for row in view.rows:
        yield from _row(row, paint)
    if view.more:
        yield paint(f"  … {view.more} more segments", "label")
    for each in view.findings:
        yield finding(each, paint, "  ")
    if view.more_findings:
        yield paint(f"  … {view.more_findings} more findings", "label")


def title(view: View) -> str:
    """Type, name, control number, version and status in one line."""
    version = view.version + (f" {view.association}" if view.association else "")
    if view.grammar_version and view.grammar_version != view.version:
        version += f" read as {view.grammar_version}"
    name = f"{view.type} {view.label}".strip() or "message"
    parts = [name, view.control, f"version {version}" if version else "", view.status.replace("_", " ")]
    return clean(", ".join(each for each in parts if each), 300)


def finding(each: Finding, paint: Paint, indent: str) -> str:
    """A finding in one line."""
    return paint(f"{indent}! {each.severity} {each.rule}: {clean(each.message, _SENTENCE)}", each.severity)


def _row(row: Row, paint: Paint) -> Iterator[str]:
    for number, loop in enumerate(row.opens, row.depth - len(row.opens)):
        yield paint(f"{'  ' * (number + 1)}loop {loop}", "loop")
    indent = "  " * (row.depth + 1)
    yield f"{indent}{row.position} {paint(row.tag, 'tag')} {row.label}".rstrip()
    for each in row.findings:
        yield finding(each, paint, f"{indent}    ")
    names = max((len(cell.name) for cell in row.cells), default=0)
    labels = min(_LABEL, max((len(cell.label) for cell in row.cells), default=0))
    for cell in row.cells:
        label = cell.label if len(cell.label) <= _LABEL else cell.label[: _LABEL - 1] + "…"
        meaning = f" = {cell.meaning}" if cell.meaning else ""
        value = paint(cell.value, "value")
        yield f"{indent}    {cell.name:{names}} {paint(f'{label:{labels}}', 'label')}  {value}{meaning}".rstrip()
        for each in cell.findings:
            yield finding(each, paint, f"{indent}    ")
    if row.more:
        yield paint(f"{indent}    … {row.more} more values", "label")
