# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Which worker process serves what: no database needed."""

import doctest
from collections import Counter

from odoo.tests import BaseCase, tagged

from ..engine import spread as module
from ..engine.spread import CannotSpread, Place, spread


@tagged("post_install", "-at_install")
class TestSpread(BaseCase):
    def test_examples_in_the_code(self):
        result = doctest.testmod(module)
        self.assertTrue(result.attempted)
        self.assertFalse(result.failed)

    def test_each_database_has_a_process_and_none_has_two_more_than_another(self):
        for processes in range(-1, 12):
            for count in range(1, 5):
                databases = [f"db{n}" for n in range(count)]
                places = Counter(place.database for place in spread(databases, processes))
                self.assertEqual(sorted(places), databases)
                self.assertEqual(places.total(), max(processes, count))
                self.assertLessEqual(max(places.values()) - min(places.values()), 1)

    def test_one_process_of_each_database_is_reserved_the_others_serve_all(self):
        places = spread(["a", "b"], 5, "orders,high")
        self.assertEqual(places[:2], [Place("a", "orders,high"), Place("b", "orders,high")])
        self.assertEqual(places[2:], [Place("a"), Place("b"), Place("a")])

    def test_nothing_is_reserved_where_nobody_would_do_the_rest(self):
        for databases, processes, needed in ((["a"], 1, 2), (["a", "b"], 3, 4), (["a", "b"], 1, 4)):
            with self.assertRaisesRegex(CannotSpread, f"--processes {needed} or more"):
                spread(databases, processes, "orders")

    def test_what_a_process_is_told(self):
        self.assertEqual(Place("a").arguments, ["-d", "a"])
        self.assertEqual(Place("a", "orders,high").arguments, ["-d", "a", "--lanes", "orders,high"])
