# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Jobs that wait for jobs: what ``chain`` and ``group`` build, and how it becomes rows. No SQL.

A node is a :class:`Signature` (one job), a :class:`Group` (side by side) or a :class:`Chain` (one after the other);
they nest as one likes. :func:`plan` flattens a node into jobs, parents always before their children, and edges. As ids
follow that order, a job waits only for jobs with smaller ids, for its parents as for its key: nothing can wait in a
circle.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any, NamedTuple

from ..errors import EnqueueError

STOP, CONTINUE = "stop", "continue"
MAX_JOBS = 100_000
MAX_EDGES = 200_000
"""Bounds of one graph. A group of m after a group of n has m × n edges: a step in between makes them m + n."""


class Result(NamedTuple):
    """What became of a job before this one.

    ``value``: what its method returned; ``state``: ``done``, ``dead`` or ``cancelled``; ``error``: why not done.
    """

    job_id: int
    state: str
    value: Any = None
    error: str | None = None

    @property
    def ok(self) -> bool:
        return self.state == "done"


class Edge(NamedTuple):
    """Positions in the plan's list of signatures."""

    parent: int
    child: int
    on_failure: str


class Node:
    """A part of a graph."""

    def _env(self) -> Any:
        raise NotImplementedError

    def enqueue(self) -> Any:
        """Insert all jobs and what they wait for, in the caller's transaction.

        :return: the ``dist.job`` records, in the order they were written down
        :raises EnqueueError: where the graph is wrong in itself
        """
        signatures, edges = plan(self)
        if not signatures:
            raise EnqueueError("There is no job in this graph.")
        return signatures[0]._env()["dist.job"].sudo()._enqueue_graph(*rows_of(signatures, edges))


class Signature(Node):
    """One job to be: ``records.later(…).method(…)``."""

    def __init__(self, env: Any, row: dict[str, Any], takes_results: bool = False) -> None:
        self.env, self.row, self.takes_results = env, row, takes_results
        self.undone_by: Signature | None = None
        self.keeps = False

    def _env(self) -> Any:
        return self.env

    def undo(self, node: Node) -> Signature:
        """What takes this step back when the graph fails for good after it. It may take the step's ``results``."""
        if not isinstance(node, Signature) or node.undone_by:
            raise EnqueueError("What undoes a step is one job, which has no undo itself.")
        if node is self:
            raise EnqueueError("A step cannot undo itself.")
        self.undone_by = node
        return self

    def keep(self) -> Signature:
        """Keep what the method returns in the job's ``result``, also where no job after it wants it."""
        self.keeps = True
        return self


class Group(Node):
    """Parts that may run side by side."""

    def __init__(self, members: Iterable[Node]) -> None:
        self.members = checked(members)

    def _env(self) -> Any:
        return self.members[0]._env()


class Chain(Node):
    """Parts that run one after the other: each waits for all of the one before."""

    def __init__(self, steps: Iterable[Node], on_failure: str = STOP) -> None:
        if on_failure not in (STOP, CONTINUE):
            raise EnqueueError(f"on_failure is {STOP!r} or {CONTINUE!r}, not {on_failure!r}.")
        self.steps, self.on_failure = checked(steps), on_failure

    def _env(self) -> Any:
        return self.steps[0]._env()


def checked(nodes: Iterable[Node]) -> tuple[Node, ...]:
    nodes = tuple(nodes)
    for node in nodes:
        if not isinstance(node, Node):
            raise EnqueueError(
                f"A graph is made of records.later(…).method(…), chain(…) and group(…), not of {node!r}. "
                "delayed() enqueues at once; use later()."
            )
    return nodes


def chain(*steps: Node, on_failure: str = STOP) -> Chain:
    """``steps`` one after the other. ``on_failure``: of a step, for the steps after it.

    ``stop``: they are cancelled, and come back when the failed job is run again. ``continue``: they run all the same
    and see in their ``results`` what failed.
    """
    return Chain(steps, on_failure)


def group(*members: Node) -> Group:
    """``members`` side by side, in any order."""
    return Group(members)


def plan(node: Node) -> tuple[list[Signature], list[Edge]]:
    """All jobs, parents first, and who waits for whom.

    >>> a, b, c, d = (Signature(None, {"handler": name}) for name in "abcd")
    >>> signatures, edges = plan(chain(a, group(b, c), d))
    >>> [signature.row["handler"] for signature in signatures]
    ['a', 'b', 'c', 'd']
    >>> [(edge.parent, edge.child) for edge in edges]
    [(0, 1), (0, 2), (1, 3), (2, 3)]

    An empty group stands for nothing: what is behind it waits for what is before it.

    >>> [(edge.parent, edge.child) for edge in plan(chain(a, group(), d))[1]]
    [(0, 1)]
    """
    signatures: list[Signature] = []
    edges: list[Edge] = []
    seen: set[int] = set()

    def visit(node: Node, before: list[int], on_failure: str) -> list[int]:
        if isinstance(node, Chain):
            for step in node.steps:
                before = visit(step, before, on_failure)
                on_failure = node.on_failure
            return before
        if isinstance(node, Group):
            tails = [tail for member in node.members for tail in visit(member, before, on_failure)]
            return list(dict.fromkeys(tails)) or before
        return add(node, before, on_failure)

    def add(signature: Any, before: list[int], on_failure: str) -> list[int]:
        if id(signature) in seen:
            raise EnqueueError(f"{signature.row['handler']} is in the graph twice; make two of it.")
        seen.add(id(signature))
        position = len(signatures)
        signatures.append(signature)
        edges.extend(Edge(parent, position, on_failure) for parent in before)
        if len(signatures) > MAX_JOBS or len(edges) > MAX_EDGES:
            raise EnqueueError(
                f"A graph has at most {MAX_JOBS} jobs and {MAX_EDGES} dependencies. Every member of a group waits for "
                "every member of the group before it: put one job between them, or enqueue less at once."
            )
        return [position]

    visit(node, [], STOP)
    return signatures, edges


def rows_of(signatures: list[Signature], edges: list[Edge]) -> tuple[list[dict[str, Any]], list[Edge]]:
    """Rows for ``dist.job.enqueue``: who waits, whose result is kept, what undoes it."""
    graph = uuid.uuid4().hex
    waiting = {edge.child for edge in edges}
    keeping = {edge.parent for edge in edges if signatures[edge.child].takes_results}
    rows = []
    for position, signature in enumerate(signatures):
        undo = signature.undone_by
        row = {**signature.row, "graph": graph}
        keep = signature.keeps or position in keeping or bool(undo and undo.takes_results)
        row["payload"] = call_of(signature, keep)
        if position in waiting:
            row["state"] = "waiting"
        if undo:
            row["undo"] = {**undo.row, "payload": call_of(undo, undo.keeps)}
        rows.append(row)
    return rows, edges


def call_of(signature: Signature, keep: bool) -> dict[str, Any]:
    """The payload, saying what the engine has to hand in and to keep."""
    wishes = {"results": True} if signature.takes_results else {}
    return {**signature.row["payload"], **wishes, **({"keep": True} if keep else {})}
