"""One store's Admin GraphQL API: token, cost budget, and every kind of refusal by name.

Shopify answers almost everything with HTTP 200; what happened stands in ``errors[].extensions.code``, told apart by
:data:`CODES`. Errors of single fields of a mutation (``userErrors``) are the flows' business.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from dist_relay.errors import Broken, CredentialsRefused, OutcomeUnknown, Rejected, RelayError, RetryLater, Snoozed
from dist_relay.http.deadline import patience
from dist_relay.http.session import excerpt, looks_like_html
from dist_relay.ports import Context, Response

from .documents import document, is_mutation
from .manifest import API_VERSION
from .token import TokenSource

OPERATION = "graphql"
"""The rate limit all requests share."""

THROTTLED_TRIES = 3
LONGEST_WAIT = 5.0
AWAY_SECONDS = 900.0
MAX_SNOOZE = 60.0


class TooCostly(Broken):
    """The query asks for more than one request may cost; ask for less at a time."""


class Throttled(Snoozed):
    """The store's bucket is empty; the request had no effect."""


CODES: dict[str, str] = {
    "THROTTLED": "throttled",
    "MAX_COST_EXCEEDED": "too_costly",
    "ACCESS_DENIED": "scope",
    "UNAUTHORIZED": "scope",
    "FORBIDDEN": "scope",
    "SHOP_INACTIVE": "inactive",
    "INTERNAL_SERVER_ERROR": "perhaps_done",
    "TIMEOUT": "perhaps_done",
    "SERVICE_UNAVAILABLE": "perhaps_done",
}
"""Code of a top-level error → what it means. Any other code is a defect of our request."""


