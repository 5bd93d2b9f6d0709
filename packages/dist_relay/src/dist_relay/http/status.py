"""The table of HTTP statuses: what an answer means for the event that caused it. Data, not branches."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from dist_relay.errors import Broken, CredentialsRefused, OutcomeUnknown, Rejected, RelayError, RetryLater, Snoozed


class Means(Enum):
    """What a status says about the request."""

    REFUSED = "refused for good"
    CREDENTIALS = "credentials refused"
    PARKED = "the account is blocked"
    RATE = "too many requests"
    NOT_DONE = "not done, may work later"
    PERHAPS_DONE = "perhaps done"
    OUR_DEFECT = "our request makes no sense to it"


class Rule(NamedTuple):
    """Meaning and stable code of one status."""

    means: Means
    code: str


STATUSES: dict[int, Rule] = {
    400: Rule(Means.REFUSED, "bad_request"),
    401: Rule(Means.CREDENTIALS, "credentials"),
    402: Rule(Means.PARKED, "account_blocked"),
    403: Rule(Means.CREDENTIALS, "credentials"),
    404: Rule(Means.REFUSED, "not_found"),
    405: Rule(Means.OUR_DEFECT, "method_not_allowed"),
    406: Rule(Means.OUR_DEFECT, "not_acceptable"),
    408: Rule(Means.PERHAPS_DONE, "request_timeout"),
    409: Rule(Means.REFUSED, "conflict"),
    410: Rule(Means.REFUSED, "gone"),
    413: Rule(Means.REFUSED, "too_large"),
    415: Rule(Means.OUR_DEFECT, "media_type"),
    421: Rule(Means.NOT_DONE, "misdirected"),
    422: Rule(Means.REFUSED, "unprocessable"),
    423: Rule(Means.NOT_DONE, "locked"),
    425: Rule(Means.NOT_DONE, "too_early"),
    429: Rule(Means.RATE, "rate_limited"),
    500: Rule(Means.PERHAPS_DONE, "server_error"),
    501: Rule(Means.OUR_DEFECT, "not_implemented"),
    502: Rule(Means.PERHAPS_DONE, "bad_gateway"),
    503: Rule(Means.NOT_DONE, "unavailable"),
    504: Rule(Means.PERHAPS_DONE, "gateway_timeout"),
}
"""503 is sent by a front that did not pass the request on; 500, 502 and 504 may follow an effect."""

ACCOUNT_SECONDS = 3_600.0


def rule(status: int) -> Rule:
    """The rule of a status; one that is not in the table goes by its class.

    >>> rule(404).code, rule(520).means.value, rule(418).means.value
    ('not_found', 'perhaps done', 'refused for good')
    """
    if found := STATUSES.get(status):
        return found
    if status >= 500:
        return Rule(Means.PERHAPS_DONE, f"http_{status}")
    if status >= 400:
        return Rule(Means.REFUSED, f"http_{status}")
    return Rule(Means.OUR_DEFECT, f"http_{status}")


def error(status: int, message: str, *, effect: bool, wait: float | None, default_wait: float = 10.0) -> RelayError:
    """The error that ``status`` means. ``wait`` is the seconds of ``Retry-After`` where the answer has one."""
    found = rule(status)
    match found.means:
        case Means.REFUSED:
            return Rejected(found.code, message, data={"http_status": status})
        case Means.CREDENTIALS:
            return CredentialsRefused(message)
        case Means.PARKED:
            return Snoozed(wait or ACCOUNT_SECONDS, message, code=found.code)
        case Means.RATE:
            return Snoozed(wait or default_wait, message, code=found.code)
        case Means.NOT_DONE:
            return RetryLater(wait, message, code=found.code)
        case Means.PERHAPS_DONE if effect:
            return OutcomeUnknown(message, seconds=wait, code=found.code)
        case Means.PERHAPS_DONE:
            return RetryLater(wait, message, code=found.code)
        case Means.OUR_DEFECT:
            return Broken(message, code=found.code)
