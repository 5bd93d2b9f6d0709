"""What the conformance suite does not ask of every channel: Shopify's own ways."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from dist_contracts import Availability, Capability, Package, PackageLine, Shipment, Verdict
from dist_relay.channels.shopify import fulfillment as ff
from dist_relay.channels.shopify.pull_orders import PullOrders
from dist_relay.errors import Rejected, Snoozed
from dist_relay.ports import Incoming, Malformed
from dist_relay.testkit.conformance.kit import availability, events, pull, run, shipment
from dist_relay.testkit.fake_shopify.harness import ShopifyHarness

PULL = Capability.ORDERS_PULL


def fill(harness: ShopifyHarness, skus: int) -> None:
    harness.fake.control.seed(skus=skus, stock=50, seed=3)
    harness._variants = {each["sku"]: each for each in harness.fake.store.all("variant").values()}
    harness.skus = list(harness._variants)


def test_250_quantities_at_two_locations_take_one_change(harness: ShopifyHarness) -> None:
    fill(harness, 120)
    pairs = [(sku, place) for sku in harness.skus[:125] for place in harness.locations]
    outcomes = run(harness, *(availability(harness, sku, place, 3) for sku, place in pairs))
    assert Counter(each.verdict for each in outcomes) == {Verdict.DELIVERED: 250}
    assert harness.fake.engine.requests["SetQuantities"] == 1
    assert harness.fake.engine.requests["InventoryAt"] == 2


def test_an_equal_quantity_is_not_sent(harness: ShopifyHarness) -> None:
    (outcome,) = run(harness, availability(harness, harness.skus[0], harness.locations[0], 1_000))
    assert outcome.data == {"quantity": 1_000, "unchanged": True}
    assert harness.fake.engine.requests["SetQuantities"] == 0


def test_what_was_replaced_is_told(harness: ShopifyHarness) -> None:
    (outcome,) = run(harness, availability(harness, harness.skus[0], harness.locations[0], 7))
    assert outcome.data == {"quantity": 7, "previous": 1_000}


def test_of_two_versions_the_newer_wins(harness: ShopifyHarness) -> None:
    sku, place = harness.skus[0], harness.locations[0]
    new, old = availability(harness, sku, place, 5, version=9), availability(harness, sku, place, 4, version=8)
    outcomes = run(harness, new, old)
    assert [each.verdict for each in outcomes] == [Verdict.DELIVERED] * 2
    assert outcomes[1].data == {"superseded": True}
    assert harness.stock(sku, place) == 5


def test_a_bundle_is_refused_alone(harness: ShopifyHarness) -> None:
    item = harness.fake.store.get("item", harness.listing(harness.skus[1]).inventory_id or "")
    item["mutable"] = False
    outcomes = run(harness, *(availability(harness, sku, harness.locations[0], 2) for sku in harness.skus[:3]))
    assert [each.verdict for each in outcomes] == [Verdict.DELIVERED, Verdict.REJECTED, Verdict.DELIVERED]
    assert outcomes[1].code == "not_mutable"
    assert harness.fake.engine.requests["SetQuantities"] == 2


def test_a_part_of_a_piece_is_refused(harness: ShopifyHarness) -> None:
    event = availability(harness, harness.skus[0], harness.locations[0], 1)
    payload = Availability.from_json(event.payload).model_copy(update={"quantity": Decimal("1.5")}).to_json()
    (outcome,) = run(harness, event.model_copy(update={"payload": payload}))
    assert (outcome.verdict, outcome.code) == (Verdict.REJECTED, "bad_quantity")


def test_a_quantity_that_never_rests_does_not_hold_up_the_others(harness: ShopifyHarness) -> None:
    harness.fake.control.fault("moved", operation="SetQuantities", times=4)
    outcomes = run(harness, *(availability(harness, sku, harness.locations[0], 2) for sku in harness.skus[:3]))
    assert [each.verdict for each in outcomes] == [Verdict.RETRY, Verdict.DELIVERED, Verdict.DELIVERED]
    assert outcomes[0].code == "stale"


def test_a_key_is_used_again_only_for_the_same_change(harness: ShopifyHarness) -> None:
    sku, place = harness.skus[0], harness.locations[0]
    for version, count in enumerate((5, 6, 5, 6), 1):
        run(harness, availability(harness, sku, place, count, version))
    assert harness.stock(sku, place) == 6
    assert "replays" not in harness.fake.control.effects()
    assert len(harness.fake.store.all("idempotency")) == 4


def test_long_orders_are_read_to_the_end(harness: ShopifyHarness) -> None:
    fill(harness, 70)
    order = harness.place(dict.fromkeys(harness.skus, 1))
    (event,) = events(pull(harness, PULL))
    assert event.key == order
    assert len(event.payload.lines) == 78  # type: ignore[attr-defined]
    (outcome,) = run(harness, shipment(harness, order, dict.fromkeys(harness.skus, 1)))
    assert outcome.verdict is Verdict.DELIVERED
    assert harness.fake.control.state()["orders"][0]["status"] == "fulfilled"


@pytest.mark.parametrize("lines", [[None], {}, None])
def test_lines_that_are_none_hold_up_no_other_order(harness: ShopifyHarness, lines: Any) -> None:
    bad, good = (harness.place({harness.skus[0]: 1}) for _ in range(2))
    harness.fake.control.patch_order(bad, {"lineItems.nodes": lines})
    found = {event.key: type(event) for page in pull(harness, PULL) for event in page.events}
    assert found == {bad: Malformed, good: Incoming}


def test_what_is_no_moment_is_no_part_of_a_query(harness: ShopifyHarness) -> None:
    context = replace(harness.context(), settings={**harness.settings, "orders_since": "2026-01-01' OR name:'x"})
    with pytest.raises(ValueError, match="isoformat"):
        PullOrders(context)


def test_the_overlap_does_not_read_orders_again(harness: ShopifyHarness) -> None:
    for _ in range(6):
        harness.place({harness.skus[0]: 1})
    cursor = pull(harness, PULL)[-1].cursor
    before = harness.fake.engine.requests["OrderDetails"]
    assert events(pull(harness, PULL, cursor)) == []
    assert harness.fake.engine.requests["OrderDetails"] == before


class Scarce:
    """A budget that is used up after a few requests."""

    def __init__(self, requests: int) -> None:
        self.left = requests

    def acquire(self, operation: str, cost: float = 1.0, priority: int = 5) -> None:
        self.left -= 1
        if self.left < 0:
            raise Snoozed(5, f"budget of {operation} is used up", code="throttled")

    def feedback(self, operation: str, available: float, restore_rate: float) -> None:
        """What is left is known."""

    def penalise(self, operation: str, retry_after: float) -> None:
        """Nobody is refused."""


def test_what_was_read_before_the_budget_ended_is_not_read_again(harness: ShopifyHarness) -> None:
    """Orders of a page of heads that costs more than one run may use: each run goes on where the last one ended."""
    placed = {harness.place({harness.skus[0]: 1}) for _ in range(20)}
    cursor, found, more = None, [], True
    while more:
        pages = PullOrders(replace(harness.context(), throttle=Scarce(3))).pull(cursor, harness.clock.now())
        before = len(found)
        with suppress(Snoozed):
            for page in pages:
                found.extend(event.key for event in page.events)
                cursor, more = page.cursor, page.more
        assert len(found) > before, "each run gets on"
    assert (len(found), set(found)) == (20, placed)
    assert harness.fake.engine.requests["OrderDetails"] == 7
    assert cursor == pull(harness, PULL)[-1].cursor


def test_the_cursor_never_passes_what_was_seen(harness: ShopifyHarness) -> None:
    harness.place({harness.skus[0]: 1})
    placed = harness.clock.now()
    harness.clock.advance(86_400)
    cursor = pull(harness, PULL)[-1].cursor
    assert cursor["high"] <= (placed + timedelta(seconds=1)).isoformat()


@pytest.mark.parametrize("offset", [-200, 86_400])
def test_a_clock_of_the_store_that_jumps_loses_nothing(harness: ShopifyHarness, offset: int) -> None:
    cursor, seen, placed = None, set(), set()
    for skew in (0, offset, 0, offset, 0):
        harness.fake.control.clock(skew)
        placed.add(harness.place({harness.skus[0]: 1}))
        harness.clock.advance(30)
        pages = pull(harness, PULL, cursor)
        cursor = pages[-1].cursor
        seen |= {each.key for each in events(pages)}
    assert seen == placed


@pytest.mark.parametrize("fault", ["duplicate", "out_of_order"])
def test_lists_out_of_order_or_twice_give_each_order_once(harness: ShopifyHarness, fault: str) -> None:
    placed = set()
    for _ in range(7):
        placed.add(harness.place({harness.skus[0]: 1}))
        harness.clock.advance(30)
    harness.fake.control.fault(fault, operation="OrderHeads")
    keys = [each.key for each in events(pull(harness, PULL))]
    assert sorted(keys) == sorted(placed)


def test_orders_since_is_where_the_first_pull_begins(harness: ShopifyHarness) -> None:
    from dataclasses import replace

    harness.place({harness.skus[0]: 1})
    harness.clock.advance(3_600)
    since = harness.clock.now()
    new = harness.place({harness.skus[0]: 1})
    context = harness.context()
    context = replace(context, settings={**context.settings, "orders_since": since.isoformat()})
    pages = list(harness.adapter.flows[PULL](context).pull(None, since))  # type: ignore[union-attr]
    assert [each.key for each in events(pages)] == [new]


def test_a_scheduled_part_waits() -> None:
    state = _state("SCHEDULED", 5)
    with pytest.raises(Snoozed, match="scheduled") as raised:
        ff.parcels(_shipment(2), _packages(2), state)
    assert raised.value.code == "scheduled"


@pytest.mark.parametrize("status", sorted(ff.GONE))
def test_a_part_that_is_gone_is_refused(status: str) -> None:
    with pytest.raises(Rejected) as raised:
        ff.parcels(_shipment(2), _packages(2), _state(status, 5))
    assert raised.value.code == "nothing_left"


def test_the_wanted_location_is_served_first() -> None:
    here, there = _state("OPEN", 5, "1").orders[0], _state("OPEN", 5, "2").orders[0]
    wanted = _shipment(6).model_copy(update={"location_id": "2"})
    found = ff.parcels(wanted, _packages(6), ff.State(False, [here, there], []))
    assert [(parcel.location, sum(take[2] for take in parcel.takes)) for parcel in found] == [("2", 5), ("1", 1)]


def test_a_fulfilment_of_other_goods_is_not_ours() -> None:
    other = ff.Fulfilled("9", _shipment(1).shipped_at, frozenset({"T1"}), "1", Counter({"other": 1}))
    rest, claimed = ff.claim(_packages(2), [other], untracked=True, location=None)
    assert (len(rest), claimed) == (1, [])


def test_a_fulfilment_covers_one_package_only() -> None:
    one = ff.Fulfilled("9", _shipment(1).shipped_at, frozenset({"T1"}), "1", Counter({"L": 2}))
    rest, claimed = ff.claim([*_packages(2), *_packages(2)], [one], untracked=False, location=None)
    assert (len(rest), claimed) == (1, ["9"])


def _state(status: str, left: int, location: str = "1") -> ff.State:
    return ff.State(
        False, [ff.FulfillmentOrder(f"fo{location}", status, location, lines=[ff.Line("l", "L", left)])], []
    )


def _packages(count: int) -> list[tuple[Package, Counter[str]]]:
    package = _shipment(count).packages[0]
    return [(package, ff.contents(package))]


def _shipment(count: int) -> Shipment:
    from datetime import datetime, timezone

    line = PackageLine(line_id="L", quantity=Decimal(count))
    package = Package(reference="p", tracking_number="T1", lines=(line,))
    moment = datetime(2026, 1, 1, tzinfo=timezone.utc)
    return Shipment(order_id="1", reference="OUT/1", shipped_at=moment, packages=(package,))


def test_a_hold_says_why(harness: ShopifyHarness) -> None:
    order = harness.place({harness.skus[0]: 1})
    harness.hold(order)
    (outcome,) = run(harness, shipment(harness, order, {harness.skus[0]: 1}))
    assert (outcome.verdict, outcome.code) == (Verdict.SNOOZE, "on_hold")
    assert "high risk of fraud (call the buyer)" in (outcome.message or "")
