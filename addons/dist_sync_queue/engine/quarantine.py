# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Jobs whose worker died while it had them in hand: run alone, and put aside when that happens again and again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from odoo import api

from ..errors import JobTimeout, Permanent
from . import parameters
from .claim import Row
from .handlers import Handler

POISON_PARAMETER = "dist_sync_queue.poison_after"
POISON_AFTER = 3


class Poison(Permanent):
    """A job that killed its worker again and again, nobody knows how."""

    def __init__(self, crashes: int) -> None:
        super().__init__(
            f"The worker died {crashes} times while it ran this job (out of memory, a crash in a library, or killed). "
            "It is quarantined so that the others can go on. Look into the worker's log, then run it again "
            "or cancel it."
        )


class Overrun(Permanent):
    """A job that did not even end when it was stopped after its timeout, so that its worker had to be ended."""

    error_type = JobTimeout.__name__

    def __init__(self, crashes: int, why: str) -> None:
        super().__init__(
            f"{why} It could not be stopped, so its worker process was ended (tries: {crashes}). The worker's log says "
            "where it hung. Have it end in time or give it a longer timeout, then run it again; or cancel it."
        )


def suspects(
    env: api.Environment, rows: list[Row], handler: Handler | None = None
) -> tuple[list[Row], tuple[Row, Permanent] | None]:
    """Jobs that were running when a worker died are run alone, so that only the culprit goes on to collect crashes.

    :return: the rows to run now, and the job to quarantine with the reason
    """
    if not any(row.crashes for row in rows):
        return rows, None
    seen: set[str] = set()
    for row in rows:
        if row.crashes and row.order_key not in seen:
            verdict = judge(env, row, handler)
            return ([], (row, verdict)) if verdict else ([row], None)
        if row.order_key is not None:
            seen.add(row.order_key)
    first = next(index for index, row in enumerate(rows) if row.crashes)
    return rows[:first], None


def suspect_key(env: api.Environment, keys: Sequence[Any], handler: Handler) -> tuple[Any, Permanent | None] | None:
    """The same for keys of dirty marks: the key to compute alone, or the reason why it is computed no more.

    :return: None where no worker died with one of ``keys`` in hand
    """
    key = next((key for key in keys if key.crashes), None)
    if key is None:
        return None
    env.cr.execute(
        "SELECT reason FROM dist_mark_crash WHERE connection_id = %s AND type = %s AND key = %s",
        (key.connection_id, handler.name.partition("#")[0], key.order_key),
    )
    return key, verdict(env, key.crashes, env.cr.fetchone(), handler.spec.max_attempts - key.attempts)


def judge(env: api.Environment, row: Row, handler: Handler | None) -> Permanent | None:
    """Why a job is run no more; None where it may be tried once more."""
    env.cr.execute("SELECT reason FROM dist_job_crash WHERE job_id = %s", (row.id,))
    found = env.cr.fetchone()
    attempts = row.max_attempts or (handler.spec.max_attempts if handler else None)
    return verdict(env, row.crashes, found, None if attempts is None else attempts - row.attempts)


def verdict(env: api.Environment, crashes: int, found: tuple[Any] | None, tries: int | None) -> Permanent | None:
    """Why nobody tries again what killed ``crashes`` workers. ``found``: the reason, if there is one.

    The last try may have been over its timeout: such tries count as attempts, as they do where it could be stopped.
    ``tries``: attempts that are left; None: as many as there may be crashes.
    """
    most = parameters.number(env, POISON_PARAMETER, POISON_AFTER)
    reason = (found and found[0]) or {}
    if reason.get("type") != JobTimeout.__name__:
        return Poison(crashes) if crashes >= most else None
    if crashes >= (most if tries is None else min(most, tries)):
        return Overrun(crashes, reason["message"])
    return None
