"""The backlog of the connections and the length of their streams as metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dist_relay import metrics
from dist_relay.runtime.keys import Keys
from dist_relay.runtime.redis_client import RedisClient, is_cluster

from .port import Pending

_GAUGES = (metrics.OUTBOX_PENDING, metrics.OUTBOX_IN_FLIGHT, metrics.OUTBOX_OLDEST)


def measure(pending: Iterable[Pending], names: Mapping[str, str]) -> None:
    """Set the gauges of every connection; those without a backlog have none. ``names``: what people call them."""
    for name in names.values():
        metrics.DEAD_LETTERS.labels(name)  # a series that begins at its first letter shows no increase by it
    seen = set()
    for row in pending:
        name = names.get(row.connection, row.connection)
        seen.add(name)
        for gauge, value in zip(_GAUGES, (row.ready, row.in_flight, row.oldest_seconds), strict=True):
            gauge.labels(name).set(value)
    for name in set(names.values()) - seen:
        for gauge in _GAUGES:
            gauge.labels(name).set(0)


def forget(names: Iterable[str]) -> None:
    """Remove the gauges of connections nobody calls so any more; they would show their last value for ever."""
    for name in names:
        for gauge in _GAUGES:
            gauge.remove(name)
        for label in ("out", "results"):
            metrics.STREAM_LENGTH.remove(name, label)


def measure_streams(client: RedisClient, database: str, names: Mapping[str, str]) -> None:
    """Set how many entries wait in the streams of every connection, whether or not anything is published to it."""
    streams = [
        (name, label, stream)
        for connection, name in names.items()
        for label, stream in (("out", Keys(database, connection).out), ("results", Keys(database, connection).results))
    ]
    if is_cluster(client):
        lengths = [client.xlen(stream) for _name, _label, stream in streams]
    else:
        pipe = client.pipeline(transaction=False)
        for _name, _label, stream in streams:
            pipe.xlen(stream)
        lengths = pipe.execute()
    for (name, label, _stream), length in zip(streams, lengths, strict=True):
        metrics.STREAM_LENGTH.labels(name, label).set(int(length))
