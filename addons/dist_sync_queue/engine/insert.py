# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Rows into ``dist_job`` and ``dist_job_edge``: as many as one likes with few statements."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

COLUMNS = {
    "handler": "text",
    "payload": "jsonb",
    "connection_id": "int",
    "company_id": "int",
    "lane": "text",
    "priority": "int",
    "key": "text",
    "identity": "text",
    "eta": "timestamp",
    "max_attempts": "int",
    "correlation_id": "text",
    "res_model": "text",
    "res_id": "int",
    "graph": "text",
    "state": "text",
    "depth": "int",
    "undo": "jsonb",
}
"""What an enqueued row may say, with its type in PostgreSQL."""
DEFAULTS = {"priority": "5", "state": "'pending'"}
COPY_DEFAULTS = {"priority": "5", "state": "pending"}
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
COPY_FROM = 50
"""From so many rows on COPY is worth its second statement: it is twice as quick as INSERT."""
MAX_ROWS = 10_000
MAX_BYTES = 64 * 1024 * 1024
"""Most of one statement: memory of the server stays bounded, however much is enqueued at once."""


def insert_jobs(cr: Any, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """One INSERT, or one COPY for each :data:`MAX_ROWS` rows; the ids come back in the order of the rows."""
    return _insert(cr, rows) if len(rows) < COPY_FROM else _copy(cr, rows)


def _insert(cr: Any, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """The values travel as one JSON array. Columns that no row sets, or all set alike, are left out of it."""
    ids: list[int] = []
    common = common_values(rows)
    varying = [name for name in COLUMNS if name not in common and any(row.get(name) is not None for row in rows)]
    statement, values = _statement(common, varying)
    for chunk in chunks(as_json(rows, varying)):
        cr.execute(statement, {**values, "rows": f"[{','.join(chunk)}]"})
        ids.extend(row[0] for row in cr.fetchall())
    return ids


def _copy(cr: Any, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Ids first, then the rows as text. Who sets no priority or state gets the default."""
    cr.execute("SELECT nextval('dist_job_id_seq') FROM generate_series(1, %s)", (len(rows),))
    ids = [row[0] for row in cr.fetchall()]
    columns = [name for name in COLUMNS if any(row.get(name) is not None for row in rows)]
    statement = f"COPY dist_job (id, {', '.join(columns)}) FROM STDIN"
    for chunk in chunks(copy_lines(ids, rows, columns)):
        cr.copy_expert(statement, io.StringIO("".join(chunk)))
    return ids


def copy_lines(ids: Sequence[int], rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[str]:
    r"""Lines in PostgreSQL's text format of COPY.

    >>> list(copy_lines([7], [{"handler": "a\tb", "payload": {"n": 1}}], ["handler", "payload", "key", "priority"]))
    ['7\ta\\tb\t{"n": 1}\t\\N\t5\n']
    """
    defaults = [COPY_DEFAULTS.get(name, "\\N") for name in columns]
    encode = json.JSONEncoder(default=datetime.isoformat).encode
    for id_, row in zip(ids, rows, strict=True):
        fields = [
            default if (value := row.get(name)) is None else _field(value, encode)
            for name, default in zip(columns, defaults, strict=True)
        ]
        yield "\t".join((str(id_), *fields)) + "\n"


def _field(value: Any, encode: Any) -> str:
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    text = value if isinstance(value, str) else encode(value)
    return text.translate(_ESCAPES) if "\\" in text or not text.isprintable() else text


def common_values(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The plain values that all rows share.

    >>> common_values([{"handler": "a", "key": "1", "payload": {}}, {"handler": "a", "key": "2", "payload": {}}])
    {'handler': 'a'}
    """
    first = rows[0]
    return {
        name: value
        for name in COLUMNS
        if isinstance(value := first.get(name), (str, int, datetime)) and all(row.get(name) == value for row in rows)
    }


def as_json(rows: Iterable[Mapping[str, Any]], names: Sequence[str]) -> Iterator[str]:
    """Each row as JSON."""
    encode = json.JSONEncoder(default=datetime.isoformat).encode
    for row in rows:
        yield encode({name: value for name in names if (value := row.get(name)) is not None})


def chunks(texts: Iterable[str], rows: int = MAX_ROWS, size: int = MAX_BYTES) -> Iterator[list[str]]:
    """Neighbouring texts, at most ``rows`` of them and ``size`` characters (one that is larger stands alone).

    >>> list(chunks(["aa", "bb", "cccc", "d"], rows=2, size=5))
    [['aa', 'bb'], ['cccc', 'd']]
    >>> list(chunks(["aa", "b", "cccccc", "d"], rows=9, size=3))
    [['aa', 'b'], ['cccccc'], ['d']]
    """
    chunk: list[str] = []
    used = 0
    for text in texts:
        if chunk and (len(chunk) >= rows or used + len(text) > size):
            yield chunk
            chunk, used = [], 0
        chunk.append(text)
        used += len(text)
    if chunk:
        yield chunk


def _statement(common: dict[str, Any], varying: list[str]) -> tuple[str, dict[str, Any]]:
    """Built from the names in :data:`COLUMNS`; all values are parameters."""
    columns = [*common, *varying]
    select = [f"%({name})s::{COLUMNS[name]}" for name in common]
    select += [f"COALESCE(r.{name}, {DEFAULTS[name]})" if name in DEFAULTS else f"r.{name}" for name in varying]
    types = ", ".join(f"{name} {COLUMNS[name]}" for name in varying) or "nothing int"
    names = ", ".join(varying) or "nothing"
    statement = f"""
        INSERT INTO dist_job ({", ".join(columns)})
        SELECT {", ".join(select)}
          FROM ROWS FROM (jsonb_to_recordset(%(rows)s::jsonb) AS ({types}))
               WITH ORDINALITY AS r ({names}, position)
         ORDER BY r.position
        RETURNING id"""  # noqa: S608
    return statement, common


def insert_edges(cr: Any, edges: Sequence[tuple[int, int, str]]) -> None:
    """One INSERT for all edges (parent, child, on_failure)."""
    if edges:
        parents, children, reactions = zip(*edges, strict=True)
        cr.execute(
            """INSERT INTO dist_job_edge (parent_id, child_id, on_failure)
               SELECT * FROM unnest(%s, %s, %s) ON CONFLICT DO NOTHING""",
            (list(parents), list(children), list(reactions)),
        )
