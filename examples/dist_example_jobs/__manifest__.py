# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
{
    "name": "Distribution Example: Jobs",
    "summary": "The code of docs/developer-guide.md, and its tests",
    "version": "19.0.1.0.0",
    "category": "Hidden",
    "author": "Dist contributors",
    "website": "https://github.com/dist-odoo/dist",
    "license": "LGPL-3",
    "depends": ["dist_sync_queue"],
    "data": ["security/ir.model.access.csv"],
    "installable": True,
}
