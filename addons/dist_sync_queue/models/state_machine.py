# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""One guarded transition function for every record with states."""

from __future__ import annotations

from typing import Any

from odoo import api, models
from odoo.exceptions import AccessError, UserError

_MOVE = object()
"""Put into the context by :meth:`DistStateMachine._move`; a client cannot forge an object's identity."""


def is_move(records: models.Model) -> bool:
    """Whether a write on ``records`` comes from :meth:`DistStateMachine._move`."""
    return records.env.context.get("dist_move") is _MOVE


def refuse_readonly(records: models.Model, vals: dict[str, Any]) -> None:
    """Refuse a client's write on fields only the system writes.

    ``readonly`` concerns screens only: without this, whoever may write a record over RPC may write its payload, its
    record or its event, and have a button act on them with the system's rights.

    :raises AccessError: naming the fields
    """
    if records.env.su:
        return
    refused = [name for name in vals if name in records._fields and records._fields[name].readonly]
    if refused:
        raise AccessError(records.env._("Only the system writes these fields: %s", ", ".join(sorted(refused))))


class DistStateMachine(models.AbstractModel):
    """A record whose ``state`` changes only through :meth:`_move`, along ``_dist_moves``.

    Other fields that are ``readonly`` are written by the system only, see :func:`refuse_readonly`.
    """

    _name = "dist.state.machine"
    _description = "Record with guarded states"

    _dist_moves: dict[str, set[str]] = {}
    """Target state → the states it may be reached from. The first state of a record is the field's default."""

    @api.private
    def _can_move(self, target: str) -> bool:
        """Whether every record may move to ``target``."""
        return all(record.state in self._dist_moves.get(target, ()) for record in self)

    def _move(self, target: str, **values: Any) -> None:
        """Move all records to ``target`` and write ``values`` with it.

        :raises UserError: naming the first record whose state does not allow it; then nothing is moved
        """
        sources = self._dist_moves.get(target, set())
        for record in self:
            if record.state not in sources:
                labels = dict(self._fields["state"]._description_selection(self.env))
                raise UserError(
                    self.env._(
                        "%(record)s is %(state)s and cannot become %(target)s.",
                        record=record.display_name,
                        state=labels.get(record.state, record.state),
                        target=labels.get(target, target),
                    )
                )
        if self:
            self.with_context(dist_move=_MOVE).write({**values, "state": target})

    def write(self, vals: dict[str, Any]) -> bool:
        if not is_move(self):
            if "state" in vals:
                raise UserError(self.env._("The state of a record cannot be written; use its buttons."))
            refuse_readonly(self, vals)
        return super().write(vals)

    @api.model_create_multi
    def create(self, vals_list: list[dict[str, Any]]) -> Any:
        records = super().create(vals_list)
        default = self.default_get(["state"]).get("state") if any("state" in vals for vals in vals_list) else None
        for vals, record in zip(vals_list, records, strict=True):
            if vals.get("state", default) not in (default, None) and record.state != default:
                raise UserError(self.env._("A new record starts as a draft; its state cannot be chosen."))
        return records
