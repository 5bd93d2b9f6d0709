# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The way of a new user in a real browser: set up a channel, map a SKU, see an order arrive, open its journey.

The browser does what a person does; between the tours the test plays the relay through its SQL functions.
"""

from __future__ import annotations

from odoo.tests import tagged

from odoo.addons.dist_sync_queue.tests.browser_kit import BrowserCase
from odoo.addons.dist_sync_queue.tests.common import SyncKit
from odoo.addons.dist_sync_queue.tests.relay_kit import RelayKit

from .common import line, order

MANIFEST = {
    "code": "tourshop",
    "label": "Tour shop",
    "kind": "channel",
    "version": "1",
    "capabilities": ["connection.check", "orders.pull", "availability.push", "shipment.confirm"],
    "settings_schema": {
        "type": "object",
        "properties": {
            "shop_domain": {"type": "string", "title": "Shop domain", "pattern": r"^[a-z0-9-]+\.example$"},
            "mode": {"type": "string", "title": "Mode", "enum": ["live", "test"], "default": "live"},
            "overlap": {"type": "integer", "title": "Overlap", "minimum": 0, "default": 5},
        },
        "required": ["shop_domain"],
        "additionalProperties": False,
    },
    "credentials_schema": {
        "type": "object",
        "properties": {"token": {"type": "string", "title": "Access token", "minLength": 8, "writeOnly": True}},
        "required": ["token"],
        "additionalProperties": False,
    },
}
LOCATIONS = [{"id": "L1", "name": "East"}, {"id": "L2", "name": "West"}]


@tagged("post_install", "-at_install", "dist_tour")
class TestTour(SyncKit, RelayKit, BrowserCase):
    """One journey in four tours."""

    def setUp(self) -> None:
        super().setUp()
        self.env["dist.relay"]._confirm_identity()
        self.announce(MANIFEST)
        self.warehouse = self.env["stock.warehouse"].create({"name": "Tour warehouse", "code": "TOUR"})
        self.product = self.env["product.product"].create(
            {"name": "Tour drill", "default_code": "TOUR-1", "is_storable": True, "taxes_id": [(5,)]}
        )
        self.env["stock.quant"]._update_available_quantity(self.product, self.warehouse.lot_stock_id, 10)

    def tour(self, name: str) -> None:
        """Run one tour from the overview, as the administrator."""
        self.env.flush_all()
        self.start_tour("/odoo/distribution", name, login="admin")
        self.env.invalidate_all()

    def test_from_set_up_to_journey(self) -> None:
        self.tour("dist_channel_set_up")
        channel = self.env["dist.channel"].search([("name", "=", "Tour store")])
        self.assertEqual(channel.settings, {"shop_domain": "tour.example", "mode": "test", "overlap": 5})
        self.assertEqual((channel.credentials_state, channel.check_state), ("set", "running"))

        (check,) = self.claim(channel.connection_id)
        self.answer(check, "delivered", data={"shop": "Tour", "locations": LOCATIONS})
        self.run_jobs()
        self.assertEqual(channel.check_state, "ok")

        self.tour("dist_channel_activate")
        self.assertEqual(channel.state, "active")
        self.assertEqual(
            {location.name: location.warehouse_id for location in channel.location_ids},
            {"East": self.warehouse, "West": self.env["stock.warehouse"]},
        )

        received = order([line("STORE-SKU", 2, currency=channel._currency().name)], currency=channel._currency().name)
        self.assertEqual(
            self.intake(self.envelope(channel.connection_id, received["external_id"], payload=received)), ["stored"]
        )
        self.run_jobs()
        channel_order = channel.order_ids
        self.assertEqual(channel_order.state, "exception")

        self.tour("dist_channel_map_sku")
        self.run_jobs()
        self.assertEqual(channel_order.state, "imported", channel_order.problem)
        self.assertEqual(channel_order.sale_order_id.order_line.product_id, self.product)

        self.tour("dist_channel_journey")
