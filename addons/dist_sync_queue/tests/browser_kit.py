# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What tests in a real browser have in common. Odoo skips them with its reason where Chromium is not installed."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from odoo.tests import HttpCase
from odoo.tests.common import ChromeBrowser
from odoo.tools import mute_logger

from odoo.addons.base.models.assetsbundle import JavascriptAsset

MISSING = "Could not get content for"
PATIENCE = 5
"""What Odoo's limits for the browser (a minute for bundles to be made, say) are multiplied by, for slow machines."""


class BrowserCase(HttpCase):
    """A browser test that a file which a distribution leaves out of Odoo does not fail.

    Debian's package lacks a library of ``mail`` (blurred video background). Odoo then writes ``console.error`` into the
    bundle, and its test browser takes that for a failure of the test. Only this one message is left out.
    """

    browser_size = "1440,900"

    def setUp(self) -> None:
        super().setUp()
        if self.http_port() is None:
            self.skipTest(
                "browser test skipped: Odoo's HTTP server does not run (odoo --test-tags, pytest --odoo-http)"
            )
        original = JavascriptAsset.generate_error

        def generate_error(asset: JavascriptAsset, message: str) -> str:
            return "" if message.startswith(MISSING) else original(asset, message)

        self.startPatcher(patch.object(JavascriptAsset, "generate_error", generate_error))
        init = ChromeBrowser.__init__

        def patient(browser: ChromeBrowser, *args: Any, **kwargs: Any) -> None:
            init(browser, *args, **kwargs)
            browser.throttling_factor = PATIENCE

        self.startPatcher(patch.object(ChromeBrowser, "__init__", patient))
        silence = mute_logger("odoo.addons.base.models.assetsbundle", "odoo.addons.base.models.ir_attachment")
        silence.__enter__()
        self.addCleanup(silence.__exit__, None, None, None)
        bundles = [("url", "=like", "/web/assets/%"), ("res_model", "=", "ir.ui.view")]
        self.env["ir.attachment"].sudo().search(bundles).unlink()
        self.env.registry.clear_cache("assets")
