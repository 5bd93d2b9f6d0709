# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
{
    "name": "Distribution",
    "summary": "Installs the suite: sync engine, sales channels, marketplaces",
    "version": "19.0.1.0.0",
    "category": "Supply Chain/Distribution",
    "author": "Dist contributors",
    "website": "https://github.com/dist-odoo/dist",
    "license": "LGPL-3",
    "development_status": "Beta",
    "depends": ["dist_sync_queue", "dist_channel", "dist_marketplace"],
    "data": [],
    "demo": ["demo/distribution_demo.xml"],
    "application": True,
    "installable": True,
}
