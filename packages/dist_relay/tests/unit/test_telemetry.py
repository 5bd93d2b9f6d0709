"""Spans where they are wanted; not even an import where they are not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from dist_contracts import new_traceparent
from dist_relay import telemetry


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    telemetry.start(provider)
    yield exporter
    telemetry.stop()


def test_one_event_continues_its_journey(spans):
    parent = new_traceparent()
    with telemetry.span("process", "Shop", [parent], messaging__message__id="e1"):
        pass
    (found,) = spans.get_finished_spans()
    assert (found.name, found.kind) == ("process Shop", SpanKind.CONSUMER)
    assert f"{found.context.trace_id:032x}" == parent.split("-")[1]
    assert f"{found.parent.span_id:016x}" == parent.split("-")[2]
    assert found.attributes["messaging.message.id"] == "e1"
    assert found.attributes["messaging.destination.name"] == "Shop"


def test_a_batch_links_to_each_of_its_events(spans):
    parents = [new_traceparent() for _ in range(3)]
    with telemetry.span("send", "Shop", [*parents, None, "no traceparent"]):
        pass
    (found,) = spans.get_finished_spans()
    assert found.kind is SpanKind.PRODUCER
    assert found.parent is None
    assert [f"{link.context.trace_id:032x}" for link in found.links] == [each.split("-")[1] for each in parents]
    assert found.attributes["messaging.batch.message_count"] == 5


def test_an_error_is_seen_and_goes_through(spans):
    with pytest.raises(ZeroDivisionError), telemetry.span("process", "Shop", []):
        raise ZeroDivisionError
    (found,) = spans.get_finished_spans()
    assert not found.status.is_ok


def test_where_it_is_not_installed_nothing_asks_for_it_and_the_setting_says_how():
    code = (
        "import sys\n"
        "sys.modules['opentelemetry'] = None\n"
        "import dist_relay.service, dist_relay.telemetry as t\n"
        "with t.span('process', 'Shop', ['x']) as made: assert made is None\n"
        "try: t.start()\n"
        "except dist_relay.service.SettingsError as error: sys.exit(7 if 'dist-relay[otel]' in str(error) else 1)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 7
