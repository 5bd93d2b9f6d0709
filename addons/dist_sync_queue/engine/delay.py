# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""From ``records.delayed(…).method(…)`` to rows of ``dist.job``."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from ..api import HandlerSpec
from ..errors import EnqueueError
from .graph import Group, Node, Signature
from .guards import check_company, check_priority, company_of, strangers
from .handlers import specs_of

MAX_PAYLOAD_BYTES = 5 * 1024 * 1024
KEPT_CONTEXT = ("lang", "tz")
NUL = "\\u0000"
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""NUL as JSON writes it: behind an odd number of backslashes."""
NAMED = ("key", "identity", "correlation_id")
"""Options that may be functions of the records of each job."""


def due(eta: Any, now: datetime | None = None) -> datetime | None:
    """Naive UTC of ``eta``: a datetime (naive is UTC), a timedelta or seconds from now.

    >>> due(90, datetime(2026, 1, 1))
    datetime.datetime(2026, 1, 1, 0, 1, 30)
    >>> due(None) is None
    True
    """
    if eta is None or eta is False:
        return None
    if isinstance(eta, datetime):
        return eta.astimezone(timezone.utc).replace(tzinfo=None) if eta.tzinfo else eta
    if isinstance(eta, (int, float)):
        eta = timedelta(seconds=eta)
    if not isinstance(eta, timedelta):
        raise EnqueueError(f"eta is a datetime, a timedelta or seconds, not {eta!r}")
    return (now or datetime.now(timezone.utc).replace(tzinfo=None)) + eta


def plain(value: Any, what: str) -> Any:
    """``value`` as it will come back from JSON. :raises EnqueueError: where it would not come back

    A text that only looks like an escaped NUL is none:

    >>> plain("\\\\u0000", "It") == "\\\\u0000"
    True
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        size = len(text.encode())  # refuses halves of characters, as PostgreSQL does
    except (TypeError, ValueError) as error:
        raise EnqueueError(
            f"{what} cannot be stored as JSON ({error}). Pass ids instead of records, text or numbers."
        ) from None
    if NUL in text and _NUL.search(text):
        raise EnqueueError(f"{what} cannot be stored: PostgreSQL keeps no NUL characters. Remove them.")
    if size > MAX_PAYLOAD_BYTES:
        raise EnqueueError(
            f"{what} has {size} bytes, more than the {MAX_PAYLOAD_BYTES} a job may carry. Store it and pass its id."
        )
    return value


