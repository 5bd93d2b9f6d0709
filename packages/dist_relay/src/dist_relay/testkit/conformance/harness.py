"""What a channel's test module provides: how to order, look and break things at its fake.

A harness is a dozen one-line methods over the fake's own controls. Ids are the channel's, as they stand in the
canonical objects. An ability the fake has not is left out of ``abilities``; its checks are skipped and say so.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from dist_contracts import ListingRef
from dist_relay.http.session import HttpLimits, HttpSession
from dist_relay.ports import Adapter, Context, Session
from dist_relay.testkit.clock import FakeClock

CONNECTION = "11111111-1111-4111-8111-111111111111"
DATABASE = "22222222-2222-4222-8222-222222222222"


class Trouble(str, Enum):
    """What the fake is asked to do to the next request of the flow under test."""

    THROTTLED = "throttled"
    LOST_REQUEST = "lost request"
    LOST_ANSWER = "lost answer"
    SERVER_ERROR = "server error"
    HTML = "html"
    CREDENTIALS = "credentials"
    SCOPE = "scope"
    MOVED_STOCK = "moved stock"


class Damage(str, Enum):
    """What is wrong with an order the fake shows."""

    UNKNOWN_STATUS = "unknown status"
    MISSING_FIELD = "missing field"
    WRONG_TYPE = "wrong type"
    NEGATIVE_PRICE = "negative price"
    HUGE = "huge"


@dataclass(frozen=True)
class Fulfilled:
    """A fulfilment as the fake has it."""

    tracking: tuple[str, ...]
    lines: Mapping[str, int]
    location: str | None = None


@dataclass
class Budget:
    """A throttle that lets everything pass and remembers what it was told."""

    available: float | None = None
    penalised: int = 0

    def acquire(self, operation: str, cost: float = 1.0, priority: int = 5) -> None:
        """Pass."""

    def feedback(self, operation: str, available: float, restore_rate: float) -> None:
        """Remember what is left."""
        self.available = available

    def penalise(self, operation: str, retry_after: float) -> None:
        """Count it."""
        self.penalised += 1


class Quiet:
    """A log nobody reads; ``warnings`` are kept."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def debug(self, event: str, **values: Any) -> None:
        """Nothing."""

    info = error = debug

    def warning(self, event: str, **values: Any) -> None:
        """Keep it."""
        self.warnings.append(event)


class ChannelHarness(ABC):
    """One channel with its fake. Methods of flows the channel has not need not be written.

    ``page`` is how many orders fill a page of a pull; ``skus`` are stocked at every one of ``locations``.
    """

    adapter: Adapter
    abilities: frozenset[Trouble | Damage | str] = frozenset({*Trouble, *Damage})
    page: int = 100
    skus: Sequence[str] = ()
    locations: Sequence[str] = ()

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.budget = Budget()
        self.log = Quiet()

    @property
    @abstractmethod
    def settings(self) -> Mapping[str, Any]:
        """The connection's settings; they name the fake's address."""

    @property
    @abstractmethod
    def credentials(self) -> Mapping[str, Any]:
        """Credentials the fake takes."""

    def context(self) -> Context:
        """What the flows are built from: real HTTP, a clock the test moves, an open budget."""
        return Context(
            connection=CONNECTION,
            database=DATABASE,
            settings=self.settings,
            credentials=self.credentials,
            clock=self.clock,
            throttle=self.budget,
            session_factory=self._session,
            log=self.log,
        )

    def _session(self, base_url: str, headers: Mapping[str, str] | None = None) -> Session:
        return HttpSession(base_url, headers, clock=self.clock, limits=HttpLimits(), throttle=self.budget)

    @abstractmethod
    def place(self, lines: Mapping[str, int], *, location: str | None = None, ahead: float = 0) -> str:
        """Order quantities of SKUs, dated ``ahead`` seconds of the channel's clock; the order's id."""

    def edit(self, order: str, sku: str, quantity: int) -> None:
        """Change what stands of a line."""
        raise NotImplementedError

    def cancel(self, order: str) -> None:
        """Cancel an order at the channel."""
        raise NotImplementedError

    def damage(self, order: str, damage: Damage) -> None:
        """Show an order wrongly from now on."""
        raise NotImplementedError

    def hold(self, order: str) -> None:
        """Forbid to ship an order."""
        raise NotImplementedError

    def split(self, order: str) -> None:
        """Have half of an order shipped from the second location."""
        raise NotImplementedError

    def release(self, order: str) -> None:
        """Allow it again."""
        raise NotImplementedError

    def is_cancelled(self, order: str) -> bool:
        """Whether the channel has it as cancelled."""
        raise NotImplementedError

    def lines(self, order: str) -> Mapping[str, str]:
        """SKU → line id of an order."""
        raise NotImplementedError

    def fulfilled(self, order: str) -> Sequence[Fulfilled]:
        """The fulfilments the channel has."""
        raise NotImplementedError

    def listing(self, sku: str) -> ListingRef:
        """How the channel names a SKU."""
        raise NotImplementedError

    def stock(self, sku: str, location: str) -> int:
        """What the channel shows as available."""
        raise NotImplementedError

    def trouble(self, trouble: Trouble, flow: str) -> None:
        """Do it once to the next request of the capability ``flow`` that reads (pull) or changes (all others)."""
        raise NotImplementedError
