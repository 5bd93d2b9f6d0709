# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Changes of lanes, handlers, connections and the relay are written down; screens read names."""

from __future__ import annotations

from typing import Any

from odoo import api, fields, models

from ..engine.lanes import usual_weight

FOLLOWED = ("weight", "capacity")
"""Numbers of a lane whose change is told with the number."""


class DistWorkerSlot(models.Model):
    _inherit = "dist.worker.slot"

    handler_name = fields.Char("Runs", compute="_compute_handler_name")
    progress = fields.Char(compute="_compute_progress")

    @api.depends("handler")
    def _compute_handler_name(self) -> None:
        names = self.env["dist.names"]
        for slot in self:
            slot.handler_name = names.handler(slot.handler) if slot.handler else False

    @api.depends("progress_done", "progress_total", "progress_text")
    def _compute_progress(self) -> None:
        """``3 of 9 · third page``, or as much of it as the job says."""
        for slot in self:
            done = slot.progress_done
            count = self.env._("%(done)s of %(total)s", done=done, total=slot.progress_total)
            parts = [count if slot.progress_total else str(done or ""), slot.progress_text]
            slot.progress = " · ".join(filter(None, parts))


class DistJobControl(models.Model):
    _inherit = "dist.job.control"

    label = fields.Char(compute="_compute_label")

    @api.depends("kind", "name")
    def _compute_label(self) -> None:
        names = self.env["dist.names"]
        for control in self:
            name = names.lane if control.kind == "lane" else names.handler
            control.label = name(control.name) if control.name else False

    @api.depends("kind", "name")
    def _compute_display_name(self) -> None:
        for control in self:
            control.display_name = control.label

    @api.model_create_multi
    def create(self, vals_list: list[dict[str, Any]]) -> DistJobControl:
        controls = super().create(vals_list)
        for control, vals in zip(controls, vals_list, strict=True):
            usual = {"paused": False, "weight": usual_weight(control.name)}
            control._record_change({name: value for name, value in vals.items() if value != usual.get(name)})
        return controls

    def write(self, vals: dict[str, Any]) -> bool:
        changes = {
            control: {
                name: vals[name] for name in ("paused", *FOLLOWED) if name in vals and control[name] != vals[name]
            }
            for control in self
        }
        done = super().write(vals)
        for control, changed in changes.items():
            control._record_change(changed)
        return done

    def _record_change(self, vals: dict[str, Any]) -> None:
        """One line for a pause or its end, one for new numbers."""
        audit = self.env["dist.audit"]
        if "paused" in vals:
            audit.record("pause" if vals["paused"] else "resume", self)
        numbers = [f"{self._fields[name].string}: {vals[name]:g}" for name in FOLLOWED if vals.get(name) is not None]
        if numbers:
            audit.record("change", self, ", ".join(numbers))

    @api.ondelete(at_uninstall=False)
    def _record_unlink(self) -> None:
        for control in self.filtered("paused"):
            self.env["dist.audit"].record("resume", control)


class DistConnection(models.Model):
    _inherit = "dist.connection"

    def action_pause(self) -> bool:
        """Also write down who asked."""
        done = super().action_pause()
        self.env["dist.audit"].record("pause", self)
        return done

    def action_resume(self) -> bool:
        """Also write down who asked."""
        done = super().action_resume()
        self.env["dist.audit"].record("resume", self)
        return done

    def set_credentials(self, credentials: dict[str, Any]) -> bool:
        """Also write down who entered them."""
        done = super().set_credentials(credentials)
        self.env["dist.audit"].record("credentials", self)
        return done

    def action_clear_credentials(self) -> bool:
        """Also write down who asked, or whose change of the address it was."""
        done = super().action_clear_credentials()
        self.env["dist.audit"].record("forget", self)
        return done


class DistRelay(models.Model):
    _inherit = "dist.relay"

    def action_confirm_identity(self) -> bool:
        """Also write down who asked."""
        done = super().action_confirm_identity()
        self.env["dist.audit"].record("confirm", self)
        return done

    def action_new_metrics_token(self) -> dict[str, Any]:
        """Also write down who asked; never the token."""
        shown = super().action_new_metrics_token()
        self.env["dist.audit"].record("token", self)
        return shown
