"""Small whole objects the tests start from; each call builds a new one, ``changes`` replace fields."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

from dist_contracts import (
    Availability,
    Envelope,
    ListingRef,
    Money,
    MoneyPair,
    Order,
    OrderLine,
    OrderStatus,
    OrderTotals,
    Package,
    PackageLine,
    PaymentStatus,
    Shipment,
    event_id,
)

DATABASE = "0b7c5f3e-8a0e-4f7c-9a51-0d3f0c2a6b11"
TRACEPARENT = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"
NOON = datetime(2026, 1, 31, 12, 0, tzinfo=timezone.utc)


def money(amount: str, currency: str = "USD", shown: str | None = None, shown_in: str = "EUR") -> MoneyPair:
    presentment = Money(amount=Decimal(shown), currency=shown_in) if shown else None
    return MoneyPair(shop=Money(amount=Decimal(amount), currency=currency), presentment=presentment)


def line(external_id: str = "L1", **changes: Any) -> OrderLine:
    fields: dict[str, Any] = {
        "external_id": external_id,
        "listing": ListingRef(sku="DESK-01"),
        "title": "Desk",
        "quantity": Decimal(2),
        "ordered_quantity": Decimal(2),
        "unit_price": money("12.50"),
    }
    return OrderLine(**fields | changes)


def order(**changes: Any) -> Order:
    fields: dict[str, Any] = {
        "external_id": "5001",
        "number": "#1001",
        "status": OrderStatus.OPEN,
        "payment_status": PaymentStatus.PAID,
        "placed_at": NOON,
        "updated_at": NOON,
        "currency": "USD",
        "lines": (line("L1"), line("L2")),
        "totals": OrderTotals(
            lines=money("50.00"), discount=money("0"), shipping=money("0"), tax=money("0"), total=money("50.00")
        ),
    }
    return Order(**fields | changes)


def shipment(**changes: Any) -> Shipment:
    package = Package(reference="PACK1", lines=(PackageLine(line_id="L1", quantity=Decimal(2)),), tracking_number="1Z1")
    fields: dict[str, Any] = {
        "order_id": "5001",
        "reference": "WH/OUT/00001",
        "shipped_at": NOON,
        "packages": (package,),
    }
    return Shipment(**fields | changes)


def availability(**changes: Any) -> Availability:
    fields: dict[str, Any] = {
        "listing": ListingRef(inventory_id="9001", sku="DESK-01"),
        "location_id": "7001",
        "quantity": Decimal(40),
        "version": 3,
        "as_of": NOON,
        "explanation": {"free": Decimal(42), "buffer": Decimal(-2)},
    }
    return Availability(**fields | changes)


def envelope(**changes: Any) -> Envelope:
    fields: dict[str, Any] = {
        "event_id": event_id(DATABASE, "shop", "order.received.v1", "5001"),
        "type": "order.received.v1",
        "database": event_id(DATABASE, "shop", "database"),
        "connection": "shop",
        "key": "5001",
        "occurred_at": NOON,
        "correlation_id": TRACEPARENT,
        "payload": order().to_json(),
    }
    return Envelope(**fields | changes)
