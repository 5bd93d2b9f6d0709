# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The one inbox of what needs attention: a business problem with an owner, a cause, a deadline and a fix."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

MAX_TEXT = 4_000


class DistException(models.Model):
    """One problem. Open → done (settled, or by hand) | ignored (with a reason); both can be opened again."""

    _name = "dist.exception"
    _description = "Needs Attention"
    _inherit = ["dist.state.machine", "mail.thread", "mail.activity.mixin"]
    _order = "state desc, deadline, id desc"
    _mail_post_access = "read"

    _dist_moves = {"done": {"open"}, "ignored": {"open"}, "open": {"done", "ignored"}}

    name = fields.Char(string="Problem", required=True, readonly=True)
    kind = fields.Char(required=True, readonly=True, index=True)
    cause = fields.Text(readonly=True)
    fix = fields.Text(string="What to Do", readonly=True)
    res_model = fields.Char(readonly=True)
    res_id = fields.Many2oneReference(model_field="res_model", readonly=True)
    record_name = fields.Char(string="Record", compute="_compute_record_name")
    event_id = fields.Char(readonly=True, help="The outbox event that failed.")
    connection_id = fields.Many2one("dist.connection", readonly=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, index=True, default=lambda s: s.env.company
    )
    user_id = fields.Many2one("res.users", string="Owner", tracking=True, index=True)
    deadline = fields.Datetime(tracking=True)
    state = fields.Selection(
        [("open", "Open"), ("done", "Done"), ("ignored", "Ignored")],
        required=True,
        readonly=True,
        default="open",
        tracking=True,
    )
    ignore_reason = fields.Char(tracking=True)
    occurrences = fields.Integer(readonly=True, default=1, aggregator=None)
    first_at = fields.Datetime(readonly=True, default=fields.Datetime.now)
    last_at = fields.Datetime(readonly=True, default=fields.Datetime.now)
    closed_at = fields.Datetime(readonly=True)
    correlation_id = fields.Char(string="Journey", readonly=True)
    can_retry = fields.Boolean(compute="_compute_can_retry")

    _one_open = models.UniqueIndex(
        "(kind, COALESCE(res_model, ''), COALESCE(res_id, 0), COALESCE(connection_id, 0)) WHERE state = 'open'"
    )
    _open_by_record = models.Index("(res_model, res_id) WHERE state = 'open'")
    _open_by_connection = models.Index("(connection_id) WHERE state = 'open'")

    @api.depends("res_model", "res_id")
    def _compute_record_name(self) -> None:
        """With the system's rights: who may see a problem may see what it is about, by name."""
        for model, exceptions in self.grouped("res_model").items():
            known = model and model in self.env
            records = self.env[model].sudo().browse(filter(None, exceptions.mapped("res_id"))).exists() if known else ()
            names = {record.id: record.display_name for record in records}
            for exception in exceptions:
                exception.record_name = names.get(exception.res_id, False)

    @api.depends("state", "event_id", "res_model")
    def _compute_can_retry(self) -> None:
        for exception in self:
            exception.can_retry = exception.state == "open" and (
                bool(exception.event_id) or hasattr(self.env.get(exception.res_model), "_dist_retry_exception")
            )

    def _record(self) -> models.Model | None:
        """The record this is about, where it still exists."""
        self.ensure_one()
        if self.res_model and self.res_model in self.env and self.res_id:
            return self.env[self.res_model].browse(self.res_id).exists() or None
        return None

    # -- what code calls -----------------------------------------------------------------------------------------------
    @api.model
    @api.private
    def report(
        self,
        kind: str,
        record: models.Model | None,
        name: str,
        *,
        cause: str = "",
        fix: str = "",
        connection: models.Model | None = None,
        deadline: datetime | None = None,
        user: models.Model | None = None,
        event_id: str | None = None,
    ) -> DistException:
        """Open an exception, or refresh the open one of the same (kind, record, connection).

        Reported twice at the same moment, one transaction is retried; there is never a second open one.
        """
        values = {
            "name": (name or kind)[:MAX_TEXT],
            "cause": (cause or "")[:MAX_TEXT] or None,
            "fix": (fix or "")[:MAX_TEXT] or None,
            "deadline": deadline or None,
            "event_id": event_id,
            "correlation_id": self.env.context.get("dist_correlation_id") or None,
        }
        exception = self.sudo()._insert_open(kind, record, connection, user, values)
        if not exception:
            exception = self.sudo().search(self._open_domain(kind, record, connection), limit=1)
            kept = {name: value for name, value in values.items() if value or name in ("cause", "fix")}
            exception.write({**kept, "occurrences": exception.occurrences + 1, "last_at": fields.Datetime.now()})
        return exception.with_env(self.env)

    @api.model
    def _open_domain(self, kind: str, records: models.Model | None, connection: models.Model | None) -> list:
        return [
            ("kind", "=", kind),
            ("res_model", "=", records._name if records else False),
            ("res_id", "in", records.ids if records else [False]),
            ("connection_id", "=", connection.id if connection else False),
            ("state", "=", "open"),
        ]

    def _insert_open(
        self,
        kind: str,
        record: models.Model | None,
        connection: models.Model | None,
        user: models.Model | None,
        values: dict[str, Any],
    ) -> DistException:
        connection = connection.sudo() if connection else self.env["dist.connection"].sudo()
        company = connection.company_id or (record and "company_id" in record._fields and record.sudo().company_id)
        now = fields.Datetime.now()
        row = {
            **values,
            "kind": kind,
            "res_model": record._name if record else None,
            "res_id": record.id if record else None,
            "connection_id": connection.id or None,
            "company_id": (company or self.env.company).id,
            "user_id": (user or connection.user_id).id or None,
            "state": "open",
            "occurrences": 1,
            "first_at": now,
            "last_at": now,
            "create_uid": self.env.uid,
            "create_date": now,
            "write_uid": self.env.uid,
            "write_date": now,
        }
        self.flush_model()
        self.env.cr.execute(
            SQL(
                "INSERT INTO dist_exception (%s) VALUES %s ON CONFLICT DO NOTHING RETURNING id",
                SQL(", ").join(map(SQL.identifier, row)),
                tuple(row.values()),
            )
        )
        found = self.env.cr.fetchone()
        return self.browse(found) if found else self.browse()

    @api.model
    @api.private
    def settle(self, kind: str, records: models.Model | None, connection: models.Model | None = None) -> DistException:
        """Close the open exceptions of ``kind`` about ``records`` (of one connection, where given): the cause is gone.

        :param records: None: about no record; none, of whatever model: nothing is closed
        """
        if records is not None and not records:
            return self.browse()
        domain = self._open_domain(kind, records, connection)
        if not connection:
            domain = [leaf for leaf in domain if leaf[0] != "connection_id"]
        exceptions = self.sudo().search(domain)
        exceptions._move("done", closed_at=fields.Datetime.now())
        return exceptions.with_env(self.env)

    # -- what buttons call ---------------------------------------------------------------------------------------------
    def action_fix(self) -> dict[str, Any]:
        """Open the record where the cause can be put right."""
        self.ensure_one()
        record = self._record()
        if not record:
            raise UserError(self.env._("The record of this problem does not exist any more; close the problem."))
        record.check_access("read")
        if hasattr(record, "_dist_fix_action"):
            return record._dist_fix_action(self.kind)
        return {"type": "ir.actions.act_window", "res_model": record._name, "res_id": record.id, "view_mode": "form"}

    def action_retry(self) -> bool:
        """Try again what failed; the problem closes itself when that succeeds."""
        self.check_access("write")
        for exception in self:
            if exception.state != "open":
                raise UserError(self.env._("%s is closed.", exception.display_name))
            event = self.env["dist.outbox.event"].sudo().search([("event_id", "=", exception.event_id or "-")])
            if event.state in ("dead", "rejected"):
                event._replay()
                continue
            record = exception._record()
            if record is None or not hasattr(record, "_dist_retry_exception"):
                raise UserError(self.env._("%s cannot be retried from here; open its record.", exception.display_name))
            record.check_access("read")
            record._dist_retry_exception(exception.kind)
        return True

    def action_ignore(self, reason: str | None = None) -> bool:
        """Close without a fix; a reason is required, from the argument or the field."""
        self.check_access("write")
        for exception in self:
            why = (reason or exception.ignore_reason or "").strip()
            if not why:
                raise UserError(self.env._("Say why %s is ignored.", exception.display_name))
            exception._move("ignored", ignore_reason=why, closed_at=fields.Datetime.now())
        return True

    def action_done(self) -> bool:
        """Close by hand."""
        self.check_access("write")
        self._move("done", closed_at=fields.Datetime.now())
        return True

    def action_reopen(self) -> bool:
        """Open again what was closed."""
        self.check_access("write")
        self._move("open", closed_at=False, ignore_reason=False)
        return True

    def action_open_journey(self) -> dict[str, Any]:
        """Everything that happened under this correlation id."""
        self.ensure_one()
        return self.env["dist.journey.step"].open_action(self.correlation_id)
