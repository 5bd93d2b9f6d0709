# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Spans by OpenTelemetry, where an operator wants them: one for each batch. Otherwise nothing of it is even imported.

As in the relay, names follow the messaging conventions, the span of one job is the child of its ``traceparent``, that
of several links to each of them. Where spans go is the SDK's business: ``opentelemetry-instrument odoo … dist_worker``.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import Any

_logger = logging.getLogger(__name__)

VARIABLE = "DIST_OTEL"
"""Environment: 1 or 0; it comes before the system parameter."""
PARAMETER = "dist_sync_queue.otel"
FLUSH_MS = 3000


def spans(side: Any) -> Spans | None:
    """What makes spans in this process; None where nobody wants them, or OpenTelemetry is not installed.

    :param side: the :class:`~.slots.Side` connection, to read the system parameter with
    """
    wanted = os.environ.get(VARIABLE)
    if wanted is None:
        found = side.execute("SELECT value FROM ir_config_parameter WHERE key = %s", (PARAMETER,))
        wanted = found[0][0] if found else ""
    if (wanted or "").strip().lower() not in ("1", "true", "yes", "on"):
        return None
    try:
        from opentelemetry import trace
    except ImportError:
        _logger.warning(
            "%s is set and OpenTelemetry is not installed, so there are no spans: "
            "pip install opentelemetry-distro opentelemetry-exporter-otlp",
            VARIABLE if VARIABLE in os.environ else PARAMETER,
        )
        return None
    return Spans(trace)


class Spans:
    """The span of the batch in hand. At most one is open: a process runs one batch at a time.

    :param trace: the module ``opentelemetry.trace``
    :param provider: of the tracer; the process' own when None
    """

    def __init__(self, trace: Any, provider: Any = None) -> None:
        self._trace, self._provider = trace, provider
        self._tracer = trace.get_tracer("dist_sync_queue", tracer_provider=provider)
        self._entered: Any = None
        self._span: Any = None

    def begin(self, name: str, lane: str, connection: int, rows: Sequence[Any]) -> None:
        """Open the span of a batch of handler ``name`` for ``rows``, merged ones among them; what they do is in it."""
        trace = self._trace
        found = [self._context(traceparent) for traceparent in dict.fromkeys(row.correlation_id for row in rows)]
        contexts = [context for context in found if context is not None]
        single = contexts[0] if len(rows) == 1 and contexts else None
        facts: dict[str, Any] = {
            "messaging.system": "dist",
            "messaging.operation.type": "process",
            "messaging.destination.name": name,
            "dist.lane": lane,
        }
        if connection:
            facts["dist.connection.id"] = connection
        if len(rows) > 1:
            facts["messaging.batch.message_count"] = len(rows)
        elif id_ := getattr(rows[0], "id", None):
            facts["dist.job.id"] = id_
        self._entered = self._tracer.start_as_current_span(
            f"process {name}",
            context=trace.set_span_in_context(trace.NonRecordingSpan(single)) if single else None,
            kind=trace.SpanKind.CONSUMER,
            links=None if single else [trace.Link(context) for context in contexts],
            attributes=facts,
        )
        self._span = self._entered.__enter__()

    def end(self, report: Any, error: BaseException | None) -> None:
        """Close the span, if one is open. ``error``: why nothing of the batch was committed."""
        if self._entered is None:
            return
        entered, span, self._entered, self._span = self._entered, self._span, None, None
        if error is None and report is not None:
            for name in ("done", "retried", "dead", "cancelled", "left"):
                if count := len(getattr(report, name)):
                    span.set_attribute(f"dist.jobs.{name}", count)
            if failed := len(report.retried) + len(report.dead):
                status = self._trace.StatusCode.ERROR
                span.set_status(self._trace.Status(status, f"{failed} of {report.touched} failed"))
        entered.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)

    def flush(self) -> None:
        """Send what waits to be sent: a worker that starts afresh would lose it."""
        flush = getattr(self._provider or self._trace.get_tracer_provider(), "force_flush", None)
        if flush:
            flush(FLUSH_MS)

    def _context(self, traceparent: str | None) -> Any:
        """The span context of a W3C traceparent, None for what is none."""
        trace = self._trace
        try:
            _version, trace_id, span_id, flags = (traceparent or "").split("-")[:4]
            found = trace.SpanContext(int(trace_id, 16), int(span_id, 16), True, trace.TraceFlags(int(flags, 16)))
        except ValueError:
            return None
        return found if found.is_valid else None
