"""The ERP's side of the tests: real Odoo transactions in this process, committed, rolled back, or broken off."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import psycopg2

import odoo
from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.tools import config

T = TypeVar("T")
AGAIN = (psycopg2.errors.SerializationFailure, psycopg2.errors.DeadlockDetected)


class OnPurpose(Exception):
    """Rolls a business transaction back."""


class Business:
    """Odoo in this process, on the chaos database."""

    def __init__(self, config_file: Path, database: str) -> None:
        config.parse_config(["-c", str(config_file), "-d", database, "--no-http", "--log-level=critical"])
        self.registry = Registry(database)
        self.retries = self.deadlocks = 0

    def run(self, work: Callable[[Any], T]) -> T:
        """One business transaction, as Odoo's own retrying does it: again after a serialization failure."""
        for attempt in range(50):
            try:
                with self.registry.cursor() as cr:
                    return work(api.Environment(cr, SUPERUSER_ID, {}))
            except AGAIN as error:
                self.retries += 1
                self.deadlocks += isinstance(error, psycopg2.errors.DeadlockDetected)
                time.sleep(random.uniform(0, 0.01 * min(attempt + 1, 10)))
        raise AssertionError("a business transaction collided fifty times")

    def rolled_back(self, work: Callable[[Any], object]) -> None:
        """A business transaction whose user gets an error at its end."""

        def fail(env: Any) -> None:
            work(env)
            env.flush_all()
            raise OnPurpose

        try:
            self.run(fail)
        except OnPurpose:
            return

    def close(self) -> None:
        """Let go of the database."""
        odoo.sql_db.close_all()


def key(env: Any, name: str) -> Any:
    """The record of a key; made in a transaction of its own before, see :meth:`Scope.keys`."""
    return env["dist.chaos.key"].search([("name", "=", name)])
