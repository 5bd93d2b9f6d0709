"""The backlog of the connections as metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dist_relay import metrics

from .port import Pending

_GAUGES = (metrics.OUTBOX_PENDING, metrics.OUTBOX_IN_FLIGHT, metrics.OUTBOX_OLDEST)


def measure(pending: Iterable[Pending], names: Mapping[str, str]) -> None:
    """Set the gauges of every connection; those without a backlog have none. ``names``: what people call them."""
    seen = set()
    for row in pending:
        name = names.get(row.connection, row.connection)
        seen.add(name)
        for gauge, value in zip(_GAUGES, (row.ready, row.in_flight, row.oldest_seconds), strict=True):
            gauge.labels(name).set(value)
    for name in set(names.values()) - seen:
        for gauge in _GAUGES:
            gauge.labels(name).set(0)
