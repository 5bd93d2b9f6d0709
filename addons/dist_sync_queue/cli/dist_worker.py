# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""``odoo dist_worker``: run the jobs of one or several databases.

Odoo loads this file by its path, before the configuration is read and outside the addon's package; so it only reads the
arguments here and imports the engine afterwards.
"""

from __future__ import annotations

import argparse
import os
import sys

from odoo.cli import Command
from odoo.tools import config


class DistWorker(Command):
    """Run the jobs of dist_sync_queue in processes of their own."""

    name = "dist_worker"
    description = """
        Run jobs, incoming events and dirty marks of one or several databases, in supervised processes.

        A child that dies is replaced; what it had in hand is run again by another. SIGTERM ends each child after the
        batch it has in hand; a second SIGTERM ends it at once. Start as many on as many machines as you like: they
        need no coordination beyond the database.

        Several databases share the processes round robin; each has at least one, however few are asked for.
    """
    epilog = """
        examples:
          odoo --addons-path=… dist_worker -c odoo.conf -d prod --processes 4
          odoo --addons-path=… dist_worker -c odoo.conf -d prod --processes 1 --lanes orders,reserve
          odoo --addons-path=… dist_worker -c odoo.conf -d prod --processes 4 --reserve high     one for lane high alone
          odoo --addons-path=… dist_worker -c odoo.conf -d shop,mail --processes 4               two for each
          odoo --addons-path=… dist_worker -c odoo.conf -d prod --until-empty      work off what is ready, then leave

        before an upgrade of modules:
          odoo … dist_worker -d prod --drain --timeout 300 && odoo … -d prod -u all --stop-after-init
          The workers stay out until the upgrade has changed the registry (or until --resume), then load the new code.

        --addons-path (or the environment variable ODOO_RC with a configuration file) must come before the command's
        name, so that Odoo finds the command. All other options of Odoo (-c, --log-level, --db_host, …) are accepted
        after it.
    """

    def run(self, args: list[str]) -> None:
        options, rest = self._arguments().parse_known_args(args)
        config.parse_config(
            [*rest, "--no-http", *(["-d", options.database] if options.database else [])], setup_logging=True
        )
        databases = config["db_name"]
        if not databases:
            self.parser.error(
                "No database: name one or several with -d A,B, or with db_name in the configuration file."
            )
        # pylint: disable=odoo-addons-relative-import
        from odoo.addons.dist_sync_queue.engine import command
        from odoo.addons.dist_sync_queue.engine.spread import CannotSpread

        try:
            sys.exit(command.main(list(dict.fromkeys(databases)), options))
        except CannotSpread as error:
            self.parser.error(str(error))

    def _arguments(self) -> argparse.ArgumentParser:
        add = self.parser.add_argument
        add("-d", "--database", metavar="A,B", help="databases to serve (default: db_name of the configuration)")
        add(
            "--processes",
            type=int,
            default=1,
            metavar="N",
            help="worker processes, at least one a database (default 1)",
        )
        add("--lanes", default="", metavar="A,B", help="serve these lanes only (default: all)")
        add(
            "--reserve",
            default="",
            metavar="A,B",
            help="the first process of each database serves these lanes only, so that they never wait for other work; "
            "needs two processes a database or more",
        )
        add("--until-empty", action="store_true", help="work off what is ready in this process, then leave")
        add("--once", action="store_true", help="run one batch of each database in this process, then leave")
        add("--budget", type=float, default=0.2, metavar="S", help="time budget of a batch in seconds (default 0.2)")
        add("--memory-limit", type=int, default=1024, metavar="MIB", help="replace a process above this (default 1024)")
        add("--grace", type=float, default=10.0, metavar="S", help="end a process this long after a job's timeout (10)")
        add("--stop-timeout", type=float, default=60.0, metavar="S", help="kill children this long after SIGTERM (60)")
        add("--drain", action="store_true", help="ask all workers to keep out, return when nothing runs")
        add("--timeout", type=float, metavar="S", help="with --drain: give up (exit code 1) after so many seconds")
        add("--resume", action="store_true", help="let drained workers in again")
        add("--child", action="store_true", help=argparse.SUPPRESS)
        self.parser.set_defaults(supervisor=int(os.environ.get("DIST_SUPERVISOR_PID") or 0))
        return self.parser
