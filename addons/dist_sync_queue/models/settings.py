# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Settings: how long finished work is kept. What is set here are system parameters, read by ``engine/archive.py``."""

from __future__ import annotations

from collections.abc import Iterator

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..engine import archive, parameters
from .relay import LONGEST_REDELIVERY_DAYS, SEEN_RETENTION_DAYS, SEEN_RETENTION_PARAMETER

MOST_DAYS = 3650
HOT = "How many days after their end they stay in the table itself: there they are counted, analysed and run again."
KEPT = "How many days after their end they are deleted. Until then they are in the archive, where journeys show them."


class ResConfigSettings(models.TransientModel):
    """A state that is kept like the general parameter says has no parameter of its own; one set here has."""

    _inherit = "res.config.settings"

    dist_job_done_hot = fields.Integer("Jobs done: in the table", help=HOT)
    dist_job_done_kept = fields.Integer("Jobs done: deleted", help=KEPT)
    dist_job_cancelled_hot = fields.Integer("Jobs cancelled: in the table", help=HOT)
    dist_job_cancelled_kept = fields.Integer("Jobs cancelled: deleted", help=KEPT)
    dist_outbox_delivered_hot = fields.Integer("Events delivered: in the table", help=HOT)
    dist_outbox_delivered_kept = fields.Integer("Events delivered: deleted", help=KEPT)
    dist_outbox_rejected_hot = fields.Integer("Events rejected: in the table", help=HOT)
    dist_outbox_rejected_kept = fields.Integer("Events rejected: deleted", help=KEPT)
    dist_outbox_cancelled_hot = fields.Integer("Events cancelled: in the table", help=HOT)
    dist_outbox_cancelled_kept = fields.Integer("Events cancelled: deleted", help=KEPT)
    dist_seen_days = fields.Integer(
        "Received events remembered",
        help="For so many days the id of an event that was received is known: told again, it is not taken in twice.",
    )

    @api.model
    def _dist_kept(self) -> Iterator[tuple[archive.Kind, str, str, str]]:
        """(kind, state, field of the days in the table, field of all days)."""
        for kind in archive.KINDS:
            for state in kind.states:
                yield kind, state, f"dist_{kind.name}_{state}_hot", f"dist_{kind.name}_{state}_kept"

    @api.model
    def get_values(self) -> dict:
        """What holds now, wherever it comes from."""
        values = super().get_values()
        self.env["ir.config_parameter"].flush_model()
        given = archive.parameters(self.env.cr)
        for kind, state, hot, kept in self._dist_kept():
            values[hot], values[kept] = archive.days_of(kind, state, given)
        seen = parameters.number(self.env, SEEN_RETENTION_PARAMETER, SEEN_RETENTION_DAYS)
        values["dist_seen_days"] = max(LONGEST_REDELIVERY_DAYS, seen)
        return values

    def set_values(self) -> None:
        """Only what was changed becomes a parameter, only by those who see it."""
        super().set_values()
        self._dist_check()
        set_param = self.env["ir.config_parameter"].set_param
        for what in ("retention", "hot"):  # in this order, as days in the table are never more than all days
            holds = self.get_values()
            for kind, state, hot, kept in self._dist_kept():
                name = hot if what == "hot" else kept
                if self[name] != holds[name]:
                    set_param(f"{archive.PREFIX}{kind.name}_{what}_days_{state}", str(self[name]))
        if self.dist_seen_days != holds["dist_seen_days"]:
            set_param(SEEN_RETENTION_PARAMETER, str(self.dist_seen_days))

    def _dist_check(self) -> None:
        """What was changed has limits; a parameter that was set elsewhere keeps nobody from saving other settings.

        :raises ValidationError: naming the setting and its limits
        """
        holds = self.get_values()
        for _kind, _state, hot, kept in self._dist_kept():
            if self[hot] != holds[hot]:
                self._dist_between(hot, 1, MOST_DAYS)
            if (self[hot], self[kept]) != (holds[hot], holds[kept]):
                self._dist_between(kept, self[hot], MOST_DAYS)
        if self.dist_seen_days != holds["dist_seen_days"]:
            self._dist_between("dist_seen_days", LONGEST_REDELIVERY_DAYS, MOST_DAYS)

    def _dist_between(self, name: str, least: int, most: int) -> None:
        if least <= self[name] <= most:
            return
        label = self._fields[name]._description_string(self.env)
        raise ValidationError(
            self.env._(
                "%(setting)s after %(days)s days: that has to be between %(least)s and %(most)s days.",
                setting=label,
                days=self[name],
                least=least,
                most=most,
            )
        )
