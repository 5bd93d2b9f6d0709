"""The state of the fake store: records by kind and id, a clock that can be wrong, and a file to survive a restart."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from threading import RLock
from typing import Any

Record = dict[str, Any]

INDEXED = {"fo": "order_id", "fulfillment": "order_id", "level": "item_id", "variant": "sku"}
"""Field a kind is looked up by; its value never changes."""


class Store:
    """Plain records. Whoever changes one calls :meth:`put`; :meth:`commit` writes what changed since.

    :param path: SQLite file to keep the state in; ``None`` keeps it in memory only.
    """

    def __init__(self, path: Path | None = None, now: Callable[[], datetime] | None = None) -> None:
        self.lock = RLock()
        self._now = now or (lambda: datetime.now(timezone.utc))
        self._kinds: dict[str, dict[str, Record]] = {}
        self._index: dict[tuple[str, str], dict[str, Record]] = {}
        self._dirty: dict[tuple[str, str], None] = {}  # in order of change, so that a reload keeps the order
        self._file = _open(path) if path else None
        if self._file:
            for kind, id_, text in self._file.execute("SELECT kind, id, record FROM record ORDER BY rowid"):
                self._keep(kind, id_, json.loads(text))

    def now(self) -> datetime:
        """The store's idea of the time, to the second."""
        return self._now().replace(microsecond=0) + timedelta(seconds=self.get("meta", "clock").get("offset", 0))

    def stamp(self) -> str:
        """:meth:`now` as the API writes it."""
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def all(self, kind: str) -> dict[str, Record]:
        """Every record of a kind, oldest first."""
        return self._kinds.setdefault(kind, {})

    def find(self, kind: str, id_: str) -> Record | None:
        """A record, or ``None``."""
        return self.all(kind).get(id_)

    def get(self, kind: str, id_: str) -> Record:
        """A record; an empty one when there is none."""
        return self.all(kind).get(id_, {})

    def put(self, kind: str, id_: str, record: Record) -> Record:
        """Keep a record."""
        self._dirty[(kind, id_)] = None
        return self._keep(kind, id_, record)

    def _keep(self, kind: str, id_: str, record: Record) -> Record:
        self.all(kind)[id_] = record
        if field := INDEXED.get(kind):
            self._index.setdefault((kind, str(record[field])), {})[id_] = record
        return record

    def next_id(self, start: int = 1_000_000) -> str:
        """A number no other record has."""
        counter = self.get("meta", "counter") or {"last": start}
        counter["last"] += 1
        self.put("meta", "counter", counter)
        return str(counter["last"])

    def count(self, what: str, by: int = 1) -> None:
        """Add to an effect counter."""
        counters = self.get("meta", "effects")
        counters[what] = counters.get(what, 0) + by
        self.put("meta", "effects", counters)

    def where(self, kind: str, **values: Any) -> Iterator[Record]:
        """Records whose fields have these values."""
        field = INDEXED.get(kind)
        found = self._index.get((kind, str(values[field])), {}) if field in values else self.all(kind)
        for record in list(found.values()):
            if all(record.get(name) == value for name, value in values.items()):
                yield record

    def commit(self) -> None:
        """Write what changed, in one transaction."""
        if self._file and self._dirty:
            rows = [(kind, id_, json.dumps(self._kinds[kind][id_])) for kind, id_ in self._dirty]
            with self._file:
                self._file.executemany(
                    "INSERT INTO record (kind, id, record) VALUES (?, ?, ?) "
                    "ON CONFLICT (kind, id) DO UPDATE SET record = excluded.record",
                    rows,
                )
        self._dirty.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._kinds.clear()
        self._index.clear()
        self._dirty.clear()
        if self._file:
            with self._file:
                self._file.execute("DELETE FROM record")

    def close(self) -> None:
        """Write and close the file."""
        self.commit()
        if self._file:
            self._file.close()


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = sqlite3.connect(path, check_same_thread=False)
    file.execute("PRAGMA journal_mode=WAL")
    file.execute("PRAGMA synchronous=OFF")
    file.execute("CREATE TABLE IF NOT EXISTS record (kind TEXT, id TEXT, record TEXT NOT NULL, PRIMARY KEY (kind, id))")
    return file
