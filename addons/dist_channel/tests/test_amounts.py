# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The arithmetic of an order, without a database: planned lines come to the channel's total."""

import doctest
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from dist_contracts import Order

from ..logic import amounts, parcels, party, snapshot
from .common import later, line, order, pair

CENT = Decimal("0.01")
cents = st.integers(0, 2_000_000).map(lambda n: Decimal(n) * CENT)
prices = st.one_of(cents, st.integers(1, 10**9).map(lambda n: Decimal(n) / 10**4))


@st.composite
def lines_of(draw):
    found = []
    for number in range(draw(st.integers(1, 5))):
        price, quantity = draw(prices), draw(st.integers(1, 40))
        gross = amounts.rounded(price * quantity, CENT)
        off = min(draw(cents), gross)
        found.append(
            line(
                f"S{number}",
                quantity,
                price,
                discount=off if draw(st.booleans()) else None,
                tax=(draw(cents), draw(st.sampled_from(["0.2", "0.0825", None]))) if draw(st.booleans()) else None,
            )
        )
    return found


def total_of(plan) -> Decimal:
    """What Odoo makes of planned lines without taxes: each rounded to the cent."""
    total = Decimal(0)
    for planned in plan:
        net = planned.price_unit * planned.quantity * (1 - planned.percent / 100)
        total += amounts.rounded(net, CENT)
    return total


@tagged("post_install", "-at_install")
class TestAmounts(BaseCase):
    def rules(self, **more) -> amounts.Rules:
        return amounts.Rules(side="shop", step=CENT, match=lambda tax: None, **more)

    def read(self, tree: dict) -> Order:
        return Order.read(tree)[0]

    @settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(lines=lines_of(), shipping=cents, included=st.booleans(), as_lines=st.booleans(), show=st.booleans())
    def test_planned_lines_come_to_the_total(self, lines, shipping, included, as_lines, show):
        if lines and lines[0].get("taxes"):
            lines[0]["taxes"][0]["marketplace_facilitated"] = True
        tree = order(lines, shipping=[{"title": "Ship", "price": pair(shipping)}], taxes_included=included)
        total = amounts.detail_total(self.read(tree), "shop", CENT)
        tree["totals"]["total"] = pair(total)
        snapshot_ = self.read(tree)
        plan = amounts.plan(snapshot_, self.rules(facilitated_as_line=show, discounts_as_lines=as_lines))
        expected = amounts.expected_total(snapshot_, "shop", with_facilitated=show)
        self.assertEqual(total_of(plan), expected)

    @settings(max_examples=200, deadline=None)
    @given(gross=cents, off=cents)
    def test_a_percentage_is_only_taken_where_it_is_exact(self, gross, off):
        percent = amounts.exact_percent(gross, off)
        if percent is not None:
            self.assertEqual(amounts.rounded(gross * (1 - percent / 100), CENT), gross - off)
            self.assertEqual(percent, percent.quantize(CENT))

    @settings(max_examples=100, deadline=None)
    @given(
        st.dictionaries(st.text("abc", min_size=1, max_size=2), st.integers(1, 9).map(Decimal), min_size=1),
        st.integers(1, 6),
    )
    def test_parcels_lose_nothing(self, contents, count):
        shares = parcels.spread(contents, count)
        self.assertTrue(all(shares) and 1 <= len(shares) <= count)
        self.assertEqual(len(shares), min(count, sum(int(q) for q in contents.values())))
        summed = {}
        for share in shares:
            for key, quantity in share.items():
                summed[key] = summed.get(key, Decimal(0)) + quantity
        self.assertEqual(summed, contents)

    def test_a_line_that_was_removed_does_not_count(self):
        tree = order([line("A", 0, "10.00", tax=("1.00", "0.1"), ordered=2), line("B", 1, "5.00")])
        self.assertEqual(amounts.detail_total(self.read(tree), "shop", CENT), Decimal("5.00"))
        self.assertEqual([p.line_id for p in amounts.plan(self.read(tree), self.rules())], ["L-B"])

    def test_the_commercial_digest_knows_what_matters(self):
        tree = order([line("A", 2), line("B", 1)])
        base = snapshot.commercial_digest(self.read(tree))
        same = later(
            tree, tags=["x"], payment_status="refunded", holds=[{"reason": "fraud"}], lines=tree["lines"][::-1]
        )
        self.assertEqual(snapshot.commercial_digest(self.read(same)), base)
        for other in (
            later(tree, lines=[line("A", 3), line("B", 1)]),
            later(tree, lines=[line("A", 2)]),
            later(tree, status="cancelled"),
            later(tree, ship_to={"name": "X", "country": "US"}),
        ):
            self.assertNotEqual(snapshot.commercial_digest(self.read(other)), base)
        self.assertNotEqual(snapshot.digest(self.read(same)), snapshot.digest(self.read(tree)))


@tagged("post_install", "-at_install")
class TestExamples(BaseCase):
    def test_examples_in_the_pure_modules_hold(self):
        for module in (amounts, parcels, party):
            with self.subTest(module.__name__):
                result = doctest.testmod(module)
                self.assertTrue(result.attempted)
                self.assertFalse(result.failed)
