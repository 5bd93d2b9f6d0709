"""The catalogue of event types: name with version → payload model, kind and direction."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from .base import Contract
from .listing import Availability, ListingRef
from .money import Money
from .order import Acknowledgement, Order, OrderCancel
from .shipment import Shipment


class Kind(str, Enum):
    """``fact``: append-only, first-in-first-out per key. ``state``: only the newest version of a key matters."""

    FACT = "fact"
    STATE = "state"


class Direction(str, Enum):
    """Seen from Odoo."""

    OUT = "out"
    IN = "in"


class ConnectionCheck(Contract):
    """Ask the adapter to try the connection's settings and credentials; it changes nothing outside."""


class ListingFound(Contract):
    """A product variant that exists on the channel, so that it can be mapped before its first order."""

    listing: ListingRef
    price: Money | None = None


class EventSpec(NamedTuple):
    """One entry of the catalogue."""

    payload: type[Contract]
    kind: Kind
    direction: Direction


EVENTS: dict[str, EventSpec] = {
    "connection.check.v1": EventSpec(ConnectionCheck, Kind.FACT, Direction.OUT),
    "availability.changed.v1": EventSpec(Availability, Kind.STATE, Direction.OUT),
    "order.acknowledge.v1": EventSpec(Acknowledgement, Kind.FACT, Direction.OUT),
    "order.cancel.v1": EventSpec(OrderCancel, Kind.FACT, Direction.OUT),
    "shipment.confirm.v1": EventSpec(Shipment, Kind.FACT, Direction.OUT),
    "order.received.v1": EventSpec(Order, Kind.FACT, Direction.IN),
    "listing.found.v1": EventSpec(ListingFound, Kind.STATE, Direction.IN),
}
