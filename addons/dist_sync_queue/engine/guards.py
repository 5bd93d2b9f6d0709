# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What is refused when a job is made, because it can be known then."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from odoo.exceptions import ValidationError

from ..errors import EnqueueError, TooDeep
from . import parameters

DEPTH_PARAMETER = "dist_sync_queue.depth_limit"
DEPTH_LIMIT = 100
PRIORITIES = range(10)
"""0 is served first."""


class BadPriority(EnqueueError, ValidationError):
    """A priority nobody serves. Localised, as it may be a person who entered it."""


def depth_of(env: Any) -> int:
    """How many jobs made each other until now: 0 outside of a job, 1 for what a job of a person's click makes.

    :raises TooDeep: above the limit
    """
    running = env.context.get("dist_depth")
    if running is None:
        return 0
    depth = running + 1
    limit = parameters.number(env, DEPTH_PARAMETER, DEPTH_LIMIT)
    if depth > limit:
        raise TooDeep(limit)
    return depth


def check_priority(env: Any, value: Any) -> int:
    """``value``, a priority. :raises BadPriority: where it is none"""
    if isinstance(value, int) and not isinstance(value, bool) and value in PRIORITIES:
        return value
    raise BadPriority(
        env._(
            "The priority of a job is a whole number from %(first)s (served first) to %(last)s (served last), "
            "not %(value)s.",
            first=PRIORITIES[0],
            last=PRIORITIES[-1],
            value=repr(value),
        )
    )


def check_priorities(env: Any, values: Iterable[Any]) -> None:
    """Of many jobs; None is the usual one. :raises BadPriority: naming the first that is wrong"""
    for value in set(values) - {None}:
        check_priority(env, value)


def check_company(records: Any, company: Any) -> None:
    """:raises EnqueueError: where a record belongs to another company than ``company``, the one the job works for"""
    if (
        not company
        or "company_id" not in records._fields
        or records._fields["company_id"].comodel_name != company._name
    ):
        return
    others = records.sudo().company_id - company
    if others:
        stranger = records.sudo().filtered(lambda record: record.company_id in others)[:1]
        raise EnqueueError(
            f"{stranger} belongs to {stranger.company_id.display_name!r}, but the job would work for "
            f"{company.display_name!r}. Give the connection or the company of the records, or none."
        )
