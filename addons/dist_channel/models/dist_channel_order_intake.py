# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timezone

from pydantic import ValidationError as ContractError

from odoo import api, models

from odoo.addons.dist_sync_queue.api import Permanent, on_event

from dist_contracts import Order, explain

from ..logic import amounts, snapshot
from ..logic.problems import is_cancelled
from .dist_channel_mapping import external_key


def naive(moment: datetime | None):
    """Naive UTC without fractions, as Odoo keeps times."""
    return moment and moment.astimezone(timezone.utc).replace(tzinfo=None, microsecond=0)


class DistChannelOrder(models.Model):
    """Taking snapshots in: read, compare, keep. What they mean is decided in ``_process``."""

    _inherit = "dist.channel.order"

    @api.model
    @on_event("order.received.v1", batch=50, lane="orders", max_attempts=8, budget=2.0)
    def _on_order_received(self, items):
        """Keep the newest snapshot of each order and act on those that changed.

        A repeated or older snapshot changes nothing. The payload of an order nobody can read is a dead letter; the
        engine takes it out of the batch.
        """
        channels = self.env["dist.channel"]._by_connection(
            self.env["dist.connection"].browse({item.connection.id for item in items})
        )
        newest = {}
        for item in items:
            channel = channels.get(item.connection)
            if channel is None:
                raise Permanent(
                    self.env._(
                        "Connection %s is no sales channel. Make one of it and replay.", item.connection.display_name
                    )
                )
            order, unknown = self._read(item.payload)
            known = newest.get((channel, order.external_id))
            if known is None or known[0].updated_at <= order.updated_at:
                newest[channel, order.external_id] = (order, unknown, item)
        changed, snapshots = self._keep(newest)
        changed._process(snapshots)

    @api.model
    def _read(self, payload) -> tuple[Order, tuple[str, ...]]:
        try:
            return Order.read(payload)
        except ContractError as error:
            raise Permanent(self.env._("The order does not fit its contract: %s", explain(error))) from error

    @api.model
    def _keep(self, newest: dict):
        """Store snapshots that are new. :return: the orders they belong to, and {order id: snapshot}"""
        domain = [
            ("channel_id", "in", list({channel.id for channel, _id in newest})),
            ("external_id", "in", [external_id for _channel, external_id in newest]),
        ]
        stored = {(order.channel_id, order.external_id): order for order in self.search(domain)}
        fresh = {}
        for key, (order, unknown, item) in newest.items():
            record = stored.get(key)
            if record and (record.updated_at > naive(order.updated_at) or record.digest == snapshot.digest(order)):
                continue
            fresh[key] = (order, unknown, item)
        mappings = self._map_listings(fresh)
        vals_list, changed = [], self.browse()
        for (channel, external_id), (order, unknown, item) in fresh.items():
            vals = self._snapshot_vals(channel, order, unknown)
            record = stored.get((channel, external_id))
            if record:
                vals["revision"] = record.revision + 1
                vals["line_ids"] = record._line_commands(order, mappings)
                self._note_sales(record, order, mappings)
                record.write(vals)
                changed |= record
                continue
            vals["line_ids"] = self.browse()._line_commands(order, mappings, channel)
            vals["correlation_id"] = item.correlation_id
            vals_list.append(vals)
        created = self.create(vals_list)
        changed |= created
        snapshots = {o.id: fresh[o.channel_id, o.external_id][0] for o in changed}
        self._note_first_sales(created, snapshots)
        return changed, snapshots

    @api.model
    def _map_listings(self, fresh: dict) -> dict:
        wanted = defaultdict(list)
        for (channel, _id), (order, _unknown, _item) in fresh.items():
            wanted[channel] += [line.listing for line in order.lines]
        return self.env["dist.channel.mapping"]._find_or_create(wanted) if wanted else {}

    @api.model
    def _snapshot_vals(self, channel, order: Order, unknown: tuple[str, ...]) -> dict:
        side = channel._side
        code = amounts.currency(order, side)
        currency = channel._currency()
        if currency.name != code:
            currency = self.env["res.currency"].with_context(active_test=False).search([("name", "=", code)], limit=1)

        def total(name: str) -> float:
            return float(amounts.amount(getattr(order.totals, name), side))

        fees = [*order.fees, *(fee for line in order.lines for fee in line.fees)]
        gifts = [gift for gift in (order.gift, *(line.gift for line in order.lines)) if gift]
        return {
            "name": order.number,
            "channel_id": channel.id,
            "external_id": order.external_id,
            "warehouse_id": channel._warehouse_of(
                next((ln.location_id for ln in order.lines if ln.location_id), None)
            ).id,
            "channel_status": order.status.value,
            "payment_status": order.payment_status.value,
            "placed_at": naive(order.placed_at),
            "updated_at": naive(order.updated_at),
            "ship_by": naive(order.requested_ship_by),
            "deliver_by": naive(order.requested_deliver_by),
            "currency_id": currency.id,
            "amount_total": total("total"),
            "amount_tax": total("tax"),
            "amount_shipping": total("shipping"),
            "amount_discount": total("discount"),
            "amount_facilitated": float(amounts.facilitated_tax(order, side)),
            "amount_fees": float(sum(amounts.amount(fee.amount, side) for fee in fees)),
            "buyer_name": (order.buyer and order.buyer.name) or (order.ship_to and order.ship_to.name),
            "gift_message": "\n".join(gift.message for gift in gifts if gift.message),
            "note": order.note,
            "is_test": order.test,
            "cancel_requested": bool(order.cancellation and order.cancellation.requested),
            "payload": order.to_json(),
            "unknown_fields": ", ".join(unknown)[:1000],
            "digest": snapshot.digest(order),
            "commercial_digest": snapshot.commercial_digest(order),
        }

    def _line_commands(self, order: Order, mappings: dict, channel=None) -> list:
        """One2many commands that bring the kept lines to the snapshot; a line that is gone stands at zero."""
        channel = channel or self.channel_id
        known = {line.external_id: line for line in self.line_ids}
        side, commands, seen = channel._side, [], set()
        for line in order.lines:
            seen.add(line.external_id)
            mapping = mappings[channel.id, external_key(line.listing)]
            vals = {
                "mapping_id": mapping.id,
                "sku": line.listing.sku or False,
                "name": line.title or line.listing.sku or line.external_id,
                "quantity": float(line.quantity),
                "ordered_quantity": float(line.ordered_quantity),
                "unit_price": float(amounts.amount(line.unit_price, side)),
                "amount_discount": float(sum(amounts.amount(part.amount, side) for part in line.discounts)),
                "amount_tax": float(sum(amounts.amount(part.amount, side) for part in line.taxes)),
                "requires_shipping": line.requires_shipping,
                "location_ref": line.location_id or False,
            }
            record = known.get(line.external_id)
            if record is None:
                commands.append((0, 0, {"external_id": line.external_id, **vals}))
            elif changed := {
                name: value
                for name, value in vals.items()
                if (record[name].id if name == "mapping_id" else record[name]) != value
            }:
                commands.append((1, record.id, changed))
        commands += [
            (1, line.id, {"quantity": 0.0}) for key, line in known.items() if key not in seen and line.quantity
        ]
        return commands

    # -- what the channel subtracted from its stock ---------------------------------------------------------------

    @api.model
    def _note_first_sales(self, orders, snapshots: dict) -> None:
        """The channel subtracted these orders from what it shows."""
        rows = [
            {
                "mapping_id": line.mapping_id.id,
                "company_id": order.company_id.id,
                "location_ref": line.location_ref,
                "quantity": line.quantity if standing else 0.0,
                "placed_at": order.placed_at,
            }
            for order, standing in ((order, not is_cancelled(snapshots[order.id])) for order in orders)
            for line in order.line_ids
            if line.mapping_id.state == "matched"
        ]
        self._note(rows)

    @api.model
    def _note_sales(self, record, order: Order, mappings: dict) -> None:
        """A later snapshot: whether the channel put goods back or took more is not told, only that it may have."""
        now = {line.external_id: float(line.quantity) for line in order.lines}
        if is_cancelled(order):
            now = {}
        lines = record.line_ids.filtered(lambda ln: ln.quantity != now.get(ln.external_id, 0.0))
        rows = [
            {
                "mapping_id": mapping.id,
                "company_id": record.company_id.id,
                "quantity": 0.0,
                "placed_at": naive(order.updated_at),
            }
            for mapping in lines.mapping_id | self._added(record, order, mappings)
            if mapping.state == "matched"
        ]
        self._note(rows)

    @api.model
    def _added(self, record, order: Order, mappings: dict):
        known = set(record.line_ids.mapped("external_id"))
        found = self.env["dist.channel.mapping"]
        for line in order.lines:
            if line.external_id not in known:
                found |= mappings[record.channel_id.id, external_key(line.listing)]
        return found

    @api.model
    def _note(self, rows: list[dict]) -> None:
        if rows:
            self.env["dist.offer.sale"].create(rows)
            mapping_ids = list({row["mapping_id"] for row in rows})
            self.env["dist.availability"]._mark_mappings(self.env["dist.channel.mapping"].browse(mapping_ids))

    def _snapshot(self) -> Order:
        """The contract object of the kept snapshot."""
        self.ensure_one()
        return Order.read(self.payload)[0]
