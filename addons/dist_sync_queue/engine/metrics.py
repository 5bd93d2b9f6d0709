# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
# ruff: noqa: S608 - the statements are put together from constants of this file; values are parameters
"""What PostgreSQL knows of jobs, events and workers, as Prometheus metrics; named as the relay names the same things.

Counts stop at :data:`MOST`, so that a large backlog costs no more than a small one. No label names a record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from .slots import LOCK_CLASS

MOST = 10_000
BREAKER = {"closed": 0, "half_open": 1, "open": 2}
_NOW = "(clock_timestamp() AT TIME ZONE 'UTC')"
_AGE = "GREATEST(0, EXTRACT(EPOCH FROM (clock_timestamp() AT TIME ZONE 'UTC') - {}))::float8"
_LANE = "COALESCE(lane, '')"


class Gauge(NamedTuple):
    """A metric by one query: its labels come first, the value last."""

    name: str
    help: str
    labels: tuple[str, ...]
    query: str
    params: tuple[Any, ...] = ()
    value: Callable[[Any], float] = float
    counter: bool = False


_LIVE = """EXISTS (SELECT 1 FROM pg_locks l
     WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %s AND l.objid = s.id AND l.objsubid = 2
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))"""
_WORKERS = f"dist_worker_slot s WHERE s.scheduled IS NOT TRUE AND {_LIVE}"
_LOCK = (LOCK_CLASS + 1,)
_CONNECTION = """(SELECT id, ref, active, state, CASE WHEN count(*) OVER (PARTITION BY name) > 1
                     THEN name || ' (' || left(ref, 8) || ')' ELSE name END AS name FROM dist_connection)"""
"""Each under a name of its own, as two samples of one name are refused; ``dist_relay.connections()`` names them so,
too."""
# written so that each part is a scan of one partial index, however many jobs are done
_OPEN_JOBS = f"""
    (SELECT state, {_LANE} AS lane FROM dist_job
      WHERE state = 'pending' AND eta IS NULL AND order_key IS NULL LIMIT {MOST}) UNION ALL
    (SELECT state, {_LANE} FROM dist_job
      WHERE state = 'pending' AND eta IS NULL AND order_key IS NOT NULL LIMIT {MOST}) UNION ALL
    (SELECT 'scheduled', {_LANE} FROM dist_job WHERE state = 'pending' AND eta IS NOT NULL LIMIT {MOST}) UNION ALL
    (SELECT state, {_LANE} FROM dist_job WHERE state = 'waiting' LIMIT {MOST}) UNION ALL
    (SELECT state, {_LANE} FROM dist_job WHERE state IN ('dead', 'parked') LIMIT {MOST})"""
_READY_JOBS = f"""
    (SELECT created_at, {_LANE} AS lane FROM dist_job
      WHERE state = 'pending' AND eta IS NULL AND order_key IS NULL LIMIT {MOST}) UNION ALL
    (SELECT created_at, {_LANE} FROM dist_job
      WHERE state = 'pending' AND eta IS NULL AND order_key IS NOT NULL LIMIT {MOST})"""

GAUGES = (
    Gauge(
        "dist_jobs",
        "Jobs not done; each state is counted up to 10000 (scheduled: not before their time; waiting: for other jobs)",
        ("state", "lane"),
        f"SELECT state, lane, count(*) FROM ({_OPEN_JOBS}) j GROUP BY 1, 2",
    ),
    Gauge(
        "dist_job_oldest_seconds",
        "Age of the oldest job that is ready",
        ("lane",),
        f"SELECT lane, {_AGE.format('min(created_at)')} FROM ({_READY_JOBS}) j GROUP BY 1",
    ),
    Gauge(
        "dist_job_run_seconds",
        "How long the batch in hand has been running, the longest of each handler",
        ("handler",),
        f"SELECT handler, max({_AGE.format('started_at')}) FROM dist_worker_slot s "
        f"WHERE handler IS NOT NULL AND started_at IS NOT NULL AND {_LIVE} GROUP BY 1",
        _LOCK,
    ),
    Gauge("dist_workers", "Worker processes alive", (), f"SELECT count(*) FROM {_WORKERS}", _LOCK),
    Gauge(
        "dist_jobs_done",
        "Jobs done by the workers that are alive",
        ("worker",),
        f"SELECT worker, COALESCE(done_count, 0) FROM {_WORKERS}",
        _LOCK,
        counter=True,
    ),
    Gauge(
        "dist_jobs_failed",
        "Attempts that failed in the workers that are alive",
        ("worker",),
        f"SELECT worker, COALESCE(failed_count, 0) FROM {_WORKERS}",
        _LOCK,
        counter=True,
    ),
    Gauge(
        "dist_outbox_pending",
        "Events ready to be published",
        ("connection",),
        f"SELECT c.name, COALESCE(p.ready, 0) FROM {_CONNECTION} c LEFT JOIN dist_relay.pending() p "
        "ON p.connection = c.ref WHERE c.active",
    ),
    Gauge(
        "dist_outbox_in_flight",
        "Events published and not settled",
        ("connection",),
        f"SELECT c.name, COALESCE(p.in_flight, 0) FROM {_CONNECTION} c LEFT JOIN dist_relay.pending() p "
        "ON p.connection = c.ref WHERE c.active",
    ),
    Gauge(
        "dist_outbox_oldest_seconds",
        "Age of the oldest event that is ready",
        ("connection",),
        f"SELECT c.name, COALESCE(p.oldest_seconds, 0) FROM {_CONNECTION} c LEFT JOIN dist_relay.pending() p "
        "ON p.connection = c.ref WHERE c.active",
    ),
    Gauge(
        "dist_breaker_state",
        "0 closed, 1 half open, 2 open",
        ("connection",),
        f"SELECT c.name, COALESCE(h.breaker_state, 'closed') FROM {_CONNECTION} c LEFT JOIN dist_connection_health h "
        "ON h.connection_id = c.id WHERE c.active",
        value=lambda state: BREAKER.get(state, 0),
    ),
    Gauge(
        "dist_outbox_dead",
        "Events given up that nobody has decided about; counted up to 10000",
        ("connection",),
        # both states, so that the index of what failed is used
        f"SELECT c.name, COALESCE(d.count, 0) FROM {_CONNECTION} c LEFT JOIN (SELECT connection_id, count(*) FROM ("
        "SELECT connection_id FROM dist_outbox_event WHERE state IN ('dead', 'rejected') AND state = 'dead' "
        f"LIMIT {MOST}) e GROUP BY 1) d ON d.connection_id = c.id WHERE c.active",
    ),
    Gauge(
        "dist_dead_letters_open",
        "Dead letters nobody has decided about",
        (),
        f"SELECT count(*) FROM (SELECT 1 FROM dist_dead_letter WHERE state = 'open' LIMIT {MOST}) d",
    ),
    Gauge(
        "dist_exceptions_open",
        "Business problems that need attention",
        (),
        f"SELECT count(*) FROM (SELECT 1 FROM dist_exception WHERE state = 'open' LIMIT {MOST}) x",
    ),
    Gauge(
        "dist_schedule_overdue_seconds",
        "How late the pull is that should have begun first",
        (),
        f"SELECT COALESCE(max({_AGE.format('s.next_run_at')}), 0) FROM dist_connection_schedule s "
        "JOIN dist_connection c ON c.id = s.connection_id WHERE s.active AND c.active AND c.state = 'active' "
        # a run whose deadline has passed is nobody's any more: the pump that had it is gone
        f"AND (s.run_id IS NULL OR s.run_deadline < {_NOW}) AND s.next_run_at < {_NOW}",
    ),
    Gauge(
        "dist_pg_oldest_xact_seconds",
        "Age of the oldest open transaction of this database",
        (),
        "SELECT COALESCE(max(EXTRACT(EPOCH FROM clock_timestamp() - xact_start)), 0)::float8 FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()",
    ),
)


def collect(cr: Any) -> Iterable[GaugeMetricFamily | CounterMetricFamily]:
    """All metrics, read with ``cr``."""
    for gauge in GAUGES:
        kind = CounterMetricFamily if gauge.counter else GaugeMetricFamily
        family = kind(gauge.name, gauge.help, labels=gauge.labels)
        cr.execute(gauge.query, gauge.params or None)
        for *labels, value in cr.fetchall():
            family.add_metric([str(label) for label in labels], gauge.value(value))
        yield family


def exposition(cr: Any) -> bytes:
    """The metrics as Prometheus reads them."""
    found = list(collect(cr))

    class Once:
        def collect(self) -> list[Any]:
            return found

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Once())
    return generate_latest(registry)
