# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Errors that belong to a whole batch, not to one of its jobs, and locks, which belong to one."""

from __future__ import annotations

import psycopg2
from psycopg2 import errors as pg

from odoo.exceptions import ConcurrencyError

AGAIN = (pg.SerializationFailure, pg.DeadlockDetected, pg.LockNotAvailable, ConcurrencyError)
SCHEMA = (pg.UndefinedColumn, pg.UndefinedTable, pg.UndefinedFunction, pg.UndefinedObject)
LOST = (psycopg2.InterfaceError, pg.AdminShutdown, pg.CrashShutdown, pg.CannotConnectNow)


def fatal(error: BaseException) -> bool:
    """Whether an error belongs to the whole batch rather than to one item.

    A lock an item asked for without waiting is the item's affair: its holder may keep it for minutes, and the rest of
    the batch does not want it.
    """
    if isinstance(error, pg.LockNotAvailable):
        return False
    if isinstance(error, AGAIN + SCHEMA + LOST):
        return True
    # a lost connection comes as a bare OperationalError without a code
    return isinstance(error, psycopg2.OperationalError) and error.pgcode is None
