# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
{
    "name": "Distribution Marketplace",
    "summary": "The marketplace view of a channel: offers with what it shows, prices and links to the store",
    "version": "19.0.1.0.0",
    "category": "Supply Chain/Distribution",
    "author": "Dist contributors",
    "website": "https://github.com/dist-odoo/dist",
    "license": "LGPL-3",
    "development_status": "Beta",
    "depends": ["dist_channel"],
    "data": ["views/dist_marketplace_views.xml"],
    "installable": True,
}
