# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What happens around installing and removing the addon."""

from __future__ import annotations

from typing import Any

from . import sql


def post_init_hook(env: Any) -> None:
    """A new installation publishes under its own identity at once."""
    env["dist.relay"]._confirm_identity()


def uninstall_hook(env: Any) -> None:
    """Take the relay's schema away with the addon."""
    sql.drop(env.cr)
