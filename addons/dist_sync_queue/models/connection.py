# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""One configured account at one outside system."""

from __future__ import annotations

import uuid
from typing import Any

from jsonschema import Draft202012Validator

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..api import Item, job, on_outcome

CHECK_EVENT = "connection.check.v1"
CONFIG_FIELDS = frozenset({"name", "adapter_id", "settings", "sealed_credentials", "max_in_flight", "state", "active"})
"""Fields the relay reads; a change of one makes it read the connection again."""
MENDED_BY = frozenset({"settings", "sealed_credentials"})
"""Fields whose change may mend what the channel refused."""
WAITS_FOR_PEOPLE = ("credentials", "settings", "account_blocked", "paused")
"""Outcome codes of events that wait until somebody has mended something."""


def schema_errors(schema: dict[str, Any], value: Any) -> list[tuple[str, str]]:
    """What is wrong with ``value``, as (title of the field, message); sorted by field.

    >>> schema_errors({"type": "object", "required": ["shop"]}, {})
    [('shop', "'shop' is a required property")]
    """
    found = []
    for error in Draft202012Validator(schema).iter_errors(value):
        path = [str(part) for part in error.absolute_path]
        if error.validator == "required":
            path += [name for name in error.validator_value if name not in error.instance][:1]
        title = (schema.get("properties", {}).get(path[0], {}).get("title") if path else None) or ".".join(path)
        found.append((title, error.message))
    return sorted(found)


