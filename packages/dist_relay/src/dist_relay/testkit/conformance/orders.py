"""Checks of ``orders.pull``."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta

import pytest

from dist_contracts import Capability, Order, OrderStatus
from dist_relay.errors import CredentialsRefused, RelayError, RetryLater, Snoozed
from dist_relay.http.reads import TRIES

from .harness import ChannelHarness, Damage, Trouble
from .kit import Kit, events, ids, malformed, needs, pull

PULL = Capability.ORDERS_PULL
MAX_RAW = 1_000_000
LATER = 60.0
PASSING = (Trouble.LOST_REQUEST, Trouble.LOST_ANSWER, Trouble.SERVER_ERROR, Trouble.HTML)
"""A read that meets one of these once is tried again in place."""


class OrdersPullChecks(Kit):
    """Every order arrives, whole, with an event id that is the same whenever it is read."""

    capability = PULL

    def test_all_orders_come_once_and_repeat_with_equal_ids(self, harness: ChannelHarness) -> None:
        placed = {harness.place({sku: 1}) for sku in harness.skus[:5]}
        first, second = events(pull(harness, PULL)), events(pull(harness, PULL))
        assert {each.key for each in first} == placed
        assert len(first) == len(placed)
        assert ids(first) == ids(second)

    def test_an_order_is_whole(self, harness: ChannelHarness) -> None:
        one, two = harness.skus[:2]
        harness.place({one: 2, two: 3})
        (event,) = events(pull(harness, PULL))
        order = event.payload
        assert isinstance(order, Order)
        assert {line.listing.sku: int(line.quantity) for line in order.lines} == {one: 2, two: 3}
        assert Order.from_json(order.to_json()) == order
        assert order.totals.lines.shop.amount == sum(
            line.unit_price.shop.amount * line.quantity for line in order.lines
        )
        assert event.key == order.external_id

    def test_from_the_cursor_come_only_changes_and_none_is_lost(self, harness: ChannelHarness) -> None:
        harness.place({harness.skus[0]: 1})
        pages = pull(harness, PULL)
        harness.clock.advance(LATER)
        new = harness.place({harness.skus[1]: 1})
        found = events(pull(harness, PULL, _stored(pages[-1].cursor)))
        assert new in {each.key for each in found}
        assert ids(found) - ids(events(pages)) == ids([each for each in found if each.key == new])

    def test_orders_of_one_second_are_not_lost_at_the_edge(self, harness: ChannelHarness) -> None:
        before = harness.place({harness.skus[0]: 1})
        pages = pull(harness, PULL)
        same_second = harness.place({harness.skus[0]: 1})
        found = {each.key for each in events([*pages, *pull(harness, PULL, _stored(pages[-1].cursor))])}
        assert found == {before, same_second}

    def test_a_crash_between_pages_loses_nothing(self, harness: ChannelHarness) -> None:
        placed = {harness.place({harness.skus[0]: 1}) for _ in range(harness.page + 5)}
        source = harness.adapter.flows[PULL](harness.context())
        first = next(iter(source.pull(None, harness.clock.now() + timedelta(minutes=5))))  # type: ignore[union-attr]
        assert first.more
        rest = pull(harness, PULL, _stored(first.cursor))
        assert {each.key for each in events([first, *rest])} == placed
        assert not rest[-1].more

    def test_a_change_during_paging_loses_nothing(self, harness: ChannelHarness) -> None:
        placed = [harness.place({harness.skus[0]: 1}) for _ in range(harness.page + 5)]
        pages = harness.adapter.flows[PULL](harness.context()).pull(None, harness.clock.now())  # type: ignore[union-attr]
        seen = [next(pages)]
        harness.clock.advance(LATER)
        harness.cancel(placed[0])
        seen.extend(pages)
        last = {each.key: each.payload for each in events(seen)}
        assert set(last) == set(placed)
        assert _order(last[placed[0]]).status is OrderStatus.CANCELLED

    def test_an_edited_order_comes_again_with_another_id(self, harness: ChannelHarness) -> None:
        needs(harness, "edit")
        sku = harness.skus[0]
        order = harness.place({sku: 3, harness.skus[1]: 1})
        pages = pull(harness, PULL)
        harness.clock.advance(LATER)
        harness.edit(order, sku, 1)
        found = events(pull(harness, PULL, _stored(pages[-1].cursor)))
        (line,) = [each for each in _order(found[-1].payload).lines if each.listing.sku == sku]
        assert (int(line.quantity), int(line.ordered_quantity)) == (1, 3)
        assert ids(found).isdisjoint(ids(events(pages)))

    def test_a_cancelled_order_says_so(self, harness: ChannelHarness) -> None:
        order = harness.place({harness.skus[0]: 1})
        pages = pull(harness, PULL)
        harness.clock.advance(LATER)
        harness.cancel(order)
        (event,) = events(pull(harness, PULL, _stored(pages[-1].cursor)))
        found = _order(event.payload)
        assert found.status is OrderStatus.CANCELLED
        assert found.cancellation
        assert not found.cancellation.requested

    @pytest.mark.parametrize("damage", list(Damage))
    def test_a_damaged_order_is_named_and_holds_nothing_up(self, harness: ChannelHarness, damage: Damage) -> None:
        needs(harness, damage)
        bad = harness.place({harness.skus[0]: 1})
        good = harness.place({harness.skus[1]: 1})
        harness.damage(bad, damage)
        pages = pull(harness, PULL)
        assert {each.key for each in events(pages)} == {good}
        (named,) = malformed(pages)
        assert named.key == bad
        assert len(named.reason) > 10
        assert len(named.raw) <= MAX_RAW
        harness.clock.advance(LATER)
        later = harness.place({harness.skus[2]: 1})
        assert later in {each.key for each in events(pull(harness, PULL, _stored(pages[-1].cursor)))}

    def test_an_order_dated_in_the_future_hides_none(self, harness: ChannelHarness) -> None:
        needs(harness, "ahead")
        ahead = harness.place({harness.skus[0]: 1}, ahead=86_400)
        pages = pull(harness, PULL)
        harness.clock.advance(LATER)
        now = harness.place({harness.skus[1]: 1})
        found = {each.key for each in events([*pages, *pull(harness, PULL, _stored(pages[-1].cursor))])}
        assert found == {ahead, now}

    @pytest.mark.parametrize("trouble", PASSING)
    def test_one_failed_read_does_not_end_a_pull(self, harness: ChannelHarness, trouble: Trouble) -> None:
        needs(harness, trouble)
        order = harness.place({harness.skus[0]: 1})
        harness.trouble(trouble, PULL.value)
        assert order in {each.key for each in events(pull(harness, PULL))}

    @pytest.mark.parametrize(
        ("trouble", "error"),
        [
            (Trouble.THROTTLED, Snoozed),
            *((trouble, RetryLater) for trouble in PASSING),
            (Trouble.CREDENTIALS, CredentialsRefused),
            (Trouble.SCOPE, CredentialsRefused),
        ],
    )
    def test_trouble_that_stays_has_its_name_and_the_next_run_reads_all(
        self, harness: ChannelHarness, trouble: Trouble, error: type[Exception]
    ) -> None:
        needs(harness, trouble)
        order = harness.place({harness.skus[0]: 1})
        for _ in range(TRIES if trouble in PASSING else 1):
            harness.trouble(trouble, PULL.value)
        if trouble is Trouble.THROTTLED:  # a short wait is sat out
            with suppress(Snoozed):
                pull(harness, PULL)
        else:
            with pytest.raises(error, match=r".{10}") as raised:
                pull(harness, PULL)
            assert isinstance(raised.value, RelayError)
        harness.clock.advance(LATER)
        assert order in {each.key for each in events(pull(harness, PULL))}


def _order(payload: object) -> Order:
    assert isinstance(payload, Order)
    return payload


def _stored(cursor: dict[str, object]) -> dict[str, object]:
    """The cursor as it comes back from the database."""
    stored: dict[str, object] = json.loads(json.dumps(cursor))
    return stored
