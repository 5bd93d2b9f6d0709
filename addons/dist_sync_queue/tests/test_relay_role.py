# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The relay's own connection: its rights, and what two of them do at the same moment. Works on committed rows, which
are removed afterwards."""

import json
import threading

import psycopg2
from psycopg2 import errors

from odoo import SUPERUSER_ID, api
from odoo.sql_db import connection_info_for, db_connect
from odoo.tests import BaseCase, get_db_name, tagged

from .relay_kit import MANIFEST, RelayKit, rows

ROLE = "dist_relay"


@tagged("post_install", "-at_install")
class RelayRoleCase(RelayKit, BaseCase):
    """Rows are committed; ``self.relay()`` opens a connection as the relay does."""

    def setUp(self):
        super().setUp()
        from odoo.modules.registry import Registry

        self.registry = Registry(get_db_name())
        self.cr = db_connect(get_db_name()).cursor()
        self.addCleanup(self.cr.close)
        self.env = api.Environment(self.cr, SUPERUSER_ID, {})
        self.make_role()
        company = self.env["res.company"].search([], limit=1)
        self.connection = self.make_connection(name="Committed", company_id=company.id)
        self.commit()
        self.addCleanup(self.remove)

    def make_role(self):
        self.cr.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,))
        if not self.cr.fetchone():
            self.cr.execute("SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user")
            if not self.cr.fetchone()[0]:
                self.skipTest("the role dist_relay does not exist and this user may not create it")
            try:
                with self.cr.savepoint():
                    self.cr.execute(f"CREATE ROLE {ROLE} LOGIN")
            except (errors.UniqueViolation, errors.DuplicateObject):
                self.cr.rollback()  # another run made it at this moment
        self.cr.execute("SELECT dist_relay.grant_to(%s)", (ROLE,))

    def commit(self):
        self.env.flush_all()
        self.cr.postcommit.clear()
        self.cr.commit()
        self.env.invalidate_all()

    def remove(self):
        self.cr.rollback()
        ref = self.connection.id
        self.cr.execute("DELETE FROM dist_relay.state_version WHERE connection_id = %s", (ref,))
        for table in ("dist_dead_letter", "dist_job", "dist_exception", "dist_outbox_event"):
            self.cr.execute(f"DELETE FROM {table} WHERE connection_id = %s", (ref,))
        self.cr.execute("DELETE FROM dist_relay.seen_event WHERE seen_at > now() - interval '1 hour'")
        self.cr.execute("DELETE FROM dist_connection WHERE id = %s", (ref,))
        self.cr.execute(
            "DELETE FROM dist_adapter a WHERE code = %s "
            "AND NOT EXISTS (SELECT 1 FROM dist_connection WHERE adapter_id = a.id)",
            (MANIFEST["code"],),
        )
        self.cr.execute("DELETE FROM dist_relay WHERE name = 'relay'")
        self.cr.commit()

    def relay(self, autocommit=True):
        """A cursor of a connection as the relay's role."""
        _name, info = connection_info_for(get_db_name())
        # a lock that is waited for instead of skipped fails the test; it never hangs it
        connection = psycopg2.connect(**{**info, "user": ROLE, "options": "-c lock_timeout=20s"})
        connection.autocommit = autocommit
        self.addCleanup(connection.close)
        return connection.cursor()

    def claim_as(self, cursor, limit=100):
        return rows(cursor, "SELECT * FROM dist_relay.claim(%s, %s, 60)", (self.connection.ref, limit))

    def intake_as(self, cursor, *items):
        found = rows(cursor, "SELECT * FROM dist_relay.intake(%s::jsonb) ORDER BY ordinal", (json.dumps(items),))
        return [row["status"] for row in found]


