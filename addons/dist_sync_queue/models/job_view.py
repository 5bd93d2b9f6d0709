# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What only the screens of jobs and journeys need."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..engine import picture
from ..engine.handlers import handlers
from .audit import reasons

GRAPH_LIMIT = 5_000
"""Jobs of one graph that are read for its picture."""


class DistJob(models.Model):
    _name = "dist.job"
    _inherit = ["dist.job", "dist.named.codes"]

    _dist_named = {"handler": "handler", "lane": "lane"}

    handler_name = fields.Char("Work", compute="_compute_handler_name", search="_search_handler_name")
    lane_name = fields.Char("Name of Lane", compute="_compute_lane_name")
    request_ids = fields.One2many("dist.job.request", "job_id", "Actions", readonly=True)
    timeline = fields.Json(compute="_compute_timeline", help="What happened to this job, in order of time.")
    running = fields.Json(compute="_compute_running", help="Who runs it at this moment, since when and how far.")
    graph_picture = fields.Json(
        "Picture of Graph", compute="_compute_graph_picture", help="The jobs before and after this one."
    )

    @api.depends("handler")
    def _compute_handler_name(self) -> None:
        self._name_codes("handler", "handler_name")

    @api.depends("lane", "handler")
    def _compute_lane_name(self) -> None:
        """An event that came in gets its lane when it is run; until then it is that of its handler."""
        names, known = self.env["dist.names"], handlers(self.env.registry)
        for job in self:
            lane = job.lane or (known[job.handler].lane if job.handler in known else "")
            job.lane_name = names.lane(lane) if lane else False

    @api.depends("handler", "key")
    def _compute_display_name(self) -> None:
        for job in self:
            job.display_name = f"{job.handler_name} {job.key}" if job.key else job.handler_name

    @api.model
    def _search_handler_name(self, operator: str, value: Any) -> Any:
        """Jobs whose work is called like this; a handler's code is found as well."""
        if operator not in ("ilike", "=") or not isinstance(value, str):
            return NotImplemented
        named = self.env["dist.names"].find("handler", value, handlers(self.env.registry))
        return ["|", ("handler", "in", named), ("handler", "ilike", value)]

    def _compute_running(self) -> None:
        """Asked of the workers' slots: the job's own row is locked while it runs, and says nothing new."""
        now = fields.Datetime.now()
        slots = self.env["dist.worker.slot"].search([("handler", "!=", False)], limit=500)
        of_job = {id_: slot for slot in slots for id_ in slot.job_ids or ()}
        for job in self:
            slot = of_job.get(job.id) if job.state == "pending" else None
            job.running = slot and {
                "worker": slot.worker,
                "jobs": len(slot.job_ids),
                "since": int((now - slot.started_at).total_seconds()) if slot.started_at else 0,
                "done": slot.progress_done,
                "total": slot.progress_total,
                "text": slot.progress_text or "",
            }

    def _compute_timeline(self) -> None:
        for job in self:
            job.timeline = job._timeline()

    def _timeline(self) -> list[dict[str, Any]]:
        """``{"kind", "at", "label", "seconds", "detail"}`` in order of time; ``at`` is UTC, as ISO text."""
        _ = self.env._
        outcomes = dict(self.env["dist.job.attempt"]._fields["outcome"]._description_selection(self.env))
        points = [_point("outside", self.occurred_at, _("Happened outside"))] if self.occurred_at else []
        points.append(_point("made", self.created_at, _("Job made")))
        attempts = self.attempt_ids.filtered("started_at")
        for attempt in attempts:
            label = _("Attempt %(number)s: %(outcome)s", number=attempt.number, outcome=outcomes[attempt.outcome])
            points.append(
                _point(attempt.outcome, attempt.started_at, label, attempt.seconds, attempt.error_message or "")
            )
        if self.state in ("pending", "parked", "waiting") and self.eta:
            points.append(_point("planned", self.eta, _("Runs again") if self.attempts else _("Not before")))
        ends = {"done": _("Done"), "cancelled": _("Cancelled"), "dead": _("Failed for good")}
        if self.done_at and self.state in ends and not (attempts and attempts[-1].outcome == self.state):
            ran = self.run_seconds if self.state == "done" else None
            points.append(_point(self.state, self.done_at, ends[self.state], ran))
        return sorted(points, key=lambda point: point["at"])

    @api.depends("graph")
    def _compute_graph_picture(self) -> None:
        for job in self:
            job.graph_picture = job._graph_picture() if job.graph else False

    def _graph_picture(self) -> dict[str, Any]:
        """The graph as far as the user may see it."""
        jobs = self.search_fetch(
            [("graph", "=", self.graph)], ["handler", "state", "undo_of"], limit=GRAPH_LIMIT, order="id"
        )
        nodes = [picture.Node(job.id, job.handler, job.state) for job in jobs | self]
        found = self.env["dist.job.edge"].search_fetch(
            [("child_id", "in", jobs.ids)], ["parent_id", "child_id", "on_failure"]
        )
        edges = [picture.Edge(edge.parent_id.id, edge.child_id.id, edge.on_failure) for edge in found]
        edges += [picture.Edge(job.undo_of, job.id, "undo") for job in jobs if job.undo_of]
        drawn = picture.draw(nodes, edges, self.id)
        names = self.env["dist.names"]
        for box in drawn["boxes"]:
            box["name"] = names.handler(box["handler"]) if box["handler"] else self.env._("Other work")
            box["ids"] = box["ids"][:GRAPH_LIMIT]
        return {**drawn, "states": dict(self._fields["state"]._description_selection(self.env))}

    # -- what buttons call ---------------------------------------------------------------------------------------------
    def _request(self, action: str, value: int = 0) -> bool:
        """Also write down who asked."""
        done = super()._request(action, value)
        if self:
            self.env["dist.audit"].record(action, self, self.env._("to %s", value) if action == "priority" else "")
        return done

    def action_ask_requeue(self) -> dict[str, Any]:
        """Ask before running these jobs again."""
        return self.env["dist.mass.action"].ask(self, "requeue")

    def action_ask_cancel(self) -> dict[str, Any]:
        """Ask before cancelling these jobs."""
        return self.env["dist.mass.action"].ask(self, "cancel")

    def action_ask_priority(self) -> dict[str, Any]:
        """Ask for the new priority of these jobs."""
        return self.env["dist.mass.action"].ask(self, "priority")

    def action_open_journey(self) -> dict[str, Any]:
        """Everything that happened under this correlation id."""
        self.ensure_one()
        return self.env["dist.journey.step"].open_action(self.correlation_id)

    def action_open_record(self) -> dict[str, Any]:
        """The record this job works on."""
        self.ensure_one()
        if not self.res_id or self.res_model not in self.env:
            raise UserError(self.env._("This job belongs to no record."))
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "view_mode": "form",
        }


