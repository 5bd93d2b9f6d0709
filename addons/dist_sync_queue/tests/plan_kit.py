# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What a statement looks at when it runs, however quick the machine is: rows, counted by PostgreSQL."""

from __future__ import annotations

from typing import Any


def looked_at(cr: Any, statement: str, params: Any = None, table: str | None = None) -> int:
    """Run a statement: the rows that all steps of its plan went through, or those that read ``table`` itself."""
    cr.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", params)
    nodes = [cr.fetchone()[0][0]["Plan"]]
    for node in nodes:  # grows while it is walked
        nodes += node.get("Plans", ())
    return sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in nodes
        if table in (None, node.get("Relation Name"))
    )


class Counting:
    """A cursor that adds up what its statements look at in ``rows``."""

    def __init__(self, cr: Any) -> None:
        self._cr, self.rows = cr, 0

    def execute(self, statement: str, params: Any = None) -> None:
        self.rows += looked_at(self._cr, statement, params)
        self._cr.execute(statement, params)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cr, name)
