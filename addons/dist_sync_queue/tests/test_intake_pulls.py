# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from datetime import timedelta

from odoo import fields

from .common import SyncCase
from .relay_kit import RelayKit


class TestPulls(RelayKit, SyncCase):
    def setUp(self):
        super().setUp()
        self.connection = self.make_connection()
        self.schedule = self.connection.schedule_ids.filtered(lambda s: s.capability == "orders.pull")
        (self.connection.schedule_ids - self.schedule).active = False

    def pull(self):
        return [run for run in self.claim_pulls() if run["connection"] == self.connection.ref]

    def done(self, run, *events, cursor=None, **more):
        ids = [event["envelope"]["event_id"] for event in events]
        return {"kind": "pull_done", "run_id": run["run_id"], "cursor": cursor or {"at": "2"}, "event_ids": ids, **more}

    def make_run_due(self):
        self.env.flush_all()
        self.env.cr.execute("UPDATE dist_connection_schedule SET next_run_at = now() AT TIME ZONE 'UTC'")
        self.schedule.invalidate_recordset()

    def test_schedules_come_with_activation(self):
        schedules = self.connection.with_context(active_test=False).schedule_ids
        self.assertEqual(sorted(schedules.mapped("capability")), ["listings.pull", "orders.pull"])
        self.assertEqual(set(schedules.mapped("interval_seconds")), {60})
        self.connection.action_pause()
        self.connection.action_resume()
        self.assertEqual(len(self.connection.with_context(active_test=False).schedule_ids), 2)

    def test_a_run_blocks_the_next_until_its_deadline(self):
        (run,) = self.pull()
        self.assertEqual((run["capability"], run["cursor"]), ("orders.pull", None))
        self.assertRegex(run["correlation_id"], "^00-[0-9a-f]{32}-[0-9a-f]{16}-01$")
        self.assertEqual(self.schedule.run_id, run["run_id"])
        self.assertFalse(self.pull())
        self.env.cr.execute("UPDATE dist_connection_schedule SET run_deadline = now() - interval '1 day'")
        (again,) = self.pull()
        self.assertNotEqual(again["run_id"], run["run_id"])
        self.assertEqual(self.intake(self.done(run)), ["stale"])
        self.assertFalse(self.schedule.cursor)

    def test_cursor_advances_when_all_announced_was_stored(self):
        (run,) = self.pull()
        events = [self.envelope(self.connection, str(number)) for number in range(3)]
        self.assertEqual(self.intake(*events[:2]), ["stored", "stored"])
        self.assertEqual(self.intake(self.done(run, *events)), ["incomplete"])
        self.assertFalse(self.schedule.cursor)
        self.assertFalse(self.schedule.run_id)
        self.make_run_due()
        (run,) = self.pull()
        self.assertIsNone(run["cursor"])
        statuses = self.intake(*events, self.done(run, *events, cursor={"at": "9"}))
        self.assertEqual(statuses, ["duplicate", "duplicate", "stored", "advanced"])
        self.assertEqual((self.schedule.cursor, self.schedule.last_result), ({"at": "9"}, "ok"))
        self.assertEqual((self.schedule.last_count, self.schedule.failures), (3, 0))
        self.assertGreater(self.schedule.next_run_at, fields.Datetime.now())
        self.assertFalse(self.pull())

    def test_an_invalid_event_does_not_hold_back_the_cursor(self):
        (run,) = self.pull()
        bad = self.envelope(self.connection, "bad", payload="no object")
        self.assertEqual(self.intake(bad, self.done(run, bad)), ["invalid", "advanced"])

    def told(self, run, *numbers, reading="a"):
        """Events of a run as a worker numbers them."""
        items = [self.envelope(self.connection, "k", number, payload={"n": number}) for number in numbers]
        places = [{"run_id": run["run_id"], "reading": reading, "nth": number} for number in numbers]
        return [{**item, **place} for item, place in zip(items, places, strict=True)]

    def stored(self):
        jobs = self.env["dist.job"].search([("connection_id", "=", self.connection.id)], order="id")
        return [job.payload["n"] for job in jobs]

    def test_no_event_of_a_run_is_stored_before_one_that_precedes_it(self):
        (run,) = self.pull()
        self.assertEqual(self.intake(*self.told(run, 0, 1)), ["stored", "stored"])
        self.assertEqual(self.intake(*self.told(run, 3, 4), *self.told(run, 2)), ["out_of_turn"] * 2 + ["stored"])
        self.assertEqual(self.intake(*self.told(run, 2, 3)), ["duplicate", "stored"])
        self.assertEqual(self.stored(), [0, 1, 2, 3])
        self.assertEqual(self.intake(self.done(run, *self.told(run, *range(5)))), ["incomplete"])
        self.make_run_due()
        (again,) = self.pull()
        events = self.told(again, *range(5))
        self.assertEqual(self.intake(*events), ["duplicate"] * 4 + ["stored"])
        self.assertEqual(self.intake(self.done(again, *events)), ["advanced"])

    def test_an_event_of_a_run_that_is_over_is_not_stored(self):
        """It may be older than what the run after it brought."""
        (run,) = self.pull()
        self.env.cr.execute("UPDATE dist_connection_schedule SET run_deadline = now() - interval '1 day'")
        (again,) = self.pull()
        self.assertEqual(self.intake(*self.told(run, 0), *self.told(again, 0)), ["out_of_turn", "stored"])
        self.assertEqual(self.intake(*self.told(run, 1), *self.told(again, 1)), ["out_of_turn", "stored"])

    def test_a_worker_that_takes_a_run_over_reads_it_anew(self):
        (run,) = self.pull()
        self.intake(*self.told(run, 0, 1, 2))
        anew = self.told(run, 0, 1, reading="b")
        late = self.told(run, 3)
        self.assertEqual(self.intake(*anew, *late), ["duplicate", "duplicate", "out_of_turn"])
        self.assertEqual(self.intake(*self.told(run, 2, 3, reading="b")), ["duplicate", "stored"])
        self.assertEqual(self.intake(*self.told(run, 0, 1)), ["out_of_turn"] * 2, "it does not come back")
        self.assertEqual(self.intake(*self.told(run, 4, reading="b")), ["stored"])

    def test_an_invalid_event_counts_among_those_of_its_run(self):
        (run,) = self.pull()
        first, bad, last = self.told(run, 0, 1, 2)
        bad["envelope"]["payload"] = None
        self.assertEqual(self.intake(first, bad), ["stored", "invalid"])
        self.assertEqual(self.intake(last), ["stored"])
        early = {**self.told(run, 9)[0], "envelope": {**bad["envelope"], "payload": None}}
        letters = self.env["dist.dead.letter"].search_count([])
        self.assertEqual(self.intake(early), ["out_of_turn"])
        self.assertEqual(self.env["dist.dead.letter"].search_count([]), letters, "it comes again in its turn")

    def test_what_the_pump_could_not_bring_counts_among_those_of_its_run(self):
        (run,) = self.pull()
        first, bad, last = self.told(run, 0, 1, 2)
        lone = {"kind": "invalid", "message": "refused", "raw": "x"}
        place = {name: bad[name] for name in ("run_id", "reading", "nth")}
        self.assertEqual(self.intake(first, {**lone, **place}, last), ["stored", "invalid", "stored"])

    def test_what_only_postgresql_refuses_counts_among_those_of_its_run(self):
        self.env.cr.execute("ALTER TABLE dist_job ADD CONSTRAINT no_one CHECK (payload->>'n' <> '1') NOT VALID")
        (run,) = self.pull()
        self.assertEqual(self.intake(*self.told(run, 0, 1, 2)), ["stored", "invalid", "stored"])
        letters = self.env["dist.dead.letter"].search_count([])
        self.make_run_due()
        self.env.cr.execute("UPDATE dist_connection_schedule SET run_deadline = now() - interval '1 day'")
        (again,) = self.pull()
        self.env.cr.execute("DELETE FROM dist_relay.seen_event")
        self.assertEqual(self.intake(*self.told(run, 1)), ["out_of_turn"])
        self.assertEqual(self.env["dist.dead.letter"].search_count([]), letters, "it comes again in its turn")
        self.assertEqual(self.intake(*self.told(again, 0)), ["stored"])

    def test_a_dead_letter_of_a_run_that_is_over_is_replayed(self):
        (run,) = self.pull()
        (event,) = self.told(run, 0)
        late = {**event, "envelope": {**event["envelope"], "connection": "not-yet-there"}}
        self.assertEqual(self.intake(late, self.done(run, late)), ["invalid", "advanced"])
        letter = self.env["dist.dead.letter"].search([], limit=1)
        self.env.cr.execute(
            "UPDATE dist_dead_letter SET raw = replace(raw, 'not-yet-there', %s)", [self.connection.ref]
        )
        letter.invalidate_recordset()
        letter.action_replay()
        self.assertEqual((letter.state, self.stored()), ("replayed", [0]))

    def test_people_write_to_a_schedule_while_its_run_is_stored(self):
        """Nobody is refused for the sake of a pull that stores page after page."""
        (run,) = self.pull()
        where = "SELECT ctid::text FROM dist_connection_schedule WHERE id = %s"  # another place: another version
        self.env.cr.execute(where, [self.schedule.id])
        before = self.env.cr.fetchone()
        self.intake(*self.told(run, 0, 1, 2))
        self.env.cr.execute(where, [self.schedule.id])
        self.assertEqual(self.env.cr.fetchone(), before)

    def test_events_of_an_older_relay_have_no_number(self):
        self.pull()
        self.assertEqual(self.intake(self.envelope(self.connection, "1")), ["stored"])

    def test_more_is_asked_at_once(self):
        (run,) = self.pull()
        self.assertEqual(self.intake(self.done(run, more=True)), ["advanced"])
        self.assertEqual(self.pull()[0]["cursor"], {"at": "2"})

    def test_failed_runs_pause(self):
        (run,) = self.pull()
        failed = {"kind": "pull_failed", "run_id": run["run_id"], "verdict": "retry", "message": "502"}
        self.assertEqual(self.intake(failed), ["released"])
        self.assertEqual((self.schedule.last_result, self.schedule.failures), ("502", 1))
        self.assertEqual(self.connection.last_error, "502")
        self.assertFalse(self.pull())
        self.assertEqual(self.intake(failed), ["stale"])
        self.make_run_due()
        (run,) = self.pull()
        failed = {"kind": "pull_failed", "run_id": run["run_id"], "verdict": "snooze", "retry_after": 7200}
        self.intake(failed)
        self.assertEqual(self.schedule.failures, 1, "a snooze is not counted")
        self.assertGreater(self.schedule.next_run_at, fields.Datetime.now() + timedelta(seconds=7000))

    def refuse(self):
        (run,) = self.pull()
        failed = {"kind": "pull_failed", "run_id": run["run_id"], "verdict": "snooze", "code": "credentials"}
        self.intake({**failed, "retry_after": 300, "message": "HTTP 401: invalid token"})
        self.run_jobs()

    def problem(self, kind):
        return self.env["dist.exception"].search([("kind", "=", kind), ("connection_id", "=", self.connection.id)])

    def test_refused_credentials_need_attention_until_a_pull_is_good(self):
        self.refuse()
        problem = self.problem("pull.failed")
        self.assertEqual((problem.state, problem.cause), ("open", "HTTP 401: invalid token"))
        self.assertEqual((problem._record(), problem.company_id), (self.schedule, self.connection.company_id))
        self.assertFalse(self.pull(), "it waits")
        self.connection.set_credentials({"token": "another-token"})
        (run,) = self.pull()
        self.intake(self.done(run))
        self.run_jobs()
        self.assertEqual(problem.state, "done")

    def test_a_passed_test_lets_a_refused_pull_go_on(self):
        self.refuse()
        self.connection.set_credentials({"token": "another-token"})
        self.refuse()
        self.connection.action_test_connection()
        (event,) = self.claim(self.connection)
        self.answer(event, "delivered")
        self.assertFalse(self.pull())
        self.run_jobs()
        self.assertTrue(self.pull())

    def test_pulls_that_fail_again_and_again_need_attention_once(self):
        for number in range(1, 5):
            self.make_run_due()
            (run,) = self.pull()
            self.intake({"kind": "pull_failed", "run_id": run["run_id"], "verdict": "retry", "message": "502"})
            self.run_jobs()
            self.assertEqual(self.problem("pull.failed").mapped("occurrences"), [1] if number >= 3 else [])

    def test_credentials_entered_while_a_pull_is_under_way(self):
        (run,) = self.pull()
        self.env.cr.execute(
            "UPDATE dist_connection_schedule SET run_started_at = run_started_at - interval '3 seconds' WHERE id = %s",
            (self.schedule.id,),
        )
        self.schedule.invalidate_recordset()
        self.connection.set_credentials({"token": "another-token"})
        failed = {"kind": "pull_failed", "run_id": run["run_id"], "verdict": "snooze", "code": "credentials"}
        self.intake({**failed, "retry_after": 300, "message": "401"})
        self.assertTrue(self.pull())

    def test_run_now(self):
        (run,) = self.pull()
        self.intake(self.done(run))
        self.assertFalse(self.pull())
        self.connection.action_pull_now()
        self.assertTrue(self.pull())

    def test_run_now_during_a_run_is_not_lost(self):
        (run,) = self.pull()
        self.env.cr.execute(
            "UPDATE dist_connection_schedule SET run_started_at = run_started_at - interval '3 seconds' WHERE id = %s",
            (self.schedule.id,),
        )
        self.schedule.invalidate_recordset()
        self.connection.action_pull_now()
        self.intake(self.done(run))
        self.assertTrue(self.pull())

    def test_paused_connections_are_not_asked(self):
        self.connection.action_pause()
        self.assertFalse(self.pull())
