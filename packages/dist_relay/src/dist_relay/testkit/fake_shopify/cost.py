"""What a document costs, and the leaky bucket it is paid from.

An object costs 1, a mutation 10, a connection the cost of one node times a number that grows with the logarithm of its
page size (250 nodes with one object each cost 24, as observed in public). Real costs may differ; the adapter learns
them from the answers and never computes them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    is_list_type,
    is_non_null_type,
)

MAX_QUERY = 1000.0
MUTATION = 10.0
_UNKNOWN = object()


def times(count: int) -> float:
    """How much a page of ``count`` nodes multiplies the cost of one.

    >>> [times(n) for n in (0, 1, 10, 250)]
    [0.0, 2.0, 6.0, 12.0]
    """
    return float(math.ceil(1.5 * math.log2(count + 1))) if count else 0.0


class Meter:
    """Reckons one document: before it runs (no data) by its page sizes, afterwards by what came back."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self._schema, self._variables = schema, variables
        self._fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        self._operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]

    def cost(self, data: Any = _UNKNOWN) -> float:
        """Points of the operation; of the answer ``data`` where given."""
        operation = self._operations[0]
        root = self._schema.get_root_type(operation.operation)
        extra = MUTATION if operation.operation.value == "mutation" else 0.0
        return extra + self._set(operation.selection_set, root, data)

    def _set(self, selected: SelectionSetNode | None, parent: Any, data: Any) -> float:
        total = 0.0
        for node in selected.selections if selected else ():
            if isinstance(node, FieldNode):
                total += self._field(node, parent, data)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self._fragments[node.name.value]
                total += self._set(
                    fragment.selection_set, self._schema.get_type(fragment.type_condition.name.value), data
                )
            elif isinstance(node, InlineFragmentNode):
                named = node.type_condition
                inner = self._schema.get_type(named.name.value) if named else parent
                total += self._set(node.selection_set, inner, data)
        return total

    def _field(self, node: FieldNode, parent: Any, data: Any) -> float:
        value: Any
        name = node.name.value
        definition = getattr(parent, "fields", {}).get(name)
        if definition is None or not is_composite_type(get_named_type(definition.type)) or name == "pageInfo":
            return 0.0
        inner = get_named_type(definition.type)
        value = data if data is _UNKNOWN else (data.get((node.alias or node.name).value) if data else None)
        if inner.name.endswith("Connection"):
            nodes: Any = _UNKNOWN if value is _UNKNOWN else (value or {}).get("nodes") or []
            size = self._size(node) if nodes is _UNKNOWN else len(nodes)
            each = self._nodes(node, inner, nodes)
            return times(size) * each
        if value is None:
            return 1.0
        listed = definition.type.of_type if is_non_null_type(definition.type) else definition.type
        if is_list_type(listed):
            return self._list(node, inner, value)
        return 1.0 + self._set(node.selection_set, inner, value)

    def _list(self, node: FieldNode, inner: Any, value: Any) -> float:
        """A list costs the sum of its elements; before it is read, one, or as many as ids were given."""
        if value is _UNKNOWN:
            ids, size = self._argument(node, "ids"), self._size(node)
            count = len(ids) if isinstance(ids, list) else times(size) if size > 1 else 1.0
            return count * (1.0 + self._set(node.selection_set, inner, value))
        return sum(1.0 + self._set(node.selection_set, inner, each) for each in value)

    def _nodes(self, node: FieldNode, connection: Any, nodes: Any) -> float:
        """The cost of one node of a connection; the mean of those that came back."""
        for each in node.selection_set.selections if node.selection_set else ():
            if isinstance(each, FieldNode) and each.name.value == "nodes":
                inner = get_named_type(connection.fields["nodes"].type)
                if nodes is _UNKNOWN:
                    return 1.0 + self._set(each.selection_set, inner, _UNKNOWN)
                if nodes:
                    return 1.0 + sum(self._set(each.selection_set, inner, one) for one in nodes) / len(nodes)
        return 1.0

    def _size(self, node: FieldNode) -> int:
        value = self._argument(node, "first")
        return value if isinstance(value, int) else 1

    def _argument(self, node: FieldNode, name: str) -> Any:
        for argument in node.arguments or ():
            if argument.name.value == name:
                if isinstance(argument.value, VariableNode):
                    return self._variables.get(argument.value.name.value)
                if isinstance(argument.value, IntValueNode):
                    return int(argument.value.value)
        return None


@dataclass
class Bucket:
    """``maximum`` points that come back at ``rate`` per second."""

    maximum: float
    rate: float
    monotonic: Callable[[], float]

    def __post_init__(self) -> None:
        self._available, self._at = self.maximum, self.monotonic()

    @property
    def available(self) -> float:
        """Points there are now."""
        now = self.monotonic()
        self._available = min(self.maximum, self._available + (now - self._at) * self.rate)
        self._at = now
        return self._available

    def take(self, points: float) -> bool:
        """Take ``points`` if they are there."""
        if self.available < points:
            return False
        self._available -= points
        return True

    def give_back(self, points: float) -> None:
        """Return what was not needed."""
        self._available = min(self.maximum, self.available + points)

    def empty(self) -> None:
        """Spill it."""
        self._available = min(self.available, 0.0)
