# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Keys of dirty marks whose computation ends the worker: found out, computed alone, put aside. The others go on."""

from __future__ import annotations

import signal
from types import SimpleNamespace
from unittest.mock import patch

from odoo.tests import tagged

from ..engine import marks, watch
from ..engine.hand import Hand
from ..engine.quarantine import POISON_PARAMETER
from ..engine.slots import Side, Slot, reap
from ..engine.watch import Watcher
from ..errors import JobTimeout
from .test_engine_concurrency import new_connection
from .worker_kit import EngineCase

MEASURED = "test.measured.v1"
CRASHES = "SELECT key, crashes FROM dist_mark_crash ORDER BY key"


@tagged("post_install", "-at_install", "dist_engine")
class TestMarkCrash(EngineCase):
    def mark(self, *keys: str) -> int:
        """Mark keys of a connection of their own; its id."""
        with self.committed() as env:
            connection = new_connection(env)
            env["dist.dirty.mark"].mark(connection, MEASURED, keys)
            return connection.id

    def lose_a_worker(self, **slot: str) -> None:
        """A worker dies with this in its slot, and is found."""
        dying, reaper = Side(self.dbname), Side(self.dbname)
        self.addCleanup(reaper.close)
        own = Slot(dying)
        own.open()
        for name, value in slot.items():
            dying.execute(f"UPDATE dist_worker_slot SET {name} = %s WHERE id = %s", (value, own.id))
        dying.close()
        self.wait_for("the dead worker is found", lambda: reap(reaper))

    def test_a_poison_key_is_quarantined_and_the_others_are_computed(self):
        self.mark("a", "poison", "z")
        with self.committed() as env:
            env["ir.config_parameter"].set_param(POISON_PARAMETER, "2")
        self.addCleanup(self.query, "DELETE FROM ir_config_parameter WHERE key = %s", POISON_PARAMETER)
        self.assertEqual(self.run_worker("--until-empty")[0], -signal.SIGKILL, "all three in one batch")
        self.assertEqual(self.run_worker("--until-empty")[0], -signal.SIGKILL, "now it was alone")
        code, output = self.run_worker("--until-empty")
        self.assertEqual(code, 0, output)
        self.assertEqual(sorted(self.ledger()), [("measured", "a"), ("measured", "z")])
        self.assertEqual(
            self.query("SELECT state, error_type, payload FROM dist_job"), [("dead", "Poison", {"keys": ["poison"]})]
        )
        self.assertEqual(self.query("SELECT key FROM dist_dirty_mark"), [])
        self.assertEqual(self.query(CRASHES), [], "who replays it starts anew")
        self.assertEqual(self.query("SELECT count(*) FROM dist_exception"), [(1,)])

    def test_of_keys_a_worker_died_with_each_is_computed_alone(self):
        connection = self.mark("a", "b", "c")
        self.lose_a_worker(handler=f"{MEASURED}#dirty", connection_id=str(connection), keys='["b", "c"]')
        self.assertEqual(self.query(CRASHES), [("b", 1), ("c", 1)])
        calls = []
        with self.handler(f"{MEASURED}#dirty", lambda env, connection, keys: calls.append(keys), kind="dirty", batch=9):
            for _n in range(3):
                self.batches().run(self.group(f"{MEASURED}#dirty", "marks"))
        self.assertEqual(calls, [["b"], ["c"], ["a"]])
        self.assertEqual(self.query(CRASHES), [])

    def test_who_was_alone_is_to_blame(self):
        """Three workers die of one batch before the first is found: what was in it is suspect, no more."""
        connection = str(self.mark("a", "b"))
        self.events(2)
        first, second = (row[0] for row in self.query("SELECT id FROM dist_job ORDER BY id"))
        for _worker in range(3):
            self.lose_a_worker(handler=f"{MEASURED}#dirty", connection_id=connection, keys='["a", "b"]')
            self.lose_a_worker(handler="test.thing.v1", job_ids=f"[{first}, {second}]")
        self.lose_a_worker(handler=f"{MEASURED}#dirty", connection_id=connection, keys='["b"]')
        self.lose_a_worker(handler="test.thing.v1", job_ids=f"[{second}]")
        self.assertEqual(self.query(CRASHES), [("a", 1), ("b", 2)])
        crashes = "SELECT job_id, crashes FROM dist_job_crash ORDER BY job_id"
        self.assertEqual(self.query(crashes), [(first, 1), (second, 2)])

    def test_only_the_keys_of_a_call_that_hangs_are_suspect_and_it_is_said_why(self):
        connection = self.mark("a", "b")
        group = self.group(f"{MEASURED}#dirty", "marks")
        side, hand = Side(self.dbname), Hand()
        slot = Slot(side)
        slot.open()
        watcher = Watcher(hand, self.registry, slot=slot, grace=0.0)
        self.addCleanup(watcher.stop)
        rows = [marks.Key(key, 0, None, None, connection) for key in "ab"]
        hand.begin(0, "default", [])
        self.addCleanup(hand.end)
        slot.begin(SimpleNamespace(lane="default", name=group.handler), connection, [], 0, ["a", "b"])
        with patch.object(watch.os, "kill") as kill, hand(0.5, rows[1:]), self.assertLogs(watch.__name__, "CRITICAL"):
            watcher._kill(hand.call(), JobTimeout)
        self.assertEqual(kill.call_args[0][1], signal.SIGKILL)
        side.close()
        reaper = Side(self.dbname)
        self.addCleanup(reaper.close)
        self.wait_for("the dead worker is found", lambda: reap(reaper))
        self.assertEqual(self.query(CRASHES), [("b", 1)])
        with self.handler(group.handler, lambda env, connection, keys: {}, kind="dirty", batch=9, max_attempts=1):
            self.batches().run(group)
        ((state, error, message),) = self.query("SELECT state, error_type, error_message FROM dist_job")
        self.assertEqual((state, error), ("dead", "JobTimeout"))
        self.assertIn("past its timeout of 0.5 s. It could not be stopped", message)
        self.assertEqual(self.query("SELECT key FROM dist_dirty_mark"), [("a",)])
