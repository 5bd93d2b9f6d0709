# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
{
    "name": "Distribution Sync Queue",
    "summary": "Sync engine: outbox events, jobs, connections, sealed secrets, exceptions",
    "version": "19.0.1.0.0",
    "category": "Supply Chain/Distribution",
    "author": "Dist contributors",
    "website": "https://github.com/dist-odoo/dist",
    "license": "LGPL-3",
    "development_status": "Beta",
    "depends": ["mail"],
    "external_dependencies": {"python": ["dist_contracts", "jsonschema", "PyNaCl"]},
    "data": [
        "security/dist_groups.xml",
        "security/ir.model.access.csv",
        "security/ir.model.access-engine.csv",
        "security/dist_rules.xml",
        "security/engine_rules.xml",
        "data/ir_cron.xml",
    ],
    "post_init_hook": "post_init_hook",
    "uninstall_hook": "uninstall_hook",
    "application": False,
    "installable": True,
}
