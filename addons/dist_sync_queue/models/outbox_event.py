# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What Odoo wants the outside to know. Rows are inserted by business transactions and moved by the relay."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError as ContractError

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from dist_contracts import EVENTS, MAX_PAYLOAD_BYTES, Contract, Direction, Kind, event_id, explain, new_traceparent

from ..doorbell import ring
from ..engine.archive import restore_events
from ..fields import BigInteger
from .state_machine import is_move

STATES = [
    ("pending", "Waiting"),
    ("published", "Under Way"),
    ("unknown", "Unknown"),
    ("delivered", "Delivered"),
    ("rejected", "Rejected"),
    ("dead", "Dead"),
    ("cancelled", "Cancelled"),
]
UNSETTLED = ("pending", "published", "unknown")
MAX_ATTEMPTS = 10


class DistOutboxEvent(models.Model):
    """One outgoing event.

    State machine (moves marked * are made by SQL functions of schema ``dist_relay``)::

        pending ──claim*──> published ──outcome*──> delivered | rejected | dead | unknown
        published ──retry, snooze*──> pending          published ──lease over, claim*──> published (read back)
        unknown ──its time has come, claim*──> published (read back)
        pending, unknown, dead ──cancel──> cancelled   dead, rejected ──replay──> pending (same event id)

    Facts: first in, first out per connection and key; a dead one holds back its key until replayed or cancelled.
    States: only the newest version of a key is sent; older ones are cancelled.
    ``publication`` numbers the times a row was published: an answer to an earlier publication changes nothing.
    """

    _name = "dist.outbox.event"
    _description = "Outbox Event"
    _inherit = ["dist.state.machine"]
    _order = "id desc"
    _rec_name = "type"
    _log_access = False

    event_id = fields.Char(required=True, readonly=True)
    type = fields.Char(required=True, readonly=True)
    kind = fields.Selection([("fact", "Fact"), ("state", "State")], required=True, readonly=True)
    connection_id = fields.Many2one("dist.connection", required=True, readonly=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    key = fields.Char(required=True, readonly=True)
    priority = fields.Integer(required=True, readonly=True, default=5, aggregator=None)
    payload = fields.Json(readonly=True)
    version = BigInteger(readonly=True, aggregator=None)
    state = fields.Selection(STATES, required=True, readonly=True, default="pending")
    correlation_id = fields.Char(string="Journey", readonly=True)
    occurred_at = fields.Datetime(required=True, readonly=True)
    deadline = fields.Datetime(readonly=True)
    attempts = fields.Integer("Failed Attempts", readonly=True, default=0, aggregator=None)
    max_attempts = fields.Integer(readonly=True, default=MAX_ATTEMPTS, aggregator=None)
    publication = fields.Integer(readonly=True, default=0, aggregator=None)
    lapses = fields.Integer(readonly=True, default=0, aggregator=None, help="Publications nobody answered in time.")
    read_back = fields.Boolean(readonly=True, help="An earlier attempt may have acted: it is looked up first.")
    next_try_at = fields.Datetime(string="Next Try", readonly=True)
    relay_seq = BigInteger(readonly=True, aggregator=None)
    published_at = fields.Datetime(readonly=True)
    lease_until = fields.Datetime(readonly=True)
    settled_at = fields.Datetime(readonly=True)
    outcome_code = fields.Char(readonly=True)
    outcome_message = fields.Text(readonly=True)
    outcome_data = fields.Json(readonly=True)
    report = fields.Boolean(readonly=True)
    res_model = fields.Char(readonly=True)
    res_id = fields.Many2oneReference(model_field="res_model", readonly=True, index=False)

    _dist_moves = {"pending": {"dead", "rejected"}, "cancelled": {"pending", "unknown", "dead"}}

    _event_id_unique = models.UniqueIndex("(event_id)")

    # -- emitting ------------------------------------------------------------------------------------------------------
    @api.model
    @api.private
    def emit(
        self,
        connection: models.Model,
        event_type: str,
        *,
        key: str,
        payload: Contract | Mapping[str, Any],
        fact: Iterable[Any] = (),
        record: models.Model | None = None,
        priority: int = 5,
        report: bool = False,
        correlation_id: str | None = None,
        deadline: datetime | None = None,
        version: int | None = None,
        max_attempts: int = MAX_ATTEMPTS,
    ) -> DistOutboxEvent:
        """Write one event into the outbox, in the caller's transaction; it is sent after commit.

        ``fact`` are the parts that, with connection, type and key, make this fact what it is: the same parts again are
        the same event, and the existing row is returned unchanged. ``report`` asks for an outcome job on success, too.
        The correlation id is taken from the context (``dist_correlation_id``) unless given.

        :raises ValidationError: when the payload does not fit its contract, naming event type and field
        """
        row = {
            "key": key,
            "payload": payload,
            "fact": tuple(fact),
            "record": record,
            "version": version,
        }
        return self.emit_many(
            connection,
            event_type,
            [row],
            priority=priority,
            report=report,
            correlation_id=correlation_id,
            deadline=deadline,
            max_attempts=max_attempts,
        )

    @api.model
    @api.private
    def emit_many(
        self,
        connection: models.Model,
        event_type: str,
        rows: list[dict[str, Any]],
        *,
        priority: int = 5,
        report: bool = False,
        correlation_id: str | None = None,
        deadline: datetime | None = None,
        max_attempts: int = MAX_ATTEMPTS,
    ) -> DistOutboxEvent:
        """:meth:`emit` for many events of one type with one statement.

        Each row is a dict of ``key``, ``payload`` and optionally ``fact``, ``record``, ``version``, ``correlation_id``.
        The events come back in the order of ``rows``.
        """
        connection.ensure_one()
        spec = self._dist_spec(event_type)
        if not 0 <= priority <= 9:
            raise UserError(self.env._("The priority of an event is between 0 and 9, not %s.", priority))
        database = self.env["dist.relay"].database_uuid()
        trace = correlation_id or self.env.context.get("dist_correlation_id")
        columns: list[dict[str, Any]] = []
        for row in rows:
            key, version, record = str(row["key"]), row.get("version"), row.get("record")
            self._check_row(event_type, spec, key, version)
            identity = (version,) if spec.kind is Kind.STATE else tuple(row.get("fact") or ())
            columns.append(
                {
                    "event_id": str(event_id(database, connection.ref, event_type, key, *identity)),
                    "key": key,
                    "payload": self._checked_payload(event_type, spec, row["payload"], version),
                    "version": version,
                    "correlation_id": row.get("correlation_id") or trace or new_traceparent(),
                    "res_model": record._name if record else None,
                    "res_id": record.id if record else None,
                }
            )
        common = {
            "type": event_type,
            "kind": spec.kind.value,
            "connection_id": connection.id,
            "company_id": connection.sudo().company_id.id,
            "priority": priority,
            "report": report,
            "deadline": deadline and deadline.isoformat(),
            "max_attempts": max_attempts,
        }
        events = self._insert(common, columns)
        ring(self.env.cr, "dist_outbox")
        return events

    def _dist_spec(self, event_type: str) -> Any:
        spec = EVENTS.get(event_type)
        if spec is None or spec.direction is not Direction.OUT:
            raise UserError(self.env._("%s is no event Odoo sends; see dist_contracts.EVENTS.", event_type))
        return spec

    def _check_row(self, event_type: str, spec: Any, key: str, version: int | None) -> None:
        if not key or len(key) > 255 or "\x00" in key:
            raise ValidationError(self.env._("%s: the key must have 1 to 255 characters.", event_type))
        if (spec.kind is Kind.STATE) != (version is not None):
            raise UserError(
                self.env._("%s: a version belongs to state events, and only to them.", event_type)
                if version is not None
                else self.env._("%s: a state event needs a version; mark its key dirty instead.", event_type)
            )

    def _checked_payload(
        self, event_type: str, spec: Any, payload: Contract | Mapping[str, Any], version: int | None
    ) -> dict[str, Any]:
        versioned = {"version": version} if version is not None and "version" in spec.payload.model_fields else {}
        if isinstance(payload, spec.payload):
            tree = {**payload.to_json(), **versioned}
        elif isinstance(payload, Mapping):
            try:
                tree = spec.payload.from_json({**payload, **versioned}).to_json()
            except ContractError as error:
                raise ValidationError(
                    self.env._("%(type)s does not fit its contract: %(why)s", type=event_type, why=explain(error))
                ) from error
        else:
            raise ValidationError(
                self.env._(
                    "%(type)s carries %(wanted)s, not %(given)s.",
                    type=event_type,
                    wanted=spec.payload.__name__,
                    given=type(payload).__name__,
                )
            )
        text = json.dumps(tree, ensure_ascii=False)
        if len(text.encode(errors="replace")) > MAX_PAYLOAD_BYTES:
            raise ValidationError(
                self.env._("%(type)s is larger than %(limit)s bytes.", type=event_type, limit=MAX_PAYLOAD_BYTES)
            )
        if "\\u0000" in text:
            raise ValidationError(self.env._("%s contains a character no database can hold (NUL).", event_type))
        return tree

    def _insert(self, common: dict[str, Any], columns: list[dict[str, Any]]) -> DistOutboxEvent:
        """Insert only: a fact that is there already is left alone (written concurrently: we are retried).

        One that is in the archive comes back from there, as it was: it is not sent a second time. One that is moved
        there at this moment is locked first: under REPEATABLE READ that fails, and we are retried and see the archive.
        """
        if not columns:
            return self.browse()
        wanted = [row["event_id"] for row in columns]
        rows = SQL(
            """
            WITH known AS MATERIALIZED (
                SELECT event_id FROM dist_outbox_event WHERE event_id = ANY(%s) FOR KEY SHARE)
            INSERT INTO dist_outbox_event (event_id, type, kind, connection_id, company_id, key, priority, payload,
                                           version, state, correlation_id, occurred_at, deadline, attempts,
                                           max_attempts, publication, lapses, read_back, report, res_model, res_id)
            SELECT r.event_id, c.type, c.kind, c.connection_id, c.company_id, r.key, c.priority, r.payload, r.version,
                   'pending', r.correlation_id, clock_timestamp() AT TIME ZONE 'UTC', c.deadline, 0, c.max_attempts,
                   0, 0, false, c.report, r.res_model, r.res_id
              FROM jsonb_to_record(%s::jsonb) AS c (
                       type text, kind text, connection_id int, company_id int, priority int, report bool,
                       deadline timestamp, max_attempts int),
                   ROWS FROM (jsonb_to_recordset(%s::jsonb) AS (
                       event_id text, key text, payload jsonb, version bigint, correlation_id text, res_model text,
                       res_id int)) WITH ORDINALITY
                       AS r (event_id, key, payload, version, correlation_id, res_model, res_id, position)
             WHERE c.kind = 'state' OR NOT EXISTS (SELECT 1 FROM known k WHERE k.event_id = r.event_id)
               AND NOT EXISTS (SELECT 1 FROM dist_outbox_archive a WHERE a.event_id = r.event_id)
             ORDER BY r.position
            ON CONFLICT (event_id) DO NOTHING
            """,
            wanted if common["kind"] == Kind.FACT.value else [],
            json.dumps(common),
            json.dumps(columns),
        )
        self.env.cr.execute(rows)
        ids = self._ids_of(wanted)
        if archived := [name for name in wanted if name not in ids]:
            restore_events(self.env.cr, archived)
            ids |= self._ids_of(archived)
        return self.browse([ids[name] for name in wanted])

    def _ids_of(self, event_ids: list[str]) -> dict[str, int]:
        self.env.cr.execute(SQL("SELECT event_id, id FROM dist_outbox_event WHERE event_id = ANY(%s)", event_ids))
        return dict(self.env.cr.fetchall())

    # -- what buttons call ---------------------------------------------------------------------------------------------
    def action_replay(self) -> bool:
        """Send dead or rejected events again, under the same event id."""
        self.check_access("write")
        self.sudo()._replay()
        return True

    def _replay(self) -> None:
        self.lock_for_update()
        self._move("pending", attempts=0, lapses=0, next_try_at=False, settled_at=False, deadline=False)
        self._settle_exceptions()
        ring(self.env.cr, "dist_outbox")

    def action_cancel(self) -> bool:
        """Give these events up; those held back by a dead one go on."""
        self.check_access("write")
        events = self.sudo()
        events.lock_for_update()
        events._move("cancelled", settled_at=fields.Datetime.now(), outcome_code="cancelled")
        events._settle_exceptions()
        ring(self.env.cr, "dist_outbox")
        return True

    @api.model
    @api.private
    def _try_now(self, connections: models.Model, codes: tuple[str, ...]) -> None:
        """Do not let what was put off for one of these reasons wait any longer."""
        self.flush_model()
        self.env.cr.execute(
            """UPDATE dist_outbox_event SET next_try_at = now() AT TIME ZONE 'UTC'
                WHERE connection_id = ANY (%s) AND state = 'pending' AND outcome_code = ANY (%s)
                  AND next_try_at > now() AT TIME ZONE 'UTC'""",
            (list(connections.ids), list(codes)),
        )
        self.invalidate_model(["next_try_at"])

    def write(self, vals: dict[str, Any]) -> bool:
        if not is_move(self):
            raise UserError(self.env._("An outbox event cannot be changed; replay or cancel it."))
        return super().write(vals)

    def action_open_journey(self) -> dict[str, Any]:
        """Everything that happened under this correlation id."""
        self.ensure_one()
        return self.env["dist.journey.step"].open_action(self.correlation_id)

    def action_open_record(self) -> dict[str, Any]:
        """The record this event tells about."""
        self.ensure_one()
        if not self.res_model or self.res_model not in self.env or not self.res_id:
            raise UserError(self.env._("This event belongs to no record."))
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "view_mode": "form",
        }
