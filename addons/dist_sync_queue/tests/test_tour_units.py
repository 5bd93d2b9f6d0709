# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The JavaScript unit tests of this addon, in a real browser."""

from odoo.tests import tagged

from .browser_kit import BrowserCase


def suite_id(name: str) -> str:
    """The id Odoo's runner gives a suite (see ``web``'s own test_js).

    >>> suite_id("@web/core")
    'e39ce9ba'
    """
    number = 0
    for char in name:
        number = ((number << 5) - number + ord(char)) & 0xFFFFFFFF
    return f"{number:08x}"


@tagged("post_install", "-at_install", "dist_tour")
class TestUnits(BrowserCase):
    """Runs ``static/tests``; a test that fails is named in the log."""

    browser_size = "1366,768"

    def test_units(self) -> None:
        self.browser_js(
            f"/web/tests?headless&loglevel=2&preset=desktop&timeout=15000&id={suite_id('@dist_sync_queue')}",
            "",
            "",
            login="admin",
            timeout=300,
            success_signal="[HOOT] Test suite succeeded",
            error_checker=lambda message: "[HOOT]" in message,
        )
