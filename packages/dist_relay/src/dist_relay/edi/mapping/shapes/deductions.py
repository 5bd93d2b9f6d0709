"""Remittances of EDIFACT: amounts of adjustments are written without sign, and most are deductions."""

from __future__ import annotations

from decimal import Decimal

from ..context import Context
from ..paths import Tree


def read(tree: Tree, context: Context) -> None:
    """Give adjustments their sign: that with which billed, discount and adjustments give what was paid, else minus."""
    for document in tree.get("documents", []):
        adjustments = [each["amount"] for each in document.get("adjustments", []) if "amount" in each]
        total = sum((Decimal(each["amount"]) for each in adjustments), Decimal(0))
        amounts = [document.get(key) for key in ("billed", "discount", "paid")]
        billed, discount, paid = (Decimal(each["amount"]) if each else Decimal(0) for each in amounts)
        added = amounts[0] and amounts[2] and billed - discount + total == paid
        for amount in adjustments:
            amount["amount"] = amount["amount"] if added else _negated(amount["amount"])


def write(tree: Tree, context: Context) -> None:
    """Deductions are written as positive amounts, additions as negative ones."""
    for document in tree.get("documents", []):
        for adjustment in (each for each in document.get("adjustments", []) if "amount" in each):
            adjustment["amount"]["amount"] = _negated(adjustment["amount"]["amount"])


def _negated(text: str) -> str:
    return text[1:] if text.startswith("-") else text if Decimal(text) == 0 else f"-{text}"
