# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What the picture of a graph shows of it."""

from odoo.tests import BaseCase, tagged

from ..engine.picture import REACH, Edge, Node, draw


@tagged("post_install", "-at_install")
class TestPicture(BaseCase):
    def test_a_diamond_is_drawn_box_by_box(self):
        nodes = [Node(1, "a", "done"), Node(2, "b", "done"), Node(3, "c", "dead"), Node(4, "d", "waiting")]
        edges = [Edge(1, 2), Edge(1, 3, "continue"), Edge(2, 4), Edge(3, 4)]
        drawn = draw(nodes, edges, focus=3)
        self.assertEqual(
            [(box["layer"], box["ids"]) for box in drawn["boxes"]], [(0, [1]), (1, [3]), (1, [2]), (2, [4])]
        )
        self.assertEqual([box["ids"] for box in drawn["boxes"] if box["focus"]], [[3]])
        self.assertIn({"from": "0/1", "to": "1/3", "kind": "continue"}, drawn["lines"])
        self.assertEqual(len(drawn["lines"]), 4)

    def test_a_thousand_jobs_side_by_side_are_one_box_and_the_one_looked_at(self):
        states = ["done", "pending", "dead", "done"]
        nodes = [Node(1, "split", "done"), *(Node(i, "work", states[i % 4]) for i in range(2, 1002))]
        nodes.append(Node(2000, "join", "waiting"))
        edges = [Edge(1, i) for i in range(2, 1002)] + [Edge(i, 2000) for i in range(2, 1002)]
        drawn = draw(nodes, edges, focus=500)
        self.assertEqual(len(drawn["boxes"]), 4)
        alone, many = drawn["boxes"][1:3]
        self.assertEqual((alone["ids"], alone["focus"]), ([500], True))
        self.assertEqual(sum(many["states"].values()), 999)
        self.assertEqual(many["states"]["dead"], 250)
        self.assertEqual(len(drawn["lines"]), 4, "lines between two boxes are drawn once")

    def test_of_a_long_chain_the_surroundings_are_drawn_and_the_rest_is_counted(self):
        nodes = [Node(i, "step", "pending") for i in range(100)]
        drawn = draw(nodes, [Edge(i, i + 1) for i in range(99)], focus=50)
        self.assertEqual(len(drawn["boxes"]), 2 * REACH + 1)
        self.assertEqual((drawn["before"], drawn["after"]), (50 - REACH, 49 - REACH))
        self.assertEqual(min(box["layer"] for box in drawn["boxes"]), 0)

    def test_a_layer_of_many_kinds_of_work_is_collapsed_as_a_whole(self):
        nodes = [Node(1, "split", "done"), *(Node(i, f"work{i}", "done") for i in range(2, 22))]
        drawn = draw(nodes, [Edge(1, i) for i in range(2, 22)], focus=1)
        self.assertEqual([len(box["ids"]) for box in drawn["boxes"]], [1, 20])
        self.assertEqual(drawn["boxes"][1]["handler"], "", "it is no work in particular")

    def test_edges_to_jobs_that_are_gone_are_left_out(self):
        drawn = draw([Node(2, "b", "done")], [Edge(1, 2), Edge(2, 3)], focus=2)
        self.assertEqual((len(drawn["boxes"]), drawn["lines"]), (1, []))
