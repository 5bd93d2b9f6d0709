# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What codes are called on screens: event types, handlers, lanes, capabilities, kinds of problems.

The code stays in the database; people read its name. An addon that brings codes of its own extends the methods that
return tables; a code without an entry is made readable (``order.hold.v1`` → "Order hold").
"""

from __future__ import annotations

import re
from typing import Any

from odoo import api, models

from ..api import DIRTY, OUTCOME

_VERSIONED = re.compile(r"^(?P<code>[a-z0-9_.]+)\.v(?P<version>\d+)$")


def readable(code: str) -> str:
    """A code as words.

    >>> readable("order.received.v1"), readable("held_after_confirmation"), readable("order.received.v2")
    ('Order received', 'Held after confirmation', 'Order received (v2)')
    """
    match = _VERSIONED.match(code)
    words = re.sub(r"[._]+", " ", match["code"] if match else code).strip()
    version = f" (v{match['version']})" if match and match["version"] != "1" else ""
    return words[:1].upper() + words[1:] + version


class DistNames(models.AbstractModel):
    """Tables code → name, and the rules for composed codes."""

    _name = "dist.names"
    _description = "Names of Codes"

    # -- tables: extend these ------------------------------------------------------------------------------------------
    @api.model
    def _event_names(self) -> dict[str, str]:
        """Type of an event → its name."""
        return {"connection.check.v1": self.env._("Connection test")}

    @api.model
    def _capability_names(self) -> dict[str, str]:
        """Capability of an adapter → its name."""
        return {"connection.check": self.env._("Connection test")}

    @api.model
    def _problem_names(self) -> dict[str, str]:
        """Kind of a problem in "Needs attention" → its name."""
        return {
            "job_dead": self.env._("Job failed"),
            "connection.credentials": self.env._("Credentials refused"),
            "pull.failed": self.env._("Reading fails"),
        }

    @api.model
    def _lane_names(self) -> dict[str, str]:
        """Lane → its name."""
        return {
            "high": self.env._("High priority"),
            "default": self.env._("Normal"),
            "low": self.env._("Low priority"),
        }

    # -- names of single codes -----------------------------------------------------------------------------------------
    @api.model
    def event(self, code: str) -> str:
        """Name of an event type."""
        return self._event_names().get(code) or readable(code)

    @api.model
    def capability(self, code: str) -> str:
        """Name of a capability."""
        return self._capability_names().get(code) or readable(code)

    @api.model
    def lane(self, code: str) -> str:
        """Name of a lane."""
        return self._lane_names().get(code) or readable(code)

    @api.model
    def problem(self, code: str) -> str:
        """Name of a kind of problem; problems of outgoing events are called after their event."""
        if code.startswith("outbox."):
            return self.env._("%s not delivered", self.event(code.removeprefix("outbox.")))
        return self._problem_names().get(code) or readable(code)

    @api.model
    def handler(self, code: str) -> str:
        """Name of a job's handler: of the event it handles, or "Model: method"."""
        if code.endswith(OUTCOME):
            return self.env._("Answer: %s", self.event(code.removesuffix(OUTCOME)))
        if code.endswith(DIRTY):
            return self.env._("Compute: %s", self.event(code.removesuffix(DIRTY)))
        model, colon, method = code.partition(":")
        if not colon:
            return self.event(code)
        known = self.env["ir.model"]._get(model).sudo() if model in self.env else None
        return f"{known.name if known else model}: {readable(method.removeprefix('_dist'))}"

    @api.model
    def find(self, kind: str, text: str, codes: Any) -> list[str]:
        """The ``codes`` whose name of this ``kind`` (``handler``, ``event``, …) holds ``text``, in any case."""
        name = getattr(self, kind)
        return [code for code in codes if text.lower() in name(code).lower()]


class DistNamedCodes(models.AbstractModel):
    """Mixin: groups of a list, graph or pivot by a code show its name. The domain of a group keeps the code."""

    _name = "dist.named.codes"
    _description = "Record with Named Codes"

    _dist_named: dict[str, str] = {}
    """Field holding a code → method of ``dist.names`` that names it."""

    def _web_read_group_groupby_formatter(self, groupby_spec: str, values: Any) -> Any:
        kind = self._dist_named.get(groupby_spec)
        if not kind:
            return super()._web_read_group_groupby_formatter(groupby_spec, values)
        name = getattr(self.env["dist.names"], kind)
        return lambda code: (name(code) if code else code, [(groupby_spec, "=", code)])

    def _name_codes(self, field: str, target: str) -> None:
        """Fill ``target`` with the names of the codes in ``field``: the body of a compute method."""
        name = getattr(self.env["dist.names"], self._dist_named[field])
        known: dict[str, str] = {}
        for record in self:
            code = record[field]
            if code and code not in known:
                known[code] = name(code)
            record[target] = known.get(code, False)