class DistConnection(models.Model):
    """A connection: adapter, settings, sealed credentials, schedules.

    State machine::

        draft ──activate──> active ──pause──> paused ──resume──> active
        active, paused ──back to draft──> draft

    A draft only checks itself, a paused connection sends and asks nothing; what it should send waits in the outbox.
    """

    _name = "dist.connection"
    _description = "Connection"
    _inherit = ["dist.state.machine", "mail.thread"]
    _order = "sequence, name, id"
    _check_company_auto = True

    _dist_moves = {"active": {"draft", "paused"}, "paused": {"active"}, "draft": {"active", "paused"}}

    name = fields.Char(required=True, tracking=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True, tracking=True)
    ref = fields.Char(
        string="Reference", required=True, readonly=True, copy=False, default=lambda _s: str(uuid.uuid4())
    )
    adapter_id = fields.Many2one("dist.adapter", required=True, ondelete="restrict", tracking=True, index=True)
    adapter_code = fields.Char(related="adapter_id.code")
    adapter_kind = fields.Selection(related="adapter_id.kind", store=True)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True)
    user_id = fields.Many2one(
        "res.users", string="Responsible", default=lambda self: self.env.user, tracking=True, check_company=True
    )
    state = fields.Selection(
        [("draft", "Draft"), ("active", "Active"), ("paused", "Paused")],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        tracking=True,
    )
    settings = fields.Json()
    settings_schema = fields.Json(compute="_compute_schemas")
    credentials_schema = fields.Json(compute="_compute_schemas")
    config_version = fields.Integer(default=1, readonly=True, copy=False)
    max_in_flight = fields.Integer(
        default=500,
        required=True,
        tracking=True,
        help="Events under way at once; the rest waits in the outbox, where it can be cancelled.",
    )
    job_capacity = fields.Integer(
        default=0,
        aggregator=None,
        tracking=True,
        help="How many worker processes may run jobs of this connection at the same time; 0: any number.",
    )
    schedule_ids = fields.One2many("dist.connection.schedule", "connection_id")
    check_state = fields.Selection(
        [("running", "Running"), ("ok", "Passed"), ("failed", "Failed")], readonly=True, copy=False
    )
    check_result = fields.Json(readonly=True, copy=False)
    check_message = fields.Text(readonly=True, copy=False)
    check_at = fields.Datetime(string="Checked", readonly=True, copy=False)
    check_version = fields.Integer(readonly=True, copy=False, help="Version of the configuration that was checked.")

    _ref_unique = models.UniqueIndex("(ref)")
    _max_in_flight_positive = models.Constraint(
        "CHECK (max_in_flight > 0)", "At least one event must be allowed at once."
    )

    _job_capacity_positive = models.Constraint(
        "CHECK (job_capacity >= 0)", "A capacity is a number of processes, 0 for any."
    )

    @api.depends("adapter_id")
    def _compute_schemas(self) -> None:
        for connection in self:
            adapter = connection.adapter_id.sudo()
            connection.settings_schema = adapter.schema("settings_schema") if adapter else False
            connection.credentials_schema = adapter.schema("credentials_schema") if adapter else False

    @api.constrains("settings", "adapter_id")
    def _check_settings(self) -> None:
        for connection in self.filtered(lambda c: c.settings):
            connection._raise_settings_errors()

    def _raise_settings_errors(self) -> None:
        errors = schema_errors(self.adapter_id.sudo().schema("settings_schema"), self.settings or {})
        if errors:
            raise ValidationError(
                self.env._("Settings of %s:", self.name)
                + "".join(f"\n- {field}: {message}" if field else f"\n- {message}" for field, message in errors)
            )

    @api.constrains("company_id")
    def _check_company_unchanged(self) -> None:
        events = self.env["dist.outbox.event"].sudo()
        for connection in self:
            if events.search_count(
                [("connection_id", "=", connection.id), ("company_id", "!=", connection.company_id.id)], limit=1
            ):
                raise ValidationError(self.env._("%s has events already; its company cannot change.", connection.name))

    @api.constrains("active")
    def _check_archive(self) -> None:
        if any(not connection.active and connection.state == "active" for connection in self):
            raise ValidationError(self.env._("Pause a connection before archiving it."))

    def write(self, vals: dict[str, Any]) -> bool:
        if "ref" in vals or "config_version" in vals:
            raise UserError(self.env._("The reference and the version of a connection are given by the system."))
        res = super().write(vals)
        if CONFIG_FIELDS & vals.keys():
            for connection in self.sudo():
                super(DistConnection, connection).write({"config_version": connection.config_version + 1})
        if MENDED_BY & vals.keys():
            self._go_on()
        return res

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self) -> None:
        if self.filtered(lambda c: c.state == "active"):
            raise UserError(self.env._("Pause a connection before deleting it."))
        unsettled = ("pending", "published", "unknown")
        if (
            self.env["dist.outbox.event"]
            .sudo()
            .search_count([("connection_id", "in", self.ids), ("state", "in", unsettled)], limit=1)
        ):
            raise UserError(self.env._("Events of this connection are still on their way; cancel them or archive it."))

    @api.ondelete(at_uninstall=False)
    def _unlink_marks(self) -> None:
        """Marks have no foreign key; the engine drops those of transactions that commit after this one."""
        self.env.cr.execute("DELETE FROM dist_dirty_mark WHERE connection_id = ANY(%s)", (list(self.ids),))
        self.env.cr.execute("DELETE FROM dist_mark_crash WHERE connection_id = ANY(%s)", (list(self.ids),))

    # -- what buttons call ---------------------------------------------------------------------------------------------
    def action_activate(self) -> bool:
        """Start sending and asking; only with valid settings and a passed test of the present configuration."""
        for connection in self:
            connection._raise_settings_errors()
            if connection.state == "draft" and not connection._is_checked():
                raise UserError(
                    self.env._("Test %s first: it is activated when the test has passed.", connection.display_name)
                )
        self._activate()
        return True

    def _activate(self) -> None:
        """Activate without asking for a passed test (demo data, presets)."""
        self._move("active")
        self.env["dist.connection.schedule"].sudo().ensure_for(self)
        self._go_on()

    def _is_checked(self) -> bool:
        return self.check_state == "ok" and self.check_version == self.config_version

    def action_pause(self) -> bool:
        """Stop sending and asking; what is under way ends, the rest waits."""
        self._move("paused")
        return True

    def action_resume(self) -> bool:
        """Go on after a pause."""
        if any(connection.state != "paused" for connection in self):
            raise UserError(self.env._("Only a paused connection can be resumed."))
        self._activate()
        return True

    def action_draft(self) -> bool:
        """Back to draft, to change and test the configuration without sending anything else."""
        self._move("draft")
        return True

    def action_pull_now(self) -> dict[str, Any]:
        """Ask the outside now instead of at the next due time."""
        return self.schedule_ids.action_pull_now()

    def action_test_connection(self) -> bool:
        """Have the relay try settings and credentials; the answer arrives in ``check_result``."""
        for connection in self:
            connection.check_access("write")
            if connection.state == "paused" or not connection.active:
                raise UserError(self.env._("%s is paused; resume it or set it back to draft.", connection.display_name))
            connection._raise_settings_errors()
            connection._require_credentials()
            run = str(uuid.uuid4())
            self.env["dist.outbox.event"].emit(
                connection, CHECK_EVENT, key=run, payload={}, fact=(run,), record=connection, priority=0, report=True
            )
            connection.sudo().write(
                {"check_state": "running", "check_message": False, "check_version": connection.config_version}
            )
        return True

    @api.model
    @on_outcome(CHECK_EVENT)
    def _on_connection_checked(self, items: list[Item]) -> None:
        for item in items:
            outcome = item.payload.get("outcome") or {}
            passed = outcome.get("verdict") == "delivered"
            item.connection.write(
                {
                    "check_state": "ok" if passed else "failed",
                    "check_result": outcome.get("data") or False if passed else False,
                    "check_message": False if passed else (outcome.get("message") or outcome.get("code") or "?"),
                    "check_at": fields.Datetime.now(),
                }
            )
            if passed:
                item.connection._go_on()

    def _go_on(self) -> None:
        """Try again now what waits for credentials, a permission or a setting, instead of when its pause is over."""
        self.schedule_ids.sudo().filtered(lambda s: not s._is_cron() or s.last_result != "ok")._ask()
        self.env["dist.outbox.event"].sudo()._try_now(self, WAITS_FOR_PEOPLE)
        self._ring()

    @job(batch=50)
    def _report(self) -> None:
        """Open the problem of refused credentials, or close it when no event waits for them; queued by the intake."""
        exceptions = self.env["dist.exception"]
        for connection in self:
            waiting = self.env["dist.outbox.event"].search(
                [
                    ("connection_id", "=", connection.id),
                    ("state", "=", "pending"),
                    ("outcome_code", "=", "credentials"),
                ],
                order="id desc",
                limit=1,
            )
            if not waiting:
                exceptions.settle("connection.credentials", connection, connection)
                continue
            exceptions.report(
                "connection.credentials",
                connection,
                self.env._("%s: the channel refuses our credentials", connection.name),
                cause=f"{waiting.type} {waiting.key}: {waiting.outcome_message}",
                fix=self.env._(
                    "Enter new credentials or give the permission, then test the connection; what waits goes on then."
                ),
                connection=connection,
            )

    def _ring(self) -> None:
        from ..doorbell import ring

        ring(self.env.cr, "dist_outbox")