class TestPrivileges(RelayRoleCase):
    def test_the_role_can_call_the_functions(self):
        relay = self.relay()
        for query in (
            "SELECT * FROM dist_relay.hello()",
            "SELECT * FROM dist_relay.connections()",
            "SELECT * FROM dist_relay.pending()",
            "SELECT * FROM dist_relay.claim('nobody', 1, 1)",
            "SELECT * FROM dist_relay.claim_pulls(0)",
            "SELECT * FROM dist_relay.intake('[]')",
            "SELECT * FROM dist_relay.intake_raw('{}')",
            "SELECT dist_relay.announce('[]', NULL, '1')",
            "SELECT dist_relay.replay('{}')",
            "SELECT dist_relay.raise_seq(0)",
            "SELECT dist_relay.status()",
        ):
            relay.execute(query)

    def test_the_role_can_do_nothing_else(self):
        relay = self.relay()
        self.cr.execute(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables "
            "WHERE schemaname IN ('public', 'dist_relay')"
        )
        tables = [row[0] for row in self.cr.fetchall()]
        self.assertGreater(len(tables), 50)
        for table in tables:
            for verb in ("SELECT", "INSERT", "UPDATE", "DELETE"):
                relay.execute("SELECT has_table_privilege(%s, %s)", (table, verb))
                self.assertFalse(relay.fetchone()[0], f"{verb} on {table}")
        for query in (
            "SELECT * FROM dist_connection",
            "SELECT * FROM dist_outbox_event",
            "SELECT * FROM dist_relay.seen_event",
            "SELECT * FROM ir_config_parameter",
            "SELECT nextval('dist_relay.relay_seq')",
            "SELECT dist_relay._queue_outcomes('{}')",
            "SELECT dist_relay._dead_letter('{}', 'x', 'y')",
            "SELECT dist_relay.grant_to('public')",
        ):
            with self.subTest(query), self.assertRaises(errors.InsufficientPrivilege):
                relay.execute(query)

    def test_nothing_the_role_plants_runs_as_the_owner(self):
        """Odoo lets every role create in ``public``: what stands there must not take the place of an operator."""
        relay = self.relay(autocommit=False)
        try:
            relay.execute(
                """
                CREATE FUNCTION public.dist_planted(varchar, varchar) RETURNS boolean LANGUAGE plpgsql
                    AS $$ BEGIN RAISE EXCEPTION 'ran as %', current_user; END $$;
                CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = public.dist_planted);
                """
            )
        except errors.InsufficientPrivilege:
            self.skipTest("no role may create in the schema public here")
        relay.execute("SELECT addon_version FROM dist_relay.hello()")
        self.assertTrue(relay.fetchone()[0])
        for query in ("connections()", "pending()", "claim_pulls(1)", "replay('{x}')", "status()"):
            relay.execute(f"SELECT dist_relay.{query}")
        relay.connection.rollback()

    def test_functions_pin_their_search_path(self):
        self.cr.execute(
            """
            SELECT proname FROM pg_proc WHERE pronamespace = 'dist_relay'::regnamespace
               AND NOT EXISTS (SELECT 1 FROM unnest(proconfig) c WHERE c = 'search_path=pg_catalog, pg_temp')
            """
        )
        self.assertFalse(self.cr.fetchall())

    def test_an_update_keeps_rights_given_to_another_role(self):
        from .. import sql

        try:
            self.cr.execute("CREATE ROLE dist_relay_other")
            self.cr.execute("SELECT dist_relay.grant_to('dist_relay_other')")
            sql.apply(self.cr)
            self.cr.execute("SELECT has_function_privilege('dist_relay_other', 'dist_relay.hello()', 'EXECUTE')")
            self.assertTrue(self.cr.fetchone()[0])
        finally:
            self.cr.rollback()