def plain_name(value: Any, what: str) -> str:
    """``value`` as text that PostgreSQL takes. :raises EnqueueError: where it does not"""
    text = str(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise EnqueueError(f"{what} {text!r} has halves of characters (lone surrogates). Make it of text.") from None
    if "\x00" in text:
        raise EnqueueError(f"{what} {text!r} has NUL characters, which PostgreSQL does not keep. Remove them.")
    return text


class Delayed:
    """A stand-in for records whose methods make jobs."""

    __slots__ = ("_options", "_records")

    def __init__(self, records: Any, **options: Any) -> None:
        self._records = records
        self._options = options

    def __getattr__(self, method: str) -> Callable[..., Any]:
        spec = job_spec(self._records, method)

        def enqueue(*args: Any, **kwargs: Any) -> Any:
            rows = self._rows(method, spec, args, kwargs)
            return self._records.env["dist.job"].sudo().enqueue(rows)

        return enqueue

    def _rows(self, method: str, spec: HandlerSpec, args: tuple, kwargs: dict) -> list[dict[str, Any]]:
        records, options = self._records, self._options
        ids = records._ids
        if any(not isinstance(id_, int) for id_ in ids):
            raise EnqueueError(f"{records} is not saved yet: a job needs records with an id.")
        self._check_call(method, args, kwargs)
        call: dict[str, Any] = {}
        if args:
            call["args"] = plain(args, f"The arguments of {method}")
        if kwargs:
            call["kwargs"] = plain(kwargs, f"The arguments of {method}")
        if context := {name: value for name in KEPT_CONTEXT if (value := records.env.context.get(name))}:
            call["context"] = context
        given = self._given_company()
        own = not given and bool(strangers(records))
        if not own:
            given = given or records.env.company
        common = {
            "handler": f"{records._name}:{method}",
            "connection_id": options["connection"].id if options["connection"] else None,
            "company_id": given.id or None,
            "lane": spec.lane,
            "priority": check_priority(records.env, options["priority"]),
            "eta": due(options["eta"]),
            "max_attempts": options["max_attempts"],
            "correlation_id": records.env.context.get("dist_correlation_id") or None,
            "res_model": records._name,
        }
        named = {name: value for name in NAMED if (value := options.get(name)) is not None and value is not False}
        if options["key"] is None and spec.key is not None:
            named["key"] = default_key(spec.key, records, method, args, kwargs) if callable(spec.key) else spec.key
        each = options["each"]
        rows = []
        for at in range(0, len(ids), each) if each else (0,):
            part = ids[at : at + each] if each else ids
            row = {**common, "payload": {"ids": list(part), **call}, "res_id": part[0] if part else None}
            if own:
                row["company_id"] = company_of(records.browse(part).with_prefetch(records._prefetch_ids)).id or None
            for name, value in named.items():
                if callable(value):
                    value = value(records.browse(part).with_prefetch(records._prefetch_ids))
                if value is not None and value is not False:
                    row[name] = plain_name(value, f"The {name} of the job")
            rows.append(row)
        return rows

    def _check_call(self, method: str, args: tuple, kwargs: dict) -> None:
        """:raises EnqueueError: where the method does not take these arguments"""
        check_call(self._records, method, args, kwargs)

    def _given_company(self) -> Any:
        """The company that was asked for, if any. :raises EnqueueError: where it is not the records'"""
        records, connection = self._records, self._options["connection"]
        company = self._options["company"]
        if connection and company and connection.company_id != company:
            raise EnqueueError(
                f"{connection.display_name!r} is a connection of {connection.company_id.display_name!r}, "
                f"not of {company.display_name!r}."
            )
        given = connection.company_id if connection else company
        if given:
            check_company(records, given)
        return given or records.env["res.company"]


class Later(Delayed):
    """A stand-in for records whose methods make parts of a graph instead of jobs."""

    __slots__ = ()

    def __getattr__(self, method: str) -> Callable[..., Node]:
        spec = job_spec(self._records, method)

        def sign(*args: Any, **kwargs: Any) -> Node:
            takes = takes_results(self._records, method)
            parts = [Signature(self._records.env, row, takes) for row in self._rows(method, spec, args, kwargs)]
            return parts[0] if not self._options["each"] else Group(parts)

        return sign

    def _check_call(self, method: str, args: tuple, kwargs: dict) -> None:
        handed = {"results": []} if takes_results(self._records, method) else {}
        check_call(self._records, method, args, {**handed, **kwargs})


def check_call(records: Any, method: str, args: tuple, kwargs: dict) -> None:
    """:raises EnqueueError: where the call could only fail: an argument is missing, or is one too many"""
    try:
        inspect.signature(getattr(type(records), method)).bind(records, *args, **kwargs)
    except TypeError as error:
        hint = " Only a job of a chain or group gets them: use later()." if "'results'" in str(error) else ""
        raise EnqueueError(f"{records._name}.{method} cannot be called so: {error}.{hint}") from None


def default_key(key: Callable, records: Any, method: str, args: tuple, kwargs: dict) -> Callable[[Any], Any]:
    """The decorator's ``key`` as a function of records alone: the arguments it names are those of this call.

    :raises EnqueueError: where it names one that the method does not have
    """
    call = inspect.signature(getattr(type(records), method)).bind_partial(records, *args, **kwargs)
    call.apply_defaults()
    _records, *names = inspect.signature(key).parameters
    if missing := [name for name in names if name not in call.arguments]:
        raise EnqueueError(f"The key of {records._name}.{method} depends on {', '.join(missing)}, which is not given.")
    values = {name: call.arguments[name] for name in names}
    return lambda part: key(part, **values)


def takes_results(records: Any, method: str) -> bool:
    """Whether a method names a parameter ``results``, and so is handed what became of the jobs before it."""
    return "results" in inspect.signature(getattr(type(records), method)).parameters


def job_spec(records: Any, method: str) -> HandlerSpec:
    """The ``@job`` decoration of a method. :raises EnqueueError: where there is none"""
    for _klass, spec in specs_of(type(records), method):
        if spec.kind == "job":
            return spec
    raise EnqueueError(f"{records._name}.{method} is not decorated with @job, so it cannot be delayed.")
