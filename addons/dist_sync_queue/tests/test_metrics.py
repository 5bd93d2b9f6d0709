# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""``/dist/metrics``: nothing without the token, everything an alert needs with it."""

import re
from pathlib import Path

import yaml
from prometheus_client.parser import text_string_to_metric_families

from odoo.exceptions import AccessError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from ..engine.metrics import GAUGES
from ..models.relay import METRICS_PARAMETER
from .relay_kit import RelayKit, rows


@tagged("post_install", "-at_install")
class TestMetrics(RelayKit, HttpCase):
    def setUp(self):
        super().setUp()
        self.connection = self.make_connection(name="Shop")

    def token(self):
        shown = self.env["dist.relay"].search([], limit=1).action_new_metrics_token()
        return shown["params"]["message"]

    def get(self, token=None, **headers):
        self.env.flush_all()
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return self.url_open("/dist/metrics", headers=headers)

    def samples(self, token):
        answer = self.get(token)
        self.assertEqual(answer.status_code, 200)
        families = list(text_string_to_metric_families(answer.text))
        return {
            (each.name, *(each.labels[name] for name in sorted(each.labels, reverse=True))): each.value
            for family in families
            for each in family.samples
        }

    def test_nothing_is_there_until_a_token_is_made(self):
        self.env["ir.config_parameter"].search([("key", "=", METRICS_PARAMETER)]).unlink()
        for token in (None, "", "x"):
            self.assertEqual(self.get(token).status_code, 404)

    def test_only_the_token_opens_it(self):
        right = self.token()
        stored = self.env["ir.config_parameter"].get_param(METRICS_PARAMETER)
        self.assertNotIn(right, stored)
        for wrong in (None, "", "x", stored, right[:-1], right + "x", "\u00e9".encode().decode("latin-1")):
            answer = self.get(wrong)
            self.assertEqual((answer.status_code, answer.text), (401, ""))
        self.assertEqual(self.get(Authorization=f"Basic {right}").status_code, 401)
        answer = self.get(right)
        self.assertEqual(answer.status_code, 200)
        self.assertIn("text/plain", answer.headers["Content-Type"])
        self.assertNotIn("session_id", answer.headers.get("Set-Cookie", ""))
        self.token()
        self.assertEqual(self.get(right).status_code, 401)

    def test_it_says_what_waits(self):
        self.emit_fact(self.connection)
        self.env.cr.execute(
            """INSERT INTO dist_job (handler, payload, lane, state)
               SELECT 'metrics.test', '{}', 'metrics', unnest(ARRAY['pending', 'waiting', 'waiting'])"""
        )
        found = self.samples(self.token())
        self.assertEqual(found["dist_outbox_pending", "Shop"], 1)
        self.assertEqual(found["dist_outbox_in_flight", "Shop"], 0)
        self.assertEqual(found["dist_breaker_state", "Shop"], 0)
        self.assertEqual(found["dist_jobs", "pending", "metrics"], 1)
        self.assertEqual(found["dist_jobs", "waiting", "metrics"], 2)
        self.assertGreaterEqual(found["dist_job_oldest_seconds", "metrics"], 0)
        self.assertEqual(found[("dist_workers",)], 0)
        self.assertIn(("dist_pg_oldest_xact_seconds",), found)
        self.intake(
            {"kind": "health", "connection": self.connection.ref, "breaker": "open", "at": "2026-01-01T00:00:00Z"}
        )
        self.assertEqual(self.samples(self.token())["dist_breaker_state", "Shop"], 2)

    def test_two_connections_of_one_name_have_samples_of_their_own(self):
        twin, alone = self.make_connection(name="Shop"), self.make_connection(name="Alone")
        names = {each.ref: f"Shop ({each.ref[:8]})" for each in self.connection | twin} | {alone.ref: "Alone"}
        self.emit_fact(twin)
        text = self.get(self.token()).text
        samples = re.findall(r"^(dist_(?:outbox|breaker)\w+{.*?})", text, re.M)
        self.assertEqual(len(samples), len(set(samples)), "Prometheus refuses a sample that is there twice")
        found = self.samples(self.token())
        self.assertEqual([found["dist_outbox_pending", names[each.ref]] for each in self.connection | twin], [0, 1])
        self.assertEqual(found["dist_outbox_pending", "Alone"], 0)
        told = rows(self.env.cr, "SELECT connection, name FROM dist_relay.connections()")
        self.assertEqual({row["connection"]: row["name"] for row in told if row["connection"] in names}, names)

    def test_events_that_were_given_up_are_told_until_somebody_decides(self):
        event = self.emit_fact(self.connection)
        self.assertEqual(self.samples(self.token())["dist_outbox_dead", "Shop"], 0)
        self.answer(self.claim(self.connection)[0], "broken")
        self.assertEqual(self.samples(self.token())["dist_outbox_dead", "Shop"], 1)
        event.action_cancel()
        self.assertEqual(self.samples(self.token())["dist_outbox_dead", "Shop"], 0)

    def test_a_pull_whose_pump_is_gone_is_overdue(self):
        schedule = self.connection.schedule_ids[0]
        (self.env["dist.connection.schedule"].search([]) - schedule).active = False

        def overdue(deadline):
            self.env.cr.execute(
                """UPDATE dist_connection_schedule SET run_id = gen_random_uuid(),
                          next_run_at = timezone('UTC', now()) - interval '2 h',
                          run_deadline = timezone('UTC', now()) + %s::interval WHERE id = %s""",
                (deadline, schedule.id),
            )
            return self.samples(self.token())[("dist_schedule_overdue_seconds",)]

        self.assertEqual(overdue("10 min"), 0, "somebody reads")
        self.assertGreater(overdue("-10 min"), 7000)

    def test_every_query_of_it_uses_what_is_open_only(self):
        """A sequential scan of jobs would grow with what is done."""
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        for gauge in GAUGES:
            if "dist_job " not in gauge.query:
                continue
            self.env.cr.execute(f"EXPLAIN {gauge.query}", gauge.params or None)
            plan = "\n".join(row[0] for row in self.env.cr.fetchall())
            self.assertNotIn("Seq Scan on dist_job", plan, gauge.name)
            self.assertNotIn("dist_job_pkey", plan, gauge.name)

    def test_only_managers_make_tokens(self):
        user = new_test_user(self.env, "metrics-user", "base.group_user,dist_sync_queue.group_dist_user")
        with self.assertRaises(AccessError), mute_logger("odoo.models"):
            self.env["dist.relay"].with_user(user).action_new_metrics_token()

    def test_the_example_alerts_name_metrics_that_exist(self):
        root = next((each for each in Path(__file__).resolve().parents if (each / "docs/alerts.yml").exists()), None)
        if root is None:
            self.skipTest("the documentation is not beside this addon")
        rules = yaml.safe_load((root / "docs/alerts.yml").read_text())["groups"]
        relay = (root / "packages/dist_relay/src/dist_relay/metrics.py").read_text()
        known = {gauge.name + ("_total" if gauge.counter else "") for gauge in GAUGES}
        for kind, name in re.findall(r'= (\w+)\(\s*"(dist_\w+)"', relay):
            known.add(f"{name.removesuffix('_total')}_total" if kind == "Counter" else name)
        alerts = [rule for group in rules for rule in group["rules"]]
        self.assertGreaterEqual(len(alerts), 6)
        for rule in alerts:
            self.assertTrue(rule["annotations"]["summary"], rule)
            for name in re.findall(r"\bdist_\w+", rule["expr"]):
                self.assertIn(name, known, rule["alert"])
