# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Every screen of the Distribution app opens for its users, whatever other rights they have."""

from __future__ import annotations

from lxml import etree

from odoo.tests import tagged

from .common import ChannelCase, line, order


@tagged("post_install", "-at_install")
class TestScreens(ChannelCase):
    """Reads what the web client reads: the fields of each view, as the user."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.users = {
            group: cls.env["res.users"].create(
                {
                    "name": group,
                    "login": f"screens_{group}",
                    "group_ids": [(6, 0, [cls.env.ref(f"dist_sync_queue.group_dist_{group}").id])],
                }
            )
            for group in ("user", "manager")
        }

    def fields_of(self, arch: str) -> list[str]:
        """Names of the fields of a view itself, without those of its sub-views."""
        tree = etree.fromstring(arch)
        return sorted(
            {node.get("name") for node in tree.iter("field") if not any(True for _ in node.iterancestors("field"))}
        )

    def open_all(self, user) -> int:
        """Open every screen of the app that ``user`` sees; the number of records read."""
        visible = self.env["ir.ui.menu"].with_user(user)._visible_menu_ids()
        root = self.env.ref("dist_sync_queue.dist_menu_root")
        self.assertIn(root.id, visible)
        menus = self.env["ir.ui.menu"].sudo().search([("id", "child_of", root.id), ("id", "in", list(visible))])
        read = 0
        actions = {menu.action for menu in menus if menu.action}
        for action in [action for action in actions if action._name == "ir.actions.act_window"]:
            model = self.env[action.res_model].with_user(user).with_context(active_test=False)
            kinds = [kind for kind in action.view_mode.split(",") if kind != "activity"]
            views = model.get_views([(False, kind) for kind in [*kinds, "search"]])["views"]
            records = model.search([], limit=20)
            for kind in {"list", "form", "kanban"} & set(kinds):
                with self.subTest(action=action.name, view=kind, user=user.name):
                    records.web_read({name: {} for name in self.fields_of(views[kind]["arch"])})
                    read += len(records)
        return read

    def test_every_screen_opens(self) -> None:
        good = self.receive(order([line("SKU-A", 2)]))
        self.run_jobs("_dist_reserve")
        self.deliver(good.picking_ids)
        self.receive(order([line("UNKNOWN", 1)]))
        self.compute_offers("I-SKU-A@LOC1")
        self.assertTrue(self.env["dist.offer"].search_count([]))
        for user in self.users.values():
            self.env.flush_all()
            self.env.invalidate_all()
            self.assertGreater(self.open_all(user), 10)

    def test_filters_need_no_other_rights(self) -> None:
        self.receive(order([line("SKU-A", 1000)]))
        orders = self.env["dist.channel.order"].with_user(self.users["user"])
        self.assertEqual(orders.search([("waiting_stock", "=", True)]).waiting_stock, True)
