# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Schedules that addons ship with ``@every`` and ``@cron``: made at install, brought up to date at update."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from odoo import api, models

from ..engine.handlers import resolve
from ..engine.timing import UNITS
from ..recurring import SCHEDULED, Recurring


@dataclass(frozen=True)
class Shipped:
    """One declaration: the method, what it says, and the addon it is of."""

    handler: str
    spec: Recurring
    module: str
    title: str

    @property
    def xmlid(self) -> str:
        return "schedule_" + self.handler.replace(".", "_").replace(":", "_").replace("__", "_")


def shipped(registry: Any) -> list[Shipped]:
    """All declarations of a registry's models. An override of the method without a decorator keeps it.

    A mixin's is of the mixin, not again of every model that inherits it.
    """
    found = []
    for model_name, model_class in registry.items():
        for method in sorted(SCHEDULED):
            for klass in model_class.__mro__:
                func = klass.__dict__.get(method)
                spec = getattr(func, "_dist_recurring", None)
                if spec is None:
                    continue
                if getattr(klass, "_name", None) == model_name:
                    title = spec.name or (func.__doc__ or "").strip().split("\n")[0].rstrip(".")
                    handler = f"{model_name}:{method}"
                    found.append(Shipped(handler, spec, klass._module, title or handler))
                break
    return found


class DistSchedule(models.Model):
    _inherit = "dist.schedule"

    def _register_hook(self) -> None:
        """After an install or update, before anybody else sees the new registry."""
        super()._register_hook()
        if self.pool.updated_modules:
            self._sync_shipped(set(self.pool.updated_modules))

    @api.model
    def _sync_shipped(self, modules: set[str]) -> None:
        """Make, change and remove the schedules that ``modules`` ship. What people changed of a timing stays.

        :raises UnknownHandler: for a declaration on a method that is no ``@job``
        """
        known = self._shipped_by(modules)
        for each in shipped(self.pool):
            if each.module not in modules:
                continue
            resolve(self.pool, each.handler)
            schedule = known.pop((each.module, each.xmlid), None)
            if schedule is None:
                self._ship(each)
            else:
                schedule._follow(each)
        self.sudo().browse([schedule.id for schedule in known.values()]).unlink()

    def _shipped_by(self, modules: set[str]) -> dict[tuple[str, str], DistSchedule]:
        """The schedules that came with ``modules``, by addon and external id."""
        rows = self.env["ir.model.data"].sudo().search([("model", "=", self._name), ("module", "in", list(modules))])
        found = {(row.module, row.name): self.sudo().browse(row.res_id).exists() for row in rows}
        return {key: schedule for key, schedule in found.items() if schedule.module}

    def _ship(self, each: Shipped) -> None:
        values = self._shipped_values(each)
        schedule = self.sudo().create(
            {
                "name": each.title,
                "handler": each.handler,
                "domain": each.spec.domain or False,
                "module": each.module,
                "active": each.spec.active,
                "declared": values,
                **values,
            }
        )
        data = {"xml_id": f"{each.module}.{each.xmlid}", "record": schedule, "noupdate": True}
        self.env["ir.model.data"].sudo()._update_xmlids([data])

    def _follow(self, each: Shipped) -> None:
        """Take over what the addon says anew, except where people have decided otherwise."""
        values, before = self._shipped_values(each), self.declared or {}
        changed = {
            name: value
            for name, value in values.items()
            if value != before.get(name) and self[name] == before.get(name)
        }
        # an interval is one decision, whatever its unit
        pair = {"interval_number", "interval_unit"}
        if pair & changed.keys() and any(self[name] != before.get(name) for name in pair):
            changed = {name: value for name, value in changed.items() if name not in pair}
        fixed = {"domain": each.spec.domain or False, "handler": each.handler}
        changed |= {name: value for name, value in fixed.items() if self[name] != value}
        if values != before:
            changed["declared"] = values
        if changed:
            self.sudo().write(changed)

    def _shipped_values(self, each: Shipped) -> dict[str, Any]:
        """Timing of a declaration as values of the fields; always all of them, so that each can be compared."""
        spec = each.spec
        seconds = spec.interval or 3600
        unit = next(unit for unit in reversed(UNITS) if not seconds % UNITS[unit])
        return {
            "timing": "cron" if spec.cron else "interval",
            "cron": spec.cron or False,
            "tz": spec.tz or self._shipped_tz(),
            "interval_number": seconds // UNITS[unit],
            "interval_unit": unit,
            "jitter_seconds": spec.jitter,
            "catch_up": spec.catch_up,
            "overlap": spec.overlap,
        }

    def _shipped_tz(self) -> str:
        company = self.env.ref("base.main_company", raise_if_not_found=False)
        return (company and company.sudo().partner_id.tz) or "UTC"
