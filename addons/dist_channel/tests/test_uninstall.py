# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from ..hooks import uninstall_hook
from .common import ChannelCase


class TestUninstall(ChannelCase):
    def triggers(self) -> list[str]:
        """Triggers in the database whose function is ours."""
        self.env.cr.execute(
            r"""SELECT t.tgname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
                 WHERE p.proname LIKE 'dist\_channel\_%'"""
        )
        return [row[0] for row in self.env.cr.fetchall()]

    def test_stock_goes_on_without_us(self):
        """The triggers write into tables that go with the addon: left behind, no quant could be written any more."""
        self.assertEqual(len(self.triggers()), 3)
        uninstall_hook(self.env)
        self.assertEqual(self.triggers(), [])
        self.env.cr.execute("ALTER TABLE dist_channel_mapping RENAME TO gone")
        self.add_stock(self.product_a, 5)
        self.env.flush_all()
