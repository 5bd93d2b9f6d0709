"""What is shown of a document: its segments with labels, meanings of codes, and the findings at their place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from ..finding import Finding
from ..grammar.model import Composite, Element, SegmentType, Use
from ..grammar.registry import default
from ..interchange import Interchange, Message
from ..segment import Repeats, Segment, Value, split


@dataclass(frozen=True)
class Bounds:
    """How much is shown of one document."""

    segments: int = 2_000
    elements: int = 200
    """Values of one segment."""
    value: int = 500
    """Characters of one value."""
    findings: int = 500


@dataclass(frozen=True)
class Cell:
    """One value. ``name`` as findings name it: ``BEG02``, ``C507.2380``."""

    name: str
    label: str
    value: str
    meaning: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Row:
    """One segment. ``opens`` names the loops that begin with it; ``depth`` is how many it stands in."""

    position: int
    tag: str
    label: str
    depth: int
    opens: tuple[str, ...]
    cells: tuple[Cell, ...]
    findings: tuple[Finding, ...]
    more: int = 0
    """Values that are not shown."""


@dataclass(frozen=True)
class View:
    """One document. ``findings`` are those without a place among the rows shown."""

    standard: str
    type: str
    label: str
    version: str
    grammar_version: str
    association: str
    control: str
    status: str
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    segments: int
    more: int
    """Segments that are not shown."""
    more_findings: int


def view(message: Message, bounds: Bounds = Bounds()) -> View:
    """What is shown of a message.

    :raises ValueError: the message was read without keeping its segments.
    """
    if message.record is None or message.compiled is None:
        raise ValueError("the message was read without keeping its segments")
    kept = message.findings[: bounds.findings]
    placed: dict[int, list[Finding]] = {}
    for finding in kept:
        placed.setdefault(finding.position, []).append(finding)
    rows = tuple(_rows(message, placed, bounds))
    grammar = message.compiled.grammar
    return View(
        message.standard,
        message.type,
        grammar.name,
        message.version,
        message.grammar_version,
        message.association,
        message.control,
        message.status,
        rows,
        tuple(finding for left in placed.values() for finding in left),
        tuple(message.notes[: bounds.findings]),
        len(message.record) + 2,
        max(0, len(message.record) - len(rows)),
        len(message.findings) - len(kept) + message.report.more,
    )


def envelope(interchange: Interchange) -> dict[str, str]:
    """What is shown of the envelope; empty values are left out."""
    found = {
        "standard": {"x12": "X12", "edifact": "EDIFACT"}[interchange.standard],
        "control": interchange.control,
        "sender": _party(interchange.sender_qualifier, interchange.sender),
        "receiver": _party(interchange.receiver_qualifier, interchange.receiver),
        "date": f"{interchange.date} {interchange.time}".strip(),
        "version": interchange.version,
        "encoding": interchange.encoding,
        "test": "test" if interchange.test else "",
    }
    return {key: clean(value, 80) for key, value in found.items() if value}


def clean(value: str, limit: int) -> str:
    """A value of bounded length with control characters visible: nothing in it can steer a terminal."""
    text = value if len(value) <= limit else value[: limit - 1] + "…"
    return (
        text if text.isprintable() else "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text)
    )


def _party(qualifier: str, name: str) -> str:
    return f"{qualifier} {name}".strip()


def _rows(message: Message, placed: dict[int, list[Finding]], bounds: Bounds) -> Iterator[Row]:
    assert message.record is not None
    assert message.compiled is not None
    machine = message.compiled.machine
    depth = 0
    raws = (raw for raw, _ in message.record)
    steps = zip(message.record, machine.nodes(raws), strict=True)
    for position, ((raw, move), node) in enumerate(islice(steps, bounds.segments), 2):
        depth += len(move.open) - move.close
        segment = split(raw, message.delimiters, position=position)
        kind = node.type if node else default().dictionary(message.standard).segment(segment.tag, message.version)
        findings = placed.pop(position, [])
        yield _row(message.standard, segment, kind, depth, move.open, findings, bounds)


def _row(
    standard: str,
    segment: Segment,
    kind: SegmentType | None,
    depth: int,
    opens: tuple[str, ...],
    findings: list[Finding],
    bounds: Bounds,
) -> Row:
    at: dict[tuple[int, int], list[Finding]] = {}
    for finding in findings:
        if finding.segment == segment.tag and finding.index:
            at.setdefault((finding.index, finding.component), []).append(finding)
    cells: list[Cell] = []
    more = 0
    for cell in _cells(standard, segment, kind, at, bounds):
        if len(cells) < bounds.elements:
            cells.append(cell)
        else:
            more += 1
    shown = {id(finding) for cell in cells for finding in cell.findings}
    left = tuple(each for each in findings if id(each) not in shown)
    label = kind.name if kind else ""
    return Row(segment.position, clean(segment.tag, 12), label, depth, opens, tuple(cells), left, more)


def _cells(
    standard: str,
    segment: Segment,
    kind: SegmentType | None,
    at: dict[tuple[int, int], list[Finding]],
    bounds: Bounds,
) -> Iterator[Cell]:
    last = max((len(segment.elements), *(index for index, _ in at)))
    for index in range(1, min(last, 5_000) + 1):
        value: Value = segment.elements[index - 1] if index <= len(segment.elements) else ""
        use = kind.uses[index - 1] if kind and index <= len(kind.uses) else None
        name = f"{segment.tag}{index:02d}" if standard == "x12" or use is None or use.of is None else use.of.id
        for each in value if isinstance(value, Repeats) else [value]:
            yield from _element(standard, each, use, name, index, at, bounds)


def _element(
    standard: str,
    value: str | list[str],
    use: Use | None,
    name: str,
    index: int,
    at: dict[tuple[int, int], list[Finding]],
    bounds: Bounds,
) -> Iterator[Cell]:
    whole = tuple(at.pop((index, 0), ()))
    of = use.of if use else None
    if isinstance(value, str) and not isinstance(of, Composite):
        if value or whole:
            yield _cell(name, of, value, whole, bounds)
        return
    parts = [value] if isinstance(value, str) else value
    count = max((len(parts), *(component for element, component in at if element == index)))
    for component in range(1, min(count, 1_000) + 1):
        inner = of.uses[component - 1].of if isinstance(of, Composite) and component <= len(of.uses) else None
        part = parts[component - 1] if component <= len(parts) else ""
        findings = (*whole, *at.pop((index, component), ()))
        if not part and not findings:
            continue
        whole = ()
        dotted = standard == "edifact" and isinstance(of, Composite)
        tail = f".{inner.id if inner else component}" if dotted else f"-{component:02d}"
        yield _cell(name + tail, inner, part, findings, bounds)
    if whole:
        yield _cell(name, of, "", whole, bounds)


def _cell(name: str, of: Element | Composite | None, value: str, findings: tuple[Finding, ...], bounds: Bounds) -> Cell:
    label = of.name if of else ""
    return Cell(clean(name, 20), label, clean(value, bounds.value), _meaning(of, value), findings)


def _meaning(of: Element | Composite | None, value: str) -> str:
    """The meaning of a code, or the number with the decimals that the element implies."""
    if not isinstance(of, Element) or not value:
        return ""
    if of.codes:
        return of.codes.get(value, "")
    digits = value.removeprefix("-")
    if of.kind[0] == "N" and of.kind[1:].isdigit() and of.kind != "N0" and digits.isascii() and digits.isdigit():
        places = int(of.kind[1:])
        padded = digits.rjust(places + 1, "0")[:40]
        return f"{'-' if value[0] == '-' else ''}{padded[:-places]}.{padded[-places:]}" if len(digits) < 40 else ""
    return ""
