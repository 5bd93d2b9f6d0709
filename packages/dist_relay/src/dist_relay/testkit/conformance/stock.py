"""Checks of ``availability.push``."""

from __future__ import annotations

import pytest

from dist_contracts import Capability, ListingRef, Verdict

from .harness import ChannelHarness, Trouble
from .kit import Kit, again, availability, needs, run


class AvailabilityChecks(Kit):
    """Quantities are absolute, repeatable, and one bad item harms no other."""

    capability = Capability.AVAILABILITY_PUSH

    def test_the_channel_shows_what_was_published(self, harness: ChannelHarness) -> None:
        place = harness.locations[0]
        wanted = {sku: index * 7 for index, sku in enumerate(harness.skus[:4])}
        outcomes = run(harness, *(availability(harness, sku, place, count) for sku, count in wanted.items()))
        assert {each.verdict for each in outcomes} == {Verdict.DELIVERED}
        assert {sku: harness.stock(sku, place) for sku in wanted} == wanted

    def test_there_is_one_outcome_per_event_in_order(self, harness: ChannelHarness) -> None:
        events = [availability(harness, sku, harness.locations[0], 5, version=3) for sku in harness.skus[:4]]
        outcomes = run(harness, *events)
        assert [each.event_id for each in outcomes] == [each.event_id for each in events]
        assert {each.version for each in outcomes} == {3}

    def test_a_repetition_changes_nothing(self, harness: ChannelHarness) -> None:
        event = availability(harness, harness.skus[0], harness.locations[0], 9)
        run(harness, event)
        (outcome,) = run(harness, again(event))
        assert outcome.verdict is Verdict.DELIVERED
        assert harness.stock(harness.skus[0], harness.locations[0]) == 9

    def test_quantities_are_absolute(self, harness: ChannelHarness) -> None:
        sku, place = harness.skus[0], harness.locations[0]
        for version, count in enumerate((12, 4, 30), 1):
            run(harness, availability(harness, sku, place, count, version))
        assert harness.stock(sku, place) == 30

    def test_locations_are_kept_apart(self, harness: ChannelHarness) -> None:
        if len(harness.locations) < 2:
            pytest.skip("the channel has one location")
        sku, (one, two) = harness.skus[0], harness.locations[:2]
        run(harness, availability(harness, sku, one, 11), availability(harness, sku, two, 22))
        assert (harness.stock(sku, one), harness.stock(sku, two)) == (11, 22)

    def test_a_bad_item_is_refused_alone(self, harness: ChannelHarness) -> None:
        place = harness.locations[0]
        unknown = ListingRef(inventory_id="999999999", variant_id="999999999", sku="NO-SUCH-SKU")
        bad = availability(harness, "NO-SUCH-SKU", place, 3, listing=unknown)
        nowhere = availability(harness, harness.skus[1], "999999999", 3)
        good = [availability(harness, sku, place, 8) for sku in harness.skus[2:5]]
        verdicts = [each.verdict for each in run(harness, good[0], bad, good[1], nowhere, good[2])]
        good_, refused = Verdict.DELIVERED, Verdict.REJECTED
        assert verdicts == [good_, refused, good_, refused, good_]
        assert {harness.stock(sku, place) for sku in harness.skus[2:5]} == {8}

    def test_a_full_batch_goes_in_one_call(self, harness: ChannelHarness) -> None:
        most = harness.adapter.manifest.batch.get("availability.changed.v1", 1)
        pairs = [(sku, place) for sku in harness.skus for place in harness.locations][:most]
        outcomes = run(harness, *(availability(harness, sku, place, 6) for sku, place in pairs))
        assert {each.verdict for each in outcomes} == {Verdict.DELIVERED}
        assert {harness.stock(sku, place) for sku, place in pairs} == {6}

    def test_stock_that_moves_meanwhile_is_set_all_the_same(self, harness: ChannelHarness) -> None:
        needs(harness, Trouble.MOVED_STOCK)
        harness.trouble(Trouble.MOVED_STOCK, self.capability.value)
        outcomes = run(harness, *(availability(harness, sku, harness.locations[0], 15) for sku in harness.skus[:3]))
        assert {each.verdict for each in outcomes} == {Verdict.DELIVERED}
        assert {harness.stock(sku, harness.locations[0]) for sku in harness.skus[:3]} == {15}

    @pytest.mark.parametrize(
        ("trouble", "verdicts"),
        [
            (Trouble.THROTTLED, {Verdict.SNOOZE, Verdict.DELIVERED}),
            (Trouble.LOST_REQUEST, {Verdict.UNKNOWN, Verdict.RETRY}),
            (Trouble.LOST_ANSWER, {Verdict.UNKNOWN}),
            (Trouble.SERVER_ERROR, {Verdict.UNKNOWN, Verdict.RETRY}),
            (Trouble.HTML, {Verdict.UNKNOWN, Verdict.RETRY}),
            (Trouble.CREDENTIALS, {Verdict.SNOOZE}),
            (Trouble.SCOPE, {Verdict.SNOOZE}),
        ],
    )
    def test_trouble_has_its_name_and_the_next_attempt_succeeds(
        self, harness: ChannelHarness, trouble: Trouble, verdicts: set[Verdict]
    ) -> None:
        needs(harness, trouble)
        event = availability(harness, harness.skus[0], harness.locations[0], 17)
        harness.trouble(trouble, self.capability.value)
        (first,) = run(harness, event)
        assert first.verdict in verdicts
        harness.clock.advance(60)
        (second,) = run(harness, again(event))
        assert second.verdict is Verdict.DELIVERED
        assert harness.stock(harness.skus[0], harness.locations[0]) == 17
