"""Balances: what must agree across the segments of a message. A grammar names them in its ``check`` lines."""

from __future__ import annotations

from collections.abc import Callable

from ..delimiters import Delimiters
from ..grammar.model import Grammar
from . import counts, digits, hierarchy, invoic, totals, uses
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
    "uses": uses.uses,
    "element": uses.element,
}
"""Checks by the name that grammars use."""


NO_BALANCES = frozenset({"uses", "element"})
"""Checks that are no balances: they hold also where balances are not looked at."""


def watchers(grammar: Grammar, delimiters: Delimiters, *, balances: bool = True) -> list[Watcher]:
    """The checks of a grammar, ready for messages with these delimiters; without ``balances`` only the other ones.

    :raises GrammarError: a check line names no check, or no place.
    """
    made = []
    for check in grammar.checks:
        context = Context(check, grammar, delimiters)
        if check.name not in CHECKS:
            raise context.error(f"there is no check named {check.name}")
        if not balances and check.name not in NO_BALANCES:
            continue
        made.append(CHECKS[check.name](context))
    return made
