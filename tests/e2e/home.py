"""What the end-to-end tests do with a running house: place orders, wait for conditions, look into Odoo."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from dist_dev.demo.distributor import Channel
from dist_dev.demo.figures import Figures
from dist_dev.demo.house import House
from dist_dev.demo.odoo_rpc import OdooRpc
from dist_dev.demo.store_side import Store

T = TypeVar("T")
PATIENCE = 60.0
"""Seconds until a wait fails. What is waited for takes a few; a loaded machine takes longer."""

ADDRESS = {
    "name": "Ana Ruiz",
    "address1": "12 Harbor Rd",
    "city": "Oakland",
    "zip": "94607",
    "provinceCode": "CA",
    "countryCodeV2": "US",
}


@dataclass
class Home:
    """A house whose channel is open. ``differences`` and ``figures`` are those of the main job."""

    house: House
    channel: Channel
    differences: list[str]
    figures: Figures

    @property
    def odoo(self) -> OdooRpc:
        return self.house.odoo

    @property
    def store(self) -> Store:
        return self.house.store

    def until(self, condition: Callable[[], T | None], what: str, patience: float = PATIENCE) -> T:
        """What ``condition`` gives, as soon as that is true.

        :raises AssertionError: after ``patience`` seconds, saying ``what`` was waited for.
        """
        deadline = time.monotonic() + patience
        while not (found := condition()):
            self.house.supervisor.tend()
            assert time.monotonic() < deadline, f"waited {patience:.0f} s in vain until {what}: {self.describe()}"
            time.sleep(0.2)
        return found

    # -- the store ----------------------------------------------------------------------------------------------------

    def place(self, *, sku: str | None = "SKU-0001", pull: bool = True, **spec: Any) -> str:
        """Place an order of one piece, complete unless ``spec`` says otherwise, and have it pulled; its id."""
        order = {
            "lines": [{"sku": sku, "quantity": 1}],
            "customer": {"id": "500001", "name": "Ana Ruiz"},
            "email": "ana@example.com",
            "shipping_address": ADDRESS,
            "billing_address": ADDRESS,
            **spec,
        }
        placed = self.store.tell("place_order", **order)
        if pull:
            self.pull()
        return str(placed["id"])

    def store_order(self, order: str) -> dict[str, Any]:
        return next(each for each in self.store.tell("state")["orders"] if each["id"] == order)

    def ships(self, order: str) -> None:
        """Wait until the store has the whole order as fulfilled, and Odoo as shipped; both exactly once."""
        self.until(lambda: self.store_order(order)["status"] == "fulfilled", f"order {order} is fulfilled in the store")
        self.until(lambda: self.channel_order(order)["state"] == "shipped", f"order {order} is shipped in Odoo")
        self._told_once(self.store_order(order))
        assert len(self.rows("sale.order", [("dist_channel_order_id.external_id", "=", order)], "state")) == 1

    @staticmethod
    def _told_once(order: dict[str, Any]) -> None:
        """Each piece and each parcel was told once; the warehouse lets some orders leave in two parts."""
        told: Counter[str] = Counter()
        for fulfillment in order["fulfillments"]:
            told.update(fulfillment["lines"])
        assert told == {line["id"]: line["quantity"] for line in order["lines"] if line["quantity"]}
        parcels = [number for fulfillment in order["fulfillments"] for number in fulfillment["tracking"]]
        assert sorted(parcels) == sorted(set(parcels))

    def still_works(self) -> None:
        """Another, good order goes through all stages."""
        self.ships(self.place(sku="SKU-0002"))

    # -- Odoo ---------------------------------------------------------------------------------------------------------

    def rows(self, model: str, domain: Iterable[Any], *fields: str) -> list[dict[str, Any]]:
        return self.odoo.search_read(model, list(domain), list(fields), order="id")

    def channel_order(self, order: str) -> dict[str, Any]:
        """The channel order of an order of the store, or nothing."""
        found = self.rows(
            "dist.channel.order", [("external_id", "=", order)], "display_name", "state", "problem", "sale_order_id"
        )
        assert len(found) < 2, f"order {order} stands {len(found)} times in Odoo"
        return found[0] if found else {"state": None}

    def exceptions(self, *domain: Any) -> list[dict[str, Any]]:
        """Open problems of the one inbox."""
        return self.rows("dist.exception", [("state", "=", "open"), *domain], "kind", "name", "cause", "fix", "res_id")

    def needs_attention(self, order: str, kind: str) -> dict[str, Any]:
        """Wait until the order stands as an exception; its one open problem of this kind."""
        record = self.until(
            lambda: (found := self.channel_order(order))["state"] == "exception" and found,
            f"order {order} needs attention",
        )
        (problem,) = self.exceptions(
            ("res_model", "=", "dist.channel.order"), ("res_id", "=", record["id"]), ("kind", "=", kind)
        )
        assert self.store_order(order)["name"] in problem["name"], "the problem names the order"
        assert problem["cause"] in record["problem"]
        assert problem["fix"]
        return problem

    def dead_letter(self, order: str) -> str:
        """Wait for the dead letter of an order and its problem in the inbox; what both say."""
        reason = self.until(lambda: self._reason(order), f"order {order} is a dead letter")
        self.until(
            lambda: any(
                reason in (problem["cause"] or "") for problem in self.exceptions(("kind", "=", "intake.invalid"))
            ),
            f"the inbox tells: {reason}",
        )
        assert self.channel_order(order)["state"] is None
        return reason

    def _reason(self, order: str) -> str | None:
        letters = self.rows("dist.dead.letter", [("reason", "like", order)], "reason", "connection_id", "state")
        assert len(letters) < 2, "one dead letter, however often the order is read"
        return letters[0]["reason"] if letters else None

    def connection(self, *fields: str) -> dict[str, Any]:
        return self.odoo.call("dist.connection", "read", [self.channel.connection_id], fields=list(fields))[0]

    def schedule(self, capability: str = "orders.pull") -> dict[str, Any]:
        domain = [("connection_id", "=", self.channel.connection_id), ("capability", "=", capability)]
        (found,) = self.rows(
            "dist.connection.schedule", domain, "last_result", "run_id", "cursor", "failures", "next_run_at"
        )
        return found

    def pull(self) -> None:
        self.odoo.call("dist.connection.schedule", "action_pull_now", [self.schedule()["id"]])

    def describe(self) -> str:
        """Where things stand, for a wait that failed."""
        schedule = self.schedule()
        open_events = self.rows(
            "dist.outbox.event",
            [("state", "in", ["pending", "published", "unknown", "dead"])],
            "type", "key", "state", "outcome_code", "outcome_message",
        )  # fmt: skip
        return f"pull: {schedule['last_result']}; outbox: {open_events[:5]}; problems: {self.exceptions()[-5:]}"