def _point(kind: str, at: datetime, label: str, seconds: float | None = None, detail: str = "") -> dict[str, Any]:
    iso = at.isoformat(timespec="milliseconds") + "Z"
    return {"kind": kind, "at": iso, "label": label, "seconds": seconds, "detail": detail[:300]}


class DistJobRequest(models.Model):
    _inherit = "dist.job.request"

    create_uid = fields.Many2one("res.users", "Asked by", readonly=True)
    create_date = fields.Datetime("Asked on", readonly=True)


class DistDeadLetter(models.Model):
    _inherit = "dist.dead.letter"

    def action_open_journey(self) -> dict[str, Any]:
        """Everything that happened under this correlation id."""
        self.ensure_one()
        return self.env["dist.journey.step"].open_action(self.correlation_id)

    def _replay(self) -> dict[int, str]:
        """Also write down who asked."""
        failures = super()._replay()
        self.env["dist.audit"].record("replay", self.filtered(lambda letter: letter.id not in failures))
        return failures

    def action_ignore(self) -> bool:
        """Also write down who asked, and what was wrong with the letters."""
        done = super().action_ignore()
        self.env["dist.audit"].record("ignore", self, lambda letters: reasons(letters.mapped("reason")))
        return done

    def action_ask_replay(self) -> dict[str, Any]:
        """Ask before taking these items in again."""
        return self.env["dist.mass.action"].ask(self, "replay")

    def action_ask_ignore(self) -> dict[str, Any]:
        """Ask before putting these items aside."""
        return self.env["dist.mass.action"].ask(self, "ignore")


class DistJourneyStep(models.Model):
    _inherit = "dist.journey.step"

    event_label = fields.Char(compute="_compute_event_label", help="Name of the event or work, where the step has one.")

    @api.depends("kind", "name")
    def _compute_event_label(self) -> None:
        """Of an outbox step (``type key``) and of a job (``handler``)."""
        names = self.env["dist.names"]
        for step in self:
            code = (step.name or "").split(" ")[0]
            step.event_label = names.handler(code) if code and step.kind in ("outbox", "job") else False

    @api.model
    def open_action(self, correlation_id: str | None) -> dict[str, Any]:
        """Small screens get cards instead of a table."""
        return {**super().open_action(correlation_id), "view_mode": "list,kanban", "mobile_view_mode": "kanban"}
