# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What happens around removing the addon."""

from __future__ import annotations

from typing import Any

from .models import stock_quant


def uninstall_hook(env: Any) -> None:
    """Take the triggers on stock away with the addon: they write into tables that go with it."""
    stock_quant.drop_triggers(env.cr)
