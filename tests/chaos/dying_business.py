"""A process of the ERP that dies around the commit of a transaction: ``CONFIG DATABASE CONNECTION KEY WHEN``."""

from __future__ import annotations

import os
import signal
import sys

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.tools import config


def main(config_file: str, database: str, connection: str, name: str, when: str) -> None:
    """Ship, ask for a job, change a value; then die ``before`` the commit, or ``after`` it and before any doorbell."""
    config.parse_config(["-c", config_file, "-d", database, "--no-http"])
    cr = Registry(database).cursor()
    env = api.Environment(cr, SUPERUSER_ID, {})
    key = env["dist.chaos.key"].search([("name", "=", name)])
    of = env["dist.connection"].browse(int(connection))
    key._ship(of)
    key._work_later()
    key._count(of)
    env.flush_all()
    if when == "after":
        cr._cnx.commit()  # as cr.commit() does, without what follows it
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
