# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Odoo's command as a file: with ``--workers`` Odoo starts its event process by the file it was itself started by."""

from odoo.cli.command import main

if __name__ == "__main__":
    main()
