# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Field types the ORM lacks."""

from __future__ import annotations

from odoo import fields


class BigInteger(fields.Integer):
    """An integer of eight bytes: sequences that never start again outgrow four."""

    _column_type = ("int8", "int8")
