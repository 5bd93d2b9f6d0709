"""Checks of ``shipment.confirm`` and ``order.cancel``."""

from __future__ import annotations

from collections import Counter

import pytest

from dist_contracts import CancelReason, Capability, OrderCancel, Verdict

from .harness import ChannelHarness, Trouble
from .kit import Kit, again, envelope, needs, run, shipment

TROUBLES = [
    (Trouble.THROTTLED, {Verdict.SNOOZE, Verdict.DELIVERED}),
    (Trouble.LOST_REQUEST, {Verdict.UNKNOWN, Verdict.RETRY}),
    (Trouble.LOST_ANSWER, {Verdict.UNKNOWN}),
    (Trouble.SERVER_ERROR, {Verdict.UNKNOWN, Verdict.RETRY}),
    (Trouble.HTML, {Verdict.UNKNOWN, Verdict.RETRY}),
    (Trouble.CREDENTIALS, {Verdict.SNOOZE}),
    (Trouble.SCOPE, {Verdict.SNOOZE}),
]


class ShipmentChecks(Kit):
    """What left is fulfilled exactly once, with its tracking."""

    capability = Capability.SHIPMENT_CONFIRM

    def test_a_whole_order(self, harness: ChannelHarness) -> None:
        one, two = harness.skus[:2]
        order = harness.place({one: 2, two: 1})
        (outcome,) = run(harness, shipment(harness, order, {one: 2, two: 1}))
        assert outcome.verdict is Verdict.DELIVERED
        (done,) = harness.fulfilled(order)
        assert done.tracking == ("1Z-OUT/1-1",)
        assert _shipped(harness, order) == {one: 2, two: 1}

    def test_a_part_and_then_the_rest(self, harness: ChannelHarness) -> None:
        sku = harness.skus[0]
        order = harness.place({sku: 5})
        for reference, count in (("OUT/1", 2), ("OUT/2", 3)):
            (outcome,) = run(harness, shipment(harness, order, {sku: count}, reference=reference))
            assert outcome.verdict is Verdict.DELIVERED
        assert _shipped(harness, order) == {sku: 5}

    def test_equal_parts_with_other_tracking_are_two_shipments(self, harness: ChannelHarness) -> None:
        sku = harness.skus[0]
        order = harness.place({sku: 4})
        for reference in ("OUT/1", "OUT/2"):
            run(harness, shipment(harness, order, {sku: 2}, reference=reference))
        assert _shipped(harness, order) == {sku: 4}

    def test_every_package_has_its_own_tracking(self, harness: ChannelHarness) -> None:
        one, two = harness.skus[:2]
        order = harness.place({one: 3, two: 1})
        (outcome,) = run(harness, shipment(harness, order, {one: 2}, {one: 1, two: 1}))
        assert outcome.verdict is Verdict.DELIVERED
        assert sorted(done.tracking for done in harness.fulfilled(order)) == [("1Z-OUT/1-1",), ("1Z-OUT/1-2",)]
        assert _shipped(harness, order) == {one: 3, two: 1}

    def test_goods_of_two_locations(self, harness: ChannelHarness) -> None:
        if len(harness.locations) < 2:
            pytest.skip("the channel has one location")
        needs(harness, "split")
        sku = harness.skus[0]
        order = harness.place({sku: 4})
        harness.split(order)
        event = shipment(harness, order, {sku: 4})
        assert run(harness, event)[0].verdict is Verdict.DELIVERED
        assert {done.location for done in harness.fulfilled(order)} == set(harness.locations[:2])
        assert run(harness, again(event))[0].verdict is Verdict.DELIVERED
        assert _shipped(harness, order) == {sku: 4}

    @pytest.mark.parametrize("tracked", [True, False])
    def test_a_repetition_has_one_effect(self, harness: ChannelHarness, tracked: bool) -> None:
        sku = harness.skus[0]
        order = harness.place({sku: 6})
        event = shipment(harness, order, {sku: 2}, {sku: 1}, tracked=tracked)
        for each in (event, again(event), again(again(event))):
            assert run(harness, each)[0].verdict is Verdict.DELIVERED
        assert _shipped(harness, order) == {sku: 3}

    def test_more_than_was_ordered_is_refused(self, harness: ChannelHarness) -> None:
        sku = harness.skus[0]
        order = harness.place({sku: 1})
        (outcome,) = run(harness, shipment(harness, order, {sku: 2}))
        assert outcome.verdict is Verdict.REJECTED
        assert outcome.code
        assert _shipped(harness, order) == {}

    def test_an_unknown_order_is_refused(self, harness: ChannelHarness) -> None:
        order = harness.place({harness.skus[0]: 1})
        event = shipment(harness, order, {harness.skus[0]: 1})
        gone = event.model_copy(update={"payload": {**event.payload, "order_id": "999999999"}})
        assert run(harness, gone)[0].verdict is Verdict.REJECTED

    def test_a_cancelled_order_is_refused(self, harness: ChannelHarness) -> None:
        order = harness.place({harness.skus[0]: 1})
        harness.cancel(order)
        assert run(harness, shipment(harness, order, {harness.skus[0]: 1}))[0].verdict is Verdict.REJECTED

    def test_a_hold_is_respected(self, harness: ChannelHarness) -> None:
        needs(harness, "hold")
        sku = harness.skus[0]
        order = harness.place({sku: 1})
        event = shipment(harness, order, {sku: 1})
        harness.hold(order)
        (held,) = run(harness, event)
        assert held.verdict is Verdict.SNOOZE
        assert held.message
        assert _shipped(harness, order) == {}
        harness.release(order)
        assert run(harness, event)[0].verdict is Verdict.DELIVERED

    @pytest.mark.parametrize("tracked", [True, False])
    @pytest.mark.parametrize(("trouble", "verdicts"), TROUBLES)
    def test_trouble_has_its_name_and_one_effect(
        self, harness: ChannelHarness, trouble: Trouble, verdicts: set[Verdict], tracked: bool
    ) -> None:
        needs(harness, trouble)
        sku = harness.skus[0]
        order = harness.place({sku: 9})
        event = shipment(harness, order, {sku: 2}, {sku: 1}, tracked=tracked)
        harness.trouble(trouble, self.capability.value)
        (first,) = run(harness, event)
        assert first.verdict in verdicts
        harness.clock.advance(60)
        repeat = event if first.verdict is Verdict.SNOOZE else again(event)
        assert run(harness, repeat)[0].verdict is Verdict.DELIVERED
        assert _shipped(harness, order) == {sku: 3}


