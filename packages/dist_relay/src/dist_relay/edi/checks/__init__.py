"""Balances: what must agree across the segments of a message. A grammar names them in its ``check`` lines."""

from __future__ import annotations

from collections.abc import Callable

from ..delimiters import Delimiters
from ..grammar.model import Grammar
from . import counts, digits, hierarchy, invoic, totals
from .base import Context, Watcher

CHECKS: dict[str, Callable[[Context], Watcher]] = {
    "count": counts.count,
    "sum": counts.total,
    "hl": hierarchy.hl,
    "cps": hierarchy.cps,
    "sscc": digits.sscc,
    "gtin": digits.gtin,
    "hash": totals.hash_total,
    "total-810": totals.total_810,
    "total-820": totals.total_820,
    "total-invoic": invoic.total_invoic,
}
"""Checks by the name that grammars use."""


def watchers(grammar: Grammar, delimiters: Delimiters) -> list[Watcher]:
    """The checks of a grammar, ready for messages with these delimiters.

    :raises GrammarError: a check line names no check, or no place.
    """
    made = []
    for check in grammar.checks:
        context = Context(check, grammar, delimiters)
        if check.name not in CHECKS:
            raise context.error(f"there is no check named {check.name}")
        made.append(CHECKS[check.name](context))
    return made