class TestTwoRelays(RelayRoleCase):
    def test_no_row_is_claimed_twice(self):
        for number in range(6):
            self.emit_fact(self.connection, f"k{number}")
        self.commit()
        one, two = self.relay(autocommit=False), self.relay()
        first = self.claim_as(one, 4)
        second = self.claim_as(two, 100)
        one.connection.commit()
        ids = [event["event_id"] for event in first + second]
        self.assertEqual((len(first), len(second)), (4, 2))
        self.assertEqual(len(set(ids)), 6)
        self.assertFalse(self.claim_as(two))

    def test_a_follower_waits_while_its_head_is_being_claimed(self):
        self.emit_fact(self.connection, "A", 1)
        self.emit_fact(self.connection, "A", 2)
        self.commit()
        one, two = self.relay(autocommit=False), self.relay()
        self.assertEqual(len(self.claim_as(one)), 1)
        self.assertFalse(self.claim_as(two))
        one.connection.commit()
        self.assertFalse(self.claim_as(two))

    def test_a_rolled_back_claim_leaves_everything_to_others(self):
        self.emit_fact(self.connection, "A")
        self.commit()
        one, two = self.relay(autocommit=False), self.relay()
        self.claim_as(one)
        one.connection.rollback()
        self.assertEqual(self.claim_as(two)[0]["attempt"], 1)

    def test_an_older_transaction_committed_later_is_found(self):
        slow = db_connect(get_db_name()).cursor()
        self.addCleanup(slow.close)
        theirs = api.Environment(slow, SUPERUSER_ID, {})["dist.connection"].browse(self.connection.id)
        early = self.emit_fact(theirs, "early")
        late = self.emit_fact(self.connection, "late")
        self.assertLess(early.id, late.id)
        self.commit()
        relay = self.relay()
        self.assertEqual([event["key"] for event in self.claim_as(relay)], ["late"])
        slow.commit()
        self.assertEqual([event["key"] for event in self.claim_as(relay)], ["early"])

    def test_two_intakes_of_the_same_events(self):
        items = [self.envelope(self.connection, str(number)) for number in range(5)]
        one, two = self.relay(autocommit=False), self.relay()
        self.assertEqual(self.intake_as(one, *items), ["stored"] * 5)
        found = []
        thread = threading.Thread(target=lambda: found.extend(self.intake_as(two, *reversed(items))))
        thread.start()  # waits for the first one's commit
        one.connection.commit()
        thread.join(30)
        self.assertEqual(found, ["duplicate"] * 5)
        self.cr.rollback()
        self.cr.execute("SELECT count(*) FROM dist_job WHERE connection_id = %s", (self.connection.id,))
        self.assertEqual(self.cr.fetchone()[0], 5)

    def test_two_pumps_never_start_one_pull_twice(self):
        one, two = self.relay(autocommit=False), self.relay()
        query = "SELECT connection FROM dist_relay.claim_pulls(100)"
        mine = [row for row in rows(one, query) if row["connection"] == self.connection.ref]
        theirs = [row for row in rows(two, query) if row["connection"] == self.connection.ref]
        one.connection.commit()
        self.assertEqual((len(mine), len(theirs)), (2, 0))

    def test_the_same_fact_in_two_transactions_makes_one_retry(self):
        other = db_connect(get_db_name()).cursor()
        self.addCleanup(other.close)
        theirs = api.Environment(other, SUPERUSER_ID, {})["dist.connection"].browse(self.connection.id)
        theirs.name  # noqa: B018 - takes the snapshot
        self.emit_fact(self.connection, "A", "same")
        self.commit()
        with self.assertRaises(errors.SerializationFailure), self.assertLogs("odoo.sql_db", "ERROR"):
            self.emit_fact(theirs, "A", "same")
        other.rollback()

    def test_relay_traffic_does_not_abort_business_transactions(self):
        """Foreign keys on the connection are checked while the relay writes health and schedules."""
        other = db_connect(get_db_name()).cursor()
        self.addCleanup(other.close)
        theirs = api.Environment(other, SUPERUSER_ID, {})["dist.connection"].browse(self.connection.id)
        theirs.name  # noqa: B018 - takes the snapshot
        self.emit_fact(self.connection, "A")
        self.commit()
        relay = self.relay()
        (event,) = self.claim_as(relay)
        health = {
            "kind": "health",
            "connection": self.connection.ref,
            "breaker": "closed",
            "at": "2026-01-01T00:00:00Z",
        }
        self.assertEqual(self.intake_as(relay, self.outcome(event, "delivered"), health), ["settled", "stored"])
        self.emit_fact(theirs, "B")
        other.commit()
        self.assertEqual([event["key"] for event in self.claim_as(relay)], ["B"])
