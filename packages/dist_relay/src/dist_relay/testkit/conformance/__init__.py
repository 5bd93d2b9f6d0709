"""The conformance suite of channel ports. A channel's test module provides a harness and inherits the checks::

    @pytest.fixture
    def harness():
        with MyFake() as fake:
            yield MyHarness(fake)

    class TestOrders(OrdersPullChecks): ...
    class TestStock(AvailabilityChecks): ...


Checks of flows the manifest does not name, and of abilities the fake has not, are skipped and say so.
"""

from .connection import ConnectionChecks, ListingsPullChecks, ManifestChecks
from .harness import Budget, ChannelHarness, Damage, Fulfilled, Quiet, Trouble
from .orders import OrdersPullChecks
from .shipments import CancelChecks, ShipmentChecks
from .stock import AvailabilityChecks

__all__ = [
    "AvailabilityChecks",
    "Budget",
    "CancelChecks",
    "ChannelHarness",
    "ConnectionChecks",
    "Damage",
    "Fulfilled",
    "ListingsPullChecks",
    "ManifestChecks",
    "OrdersPullChecks",
    "Quiet",
    "ShipmentChecks",
    "Trouble",
]
