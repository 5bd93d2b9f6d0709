# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""From ``records.delayed(…).method(…)`` to rows of ``dist.job``."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from ..api import HandlerSpec
from ..errors import EnqueueError
from .handlers import specs_of

MAX_PAYLOAD_BYTES = 5 * 1024 * 1024
KEPT_CONTEXT = ("lang", "tz")


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
    """``value`` as it will come back from JSON. :raises EnqueueError: where it would not come back"""
    try:
        text = json.dumps(value)
    except (TypeError, ValueError) as error:
        raise EnqueueError(
            f"{what} cannot be stored as JSON ({error}). Pass ids instead of records, text or numbers."
        ) from None
    if len(text) > MAX_PAYLOAD_BYTES:
        raise EnqueueError(
            f"{what} has {len(text)} bytes, more than the {MAX_PAYLOAD_BYTES} a job may carry. "
            "Store it and pass its id."
        )
    return value


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
        if any(not isinstance(id_, int) for id_ in records._ids):
            raise EnqueueError(f"{records} is not saved yet: a job needs records with an id.")
        each = options["each"]
        parts = [records[i : i + each] for i in range(0, len(records), each)] if each else [records]
        call: dict[str, Any] = {}
        if args:
            call["args"] = plain(args, f"The arguments of {method}")
        if kwargs:
            call["kwargs"] = plain(kwargs, f"The arguments of {method}")
        if context := {name: value for name in KEPT_CONTEXT if (value := records.env.context.get(name))}:
            call["context"] = context
        connection = options["connection"]
        company = connection.company_id if connection else records.env.company
        common = {
            "handler": f"{records._name}:{method}",
            "connection_id": connection.id if connection else None,
            "company_id": company.id or None,
            "lane": spec.lane,
            "priority": max(0, min(9, int(options["priority"]))),
            "eta": due(options["eta"]),
            "max_attempts": options["max_attempts"],
            "res_model": records._name,
        }
        return [
            {
                **common,
                "payload": {"ids": list(part._ids), **call},
                "res_id": part._ids[0] if part._ids else None,
                "key": self._option("key", part),
                "identity": self._option("identity", part),
                "correlation_id": self._option("correlation_id", part)
                or records.env.context.get("dist_correlation_id")
                or None,
            }
            for part in parts
        ]

    def _option(self, name: str, part: Any) -> str | None:
        value = self._options[name]
        if callable(value):
            value = value(part)
        return None if value is None or value is False else str(value)


def job_spec(records: Any, method: str) -> HandlerSpec:
    """The ``@job`` decoration of a method. :raises EnqueueError: where there is none"""
    for _klass, spec in specs_of(type(records), method):
        if spec.kind == "job":
            return spec
    raise EnqueueError(f"{records._name}.{method} is not decorated with @job, so it cannot be delayed.")
