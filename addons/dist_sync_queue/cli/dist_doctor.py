# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""``odoo dist_doctor``: the health check of a database, for scripts and for when the screen cannot be reached.

Odoo loads this file by its path, before the configuration is read; so it imports the rest afterwards.
"""

from __future__ import annotations

import json
import sys

from odoo.cli import Command
from odoo.tools import config

CANNOT_LOOK = 2
"""Exit code where no database was looked at."""


class DistDoctor(Command):
    """Look at everything the sync engine rests on, and say what to do about what is wrong."""

    name = "dist_doctor"
    description = """
        Check workers, jobs, outbox, relay and database. Exit code 1 when something is bad, 2 when the database cannot
        be looked at.
    """
    epilog = "example: odoo --addons-path=… dist_doctor -c odoo.conf -d prod"

    def run(self, args: list[str]) -> None:
        self.parser.add_argument("-d", "--database", help="database to look at (default: db_name of the configuration)")
        self.parser.add_argument("--json", action="store_true", help="for machines")
        options, rest = self.parser.parse_known_args(args)
        named = ["-d", options.database] if options.database else []
        config.parse_config([*rest, "--no-http", *named], setup_logging=True)
        databases = config["db_name"]
        if not databases or len(databases) > 1:
            self.parser.error("Name one database with -d.")
        try:
            findings = examine(databases[0])
        except CannotLook as error:
            print(error, file=sys.stderr)
            sys.exit(CANNOT_LOOK)
        sys.exit(show(findings, options.json))


class CannotLook(Exception):
    """There is nothing to look at. The message is one sentence for the person at the terminal."""


def examine(database: str) -> list[dict[str, str]]:
    """The findings of a database. Nothing is written.

    :raises CannotLook: where it is not there, cannot be reached or has no sync engine
    """
    from odoo import SUPERUSER_ID, api
    from odoo.modules.registry import Registry

    # pylint: disable=odoo-addons-relative-import
    from odoo.addons.dist_sync_queue.engine.databases import hindrance

    if found := hindrance(database, lasting_only=True):
        raise CannotLook(found.why)
    with Registry(database).cursor() as cr:
        cr.execute("SET TRANSACTION READ ONLY")
        return api.Environment(cr, SUPERUSER_ID, {})["dist.health"].findings()


def show(findings: list[dict[str, str]], as_json: bool) -> int:
    """Print them; the exit code."""
    if as_json:
        print(json.dumps(findings, indent=2, ensure_ascii=False))
    else:
        for each in findings:
            print(f"{each['level']:<5} {each['title']}{': ' if each['detail'] else ''}{each['detail']}")
            if each["hint"]:
                print(f"      {each['hint']}")
    return int(any(each["level"] == "bad" for each in findings))
