"""What all checks share: running a flow as the engine does, making envelopes, skipping what a channel has not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import pytest

from dist_contracts import (
    Availability,
    Capability,
    Contract,
    Envelope,
    ListingRef,
    Outcome,
    Package,
    PackageLine,
    Shipment,
    event_id,
    new_traceparent,
)
from dist_relay.ports import Cursor, Incoming, Malformed, Page, Source
from dist_relay.runtime.flows import ROUTES, call

from .harness import CONNECTION, DATABASE, ChannelHarness

CALL_SECONDS = 60.0


class Kit:
    """Base of the check classes. ``harness`` is a fixture of the channel's test module."""

    capability: Capability

    @pytest.fixture(autouse=True)
    def _only_where_it_can(self, harness: ChannelHarness) -> None:
        if self.capability not in harness.adapter.manifest.capabilities:
            pytest.skip(f"{harness.adapter.manifest.label} has no {self.capability.value}")


def needs(harness: ChannelHarness, *abilities: Any) -> None:
    """Skip where the fake cannot do what the check is about."""
    for ability in abilities:
        if ability not in harness.abilities:
            pytest.skip(f"the fake of {harness.adapter.manifest.label} cannot do: {ability}")


def envelope(harness: ChannelHarness, type_: str, key: str, payload: Contract, fact: str, **more: Any) -> Envelope:
    """An envelope as the pump makes it; equal facts have equal event ids."""
    return Envelope(
        event_id=event_id(DATABASE, CONNECTION, type_, key, fact),
        type=type_,
        database=UUID(DATABASE),
        connection=CONNECTION,
        key=key,
        occurred_at=harness.clock.now(),
        correlation_id=new_traceparent(),
        payload=payload.to_json(),
        **more,
    )


def run(harness: ChannelHarness, *events: Envelope) -> list[Outcome]:
    """One call of the flow the events are for, with its errors turned into outcomes, as the worker does it."""
    context = harness.context()
    route = ROUTES[events[0].type]
    outcomes, _ = call(
        lambda capability: harness.adapter.flows[capability](context), route, events, harness.clock, CALL_SECONDS
    )
    return outcomes


def again(event: Envelope) -> Envelope:
    """The event as it is handed out after an unknown outcome."""
    return event.model_copy(update={"attempt": event.attempt + 1, "read_back": True})


def pull(harness: ChannelHarness, capability: Capability, cursor: Cursor | None = None) -> list[Page]:
    """All pages of one run."""
    source = cast(Source, harness.adapter.flows[capability](harness.context()))
    return list(source.pull(cursor, harness.clock.now() + timedelta(minutes=5)))


def events(pages: Sequence[Page]) -> list[Incoming]:
    """What was read, without what could not be."""
    return [each for page in pages for each in page.events if isinstance(each, Incoming)]


def malformed(pages: Sequence[Page]) -> list[Malformed]:
    """What could not be read."""
    return [each for page in pages for each in page.events if isinstance(each, Malformed)]


def ids(found: Sequence[Incoming]) -> set[UUID]:
    """The event ids the runtime derives."""
    return {event_id(DATABASE, CONNECTION, each.type, each.key, *each.fact) for each in found}


def availability(
    harness: ChannelHarness, sku: str, location: str, quantity: int, version: int = 1, listing: ListingRef | None = None
) -> Envelope:
    """An event that sets a quantity."""
    payload = Availability(
        listing=listing or harness.listing(sku),
        location_id=location,
        quantity=Decimal(quantity),
        version=version,
        as_of=harness.clock.now(),
    )
    key = f"{sku}@{location}"
    return envelope(harness, "availability.changed.v1", key, payload, str(version), version=version)


def shipment(
    harness: ChannelHarness, order: str, *packages: Mapping[str, int], reference: str = "OUT/1", tracked: bool = True
) -> Envelope:
    """An event that confirms packages given as SKU → quantity."""
    line_of = harness.lines(order)
    made = tuple(
        Package(
            reference=f"{reference}/{index}",
            carrier="UPS",
            tracking_number=f"1Z-{reference}-{index}" if tracked else None,
            lines=tuple(PackageLine(line_id=line_of[sku], quantity=Decimal(count)) for sku, count in package.items()),
        )
        for index, package in enumerate(packages, 1)
    )
    payload = Shipment(order_id=order, reference=reference, shipped_at=harness.clock.now(), packages=made)
    return envelope(harness, "shipment.confirm.v1", order, payload, reference)
