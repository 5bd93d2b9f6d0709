# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Whether a database can be served, and if not, whether it is worth waiting for."""

from __future__ import annotations

from contextlib import closing
from typing import NamedTuple

import psycopg2

from . import drain
from .slots import Side

MAINTENANCE = "postgres"
"""A database that is there on every server."""


class Hindrance(NamedTuple):
    """Why a database cannot be served.

    ``lasting``: until somebody does something about it; ``gone``: there is no such database.
    """

    why: str
    lasting: bool = False
    gone: bool = False


def hindrance(dbname: str, lasting_only: bool = False) -> Hindrance | None:
    """What keeps workers out of a database; None when nothing does.

    :param lasting_only: for those who only look: no drain, and no upgrade, is in their way
    """
    try:
        with closing(Side(dbname)) as side:
            return _lasting(side, dbname) or (None if lasting_only else _passing(side))
    except psycopg2.Error as error:
        if exists(dbname) is False:
            return Hindrance(f"There is no database {dbname} on this server.", lasting=True, gone=True)
        return Hindrance(" ".join(str(error).split()))


def _lasting(side: Side, dbname: str) -> Hindrance | None:
    if not side.execute("SELECT to_regclass('ir_module_module')")[0][0]:
        return Hindrance(f"Database {dbname} is not set up: it has no tables of Odoo.", lasting=True)
    states = side.execute("SELECT state FROM ir_module_module WHERE name = 'dist_sync_queue'")
    if not states or states[0][0] not in ("installed", "to upgrade"):
        waits = bool(states) and states[0][0] == "to install"
        return Hindrance(f"dist_sync_queue is not installed in database {dbname}.", lasting=not waits)
    return None


def _passing(side: Side) -> Hindrance | None:
    if not drain.lift_if_upgraded(side):
        return Hindrance("drained for an upgrade")
    if side.execute("SELECT 1 FROM ir_module_module WHERE state IN ('to upgrade', 'to install', 'to remove') LIMIT 1"):
        return Hindrance("modules are being installed or upgraded")
    return None


def exists(dbname: str) -> bool | None:
    """Whether the server has a database of this name; None where it cannot be asked."""
    try:
        with closing(Side(MAINTENANCE)) as side:
            return bool(side.execute("SELECT 1 FROM pg_database WHERE datname = %s", (dbname,)))
    except psycopg2.Error:
        return None
