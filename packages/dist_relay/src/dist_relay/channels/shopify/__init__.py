"""Shopify: orders, stock, shipments and cancellations through the Admin GraphQL API."""

from __future__ import annotations

from dist_contracts import Capability
from dist_relay.ports import Adapter

from .cancel_order import CancelOrder
from .check import Check
from .confirm_shipments import ConfirmShipments
from .manifest import MANIFEST
from .pull_listings import PullListings
from .pull_orders import PullOrders
from .push_availability import PushAvailability

adapter = Adapter(
    manifest=MANIFEST,
    flows={
        Capability.CHECK: Check,
        Capability.ORDERS_PULL: PullOrders,
        Capability.LISTINGS_PULL: PullListings,
        Capability.AVAILABILITY_PUSH: PushAvailability,
        Capability.SHIPMENT_CONFIRM: ConfirmShipments,
        Capability.ORDER_CANCEL: CancelOrder,
    },
)
