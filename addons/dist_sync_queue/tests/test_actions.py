# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What people do to jobs and events from the screens: asked before, written down after."""

import json

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from .common import SyncCase, put_event
from .relay_kit import RelayKit

USER, MANAGER = "dist_sync_queue.group_dist_user", "dist_sync_queue.group_dist_manager"
TYPE = "order.received.v1"


class TestActions(RelayKit, SyncCase):
    def setUp(self):
        super().setUp()
        self.user = new_test_user(self.env, "actions_user", groups=USER)
        self.manager = new_test_user(self.env, "actions_manager", groups=MANAGER)
        self.ours = self.make_connection()
        self.audit = self.env["dist.audit"]

    def job(self, **values):
        return put_event(self.env, self.ours, TYPE, {}, **values).with_user(self.manager)

    def dialog(self, action):
        return self.env[action["res_model"]].with_user(self.manager).browse(action["res_id"])

    def test_the_dialog_says_how_many_will_change(self):
        jobs = self.job(state="dead") | self.job(state="dead") | self.job(state="done")
        dialog = self.dialog(jobs.action_ask_requeue())
        self.assertEqual((dialog.selected, dialog.affected), (3, 2))
        self.assertIn("2 of 3", dialog.summary)
        dialog.action_confirm()
        self.run_jobs()
        self.assertEqual(len(self.env["dist.job.request"].search([("job_id", "in", jobs.ids)])), 2)
        (line,) = self.audit.search([("res_model", "=", "dist.job")])
        self.assertEqual((line.action, line.count, line.connection_id), ("requeue", 2, self.ours))
        self.assertEqual(line.create_uid, self.manager)
        self.assertEqual(line.company_id, self.ours.company_id)

    def test_nothing_is_done_where_nothing_fits(self):
        dialog = self.dialog(self.job(state="done").action_ask_cancel())
        answer = dialog.action_confirm()
        self.assertEqual(answer["params"]["type"], "warning")
        self.assertFalse(self.audit.search([("res_model", "=", "dist.job")]))

    def test_a_new_priority_is_asked_for(self):
        job = self.job()
        dialog = self.dialog(job.action_ask_priority())
        dialog.priority = 1
        dialog.action_confirm()
        self.assertEqual(self.env["dist.job.request"].search([("job_id", "=", job.id)]).value, 1)
        self.assertEqual(self.audit.search([("action", "=", "priority")]).detail, "to 1")

    def test_events_are_replayed_and_cancelled_the_same_way(self):
        event = self.emit_fact(self.ours).with_user(self.manager)
        self.answer(self.claim(self.ours)[0], "broken")
        self.dialog(event.action_ask_replay()).action_confirm()
        self.assertEqual(event.state, "pending")
        self.dialog(event.action_ask_cancel()).action_confirm()
        self.assertEqual(event.state, "cancelled")
        lines = self.audit.search([("res_model", "=", "dist.outbox.event")], order="id")
        self.assertEqual(lines.mapped("action"), ["replay", "cancel"])
        self.assertEqual(lines[0].action_open_records()["domain"], [("id", "in", event.ids)])

    def test_a_pause_of_a_connection_is_written_down(self):
        self.ours.with_user(self.manager).action_pause()
        self.ours.with_user(self.manager).action_resume()
        lines = self.audit.search([("res_model", "=", "dist.connection")], order="id")
        self.assertEqual(lines.mapped("action"), ["pause", "resume"])
        self.assertEqual(lines.connection_id, self.ours)

    def told(self, records):
        """The newest line about ``records``: what, which, why; and that the manager did it."""
        line = self.audit.search([("res_model", "=", records._name)], limit=1)
        self.assertEqual((line.create_uid, sorted(line.res_ids)), (self.manager, sorted(records.ids)))
        return line.action, line.connection_id, line.detail

    def test_a_pull_that_was_asked_for_is_written_down_with_the_last_result(self):
        schedules = self.ours.schedule_ids.sorted()
        schedules[0].sudo().last_result = "HTTP 502"
        schedules[0].with_user(self.manager).action_pull_now()
        name = schedules[0].capability_name
        self.assertEqual(self.told(schedules[0]), ("pull", self.ours, f"{name}, last result: HTTP 502"))
        self.ours.with_user(self.manager).action_pull_now()
        self.assertEqual(self.told(schedules)[:2], ("pull", self.ours))

    def test_a_pause_of_a_schedule_is_written_down_whichever_way_it_is_paused(self):
        for schedule in (
            self.ours.schedule_ids[0],
            self.env["dist.schedule"].create({"name": "Nightly", "handler": "dist.connection:_report"}),
        ):
            connection = schedule.connection_id if "connection_id" in schedule else self.env["dist.connection"]
            mine = schedule.with_user(self.manager)
            mine.action_pause()
            self.assertEqual(self.told(schedule), ("pause", connection, False))
            mine.action_resume()
            self.assertEqual(self.told(schedule), ("resume", connection, False))
            mine.active = False
            self.assertEqual(self.told(schedule), ("pause", connection, False))
            mine.action_pause()
            count = self.audit.search_count([("res_model", "=", schedule._name), ("action", "=", "pause")])
            self.assertEqual(count, 2, "it was paused already")

    def test_credentials_identity_and_the_token_of_metrics_are_written_down_but_never_shown(self):
        mine, relay = self.ours.with_user(self.manager), self.env["dist.relay"].search([], limit=1)
        mine.set_credentials({"token": "very-secret-token"})
        self.assertEqual(self.told(self.ours), ("credentials", self.ours, False))
        mine.action_clear_credentials()
        self.assertEqual(self.told(self.ours)[0], "forget")
        relay.with_user(self.manager).action_confirm_identity()
        self.assertEqual(self.told(relay)[0], "confirm")
        shown = relay.with_user(self.manager).action_new_metrics_token()["params"]["message"]
        self.assertEqual(self.told(relay), ("token", self.env["dist.connection"], False))
        written = str(self.audit.search([]).read())
        self.assertNotIn(shown, written)
        self.assertNotIn("very-secret-token", written)

    def test_the_capacity_of_a_connection_is_followed_in_its_chatter(self):
        self.end_of_transaction()
        self.ours.with_user(self.manager).job_capacity = 3
        self.end_of_transaction()
        tracked = self.ours.message_ids.tracking_value_ids.filtered(lambda each: each.field_id.name == "job_capacity")
        self.assertEqual((tracked.old_value_integer, tracked.new_value_integer), (0, 3))

    def end_of_transaction(self):
        """What is followed is written before a commit."""
        self.env.flush_all()
        self.env.cr.precommit.run()

    def test_reading_from_the_start_is_written_down_with_the_cursor_it_had(self):
        schedule = self.ours.schedule_ids[0]
        schedule.sudo().cursor = {"at": "7"}
        schedule.with_user(self.manager).action_reset_cursor()
        self.assertEqual(self.told(schedule), ("reset", self.ours, '{"at": "7"}'))

    def test_a_run_that_was_asked_for_is_written_down_once(self):
        schedule = self.env["dist.schedule"].create({"name": "Nightly", "handler": "dist.connection:_report"})
        schedule.with_user(self.manager).action_run_now()
        self.assertEqual(self.told(schedule)[0], "run")
        schedule.with_user(self.manager).action_run_now()
        self.assertEqual(self.audit.search_count([("action", "=", "run")]), 1, "it ran already: nothing was started")

    def test_a_dead_letter_that_is_ignored_is_written_down_with_what_was_wrong(self):
        letter = self.env["dist.dead.letter"].create({"reason": "no\nobject", "connection_id": self.ours.id})
        letter.with_user(self.manager).action_ignore()
        self.assertEqual(self.told(letter), ("ignore", self.ours, "no object"))

    def test_a_letter_that_is_still_invalid_keeps_no_other_from_being_taken_in(self):
        self.intake(*[self.envelope(self.ours, key, priority=77) for key in "abc"])
        letters = self.env["dist.dead.letter"].search([], order="id").with_user(self.manager)
        for letter, raw in zip(letters, (json.dumps({"kind": "?"}), "<html>", None), strict=True):
            raw = raw or json.dumps(self.envelope(self.ours, "c"))
            self.env.cr.execute("UPDATE dist_dead_letter SET raw = %s WHERE id = %s", (raw, letter.id))
        self.env.invalidate_all()
        dialog = self.dialog(letters.action_ask_replay())
        self.assertIn("3 of 3 selected dead letters", dialog.summary)
        answer = dialog.action_confirm()["params"]
        self.assertEqual(answer["type"], "warning")
        self.assertIn("1 of 3", answer["message"])
        self.assertIn("is no JSON", answer["message"])
        self.assertEqual(letters.mapped("state"), ["open", "open", "replayed"])
        self.assertEqual(self.env["dist.job"].search([("handler", "=", TYPE)]).key, "c")
        self.assertEqual(letters.search([], order="id"), letters, "a try that failed leaves no letter of its own")
        self.assertEqual([bool(letter.note) for letter in letters], [True, True, False])
        with self.assertRaisesRegex(UserError, "still invalid"):
            letters[0].action_replay()
        self.dialog(letters.action_ask_ignore()).action_confirm()
        self.assertEqual(letters.mapped("state"), ["ignored", "ignored", "replayed"])
        lines = self.audit.search([("res_model", "=", "dist.dead.letter")], order="id")
        self.assertEqual([(line.action, line.count) for line in lines], [("replay", 1), ("ignore", 2)])

    def test_a_problem_that_is_retried_or_ignored_is_written_down_with_its_reason(self):
        job = self.job(state="dead")
        problem = self.env["dist.exception"].report("job_dead", job, "It failed", cause="no rate", connection=self.ours)
        problem.event_id = self.emit_fact(self.ours).event_id
        self.answer(self.claim(self.ours)[0], "broken")
        problem.with_user(self.manager).action_retry()
        self.assertEqual(self.told(problem), ("retry", self.ours, "no rate"))
        problem.with_user(self.manager).action_ignore("known")
        self.assertEqual(self.told(problem), ("ignore", self.ours, "known"))

    def test_users_look_and_managers_act(self):
        job, event = self.job(state="dead"), self.emit_fact(self.ours)
        for records in (job, event):
            self.assertTrue(records.with_user(self.user).read(["state", "display_name"]))
            with self.assertRaises(AccessError):
                records.with_user(self.user).action_ask_cancel()
            with self.assertRaises(AccessError):
                records.with_user(self.user).action_cancel()
        self.assertFalse(self.audit.search([("res_model", "in", ("dist.job", "dist.outbox.event"))]))

    def test_nobody_writes_the_list_of_actions(self):
        self.audit.record("pause", self.ours)
        line = self.audit.search([], limit=1).with_user(self.manager)
        for attempt in (lambda: line.write({"count": 0}), line.unlink, lambda: line.create({"action": "stop"})):
            with self.assertRaises(AccessError):
                attempt()

    def test_another_company_does_not_see_our_actions(self):
        other = self.env["res.company"].create({"name": "Other"})
        theirs = self.make_connection(name="Theirs", company_id=other.id, user_id=False)
        self.audit.record("pause", self.ours | theirs)
        seen = self.audit.with_user(self.user).search([("res_model", "=", "dist.connection")])
        self.assertEqual(seen.connection_id, self.ours)
        self.assertEqual(seen.count, 1, "one line per connection")

    # -- names ---------------------------------------------------------------------------------------------------------
    def test_groups_show_names_and_their_domain_the_code(self):
        job = self.job()
        (group,) = self.env["dist.job"].formatted_read_group([("id", "=", job.id)], ["handler"], ["__count"])
        self.assertEqual(group["handler"], job.handler_name)
        self.assertNotEqual(group["handler"], TYPE)
        self.assertEqual(group["__extra_domain"], [("handler", "=", TYPE)])

    def test_work_is_found_by_its_name(self):
        job = self.job()
        words = job.handler_name.split()[0].upper()
        self.assertIn(job, self.env["dist.job"].search([("handler_name", "ilike", words)]))
        self.assertIn(job, self.env["dist.job"].search([("handler_name", "ilike", TYPE)]))
        self.assertNotIn(job, self.env["dist.job"].search([("handler_name", "ilike", "no such work")]))

    def test_composed_codes_have_names(self):
        names = self.env["dist.names"]
        event = names.event("connection.check.v1")
        self.assertEqual(event, "Connection test")
        self.assertEqual(names.handler("connection.check.v1#outcome"), f"Answer: {event}")
        self.assertEqual(names.handler("res.partner:_dist_geocode_all"), "Contact: Geocode all")
        self.assertEqual(names.handler("gone.model:_work"), "gone.model: Work")
        self.assertEqual(names.problem("outbox.connection.check.v1"), f"{event} not delivered")

    # -- what a job tells of itself ------------------------------------------------------------------------------------
    def test_the_timeline_tells_attempts_in_order(self):
        job = self.job(state="dead")
        self.env["dist.job.attempt"].create(
            [
                {"job_id": job.id, "number": number, "outcome": outcome, "seconds": 1.5, "started_at": at}
                for number, outcome, at in [(1, "retry", "2990-01-01 10:00:00"), (2, "dead", "2990-01-01 10:05:00")]
            ]
        )
        points = job.timeline
        self.assertEqual([point["kind"] for point in points], ["outside", "made", "retry", "dead"])
        self.assertEqual(points[-1]["at"], "2990-01-01T10:05:00.000Z")
        self.assertEqual(points[-1]["seconds"], 1.5)

    def test_a_running_job_tells_how_far_it_is(self):
        job, idle = self.job(), self.job()
        self.env.cr.execute(
            """INSERT INTO dist_worker_slot (worker, handler, connection_id, job_ids, started_at, progress_done,
                                             progress_total, progress_text)
               VALUES ('w', %s, %s, jsonb_build_array(%s::int), timezone('UTC', clock_timestamp()), 2, 5, 'page 2')""",
            (TYPE, self.ours.id, job.id),
        )
        told = job.with_user(self.user).running
        self.assertEqual((told["worker"], told["done"], told["total"], told["text"]), ("w", 2, 5, "page 2"))
        self.assertFalse(idle.running)

    def test_the_picture_shows_the_graph(self):
        jobs = [self.job(graph="g1") for _ in range(3)]
        self.env.cr.execute_values(
            "INSERT INTO dist_job_edge (parent_id, child_id, on_failure) VALUES %s",
            [(jobs[0].id, jobs[1].id, "stop"), (jobs[0].id, jobs[2].id, "continue")],
        )
        drawn = jobs[1].graph_picture
        self.assertEqual([box["ids"] for box in drawn["boxes"] if box["focus"]], [jobs[1].ids])
        self.assertEqual(sorted(line["kind"] for line in drawn["lines"]), ["continue", "stop"])
        self.assertFalse(self.job().graph_picture)

    # -- reports and journeys ------------------------------------------------------------------------------------------
    def test_reports_tell_waiting_and_running(self):
        job = self.job()
        self.env.cr.execute(
            """UPDATE dist_job SET state = 'done', created_at = '2026-01-01 10:00:00', done_at = '2026-01-01 10:00:05',
                      run_seconds = 2 WHERE id = %s""",
            (job.id,),
        )
        line = self.env["dist.job.report"].with_user(self.user).browse(job.id)
        self.assertEqual((line.done, line.wait_seconds, line.run_seconds), (1, 3, 2))
        event = self.emit_fact(self.ours)
        self.answer(self.claim(self.ours)[0], "delivered")
        line = self.env["dist.outbox.report"].with_user(self.user).browse(event.id)
        self.assertEqual((line.delivered, line.failed), (1, 0))
        self.assertGreaterEqual(line.delivery_seconds, 0)

    def test_a_journey_is_one_line_with_its_first_step(self):
        event = self.emit_fact(self.ours)
        self.env.flush_all()
        trace = event.correlation_id.split("-")[1]
        journey = self.env["dist.journey"].with_user(self.user).search([("trace_id", "=", trace)])
        self.assertEqual((journey.label, journey.key, journey.state), (event.type_name, event.key, "going"))
        self.assertEqual((journey.connection_id, journey.steps), (self.ours, 1))
        self.answer(self.claim(self.ours)[0], "broken")
        self.env.invalidate_all()
        self.assertEqual(journey.state, "attention")
        self.assertEqual(journey.action_open()["domain"], [("trace_id", "=", trace)])
