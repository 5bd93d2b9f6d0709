# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Field types the ORM lacks."""

from __future__ import annotations

from odoo import fields


class BigInteger(fields.Integer):
    """An integer of eight bytes: sequences that never start again outgrow four."""

    _column_type = ("int8", "int8")


class UncheckedMany2one(fields.Many2one):
    """A reference without foreign key, for tables that get thousands of rows a second.

    PostgreSQL would look up and lock the row referred to for every row inserted: a third of the cost. Whoever deletes
    that row has to see to what refers to it.
    """

    def update_db_foreign_key(self, model, column) -> None:
        """There is none."""
