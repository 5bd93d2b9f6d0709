"""The figures of the benchmarks: kept as JSON lines, shown as a table, written into docs/benchmarks.md."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- figures: made by `make bench ARGS=--table` -->", "<!-- end of figures -->"
_MAIN = ("bench", "ours", "peer", "ratio", "unit", "wanted")
EDI = "edi_"
"""How the names of the EDI codec's scripts begin."""
_FACTS = ("at", "commit", "command", "machine", "versions", "settings", "script", "quick")
Row = dict[str, Any]


def append(path: Path, rows: Iterable[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def read(path: Path) -> list[Row]:
    """All figures ever kept there, the oldest first; a line that an ended run left half is passed over."""
    rows = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows


def latest(rows: Iterable[Row], scripts: Sequence[str]) -> list[Row]:
    """The figures of the last full run of each of these scripts, in their order."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row.get("quick"):
            continue
        known = found.get(row["script"], [])
        same = bool(known) and known[0]["at"] == row["at"]
        found[row["script"]] = [*known, row] if same else [row]
    return [row for script in scripts for row in found.get(script, [])]


def number(value: Any) -> str:
    """As a person reads it: thousands apart, no digits that mean nothing.

    >>> [number(value) for value in (34812.3, 412.34, 3.456, 0.0301, 7, None, "≥ 200", True)]
    ['34,812', '412', '3.46', '0.030', '7', '–', '≥ 200', 'yes']
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if not isinstance(value, float):
        return str(value)
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 else 3
    return f"{value:,.{digits}f}"


def extras(row: Row) -> str:
    """What a script tells beside the figure.

    >>> extras({"bench": "x", "ours": 1, "processes": 2, "cpu_us": 31.5, "commit": "abc"})
    'processes 2, cpu us 31.5'
    """
    more = {name: value for name, value in row.items() if name not in _MAIN + _FACTS}
    return ", ".join(f"{name.replace('_', ' ')} {number(value)}" for name, value in more.items())


def text(rows: Sequence[Row]) -> str:
    """A table for a terminal."""
    lines: list[tuple[str, ...]] = [("benchmark", "ours", "peer", "ratio", "unit", "wanted")]
    lines += [tuple(number(row.get(name)) if name != "wanted" else row.get(name, "") for name in _MAIN) for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_MAIN))]
    left = (0, 4, 5)
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def markdown(rows: Sequence[Row]) -> str:
    """The same for the page, those of the EDI codec in a table of their own, with what they were measured on."""
    edi = [row for row in rows if row["script"].startswith(EDI)]
    engine = [row for row in rows if row not in edi]
    parts = [_markdown(engine, "queue_job")] if engine or not edi else []
    if edi:
        parts.append("### EDI\n\n" + _markdown(edi, "Peer"))
    return "\n\n".join([*parts, _measured_with(rows)])


def _markdown(rows: Sequence[Row], peer: str) -> str:
    out = [f"| Benchmark | Ours | {peer} | Ratio | Unit | Wanted | More |", "|---|--:|--:|--:|---|---|---|"]
    for row in rows:
        cells = [row["bench"], *(number(row[name]) for name in ("ours", "peer", "ratio")), row["unit"]]
        out.append("| " + " | ".join([*cells, row.get("wanted", ""), extras(row)]) + " |")
    return "\n".join(out)


def _measured_with(rows: Sequence[Row]) -> str:
    runs = {(row["at"], row["commit"]): row for row in rows}
    names = {"odoo": "Odoo", "postgresql": "PostgreSQL", "python": "Python"}
    out = ["Measured with:", ""]
    for (at, commit), row in sorted(runs.items()):
        machine, versions = row["machine"], row["versions"]
        scripts = dict.fromkeys(each["script"] for each in rows if each["at"] == at)
        facts = [
            f"{machine['cores']} cores of {machine['cpu']}, {machine['memory_gib']} GiB, {machine['system']}",
            ", ".join(f"{names.get(name, name)} {version}" for name, version in versions.items()),
            ", ".join(f"`{name} = {value}`" for name, value in row["settings"].items()),
        ]
        out.append(
            f"- {', '.join(scripts)}: {at[:10]}, commit {commit}, `{row['command']}`; " + "; ".join(filter(None, facts))
        )
    return "\n".join(out)


def placed(page: str, content: str) -> str:
    """The page with ``content`` between the marks.

    :raises ValueError: when the page has no marks.
    """
    before, begin, rest = page.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"The page has no place for figures: {BEGIN} … {END}")
    return f"{before}{begin}\n\n{content}\n\n{end}{after}"
