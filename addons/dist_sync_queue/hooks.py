# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What happens around installing and removing the addon."""

from __future__ import annotations

from typing import Any

from . import sql
from .engine import schema


def post_init_hook(env: Any) -> None:
    """A new installation publishes under its own identity at once."""
    env["dist.relay"]._confirm_identity()


def uninstall_hook(env: Any) -> None:
    """Take away with the addon what no model owns: the relay's schema, the engine's memory, the identity."""
    sql.drop(env.cr)
    schema.drop(env.cr)
    env["ir.config_parameter"].sudo().search([("key", "=like", "dist_sync_queue.%")]).unlink()
