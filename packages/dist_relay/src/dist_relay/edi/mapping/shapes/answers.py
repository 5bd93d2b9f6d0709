"""Shapes of order changes and answers: which number names what, and the answers of a line."""

from __future__ import annotations

from typing import Any

from ..context import Context
from ..paths import Tree


def read_change(tree: Tree, context: Context) -> None:
    """Without a reference to the order, the change's own number is the order's."""
    if not tree.get("number") and tree.get("change"):
        tree["number"] = tree["change"]
    if tree.get("change") == tree.get("number"):
        tree.pop("change", None)


def write_change(tree: Tree, context: Context) -> None:
    """A change without a number of its own goes under the order's."""
    tree.setdefault("change", tree["number"])


def read_answer(tree: Tree, context: Context) -> None:
    """Gather what a line's segments say of its answer: ``answer`` and ``backorder`` become answers."""
    if not tree.get("number") and tree.get("acknowledgement"):
        tree["number"] = tree["acknowledgement"]
    if tree.get("acknowledgement") == tree.get("number"):
        tree.pop("acknowledgement", None)
    for line in tree.get("lines", []):
        answers: list[Tree] = []
        answer = line.pop("answer", {})
        backorder = line.pop("backorder", None)
        if qualified := answer.pop("qualified", None):
            answer.setdefault("reason", qualified)
        if answer:
            answers.append({"status": "accepted" if backorder is not None else "changed", **answer})
        if backorder is not None:
            answers.append({"status": "backordered", **backorder})
        if answers:
            line["answers"] = answers


def write_answer(tree: Tree, context: Context) -> None:
    """The first answer that is no backorder is the line's, the first backorder its backorder; dates are the line's."""
    tree.setdefault("acknowledgement", tree["number"])
    for line in tree.get("lines", []):
        left = []
        for answer in line.pop("answers", []):
            name = "backorder" if answer["status"] == "backordered" else "answer"
            if name in line or (name == "backorder" and "quantity" not in answer):
                left.append(answer)
                continue
            line["dates"] = [*line.get("dates", []), *answer.pop("dates", [])]
            if price := answer.pop("price", None):
                line.setdefault("prices", []).append(price)
            if name == "backorder":
                del answer["status"]
            line[name] = _plain(answer, context)
        if left:
            line["answers"] = left


def _plain(answer: Tree, context: Context) -> Tree:
    """The answer with a reason that stands beside its status in a segment of its own, where it has no code with it."""
    reason: Any = answer.get("reason")
    words = context.tables["answer"].codes
    if reason and f"{answer.get('status')}/{reason}" not in words and answer.get("status") in words:
        answer["qualified"] = answer.pop("reason")
    return answer
