# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
{
    "name": "Distribution Channel",
    "summary": "Sales channels: orders in, availability and shipments out, without duplicates",
    "version": "19.0.1.1.0",
    "category": "Supply Chain/Distribution",
    "author": "Dist contributors",
    "website": "https://github.com/dist-odoo/dist",
    "license": "LGPL-3",
    "development_status": "Beta",
    "depends": ["dist_sync_queue", "sale_stock", "stock_delivery"],
    "external_dependencies": {"python": ["dist_contracts"]},
    "data": [
        "security/ir.model.access.csv",
        "security/dist_channel_rules.xml",
        "data/product_data.xml",
        "views/dist_channel_views.xml",
        "views/dist_channel_order_analysis_views.xml",
        "views/dist_channel_order_views.xml",
        "views/dist_channel_mapping_views.xml",
        "views/dist_offer_views.xml",
        "views/sale_stock_views.xml",
        "views/dist_menus.xml",
    ],
    "assets": {
        "web.assets_backend": ["dist_channel/static/src/**/*"],
        "web.assets_tests": ["dist_channel/static/tests/tours/**/*"],
    },
    "uninstall_hook": "uninstall_hook",
    "installable": True,
}
