# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What only the screens of outgoing events, adapters, schedules and problems need: names instead of codes."""

from __future__ import annotations

import json
from typing import Any

from odoo import api, fields, models

from dist_contracts import EVENTS

from .audit import reasons


class DistOutboxEvent(models.Model):
    _name = "dist.outbox.event"
    _inherit = ["dist.outbox.event", "dist.named.codes"]

    _dist_named = {"type": "event"}

    type_name = fields.Char("What", compute="_compute_type_name", search="_search_type_name")
    delivery_seconds = fields.Float(
        "Delivered In", compute="_compute_delivery_seconds", help="Seconds from the commit in Odoo to the outcome."
    )

    @api.depends("type")
    def _compute_type_name(self) -> None:
        self._name_codes("type", "type_name")

    @api.depends("occurred_at", "settled_at")
    def _compute_delivery_seconds(self) -> None:
        for event in self:
            event.delivery_seconds = (event.settled_at - event.occurred_at).total_seconds() if event.settled_at else 0.0

    @api.depends("type", "key")
    def _compute_display_name(self) -> None:
        for event in self:
            event.display_name = f"{event.type_name} {event.key}"

    @api.model
    def _search_type_name(self, operator: str, value: Any) -> Any:
        """Events that are called like this; a type is found as well."""
        if operator not in ("ilike", "=") or not isinstance(value, str):
            return NotImplemented
        named = self.env["dist.names"].find("event", value, EVENTS)
        return ["|", ("type", "in", named), ("type", "ilike", value)]

    # -- what buttons call ---------------------------------------------------------------------------------------------
    def action_replay(self) -> bool:
        """Also write down who asked."""
        done = super().action_replay()
        self.env["dist.audit"].record("replay", self)
        return done

    def action_cancel(self) -> bool:
        """Also write down who asked."""
        done = super().action_cancel()
        self.env["dist.audit"].record("cancel", self)
        return done

    def action_ask_replay(self) -> dict[str, Any]:
        """Ask before sending these events again."""
        return self.env["dist.mass.action"].ask(self, "replay")

    def action_ask_cancel(self) -> dict[str, Any]:
        """Ask before giving these events up."""
        return self.env["dist.mass.action"].ask(self, "cancel")


class DistAdapter(models.Model):
    _inherit = "dist.adapter"

    @api.depends("manifest")
    def _compute_capability_names(self) -> None:
        name = self.env["dist.names"].capability
        for adapter in self:
            adapter.capability_names = ", ".join(map(name, adapter.capabilities()))


class DistConnectionSchedule(models.Model):
    _name = "dist.connection.schedule"
    _inherit = ["dist.connection.schedule", "dist.named.codes"]

    _dist_named = {"capability": "capability"}

    capability_name = fields.Char("What", compute="_compute_capability_name")

    @api.depends("capability")
    def _compute_capability_name(self) -> None:
        self._name_codes("capability", "capability_name")

    @api.depends("capability")
    def _compute_display_name(self) -> None:
        for schedule in self:
            schedule.display_name = schedule.capability_name

    def write(self, vals: dict[str, Any]) -> bool:
        """Also write down who paused or resumed it."""
        self.env["dist.audit"].record_active(self, vals)
        return super().write(vals)

    # -- what buttons call ---------------------------------------------------------------------------------------------
    def action_pull_now(self) -> dict[str, Any]:
        """Also write down who asked, and after what result."""
        done = super().action_pull_now()
        self.env["dist.audit"].record("pull", self, lambda pulled: pulled._last_results())
        return done

    def action_reset_cursor(self) -> bool:
        """Also write down who asked, and what the cursor was."""
        cursors = {schedule.id: schedule.cursor for schedule in self}
        done = super().action_reset_cursor()
        self.env["dist.audit"].record(
            "reset", self, lambda reset: reasons(json.dumps(cursors[id_]) for id_ in reset.ids if cursors[id_])
        )
        return done

    def _last_results(self) -> str:
        return reasons(
            self.env._("%(what)s, last result: %(result)s", what=schedule.capability_name, result=schedule.last_result)
            if schedule.last_result
            else schedule.capability_name
            for schedule in self
        )


class DistException(models.Model):
    _name = "dist.exception"
    _inherit = ["dist.exception", "dist.named.codes"]

    _dist_named = {"kind": "problem"}

    kind_name = fields.Char("Kind of Problem", compute="_compute_kind_name")

    @api.depends("kind")
    def _compute_kind_name(self) -> None:
        self._name_codes("kind", "kind_name")


class DistJobArchive(models.Model):
    _name = "dist.job.archive"
    _inherit = ["dist.job.archive", "dist.named.codes"]

    _dist_named = {"handler": "handler", "lane": "lane"}

    handler_name = fields.Char("Work", compute="_compute_handler_name")

    @api.depends("handler")
    def _compute_handler_name(self) -> None:
        self._name_codes("handler", "handler_name")


class DistOutboxArchive(models.Model):
    _name = "dist.outbox.archive"
    _inherit = ["dist.outbox.archive", "dist.named.codes"]

    _dist_named = {"type": "event"}

    type_name = fields.Char("What", compute="_compute_type_name")

    @api.depends("type")
    def _compute_type_name(self) -> None:
        self._name_codes("type", "type_name")
