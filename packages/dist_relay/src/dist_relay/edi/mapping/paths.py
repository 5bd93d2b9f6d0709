"""Reads, sets and removes values in trees of JSON types by paths: ``address.city``, ``prices[kind=net].amount``."""

from __future__ import annotations

import re
from typing import Any

from ..errors import GrammarError
from .model import Path, Step

Tree = dict[str, Any]

_STEP = re.compile(r"([a-z_][a-z0-9_]*)(?:\[([a-z_]+)=([a-z0-9_:A-Z]+)\])?\Z")


def parse(text: str) -> Path:
    """A path from its notation.

    >>> parse("prices[kind=net].amount")
    (Step(name='prices', key='kind', value='net'), Step(name='amount', key='', value=''))
    """
    steps = []
    for part in text.split("."):
        found = _STEP.match(part)
        if found is None:
            raise GrammarError(f"{text!r} is no path")
        steps.append(Step(found[1], found[2] or "", found[3] or ""))
    return tuple(steps)


def shown(path: Path) -> str:
    """The path as it is written."""
    return ".".join(f"{name}[{key}={value}]" if key else name for name, key, value in path)


def copied(node: Any) -> Any:
    """A copy of a tree of JSON types, at a fraction of what ``deepcopy`` costs."""
    if isinstance(node, dict):
        return {key: copied(each) if isinstance(each, dict | list) else each for key, each in node.items()}
    if isinstance(node, list):
        return [copied(each) if isinstance(each, dict | list) else each for each in node]
    return node


def put(tree: Tree, path: Path, value: Any) -> bool:
    """Set a value; False (and nothing is changed) where another one stands there already."""
    *parents, last = path
    for index, step in enumerate(parents):
        tree = _into(tree, step, path[index + 1])
    if tree.get(last.name) in (None, value):
        tree[last.name] = value
        return True
    return False


def peek(tree: Tree, path: Path) -> Any:
    """The value at a path, None when there is none."""
    node: Any = tree
    for index, step in enumerate(path):
        node = node.get(step.name)
        if step.key and node is not None:
            rest = path[index + 1 :]
            return next((found for item in _chosen(node, step) if (found := peek(item, rest)) is not None), None)
        if node is None:
            return None
        if index < len(path) - 1 and not isinstance(node, dict):
            return None
    return node


def take(tree: Tree, path: Path) -> Any:
    """Remove and return the value at a path; objects and items that become empty are removed with it."""
    step, rest = path[0], path[1:]
    if step.name not in tree:
        return None
    if not rest:
        return tree.pop(step.name)
    node = tree[step.name]
    if step.key:
        return _take_item(tree, step, rest)
    if not isinstance(node, dict):
        return None
    value = take(node, rest)
    if not node:
        del tree[step.name]
    return value


def _take_item(tree: Tree, step: Step, rest: Path) -> Any:
    items = tree[step.name]
    for item in _chosen(items, step):
        value = take(item, rest)
        if value is not None:
            if set(item) <= {step.key}:
                items[:] = [each for each in items if each is not item]
            if not items:
                del tree[step.name]
            return value
    return None


def _chosen(items: Any, step: Step) -> list[Tree]:
    return [each for each in items if isinstance(each, dict) and each.get(step.key) == step.value]


def _into(tree: Tree, step: Step, following: Step) -> Tree:
    if not step.key:
        inner: Tree = tree.setdefault(step.name, {})
        return inner
    items = tree.setdefault(step.name, [])
    for item in reversed(items):
        if item.get(step.key) == step.value and following.name not in item:
            return item  # type: ignore[no-any-return]
    items.append({step.key: step.value})
    return items[-1]  # type: ignore[no-any-return]
