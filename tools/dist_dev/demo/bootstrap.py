"""Run once in Odoo's Python: an API key for the demo's outside programs. Prints the key and nothing else."""

from __future__ import annotations

import sys
from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields
from odoo.modules.registry import Registry
from odoo.tools import config


def main(config_file: str, database: str) -> None:
    """Make the administrator a Distribution manager with the login admin / admin, and give out a key for a day."""
    config.parse_config(["-c", config_file, "-d", database, "--no-http", "--log-level=error"], setup_logging=True)
    with Registry(database).cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {})
        admin = env.ref("base.user_admin")
        admin.write(
            {
                "group_ids": [
                    (4, env.ref(name).id)
                    for name in (
                        "dist_sync_queue.group_dist_manager",
                        "stock.group_stock_manager",
                        "sales_team.group_sale_manager",
                    )
                ]
            }
        )
        expires = fields.Datetime.now() + timedelta(days=1)
        print(env(user=admin.id)["res.users.apikeys"].sudo()._generate("rpc", "demo", expires))


if __name__ == "__main__":
    main(*sys.argv[1:])
