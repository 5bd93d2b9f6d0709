# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Numbers that system parameters hold: a nonsensical one is said once, and the usual number is used instead."""

from __future__ import annotations

import logging
from typing import Any

_logger = logging.getLogger(__name__)

_said: set[tuple[str, str, str]] = set()
"""Database, parameter and text that were complained about in this process."""


def number(env: Any, name: str, default: int, least: int = 1) -> int:
    """The whole number in the system parameter ``name``: ``default`` where there is none of at least ``least``."""
    text = (env["ir.config_parameter"].sudo().get_param(name) or "").strip()
    if not text:
        return default
    value = whole(text)
    if value is not None and value >= least:
        return value
    if (said := (env.cr.dbname, name, text)) not in _said:
        _said.add(said)
        _logger.error(
            "The system parameter %s is %r, which is no whole number from %s on; %s is used. Correct or delete it.",
            name,
            text,
            least,
            default,
        )
    return default


def whole(text: str) -> int | None:
    """
    >>> [whole(text) for text in ("7", " -2", "1e3", "soon", "")]
    [7, -2, None, None, None]
    """
    try:
        return int(text)
    except ValueError:
        return None
