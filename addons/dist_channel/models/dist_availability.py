# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from __future__ import annotations

from collections import defaultdict
from datetime import timedelta, timezone
from decimal import Decimal
from math import floor

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.dist_sync_queue.api import every, job, on_dirty, on_outcome

from dist_contracts import Availability

EVENT = "availability.changed.v1"


class DistAvailability(models.AbstractModel):
    """What may be promised on a channel, and telling the channel when that changes."""

    _name = "dist.availability"
    _description = "Channel Availability"

    # -- marking -------------------------------------------------------------------------------------------------

    @api.model
    def _mark_offers(self, offers) -> None:
        self._mark([("offer.id", offers.ids)])

    @api.model
    def _mark_mappings(self, mappings) -> None:
        self._mark([("mapping.id", mappings.ids)])

    @api.model
    def _mark_products(self, products) -> None:
        """Products changed in a way the trigger on quants does not see."""
        self._mark([("mapping.product_id", products.ids)])

    @api.model
    def _mark_channels(self, channels) -> None:
        self._mark([("channel.id", channels.ids)])

    @api.model
    def _mark(self, conditions: list[tuple[str, list[int]]]) -> None:
        """Insert the dirty marks of all keys that match, in one statement per connection."""
        wheres = [SQL("%s = ANY(%s)", SQL.identifier(*name.split(".")), ids) for name, ids in conditions if ids]
        if not wheres:
            return
        for name in ("dist.channel", "dist.channel.location", "dist.channel.mapping", "dist.offer"):
            self.env[name].flush_model()
        self.env.cr.execute(
            SQL(
                """SELECT channel.connection_id,
                          array_agg(DISTINCT COALESCE(NULLIF(mapping.inventory_ref, ''), NULLIF(mapping.sku, ''),
                                    mapping.variant_ref) || '@' || location.external_id)
                     FROM dist_channel_mapping mapping
                     JOIN dist_channel channel ON channel.id = mapping.channel_id AND channel.publish_availability
                     JOIN dist_channel_location location
                          ON location.channel_id = channel.id AND location.active AND location.warehouse_id IS NOT NULL
                     LEFT JOIN dist_offer offer ON offer.mapping_id = mapping.id AND offer.location_id = location.id
                    WHERE mapping.state = 'matched' AND %s
                 GROUP BY channel.connection_id""",
                SQL(" AND ").join(wheres),
            )
        )
        for connection_id, keys in self.env.cr.fetchall():
            connection = self.env["dist.connection"].browse(connection_id)
            keys = [key for key in keys if key]
            if keys and self._publishes(connection):
                self.env["dist.dirty.mark"].sudo().mark(connection.sudo(), EVENT, keys)

    @api.model
    def _publishes(self, connection) -> bool:
        return "availability.push" in ((connection.sudo().adapter_id.manifest or {}).get("capabilities") or ())

    @api.model
    @every("1 day", at="03:15", jitter=900, name="Compute all channel offers anew")
    @job(lane="low")
    def _reconcile(self) -> None:
        """Compute every offer anew; catches what neither trigger nor hooks saw. Sends only what differs."""
        channels = self.env["dist.channel"].search([("publish_availability", "=", True), ("state", "=", "active")])
        self._mark_channels(channels)
        (channels.location_ids.warehouse_id | channels.warehouse_id)._dist_request_reservation()

    # -- computing -----------------------------------------------------------------------------------------------

    @api.model
    @on_dirty(EVENT, batch=500, lane="default")
    def _compute_availability(self, connection, keys):
        """The availability of ``keys`` (``<inventory id>@<location id>``); only what the channel does not show yet."""
        channel = self.env["dist.channel"]._by_connection(connection).get(connection)
        if not channel or not channel.publish_availability:
            return {}
        offers = self._offers_for(channel, keys)
        if not offers:
            return {}
        stock = self._stock([(o.product_id.id, o.location_id.warehouse_id.id) for o in offers])
        self._retry_reservations(stock)
        self._settle_sales(channel, offers)
        now = fields.Datetime.now()
        result = {}
        for offer in offers:
            quantity, why = self._promise(offer, stock[offer.product_id.id, offer.location_id.warehouse_id.id])
            vals = {"computed_quantity": quantity, "computed_at": now, "explanation": why}
            if not offer.expected_known or offer.expected_quantity != quantity:
                result[offer.key] = self._payload(offer, quantity, why, now)
                vals |= {
                    "published_quantity": quantity,
                    "published_at": now,
                    "expected_quantity": quantity,
                    "expected_known": True,
                    "in_flight": True,
                    "last_error": False,
                }
            offer.write(vals)
        return result

    @api.model
    def _offers_for(self, channel, keys):
        """The offers behind keys, made where they are missing."""
        locations = {loc.external_id: loc for loc in channel.location_ids if loc.warehouse_id}
        refs = {key.rpartition("@")[0] for key in keys}
        refs = list(refs)
        domain = [
            ("channel_id", "=", channel.id),
            ("state", "=", "matched"),
            "|",
            "|",
            ("inventory_ref", "in", refs),
            ("sku", "in", refs),
            ("variant_ref", "in", refs),
        ]
        mappings = self.env["dist.channel.mapping"].search(domain)
        by_ref = {mapping._offer_ref(): mapping for mapping in mappings.sorted("id", reverse=True)}
        wanted = {}
        for key in keys:
            ref, _at, place = key.rpartition("@")
            if ref in by_ref and place in locations and by_ref[ref].product_id.is_storable:
                wanted[by_ref[ref].id, locations[place].id] = key
        known = self.env["dist.offer"].search(
            [("mapping_id", "in", [m for m, _loc in wanted]), ("location_id", "in", [loc for _m, loc in wanted])]
        )
        offers = known.filtered(lambda o: (o.mapping_id.id, o.location_id.id) in wanted)
        for offer in offers:
            key = wanted.pop((offer.mapping_id.id, offer.location_id.id))
            if offer.key != key:
                offer.key = key
        return offers | self.env["dist.offer"].create(
            [{"mapping_id": m, "location_id": loc, "key": key} for (m, loc), key in wanted.items()]
        )

    @api.model
    def _stock(self, pairs: list[tuple[int, int]]) -> dict[tuple[int, int], dict[str, float]]:
        """Stock and demand of (product, warehouse) pairs: two queries, whatever their number.

        Stock is what can be reserved: the quants below the warehouse's stock location. Demand is what channel orders
        of the warehouse want and have not reserved: waiting moves, and orders that have no confirmed sales order yet
        (on hold, waiting for a decision): the channel has subtracted those already.
        """
        products, warehouses = list({p for p, _w in pairs}), list({w for _p, w in pairs})
        found = defaultdict(lambda: {"on_hand": 0.0, "reserved": 0.0, "demand": 0.0})
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """SELECT quant.product_id, warehouse.id, SUM(quant.quantity), SUM(quant.reserved_quantity)
                     FROM stock_warehouse warehouse
                     JOIN stock_location root ON root.id = warehouse.lot_stock_id
                     JOIN stock_location location
                          ON location.parent_path LIKE root.parent_path || '%%' AND location.usage = 'internal'
                     JOIN stock_quant quant ON quant.location_id = location.id AND quant.product_id = ANY(%s)
                    WHERE warehouse.id = ANY(%s)
                 GROUP BY quant.product_id, warehouse.id""",
                products,
                warehouses,
            )
        )
        for product_id, warehouse_id, on_hand, reserved in self.env.cr.fetchall():
            found[product_id, warehouse_id].update(on_hand=on_hand or 0.0, reserved=reserved or 0.0)
        self.env.cr.execute(self._demand_query(products, warehouses))
        for product_id, warehouse_id, demand in self.env.cr.fetchall():
            found[product_id, warehouse_id]["demand"] += demand or 0.0
        return found

    @api.model
    def _demand_query(self, products: list[int], warehouses: list[int]) -> SQL:
        return SQL(
            """SELECT move.product_id, warehouse.id,
                      SUM(move.product_qty * (1 - COALESCE(move.quantity, 0) / NULLIF(move.product_uom_qty, 0)))
                 FROM stock_warehouse warehouse
                 JOIN stock_location root ON root.id = warehouse.lot_stock_id
                 JOIN stock_location location ON location.parent_path LIKE root.parent_path || '%%'
                 JOIN stock_move move
                      ON move.location_id = location.id AND move.product_id = ANY(%(products)s)
                     AND move.dist_channel_order_id IS NOT NULL
                     AND move.state IN ('confirmed', 'partially_available', 'waiting')
                     AND move.procure_method = 'make_to_stock'
                WHERE warehouse.id = ANY(%(warehouses)s)
                  AND NOT EXISTS (SELECT 1 FROM stock_move_move_rel rel WHERE rel.move_dest_id = move.id)
             GROUP BY move.product_id, warehouse.id
            UNION ALL
               SELECT mapping.product_id, orders.warehouse_id, SUM(line.quantity)
                 FROM dist_channel_order orders
                 JOIN dist_channel_order_line line ON line.order_id = orders.id
                 JOIN dist_channel_mapping mapping ON mapping.id = line.mapping_id
                 LEFT JOIN sale_order sale ON sale.id = orders.sale_order_id
                WHERE orders.state IN ('received', 'hold', 'exception', 'imported')
                  AND (sale.id IS NULL OR sale.state IN ('draft', 'sent'))
                  AND mapping.product_id = ANY(%(products)s) AND orders.warehouse_id = ANY(%(warehouses)s)
             GROUP BY mapping.product_id, orders.warehouse_id""",
            products=products,
            warehouses=warehouses,
        )

    @api.model
    def _promise(self, offer, stock: dict[str, float]) -> tuple[float, dict[str, float]]:
        """Whole units that may be promised, and why. Fractions are never promised."""
        units, percent = offer.location_id._buffers()
        free = stock["on_hand"] - stock["reserved"] - stock["demand"]
        buffer = max(units, max(free, 0.0) * percent / 100)
        quantity = float(max(floor(round(free - buffer, 6)), 0))
        return quantity, {**{name: round(value, 6) for name, value in stock.items()}, "buffer": round(buffer, 6)}

    @api.model
    def _payload(self, offer, quantity: float, why: dict[str, float], now) -> Availability:
        return Availability(
            listing=offer.mapping_id._listing_ref(),
            location_id=offer.location_id.external_id,
            quantity=Decimal(int(quantity)),
            version=1,
            as_of=now.replace(tzinfo=timezone.utc),
            explanation={name: Decimal(repr(value)) for name, value in why.items()},
        )

    @api.model
    def _retry_reservations(self, stock: dict) -> None:
        """Orders wait for goods that are there now."""
        warehouses = {
            warehouse_id
            for (_product, warehouse_id), numbers in stock.items()
            if numbers["demand"] > 0 and numbers["on_hand"] > numbers["reserved"]
        }
        self.env["stock.warehouse"].browse(warehouses)._dist_request_reservation()

    # -- what the channel shows ----------------------------------------------------------------------------------

    @api.model
    def _settle_sales(self, channel, offers) -> None:
        """Take the orders since the last computation into account in what we believe the channel shows.

        The channel subtracted an order by itself. Whether it did so before or after our last number arrived is only
        known for orders placed after that number was confirmed; for all others, and where the channel does not tell
        from which of its locations it took the goods, we no longer know what it shows.
        """
        sales = self.env["dist.offer.sale"].search([("mapping_id", "in", offers.mapping_id.ids)])
        if not sales:
            return
        alone = len(channel.location_ids.filtered("warehouse_id")) == 1
        margin = timedelta(seconds=channel.settle_margin)
        everywhere = self.env["dist.offer"].search([("mapping_id", "in", sales.mapping_id.ids)])
        by_mapping = sales.grouped("mapping_id")
        for offer in everywhere:
            place = offer.location_id.external_id
            for sale in by_mapping[offer.mapping_id]:
                if sale.location_ref and sale.location_ref != place and sale.quantity:
                    continue
                known_place = alone or sale.location_ref == place
                after = offer.confirmed_at and not offer.in_flight and sale.placed_at > offer.confirmed_at + margin
                if offer.expected_known and known_place and after and sale.quantity:
                    offer.expected_quantity -= sale.quantity
                else:
                    offer.expected_known = False
        self._mark_offers(everywhere - offers)
        sales.unlink()

    @api.model
    @on_outcome(EVENT, batch=200, lane="default")
    def _on_availability_outcome(self, items):
        """Keep what the channel confirmed. A refusal leaves open what it shows: the next change sends the number again.

        (The engine puts refused and dead events into *Needs attention*, with the offer as their record.)
        """
        offers = self._offers_of(items)
        now = fields.Datetime.now()
        for item in items:
            outcome, event = item.payload["outcome"], item.payload["event"]
            offer = offers.get((item.connection, event["key"]))
            if offer is None:
                continue
            version = int(outcome.get("version") or (event.get("payload") or {}).get("version") or 0)
            if version and version < offer.confirmed_version:
                continue
            if outcome["verdict"] == "delivered":
                self._confirmed(offer, version, event["payload"], now)
            else:
                message = outcome.get("message") or outcome.get("code") or outcome["verdict"]
                offer.write(
                    {"last_error": message, "expected_known": False, "in_flight": False, "confirmed_version": version}
                )

    @api.model
    def _confirmed(self, offer, version: int, payload: dict, now) -> None:
        quantity = float(payload["quantity"])
        newest = quantity == offer.published_quantity and str(fields.Datetime.to_string(offer.published_at)) == str(
            payload["as_of"]
        )[:19].replace("T", " ")
        offer.write(
            {
                "confirmed_quantity": quantity,
                "confirmed_at": now,
                "confirmed_version": version,
                "in_flight": offer.in_flight and not newest,
                "last_error": False,
            }
        )

    @api.model
    def _offers_of(self, items) -> dict:
        """``{(connection, key): offer}`` of outcomes."""
        connections = self.env["dist.connection"].browse({item.connection.id for item in items})
        found = self.env["dist.offer"].search(
            [
                ("channel_id.connection_id", "in", connections.ids),
                ("key", "in", [item.payload["event"]["key"] for item in items]),
            ]
        )
        return {(offer.channel_id.connection_id, offer.key): offer for offer in found}
