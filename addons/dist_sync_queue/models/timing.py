# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What schedules of jobs and of connections have in common: an interval or a cron expression, checked, put in words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import format_datetime

from odoo.addons.base.models.res_partner import _tz_get

from ..engine.timing import BadTiming, Timing, parse
from ..engine.wording import say_cron, say_interval

PREVIEWED = 3
"""How many coming runs a form shows."""


class DistTiming(models.AbstractModel):
    """Timing of a schedule. A model that inherits it says what its interval is (:meth:`_interval`)."""

    _name = "dist.timing"
    _description = "Timing of a Schedule"

    timing = fields.Selection(
        [("interval", "At an interval"), ("cron", "At certain times")],
        string="Repeats",
        default="interval",
        help="An interval counts from the last planned run; certain times are given as a cron expression.",
    )
    cron = fields.Char(
        "Cron Expression",
        help="Minute, hour, day of the month (L: the last), month, day of the week. "
        "'30 2 * * 1-5' is 02:30 on workdays.",
    )
    tz = fields.Selection(
        _tz_get,
        string="Time Zone",
        default=lambda self: self._default_tz(),
        help="Of the cron expression. Where the clock is changed, a missing time runs one hour later by that clock, "
        "and a time that comes twice runs the first time.",
    )
    jitter_seconds = fields.Integer(
        "Spread Over (seconds)",
        help="Each schedule is put off by its own part of this time: many of the same time do not start at once.",
    )
    timing_text = fields.Char("Timing", compute="_compute_timing_text")
    preview = fields.Text("Next Runs", compute="_compute_preview")

    _jitter_positive = models.Constraint("CHECK (jitter_seconds >= 0)", "The spread is a number of seconds.")

    @api.model
    def _default_tz(self) -> str:
        return self.env.company.partner_id.tz or self.env.user.tz or "UTC"

    def _interval(self) -> int:
        """Seconds between two runs where no cron expression decides."""
        raise NotImplementedError

    def _jitter_name(self) -> str:
        """What the part of the jitter depends on."""
        raise NotImplementedError

    def _timing(self) -> Timing:
        """The timing as the engine sees it."""
        raise NotImplementedError

    def _is_cron(self) -> bool:
        return self.timing == "cron"

    @api.constrains("timing", "cron", "tz")
    def _check_cron(self) -> None:
        for schedule in self.filtered(lambda s: s._is_cron()):
            try:
                parse(schedule.cron or "")
            except BadTiming as error:
                raise ValidationError(str(error)) from None

    @api.depends("timing", "cron", "tz")
    def _compute_timing_text(self) -> None:
        for schedule in self:
            if not schedule._is_cron():
                seconds = schedule._interval()
                schedule.timing_text = say_interval(seconds, self.env._) if seconds > 0 else False
            else:
                text = say_cron(schedule.cron or "", self.env._)
                schedule.timing_text = f"{text} ({schedule.tz})" if schedule.tz and schedule.tz != "UTC" else text

    @api.depends("timing", "cron", "tz", "jitter_seconds")
    def _compute_preview(self) -> None:
        for schedule in self:
            schedule.preview = schedule._preview(fields.Datetime.now())

    def _preview(self, now: datetime) -> str | bool:
        """The coming runs in the schedule's time zone, or what is wrong with the expression."""
        if not self._is_cron() or not self.cron:
            return False
        try:
            coming = self._timing().following(now, PREVIEWED)
        except BadTiming as error:
            return str(error)
        return "\n".join(
            format_datetime(self.env, moment, tz=self.tz or "UTC", dt_format="EEE d MMM y HH:mm:ss")
            for moment in coming
        )


def notification(env: Any, message: str, kind: str = "success", then: dict[str, Any] | None = None) -> dict[str, Any]:
    """A short message beside the screen, which is read anew. ``kind``: success, info, warning, danger."""
    return {
        "type": "ir.actions.client",
        "tag": "display_notification",
        "params": {
            "type": kind,
            "message": message,
            "next": then or {"type": "ir.actions.client", "tag": "soft_reload"},
        },
    }
