# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What the live monitor shows, and the few things that can be done from it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..engine import figures
from ..engine.handlers import resolve
from ..engine.lanes import usual_weight
from ..errors import UnknownHandler

SILENT_SECONDS = 60
"""A worker not heard of for longer is shown as not answering."""
SHOWN = 500
"""Connections, and workers, of one picture."""
MANAGER = "dist_sync_queue.group_dist_manager"


class DistMonitor(models.AbstractModel):
    """One call per refresh: a dozen short statements, whatever the size of the tables.

    Figures are read with SQL that knows nothing of record rules, so it is told what the user may see: the connections
    his rules let through, and his companies.
    """

    _name = "dist.monitor"
    _description = "Live Monitor"

    @api.model
    @api.readonly
    def snapshot(self) -> dict[str, Any]:
        """All figures of the monitor, as of now. Times are ages in seconds: the browser's clock does not matter."""
        self.env["dist.job"].check_access("read")
        now = fields.Datetime.now()
        connections = self.env["dist.connection"].with_context(active_test=False).search([], limit=SHOWN)
        scope = figures.Scope(connections.ids, self.env.companies.ids)
        waiting = figures.ready(self.env.cr, scope) + figures.marks(self.env.cr, scope)
        totals = figures.totals(self.env.cr, scope)
        workers = self._workers(now)
        lanes = self._lanes(waiting, figures.done_rates(self.env.cr, scope), now)
        self._leave_out_running(lanes, workers)
        ages = [lane["oldest"] for lane in lanes if lane["oldest"] is not None]
        return {
            "manager": self.env.user.has_group(MANAGER),
            "tiles": {
                "ready": sum(lane["ready"] for lane in lanes),
                "capped": any(lane["capped"] for lane in lanes),
                "running": sum(worker["jobs"] for worker in workers),
                "oldest": max(ages, default=None),
                "done_per_minute": round(sum(lane["rate"] for lane in lanes), 1),
                "attention": self.env["dist.exception"].search_count([("state", "=", "open")], limit=figures.CAP),
                **totals,
            },
            "cap": figures.CAP,
            "lanes": lanes,
            "handlers": self._handlers(),
            "workers": workers,
            "worker_count": self.env["dist.worker.slot"].sudo().search_count([]),
            "drained": self._is_drained(),
            "connections": self._connections(connections.filtered("active"), now),
        }

    def _is_drained(self) -> bool:
        self.env.cr.execute("SELECT EXISTS (SELECT FROM dist_worker_drain)")
        return self.env.cr.fetchone()[0]

    # -- lanes ---------------------------------------------------------------------------------------------------------
    def _lanes(self, waiting: list[dict[str, Any]], rates: dict[str | None, float], now: datetime) -> list[dict]:
        """Each lane that has work, did some in the last minute, or has a row of settings."""
        names = self.env["dist.names"]
        controls = {row.name: row for row in self.env["dist.job.control"].search([("kind", "=", "lane")])}
        none = self.env["dist.job.control"]
        lanes: dict[str, dict[str, Any]] = {}

        def lane(code: str) -> dict[str, Any]:
            if code not in lanes:
                lanes[code] = {
                    "code": code,
                    "name": names.lane(code),
                    "ready": 0,
                    "capped": False,
                    "oldest": None,
                    "rate": 0.0,
                    "work": [],
                    **self._control(controls.get(code, none), code),
                }
            return lanes[code]

        for code in controls:
            lane(code)
        for code, rate in rates.items():
            lane(code or "default")["rate"] += round(rate, 1)
        for group in waiting:
            mine = lane(self._lane_of(group["handler"]))
            mine["ready"] += group["count"]
            mine["capped"] = mine["capped"] or group["capped"]
            age = _age(group["oldest"], now)
            mine["oldest"] = max(filter(lambda value: value is not None, (mine["oldest"], age)), default=None)
            self._add_work(mine["work"], group["handler"], group["count"])
        return sorted(lanes.values(), key=lambda item: (-item["weight"], item["code"]))

    def _leave_out_running(self, lanes: list[dict], workers: list[dict]) -> None:
        """A job in a worker's hands is still pending in the table; here it is running and not ready as well."""
        by_code = {lane["code"]: lane for lane in lanes}
        for worker in workers:
            lane = by_code.get(worker.get("lane_code"))
            if lane and not lane["capped"]:
                lane["ready"] = max(0, lane["ready"] - worker["jobs"])

    def _add_work(self, work: list[dict[str, Any]], handler: str, count: int) -> None:
        for line in work:
            if line["handler"] == handler:
                line["count"] += count
                return
        work.append({"handler": handler, "name": self.env["dist.names"].handler(handler), "count": count})

    def _lane_of(self, handler: str) -> str:
        try:
            return resolve(self.env.registry, handler).lane
        except UnknownHandler:
            return "default"

    def _control(self, control: Any, code: str) -> dict[str, Any]:
        """What is set for a lane or handler; what holds where nothing is set."""
        weight = control.weight if control else usual_weight(code)
        return {
            "paused": bool(control and control.paused),
            "weight": weight,
            "capacity": control.capacity if control else 0,
        }

    def _handlers(self) -> list[dict[str, Any]]:
        """Handlers that have settings of their own."""
        rows = self.env["dist.job.control"].search([("kind", "=", "handler")])
        return [{"code": row.name, "name": row.label, **self._control(row, row.name)} for row in rows]

    # -- workers -------------------------------------------------------------------------------------------------------
    def _workers(self, now: datetime) -> list[dict[str, Any]]:
        """What each worker runs. Of work the user may not see, only that there is some."""
        slots = self.env["dist.worker.slot"].sudo().search([], limit=SHOWN)
        in_hand = {id_ for slot in slots for id_ in slot.job_ids or ()}
        seen = set(self.env["dist.job"].search([("id", "in", list(in_hand))]).ids) if in_hand else set()
        return [self._worker(slot, seen, now) for slot in slots]

    def _worker(self, slot: Any, seen: set[int], now: datetime) -> dict[str, Any]:
        jobs = [id_ for id_ in slot.job_ids or () if id_ in seen]
        busy = bool(slot.handler)
        silent = _age(slot.seen_at, now) or 0
        worker = {
            "id": slot.id,
            "name": slot.worker,
            "host": slot.host,
            "pid": slot.pid,
            "scheduled": slot.scheduled,
            "busy": busy,
            "silent": silent if silent > SILENT_SECONDS else 0,
            "jobs": len(jobs),
            "since": _age(slot.started_at, now) if busy else None,
            "done": slot.done_count,
            "failed": slot.failed_count,
        }
        if not jobs:
            return worker
        names = self.env["dist.names"]
        return worker | {
            "handler": names.handler(slot.handler) if busy else "",
            "lane": names.lane(slot.lane) if slot.lane else "",
            "lane_code": slot.lane or "",
            "connection": slot.connection_id.display_name or "",
            "job_ids": jobs,
            "progress": self._progress(slot),
        }

    def _progress(self, slot: Any) -> dict[str, Any] | None:
        """How far the job that runs says it is; None where it says nothing."""
        if not (slot.progress_total or slot.progress_text):
            return None
        return {"done": slot.progress_done, "total": slot.progress_total, "text": slot.progress_text or ""}

    # -- connections ---------------------------------------------------------------------------------------------------
    def _connections(self, connections: Any, now: datetime) -> list[dict[str, Any]]:
        states = dict(connections._fields["state"]._description_selection(self.env))
        outbox = figures.outbox(self.env.cr, connections.ids)
        health = {
            row.connection_id.id: row
            for row in self.env["dist.connection.health"].search([("connection_id", "in", connections.ids)])
        }
        none = self.env["dist.connection.health"]
        return [
            {
                "capacity": connection.job_capacity,
                "id": connection.id,
                "name": connection.name,
                "state": connection.state,
                "state_name": states[connection.state],
                "company": connection.company_id.name if len(self.env.companies) > 1 else "",
                **outbox[connection.id],
                "oldest": _age(outbox[connection.id]["oldest"], now),
                **self._outside(health.get(connection.id, none), now),
            }
            for connection in connections
        ]

    def _outside(self, health: Any, now: datetime) -> dict[str, Any]:
        """Breaker and budgets of a connection. What came back into a budget since the relay's report is added."""
        name = self.env["dist.names"].capability
        age = _age(health.budgets_at, now) or 0
        budgets = []
        for told in health.budgets or []:
            budget = {**told, "name": name(str(told.get("operation") or ""))}
            back = age * float(told.get("rate") or 0) * float(told.get("factor") or 1)
            budget["tokens"] = min(float(told.get("burst") or 0), float(told.get("tokens") or 0) + back)
            budget["blocked_seconds"] = max(0.0, float(told.get("blocked_seconds") or 0) - age)
            budgets.append(budget)
        return {
            "breaker": health.breaker_state or "closed",
            "breaker_message": health.message or "",
            "budgets": budgets,
        }

    # -- what buttons call ---------------------------------------------------------------------------------------------
    @api.model
    def set_control(self, kind: str, name: str, values: dict[str, Any]) -> bool:
        """Pause or resume a lane or handler, or change its numbers; makes its row where there is none.

        :raises AccessError: for whoever is no manager
        """
        if kind not in ("lane", "handler") or not name or set(values) - {"paused", "weight", "capacity"}:
            raise UserError(self.env._("Only pause, weight and capacity of a lane or handler can be changed here."))
        controls = self.env["dist.job.control"]
        controls.check_access("write")
        control = controls.search([("kind", "=", kind), ("name", "=", name)])
        if control:
            control.write(values)
        else:
            controls.create({**values, "kind": kind, "name": name})
        return True


def _age(at: datetime | None, now: datetime) -> int | None:
    """Whole seconds since ``at``; never negative."""
    return max(0, int((now - at).total_seconds())) if at else None
