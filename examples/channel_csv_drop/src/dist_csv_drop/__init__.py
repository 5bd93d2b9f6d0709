"""A channel that is a folder of CSV files: the smallest useful adapter."""

from dist_contracts import Capability
from dist_relay.ports import Adapter

from .check import Check
from .listings import PullListings
from .manifest import MANIFEST
from .orders import PullOrders
from .write import ConfirmShipment, PushAvailability

adapter = Adapter(
    MANIFEST,
    {
        Capability.CHECK: Check,
        Capability.ORDERS_PULL: PullOrders,
        Capability.LISTINGS_PULL: PullListings,
        Capability.AVAILABILITY_PUSH: PushAvailability,
        Capability.SHIPMENT_CONFIRM: ConfirmShipment,
    },
)

__all__ = ["adapter"]
