"""Shopify against its fake."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dist_relay.testkit import conformance as kit
from dist_relay.testkit.fake_shopify.harness import ShopifyHarness


@pytest.fixture
def harness() -> Iterator[ShopifyHarness]:
    shop = ShopifyHarness()
    with shop.fake:
        yield shop


class TestManifest(kit.ManifestChecks): ...


class TestConnection(kit.ConnectionChecks): ...


class TestListings(kit.ListingsPullChecks): ...


class TestOrders(kit.OrdersPullChecks): ...


class TestStock(kit.AvailabilityChecks): ...


class TestShipments(kit.ShipmentChecks): ...


class TestCancellations(kit.CancelChecks): ...