class Client:
    """Sends the documents of :mod:`.documents`. Used by one thread at a time."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.version = str(ctx.settings.get("api_version") or API_VERSION)
        self.effective_version: str | None = None
        self.server_time: datetime | None = None
        store = _base_url(ctx.settings)
        self._session = ctx.session_factory(store)
        self._token = TokenSource(ctx.connection, ctx.credentials, self._session, ctx.clock, store)
        self._costs: dict[str, float] = {}

    def run(self, operation: str, variables: Mapping[str, Any], *, priority: int = 5) -> dict[str, Any]:
        """Send one document and return its ``data``.

        :raises Throttled: when the store's budget is used up, after a few short waits.
        :raises TooCostly: when one request would cost more than the store allows.
        :raises CredentialsRefused: token expired or revoked, or a scope is missing.
        :raises OutcomeUnknown: a mutation whose answer was lost; a query is tried again a few times and raises
            ``RetryLater`` in the end.
        """
        if is_mutation(operation):
            return self._run(operation, variables, priority)
        return self._session.read(lambda: self._run(operation, variables, priority), OPERATION)

    def _run(self, operation: str, variables: Mapping[str, Any], priority: int) -> dict[str, Any]:
        for tries_left in reversed(range(THROTTLED_TRIES)):
            self.ctx.throttle.acquire(OPERATION, self._costs.get(operation, 10.0), priority)
            answer = self._send(operation, variables)
            self._note_budget(operation, answer)
            try:
                return self._data(operation, answer)
            except Throttled as throttled:
                wait = throttled.seconds or 1.0
                if not tries_left or wait > patience(self.ctx.clock, LONGEST_WAIT):
                    raise
                self.ctx.clock.sleep(wait)
        raise AssertionError("unreachable")

    def _send(self, operation: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        token = self._token.get()
        try:
            response = self._post(operation, variables, token)
        except CredentialsRefused:
            if not self._token.renew(token):
                raise
            response = self._post(operation, variables, self._token.get())
        self._note_headers(response)
        return self._decoded(operation, response)

    def _post(self, operation: str, variables: Mapping[str, Any], token: str) -> Response:
        try:
            return self._session.request(
                "POST",
                f"/admin/api/{self.version}/graphql.json",
                headers={"X-Shopify-Access-Token": token},
                json={"query": document(operation), "operationName": operation, "variables": dict(variables)},
                effect=is_mutation(operation),
                operation=OPERATION,
            )
        except Rejected as refused:
            if refused.code not in ("not_found", "gone"):
                raise
            # the API itself is not there: that says nothing about the one order or item the request is for
            text = f"there is no such store or API version: {refused.message}"
            raise Snoozed(AWAY_SECONDS, text, code="no_store") from refused

    def _decoded(self, operation: str, response: Response) -> dict[str, Any]:
        try:
            answer = json.loads(response.body, parse_float=str)
        except (ValueError, RecursionError):
            answer = None
        if isinstance(answer, dict):
            return answer
        what = "a web page" if looks_like_html(response) else "something"
        text = f"{operation}: the store answered with {what} that is not JSON: {excerpt(response.body)}"
        raise _perhaps_done(operation, text, "not_json")

    def _data(self, operation: str, answer: dict[str, Any]) -> dict[str, Any]:
        errors = answer.get("errors")
        if errors:
            raise self._named(operation, errors if isinstance(errors, list) else [{"message": str(errors)}], answer)
        data = answer.get("data")
        if not isinstance(data, dict):
            raise _perhaps_done(operation, f"{operation}: the answer holds no data", "no_data")
        return data

    def _named(self, operation: str, errors: list[Any], answer: dict[str, Any]) -> RelayError:
        known = [error if isinstance(error, dict) else {"message": str(error)} for error in errors]
        codes = [_code(error) for error in known]
        means = {CODES.get(code, "defect") for code in codes}
        text = f"{operation}: " + "; ".join(
            str(error.get("message", code)) for error, code in zip(known, codes, strict=True)
        )
        if "throttled" in means:
            return Throttled(self._wait(operation, answer), text, code="throttled")
        if "too_costly" in means:
            return TooCostly(text, code="too_costly")
        if "scope" in means:
            return CredentialsRefused(f"the app lacks a permission. {text}")
        if "inactive" in means:
            return Snoozed(3_600.0, text, code="account_blocked")
        if "perhaps_done" in means:
            return _perhaps_done(operation, text, "server_error")
        return Broken(text, code="graphql")

    def _note_budget(self, operation: str, answer: dict[str, Any]) -> None:
        cost = _cost(answer)
        status = cost.get("throttleStatus")
        requested = _number(cost.get("requestedQueryCost"))
        if requested is not None:
            self._costs[operation] = requested
        if isinstance(status, dict):
            available, rate = _number(status.get("currentlyAvailable")), _number(status.get("restoreRate"))
            if available is not None and rate:
                self.ctx.throttle.feedback(OPERATION, available, rate)

    def _wait(self, operation: str, answer: dict[str, Any]) -> float:
        cost = _cost(answer)
        status = cost.get("throttleStatus")
        status = status if isinstance(status, dict) else {}
        available = _number(status.get("currentlyAvailable")) or 0.0
        rate = _number(status.get("restoreRate")) or 50.0
        wanted = _number(cost.get("requestedQueryCost")) or self._costs.get(operation, 100.0)
        return min(max((wanted - available) / rate, 0.5), MAX_SNOOZE)

    def _note_headers(self, response: Response) -> None:
        try:
            moment = parsedate_to_datetime(response.headers["date"])
            self.server_time = moment.astimezone(timezone.utc)
        except (KeyError, ValueError, TypeError):
            self.server_time = None
        version = response.headers.get("x-shopify-api-version")
        if version and version != self.version and version != self.effective_version:
            self.ctx.log.warning("the store answers with another API version", asked=self.version, answered=version)
        self.effective_version = version or self.effective_version


def _base_url(settings: Mapping[str, Any]) -> str:
    if endpoint := settings.get("endpoint"):
        return str(endpoint).rstrip("/")
    return f"https://{settings['shop_domain']}"


def _code(error: dict[str, Any]) -> str:
    extensions = error.get("extensions")
    return str(extensions.get("code", "")) if isinstance(extensions, dict) else ""


def _perhaps_done(operation: str, text: str, code: str) -> RelayError:
    return OutcomeUnknown(text, code=code) if is_mutation(operation) else RetryLater(None, text, code=code)


def _cost(answer: dict[str, Any]) -> dict[str, Any]:
    extensions = answer.get("extensions")
    cost = extensions.get("cost") if isinstance(extensions, dict) else None
    return cost if isinstance(cost, dict) else {}


def _number(value: Any) -> float | None:
    """A number of an answer; JSON's fractions were kept as text, for they may be money."""
    try:
        return None if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None
