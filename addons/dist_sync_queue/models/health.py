# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Is the engine well? Looks at everything it rests on and says what to do about what is wrong."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from odoo import api, fields, models
from odoo.fields import Domain

from ..engine.slots import LOCK_CLASS

RELAY_VERSIONS = ((0, 1), (1, 0))
"""Releases of the relay this addon works with: from the first, below the second."""
WAITED_SECONDS = 300
DRAINED_MINUTES = 15
OVERDUE_SECONDS = 600
"""As for pulls (``dist_relay.diagnose``); the scheduled action that stands in for workers comes once a minute."""
OLD_TRANSACTION_SECONDS = 300
HOT_TABLES = ("dist_job", "dist_outbox_event", "dist_dirty_mark", "dist_worker_slot", "dist_connection_health")
MAX_ID = 2**31 - 1
SHOWN = 10
"""As many of a kind are named."""

Finding = dict[str, str]


class DistHealth(models.AbstractModel):
    """Findings of the health check, for the screen and for ``odoo dist_doctor``."""

    _name = "dist.health"
    _description = "Health Check"

    @api.model
    def findings(self) -> list[Finding]:
        """What was looked at: ``level`` (ok, note, bad), ``title``, ``detail``, ``hint`` (what to do).

        The worst come first. For managers of Distribution. Connections and schedules are named to those whose companies
        they belong to; counts are of the whole database, as are workers and tables.
        """
        self.env["dist.connection"].check_access("write")
        self.env.flush_all()
        found: list[Finding] = []
        found += self._workers()
        found += self._jobs()
        found += self._drain()
        found += self._schedules()
        found += self._database()
        missing = self._missing_functions()
        found += self._installation(missing)
        if not missing:
            found += self._relay_and_outbox()
        found += self._connections()
        order = {"bad": 0, "note": 1, "ok": 2}
        return sorted(found, key=lambda each: order[each["level"]])

    @api.model
    def _finding(self, level: str, title: str, detail: str = "", hint: str = "") -> Finding:
        return {"level": level, "title": title, "detail": detail, "hint": hint}

    def _row(self, query: str, params: tuple = ()) -> tuple:
        """One row of the engine's tables, which the ORM cannot count in bounded time."""
        self.env.cr.execute(query, params)
        return self.env.cr.fetchone()

    def _workers(self) -> list[Finding]:
        _ = self.env._
        count, hanging = self._row(
            """SELECT count(*), count(*) FILTER (
                          WHERE seen_at < (clock_timestamp() AT TIME ZONE 'UTC') - interval '10 min')
                 FROM dist_worker_slot s WHERE s.scheduled IS NOT TRUE AND EXISTS (
                      SELECT 1 FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
                         AND l.classid = %s AND l.objid = s.id
                         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))""",
            (LOCK_CLASS + 1,),
        )
        if hanging:
            return [
                self._finding(
                    "bad",
                    _("Workers hang"),
                    _("%s workers are alive and have not been heard of for ten minutes.", hanging),
                    _("Look at what they run under Technical / Workers; end the process, its jobs are run again."),
                )
            ]
        if count:
            return [self._finding("ok", _("Workers"), _("%s alive", count))]
        cron = self.env.ref("dist_sync_queue.cron_run_jobs", raise_if_not_found=False)
        if cron and cron.sudo().active:
            return [
                self._finding(
                    "note",
                    _("No worker process"),
                    _("Jobs are run by the scheduled action, once a minute."),
                    _("Start `odoo dist_worker -d %s` for jobs that begin at once.", self.env.cr.dbname),
                )
            ]
        return [
            self._finding(
                "bad",
                _("Nobody runs jobs"),
                _("There is no worker process, and the scheduled action is switched off."),
                _("Start `odoo dist_worker -d %s`, or switch the action on.", self.env.cr.dbname),
            )
        ]

    def _jobs(self) -> list[Finding]:
        _ = self.env._
        seconds = self._row(
            """SELECT COALESCE(EXTRACT(EPOCH FROM (clock_timestamp() AT TIME ZONE 'UTC') - min(created_at)), 0)
                 FROM ((SELECT created_at FROM dist_job
                         WHERE state = 'pending' AND eta IS NULL AND order_key IS NULL LIMIT 10000)
                       UNION ALL
                       (SELECT created_at FROM dist_job
                         WHERE state = 'pending' AND eta IS NULL AND order_key IS NOT NULL LIMIT 10000)) s"""
        )[0]
        found = []
        if seconds > WAITED_SECONDS:
            hint = _("Is a lane paused, or the work too much? More processes, or a process of its own for a lane.")
            found.append(
                self._finding("bad", _("Jobs wait"), _("The oldest for %s minutes.", int(seconds // 60)), hint)
            )
        else:
            found.append(self._finding("ok", _("Waiting jobs"), _("The oldest for %s seconds.", int(seconds))))
        keys = self._row(
            """SELECT count(DISTINCT order_key) FROM (
                   SELECT order_key FROM dist_job
                    WHERE state IN ('dead', 'parked') AND state = 'parked' LIMIT 10000) s"""
        )[0]
        if keys:
            hint = _("Put the cause of the dead job right and run it again, or cancel it: its followers go on.")
            found.append(self._finding("note", _("Parked keys"), _("%s keys wait behind a dead job.", keys), hint))
        return found

    def _drain(self) -> list[Finding]:
        _ = self.env._
        minutes = self._row(
            """SELECT max(EXTRACT(EPOCH FROM (clock_timestamp() AT TIME ZONE 'UTC') - asked_at)) / 60
                 FROM dist_worker_drain"""
        )[0]
        if minutes is None:
            return []
        if minutes < DRAINED_MINUTES:
            return [self._finding("note", _("Workers are kept out"), _("A drain was asked for before an upgrade."))]
        return [
            self._finding(
                "bad",
                _("Workers are kept out"),
                _("A drain was asked for %s minutes ago and never ended.", int(minutes)),
                _("Run `odoo dist_worker -d %s --resume`.", self.env.cr.dbname),
            )
        ]

    def _schedules(self) -> list[Finding]:
        """Job schedules nobody starts. A drain is a finding of its own, and keeps them waiting on purpose."""
        _ = self.env._
        if self._row("SELECT EXISTS (SELECT 1 FROM dist_worker_drain)")[0]:
            return []
        late = [("next_run_at", "<", self._before(OVERDUE_SECONDS))]
        hint = _("Does anybody run jobs? If others start, the log says why this one cannot be obeyed: correct it.")
        return [
            self._finding(
                "bad",
                _("A job schedule is overdue"),
                _("%(name)s for %(minutes)s minutes.", name=each.name, minutes=self._minutes_since(each.next_run_at)),
                hint,
            )
            for each in self.env["dist.schedule"].search(late, order="next_run_at", limit=SHOWN)
        ]

    def _before(self, seconds: int) -> datetime:
        return fields.Datetime.now() - timedelta(seconds=seconds)

    def _minutes_since(self, at: datetime) -> int:
        return int((fields.Datetime.now() - at).total_seconds()) // 60

    def _database(self) -> list[Finding]:
        _ = self.env._
        found = []
        self.env.cr.execute(
            """SELECT relname, n_dead_tup FROM pg_stat_user_tables
                WHERE relname = ANY (%s) AND n_dead_tup > GREATEST(20000, n_live_tup)""",
            (list(HOT_TABLES),),
        )
        for table, dead in self.env.cr.fetchall():
            hint = _("Look for old transactions and at autovacuum; run VACUUM on the table.")
            found.append(self._finding("note", _("Table %s is not vacuumed", table), _("%s dead rows.", dead), hint))
        self.env.cr.execute(
            """SELECT sequencename, last_value FROM pg_sequences
                WHERE sequencename LIKE 'dist%%' AND data_type = 'integer'::regtype AND last_value > %s""",
            (MAX_ID // 2,),
        )
        for name, value in self.env.cr.fetchall():
            level = "bad" if value > MAX_ID * 0.8 else "note"
            hint = _("Start the numbers again: see Numbers of jobs in the operations manual.")
            found.append(
                self._finding(level, _("Ids run out"), _("%(name)s is at %(value)s.", name=name, value=value), hint)
            )
        return found

    def _relay_and_outbox(self) -> list[Finding]:
        facts = self._row("SELECT dist_relay.diagnose()")[0]
        return [
            *self._transactions(facts),
            *self._relay(facts),
            *self._outbox(facts),
            *self._open(facts),
        ]

    def _transactions(self, facts: dict[str, Any]) -> list[Finding]:
        _ = self.env._
        old = [each for each in facts["transactions"] if each["seconds"] > OLD_TRANSACTION_SECONDS]
        if not old and not facts["prepared"]:
            return [self._finding("ok", _("Transactions"), _("None is open for long."))]
        detail = ", ".join(f"{each['application'] or '?'} (pid {each['pid']}): {each['seconds']} s" for each in old)
        hint = _("Claims get slower while an old transaction is open. End it: SELECT pg_terminate_backend(pid).")
        return [self._finding("bad", _("Old transactions"), detail or _("A prepared transaction was left."), hint)]

    def _relay(self, facts: dict[str, Any]) -> list[Finding]:
        _ = self.env._
        found = []
        if not facts["identity"]["may_publish"]:
            hint = _("If this is the database to work with, confirm it under Technical / Relay.")
            found.append(self._finding("bad", _("Nothing is sent"), _("This database is a copy."), hint))
        relay = facts["relay"]
        if not relay:
            hint = _("Start `dist-relay run` with this database as its dsn.")
            return [*found, self._finding("note", _("No relay"), _("None has ever announced itself."), hint)]
        if not facts["pumps"]:
            hint = _("Start `dist-relay run` or `dist-relay pump`; look at its log.")
            found.append(
                self._finding("bad", _("The relay is away"), _("No pump has a session on this database."), hint)
            )
        if not supported(relay["version"] or ""):
            hint = _("Update the older of the two: the relay, or the modules of Distribution.")
            found.append(
                self._finding("bad", _("The relay does not fit"), _("Its version is %s.", relay["version"]), hint)
            )
        return found or [self._finding("ok", _("Relay"), relay["version"] or "")]

    def _outbox(self, facts: dict[str, Any]) -> list[Finding]:
        _ = self.env._
        found = []
        for name, title in (
            ("leases_over", _("Events were published and never taken again")),
            ("ready_long", _("Events are ready and not sent")),
        ):
            if facts[name]:
                hint = _("Run `dist-relay doctor` where the relay runs: is a pump there, does it reach Redis?")
                found.append(self._finding("bad", title, _("%s for ten minutes or more.", facts[name]), hint))
        if facts["unknown_long"]:
            hint = _(
                "Answers of the channel get lost. Each is looked up before it is tried again; look at the channel."
            )
            title = _("Outcomes are unknown for long")
            found.append(self._finding("note", title, _("%s events for an hour or more.", facts["unknown_long"]), hint))
        for each in self._overdue_pulls() if facts["identity"]["may_publish"] else ():
            detail = _(
                "%(name)s %(what)s for %(minutes)s minutes.",
                name=each.connection_id.name,
                what=each.capability,
                minutes=self._minutes_since(each.next_run_at),
            )
            found.append(self._finding("bad", _("Pulls are overdue"), detail, _("Is the relay's pump running?")))
        return found

    def _overdue_pulls(self) -> models.Model:
        """As ``dist_relay.diagnose``, with the user's rights."""
        due = Domain("next_run_at", "<", self._before(OVERDUE_SECONDS))
        due &= Domain("connection_id.state", "=", "active") & Domain("connection_id.active", "=", True)
        due &= Domain("run_id", "=", False) | Domain("run_deadline", "<", fields.Datetime.now())
        return self.env["dist.connection.schedule"].search(due, order="next_run_at", limit=SHOWN)

    def _open(self, facts: dict[str, Any]) -> list[Finding]:
        _ = self.env._
        found = []
        open_ones = self.env["dist.connection.health"].search(
            [("breaker_state", "=", "open"), ("connection_id", "in", self._active_connections().ids)]
        )
        if open_ones:
            hint = _("Nothing to do: it is tried again by itself, and no attempt is spent.")
            names = ", ".join(sorted(open_ones.connection_id.mapped("name")))
            found.append(self._finding("note", _("Breaker open"), names, hint))
        for name, title in (
            ("dead_letters", _("Open dead letters")),
            ("dead_events", _("Dead events")),
            ("dead_jobs", _("Dead jobs")),
        ):
            if facts[name]:
                hint = _("Put the cause right and send or run them again, or cancel them.")
                found.append(self._finding("note", title, str(facts[name]), hint))
        return found

    def _connections(self) -> list[Finding]:
        _ = self.env._
        found = []
        for connection in self._active_connections():
            if connection.credentials_state in ("missing", "stale"):
                hint = _("Enter the credentials on the connection.")
                found.append(self._finding("bad", _("No usable credentials"), connection.display_name, hint))
            elif not connection.adapter_id.sudo().active:
                hint = _("Install the adapter where the relay runs, and restart it.")
                found.append(self._finding("bad", _("Its adapter is not announced"), connection.display_name, hint))
        return found

    def _active_connections(self) -> models.Model:
        """Those the user may see."""
        return self.env["dist.connection"].search([("state", "=", "active")])


def supported(version: str) -> bool:
    """Whether a relay of this version works with this addon.

    >>> [supported(text) for text in ("0.1.0", "0.9", "1.0", "", "x.1")]
    [True, True, False, False, False]
    """
    try:
        found = tuple(int(part) for part in version.split(".")[:2])
    except ValueError:
        return False
    return RELAY_VERSIONS[0] <= found < RELAY_VERSIONS[1]