class CancelChecks(Kit):
    """An order is cancelled once, and not after it was shipped."""

    capability = Capability.ORDER_CANCEL

    def test_an_order_is_cancelled_once(self, harness: ChannelHarness) -> None:
        order = harness.place({harness.skus[0]: 1})
        event = envelope(harness, "order.cancel.v1", order, _wish(order), "x")
        assert [run(harness, each)[0].verdict for each in (event, again(event))] == [Verdict.DELIVERED] * 2
        assert harness.is_cancelled(order)

    def test_a_shipped_order_is_not(self, harness: ChannelHarness) -> None:
        order = harness.place({harness.skus[0]: 1})
        run(harness, shipment(harness, order, {harness.skus[0]: 1}))
        (outcome,) = run(harness, envelope(harness, "order.cancel.v1", order, _wish(order), "x"))
        assert outcome.verdict is Verdict.REJECTED
        assert not harness.is_cancelled(order)

    def test_an_unknown_order_is_refused(self, harness: ChannelHarness) -> None:
        (outcome,) = run(harness, envelope(harness, "order.cancel.v1", "999999999", _wish("999999999"), "x"))
        assert outcome.verdict is Verdict.REJECTED

    @pytest.mark.parametrize(("trouble", "verdicts"), TROUBLES)
    def test_trouble_has_its_name_and_the_next_attempt_succeeds(
        self, harness: ChannelHarness, trouble: Trouble, verdicts: set[Verdict]
    ) -> None:
        needs(harness, trouble)
        order = harness.place({harness.skus[0]: 1})
        event = envelope(harness, "order.cancel.v1", order, _wish(order), "x")
        harness.trouble(trouble, self.capability.value)
        assert run(harness, event)[0].verdict in verdicts
        for _ in range(3):
            harness.clock.advance(60)
            (last,) = run(harness, again(event))
        assert last.verdict is Verdict.DELIVERED
        assert harness.is_cancelled(order)


def _wish(order: str) -> OrderCancel:
    return OrderCancel(order_id=order, reason=CancelReason.STOCK)


def _shipped(harness: ChannelHarness, order: str) -> dict[str, int]:
    sku_of = {line: sku for sku, line in harness.lines(order).items()}
    total: Counter[str] = Counter()
    for done in harness.fulfilled(order):
        for line, count in done.lines.items():
            total[sku_of[line]] += count
    return dict(total)
