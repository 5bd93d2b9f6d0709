from pathlib import Path

import pytest
from harness import FolderHarness

from dist_relay.testkit import conformance as kit


@pytest.fixture
def harness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderHarness:
    monkeypatch.setenv("DIST_CSV_DROP_ROOT", str(tmp_path))
    return FolderHarness(tmp_path)


class TestManifest(kit.ManifestChecks): ...


class TestConnection(kit.ConnectionChecks): ...


class TestListings(kit.ListingsPullChecks): ...


class TestOrders(kit.OrdersPullChecks): ...


class TestStock(kit.AvailabilityChecks): ...


class TestShipments(kit.ShipmentChecks): ...
