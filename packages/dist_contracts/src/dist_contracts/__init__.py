"""The event envelope and the canonical objects both sides import and neither owns.

Import the names from here; the modules behind them are an internal order of files.
"""

from .address import BOUND, address, moved
from .base import MAX_PAYLOAD_BYTES, Contract, explain
from .envelope import Envelope, Outcome, Verdict
from .events import EVENTS, ConnectionCheck, Direction, EventSpec, Kind, ListingFound
from .identity import event_id, new_traceparent, trace_id
from .listing import Availability, ListingRef
from .manifest import AdapterKind, Capability, Manifest, RateLimit
from .money import Money, MoneyPair
from .order import (
    Acknowledgement,
    AcknowledgementLine,
    AcknowledgementStatus,
    Cancellation,
    CancelReason,
    Discount,
    Fee,
    Gift,
    Hold,
    HoldReason,
    Order,
    OrderCancel,
    OrderLine,
    OrderStatus,
    OrderTotals,
    PaymentStatus,
    ShippingLine,
    Tax,
)
from .party import Address, Buyer
from .shipment import Package, PackageLine, Shipment

__all__ = [
    "BOUND",
    "EVENTS",
    "MAX_PAYLOAD_BYTES",
    "Acknowledgement",
    "AcknowledgementLine",
    "AcknowledgementStatus",
    "AdapterKind",
    "Address",
    "Availability",
    "Buyer",
    "CancelReason",
    "Cancellation",
    "Capability",
    "ConnectionCheck",
    "Contract",
    "Direction",
    "Discount",
    "Envelope",
    "EventSpec",
    "Fee",
    "Gift",
    "Hold",
    "HoldReason",
    "Kind",
    "ListingFound",
    "ListingRef",
    "Manifest",
    "Money",
    "MoneyPair",
    "Order",
    "OrderCancel",
    "OrderLine",
    "OrderStatus",
    "OrderTotals",
    "Outcome",
    "Package",
    "PackageLine",
    "PaymentStatus",
    "RateLimit",
    "Shipment",
    "ShippingLine",
    "Tax",
    "Verdict",
    "address",
    "event_id",
    "explain",
    "moved",
    "new_traceparent",
    "trace_id",
]
