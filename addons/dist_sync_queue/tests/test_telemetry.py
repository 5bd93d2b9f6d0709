# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Spans of batches where they are wanted; not even an import where they are not."""

import os
import subprocess
import sys
from unittest.mock import patch

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from psycopg2 import errors as pg

from odoo.tests import tagged

from dist_contracts import new_traceparent

from ..engine import telemetry
from ..engine.batch import Again
from ..engine.slots import Side
from ..engine.telemetry import PARAMETER, VARIABLE, Spans
from ..engine.worker import Worker
from .test_engine_concurrency import new_connection
from .worker_kit import EngineCase, put_event

OTEL = "test.otel.v1"


@tagged("post_install", "-at_install", "dist_engine")
class TestTelemetry(EngineCase):
    def setUp(self):
        super().setUp()
        self.exporter, provider = InMemorySpanExporter(), TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.spans = Spans(trace, provider)
        self.addCleanup(self.query, "DELETE FROM ir_config_parameter WHERE key = %s", PARAMETER)
        environment = patch.dict(os.environ)
        environment.start()
        self.addCleanup(environment.stop)
        os.environ.pop(VARIABLE, None)

    def run_batch(self, target, *traceparents, **options):
        """Run one job for each traceparent in one batch; its span, as a tracing system gets it."""
        with self.committed() as env:
            ids = [put_event(env, env["dist.connection"], OTEL, {}, correlation_id=each).id for each in traceparents]
        batches = self.batches()
        batches.spans = self.spans
        try:
            with self.handler(OTEL, target, **options):
                batches.run(self.group(OTEL))
        finally:
            (span,) = self.exporter.get_finished_spans()
            self.assertFalse(trace.get_current_span().get_span_context().is_valid, "what comes after is not in it")
        return span, ids

    def test_a_batch_links_to_each_of_its_journeys(self):
        parents = [new_traceparent() for _ in range(3)]
        within = []
        span, _ids = self.run_batch(
            lambda env, items: within.append(trace.get_current_span().get_span_context().span_id),
            *parents,
            "no traceparent",
            None,
            parents[0],
            batch=10,
        )
        self.assertEqual(span.name, f"process {OTEL}")
        self.assertEqual(span.kind, trace.SpanKind.CONSUMER)
        self.assertIsNone(span.parent)
        linked = [f"00-{each.context.trace_id:032x}-{each.context.span_id:016x}" for each in span.links]
        self.assertEqual(linked, [each[:52] for each in parents])
        self.assertEqual(within, [span.context.span_id], "what the job does is in the span")
        self.assertTrue(span.status.is_unset)
        for name, value in {"messaging.batch.message_count": 6, "dist.jobs.done": 6, "dist.lane": "default"}.items():
            self.assertEqual(span.attributes[name], value, name)

    def test_one_job_continues_its_journey_and_a_failure_is_seen(self):
        def fail(env, items):
            raise ValueError("no")

        parent = new_traceparent()
        span, ids = self.run_batch(fail, parent)
        self.assertEqual(f"00-{span.context.trace_id:032x}-{span.parent.span_id:016x}", parent[:52])
        self.assertEqual(span.links, ())
        self.assertEqual([span.attributes["dist.job.id"]], ids)
        self.assertEqual((span.attributes["dist.jobs.retried"], span.status.description), (1, "1 of 1 failed"))
        self.assertFalse(span.status.is_ok)

    def test_a_batch_that_was_rolled_back_says_why(self):
        def collide(env, items):
            raise pg.SerializationFailure("could not serialize")

        with self.assertRaises(Again):
            self.run_batch(collide, new_traceparent())
        (span,) = self.exporter.get_finished_spans()
        self.assertFalse(span.status.is_ok)
        self.assertEqual(span.events[0].name, "exception")
        self.assertNotIn("dist.jobs.done", span.attributes)

    def test_a_batch_that_found_nothing_is_none(self):
        self.events(1)
        group = self.group()
        self.batches().run(group)
        batches = self.batches()
        batches.spans = self.spans
        batches.run(group)
        self.assertEqual(self.exporter.get_finished_spans(), ())

    def test_keys_that_are_computed_are_a_batch(self):
        with self.committed() as env:
            connection = env["dist.connection"].search([], limit=1) or new_connection(env)
            env.cr.execute(
                """INSERT INTO dist_dirty_mark (connection_id, type, key, attempts, correlation_id)
                   SELECT %s, %s, key, 0, 'no traceparent' FROM unnest(ARRAY['a', 'b']) k (key)""",
                (connection.id, OTEL),
            )
        batches = self.batches()
        batches.spans = self.spans
        with self.handler(f"{OTEL}#dirty", lambda env, connection, keys: {}, "dirty", batch=10):
            batches.run(self.group(f"{OTEL}#dirty"))
        (span,) = self.exporter.get_finished_spans()
        self.assertEqual(span.attributes["dist.connection.id"], connection.id)
        self.assertEqual(span.attributes["dist.jobs.done"], 2)

    def test_it_is_off_until_somebody_wants_it(self):
        side = Side(self.dbname)
        self.addCleanup(side.close)
        self.assertIsNone(telemetry.spans(side))
        with self.committed() as env:
            env["ir.config_parameter"].set_param(PARAMETER, "True")
        worker = Worker(self.registry, timeouts=False)
        worker.until_empty()
        self.assertIsInstance(worker.batches.spans, Spans)
        os.environ[VARIABLE] = "0"
        self.assertIsNone(telemetry.spans(side), "the variable comes first")
        os.environ[VARIABLE] = "1"
        with (
            patch.dict(sys.modules, {"opentelemetry": None}),
            self.assertLogs("odoo.addons.dist_sync_queue.engine.telemetry", "WARNING") as logs,
        ):
            self.assertIsNone(telemetry.spans(side), "where it is not installed, jobs run all the same")
        self.assertIn(f"{VARIABLE} is set and OpenTelemetry is not installed", logs.output[0])

    def test_nothing_of_it_is_imported_before(self):
        code = (
            "import runpy, sys\n"
            f"found = runpy.run_path({telemetry.__file__!r})\n"
            "side = type('Side', (), {'execute': lambda *a: []})\n"
            "assert found['spans'](side) is None\n"
            "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))\n"
        )
        environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
        self.assertEqual(subprocess.run([sys.executable, "-c", code], check=False, env=environment).returncode, 0)
