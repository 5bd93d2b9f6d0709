"""What the doctor makes of facts: the level, and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from dist_relay.doctor_postgres import addon_fits, clocks, counts, judge
from dist_relay.doctor_redis import memory

HEALTHY: dict[str, Any] = {
    "identity": {"may_publish": True, "confirmed": True},
    "leases_over": 0,
    "unknown_long": 0,
    "ready_long": 0,
    "transactions": [],
    "prepared": 0,
    "slots": [],
    "pumps": 1,
    "schedules_overdue": [],
    "breakers_open": [],
    "dead_letters": 0,
    "dead_events": 0,
    "dead_jobs": 0,
}


def test_a_healthy_database_has_no_finding():
    assert list(judge(HEALTHY, connections=True)) == []


@pytest.mark.parametrize(
    ("fact", "level", "says", "hint"),
    [
        ({"identity": {"may_publish": False, "confirmed": True}}, "bad", "it is a copy", "Let this database publish"),
        ({"identity": {"may_publish": False, "confirmed": False}}, "bad", "never confirmed", "publish"),
        ({"pumps": 0}, "bad", "no pump", "dist-relay pump"),
        ({"leases_over": 3}, "bad", "3 events were published", "stream_limit"),
        ({"ready_long": 4}, "bad", "4 events have been ready", "worker"),
        ({"unknown_long": 5}, "note", "5 events have an unknown", "looked up"),
        (
            {"schedules_overdue": [{"name": "Shop", "capability": "orders.pull", "seconds": 1200}]},
            "bad",
            "20 min",
            "pump",
        ),
        (
            {"transactions": [{"pid": 7, "seconds": 900, "state": "idle", "application": ""}]},
            "bad",
            "open for 900 s: ?, pid 7",
            "pg_terminate_backend(7)",
        ),
        ({"prepared": 1}, "bad", "1 prepared", "ROLLBACK PREPARED"),
        ({"slots": [{"name": "s", "active": False, "xmin_age": None}]}, "note", "slot s", "pg_drop_replication_slot"),
        ({"breakers_open": ["Shop"]}, "note", "Shop", "no attempt"),
        ({"dead_events": 2}, "note", "2 dead events", "replay"),
    ],
)
def test_each_fact_has_its_finding_and_says_what_to_do(fact, level, says, hint):
    (found,) = judge({**HEALTHY, **fact}, connections=True)
    assert found.level == level
    assert says in found.what
    assert hint in found.hint


def test_a_database_without_connections_needs_no_pump():
    assert list(judge({**HEALTHY, "pumps": 0}, connections=False)) == []


def test_young_transactions_and_busy_slots_are_no_finding():
    young = {"pid": 7, "seconds": 70, "state": "active", "application": "odoo"}
    busy = {"name": "s", "active": True, "xmin_age": 5}
    assert list(judge({**HEALTHY, "transactions": [young], "slots": [busy]}, connections=True)) == []


def test_counts_are_lines_and_no_dictionary():
    lines = [finding.what for finding in counts({"outbox": {"pending": 2, "dead": 1}, "jobs": {}})]
    assert lines == ["events: 1 dead, 2 pending", "jobs: none"]


def test_clocks_may_differ_by_two_seconds():
    assert [clocks("Redis", ahead).level for ahead in (-2.0, 1.9, 2.1, -3600)] == ["ok", "ok", "bad", "bad"]
    assert "NTP" in clocks("Redis", 5).hint


def test_versions_that_fit():
    assert [addon_fits(text) for text in ("19.0.1.3.0", "19.0.0.9.0", "", "20.0.1.0.0")] == [True, False, False, False]


@pytest.mark.parametrize(
    ("info", "says"),
    [
        ({"used_memory": 90, "maxmemory": 100}, "90 %"),
        ({"evicted_keys": 3}, "thrown away 3"),
        ({"aof_last_write_status": "err"}, "append-only"),
        ({"rdb_last_bgsave_status": "err"}, "snapshot"),
    ],
)
def test_memory_and_persistence(info, says):
    assert list(memory({"used_memory": 70, "maxmemory": 100, "aof_last_write_status": "ok"})) == []
    (found,) = memory(info)
    assert found.level == "bad"
    assert says in found.what
    assert found.hint
