"""Spans by OpenTelemetry, where an operator wants them. Nothing of it is imported before :func:`start`.

Names and attributes follow the messaging conventions. One event's span is the child of the ``traceparent`` in its
envelope, a batch's links to each. Where spans go is the SDK's business: ``opentelemetry-instrument dist-relay run``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from dist_relay import __version__
from dist_relay.errors import SettingsError

Operation = Literal["send", "process", "receive", "settle"]

_tracer: Any = None


def start(provider: Any = None) -> None:
    """Make spans from now on, with the process' own tracer provider or the one given.

    :raises SettingsError: when OpenTelemetry is not installed.
    """
    global _tracer
    try:
        from opentelemetry import trace
    except ImportError:
        raise SettingsError("otel is set and OpenTelemetry is not installed: pip install 'dist-relay[otel]'") from None
    _tracer = trace.get_tracer("dist_relay", __version__, provider)


def stop() -> None:
    """Make no more spans."""
    global _tracer
    _tracer = None


@contextmanager
def span(
    operation: Operation, connection: str, correlation_ids: Sequence[str | None] = (), **attributes: str | int | None
) -> Iterator[Any]:
    """A span around work on messages of a connection; ``None`` is yielded where there are none."""
    if _tracer is None:
        yield None
        return
    from opentelemetry import trace

    contexts = [found for found in map(_context, correlation_ids) if found is not None]
    single = contexts[0] if len(correlation_ids) == 1 and contexts else None
    facts: dict[str, Any] = {
        "messaging.system": "redis",
        "messaging.operation.type": operation,
        "messaging.destination.name": connection,
        **{name.replace("__", "."): value for name, value in attributes.items() if value is not None},
    }
    if len(correlation_ids) > 1:
        facts["messaging.batch.message_count"] = len(correlation_ids)
    with _tracer.start_as_current_span(
        f"{operation} {connection}",
        context=trace.set_span_in_context(trace.NonRecordingSpan(single)) if single else None,
        kind=trace.SpanKind.PRODUCER if operation == "send" else trace.SpanKind.CONSUMER,
        links=None if single else [trace.Link(context) for context in contexts],
        attributes=facts,
    ) as made:
        yield made


def _context(traceparent: str | None) -> Any:
    """The span context of a W3C traceparent, ``None`` for what is none."""
    from opentelemetry import trace

    try:
        _version, trace_id, span_id, flags = (traceparent or "").split("-")[:4]
        found = trace.SpanContext(int(trace_id, 16), int(span_id, 16), True, trace.TraceFlags(int(flags, 16)))
    except ValueError:
        return None
    return found if found.is_valid else None
