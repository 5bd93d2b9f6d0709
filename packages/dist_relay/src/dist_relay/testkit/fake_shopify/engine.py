"""One GraphQL request: token, scopes, faults, validity, budget, execution."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import ExecutionResult, GraphQLError, GraphQLResolveInfo, execute_sync

from .cost import MAX_QUERY, Bucket, Meter
from .faults import AFTER, Fault, Faults
from .roots import Roots
from .schema import Documents
from .store import Store

SCOPE_OF = {
    "orders": "read_orders",
    "order": "read_orders",
    "locations": "read_locations",
    "productVariants": "read_products",
    "inventorySetQuantities": "write_inventory",
    "fulfillmentCreate": "write_merchant_managed_fulfillment_orders",
    "orderCancel": "write_orders",
}
"""Root field → scope it needs."""


@dataclass
class Answer:
    """An HTTP answer; ``broken`` closes the connection instead of sending it."""

    status: int = 200
    body: Any = None
    html: bool = False
    broken: bool = False
    delay: float = 0.0
    retry_after: int | None = None


class Engine:
    """Answers requests on a store; the caller holds the store's lock."""

    def __init__(self, store: Store, documents: Documents, bucket: Bucket, faults: Faults) -> None:
        self.store, self.documents, self.bucket, self.faults = store, documents, bucket, faults
        self.requests: Counter[str] = Counter()

    def answer(self, request: Any, token: str | None) -> Answer:
        """What the store says to one request."""
        operation = str(request.get("operationName") or "") if isinstance(request, dict) else ""
        fault = self.faults.pick(operation)
        self.requests[operation] += 1
        if fault and (early := self._fault_before(fault)):
            return early
        if not self._known(token):
            return Answer(
                401, {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}
            )
        if not isinstance(request, dict) or not isinstance(request.get("query"), str):
            return Answer(400, {"errors": {"query": "Required parameter missing or invalid"}})
        result = Answer(body=self._run(request, fault))
        if fault and fault.kind == "slow":
            result.delay = fault.seconds
        return self._fault_after(fault, result) if fault else result

    def _run(self, request: dict[str, Any], fault: Fault | None) -> dict[str, Any]:
        variables = request.get("variables") or {}
        document = self.documents.get(request["query"])
        if isinstance(document, list):
            return {
                "errors": [{"message": error.message, "extensions": {"code": "invalidDocument"}} for error in document]
            }
        meter = Meter(self.documents.schema, document, variables)
        requested = meter.cost()
        if requested > MAX_QUERY:
            text = f"Query cost is {requested:.0f}, which exceeds the single query max cost limit ({MAX_QUERY:.0f})."
            return self._failed("MAX_COST_EXCEEDED", text, requested)
        if fault and fault.kind == "throttled":
            self.bucket.empty()
        if not self.bucket.take(requested):
            return self._failed("THROTTLED", "Throttled", requested)
        if fault and fault.kind == "internal":
            return self._failed("INTERNAL_SERVER_ERROR", "Internal error. Looks like something went wrong.", requested)
        result = self._execute(document, request, variables, fault)
        answer: dict[str, Any] = {"data": _patched(result.data, self.store)}
        if result.errors:
            answer["errors"] = [_error(error) for error in result.errors]
        actual = meter.cost(result.data) if result.data else 1.0
        self.bucket.give_back(requested - min(actual, requested))
        answer["extensions"] = self._cost(requested, actual)
        return answer

    def _execute(
        self, document: Any, request: dict[str, Any], variables: Mapping[str, Any], fault: Fault | None
    ) -> ExecutionResult:
        roots = Roots(self.store, fault.kind if fault else None).value()
        denied = fault is not None and fault.kind == "denied"
        return execute_sync(
            self.documents.schema,
            document,
            root_value={name: self._guarded(name, field, denied) for name, field in roots.items()},
            variable_values=dict(variables),
            operation_name=request.get("operationName"),
            field_resolver=_resolve,
            type_resolver=lambda value, *_: value["__typename"],
        )

    def _guarded(self, name: str, field: Any, denied: bool) -> Any:
        scope = SCOPE_OF.get(name)
        scopes = self.store.get("meta", "app").get("scopes", [])
        if denied or (scope and scope not in scopes):

            def refuse(*_: Any, **__: Any) -> None:
                text = f"Access denied for {name} field. Required access: `{scope or 'another'}` access scope."
                raise GraphQLError(text, extensions={"code": "ACCESS_DENIED"})

            return refuse
        return field

    def _known(self, token: str | None) -> bool:
        record = self.store.find("token", token or "")
        if record is None:
            return False
        return record["expires"] is None or record["expires"] > self.store.now().timestamp()

    def _fault_before(self, fault: Fault) -> Answer | None:
        self.store.count(f"fault:{fault.kind}")
        table = {
            "rate_limited": Answer(429, {"errors": "Exceeded 2 calls per second"}, retry_after=1),
            "server_error": Answer(500, {"errors": "Internal Server Error"}),
            "unavailable": Answer(503, {"errors": "Service Unavailable"}),
            "lost": Answer(broken=True),
            "html": Answer(200, "<!doctype html><html><body>Just a moment</body></html>", html=True),
            "expired": Answer(401, {"errors": "[API] Invalid API key or access token"}),
        }
        return table.get(fault.kind)

    def _fault_after(self, fault: Fault, answer: Answer) -> Answer:
        if fault.kind not in AFTER:
            return answer
        if fault.kind == "lost_answer":
            return Answer(broken=True)
        if fault.kind == "html_after":
            return Answer(200, "<html><body>Bad gateway</body></html>", html=True)
        return Answer(500, {"errors": "Internal Server Error"})

    def _failed(self, code: str, message: str, requested: float) -> dict[str, Any]:
        return {
            "errors": [{"message": message, "extensions": {"code": code}}],
            "extensions": self._cost(requested, None),
        }

    def _cost(self, requested: float, actual: float | None) -> dict[str, Any]:
        status = {
            "maximumAvailable": self.bucket.maximum,
            "currentlyAvailable": round(self.bucket.available, 1),
            "restoreRate": self.bucket.rate,
        }
        return {"cost": {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": status}}


def _resolve(source: Any, info: GraphQLResolveInfo[Any], **args: Any) -> Any:
    """A field of a tree. One the fake does not know is an error, never a silent null."""
    if info.field_name not in source:
        raise GraphQLError(f"the fake does not know {info.parent_type.name}.{info.field_name}")
    value = source[info.field_name]
    return value(info, **args) if callable(value) else value


def _error(error: GraphQLError) -> dict[str, Any]:
    extensions = error.extensions or {"code": "INTERNAL_SERVER_ERROR" if error.path else "INVALID_VARIABLE"}
    return {"message": error.message, "path": error.path, "extensions": extensions}


def _patched(data: Any, store: Store) -> Any:
    """Put in what a control call said about the raw answer of an order: values the schema does not allow."""
    patches = {f"gid://shopify/Order/{id_}": patch for id_, patch in store.all("patch").items()}
    if not patches or not isinstance(data, dict):
        return data
    for node in [data.get("order"), *(data.get("nodes") or [])]:
        for path, value in patches.get(str((node or {}).get("id")), {}).items():
            _put(node, path.split("."), value)
    return data


def _put(node: Any, path: list[str], value: Any) -> None:
    for step in path[:-1]:
        node = node[int(step)] if isinstance(node, list) else node.get(step)
        if node is None:
            return
    if isinstance(node, list):
        node[int(path[-1])] = value
    elif path[-1] in node:
        node[path[-1]] = value
