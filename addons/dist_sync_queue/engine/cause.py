# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Why a call of a record method failed, where that can be known and no further try can help.

Asked after a failure only, when its savepoint is undone: a job that succeeds costs nothing here.
"""

from __future__ import annotations

import inspect
from typing import Any

from psycopg2.errors import ForeignKeyViolation

from odoo import api
from odoo.exceptions import MissingError

from ..errors import Permanent
from .handlers import Handler

NAMED = 10
"""Most ids a message names."""


def cause_of(env: api.Environment, handler: Handler, row: Any, error: BaseException) -> BaseException:
    """``error``, or what is behind it for good: records that are gone, or a call the method does not take any more."""
    if handler.kind != "job":
        return error
    found = None
    if isinstance(error, (MissingError, ForeignKeyViolation)):
        found = _deleted(env, handler.name.partition(":")[0], (row.payload or {}).get("ids", ()))
    elif isinstance(error, TypeError):
        found = _misfit(env, handler, row.payload or {})
    if found is None:
        return error
    found.__cause__ = error
    return found


def _deleted(env: api.Environment, model: str, ids: Any) -> Permanent | None:
    there = set(env[model].browse(ids).exists()._ids) if ids else set()
    gone = [id_ for id_ in ids if id_ not in there]
    if not gone:
        return None
    which = f"{model} {', '.join(map(str, gone[:NAMED]))}{' …' if len(gone) > NAMED else ''}"
    if not there:
        return Permanent(
            f"The records of this job ({which}) were deleted before it ran. Cancel it: nothing is left to do."
        )
    return Permanent(
        f"{len(gone)} of the {len(ids)} records of this job ({which}) were deleted before it ran, and nothing was done "
        "for the others either. Make a new job for those, and cancel this one."
    )


def _misfit(env: api.Environment, handler: Handler, payload: dict[str, Any]) -> Permanent | None:
    if not handler.targets or not isinstance(handler.targets[0], tuple):
        return None
    model, method = handler.targets[0]
    kwargs = {**payload.get("kwargs", {}), **({"results": ()} if payload.get("results") else {})}
    try:
        inspect.signature(getattr(type(env[model]), method)).bind(env[model], *payload.get("args", ()), **kwargs)
    except TypeError as error:
        return Permanent(
            f"{handler.name} does not take the arguments of this job ({error}): it was made by another release of the "
            "addon. Cancel it and make a new one, or run it again when that release is back."
        )
    return None
