# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What is refused when a job is made, because it can be known then."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from odoo.exceptions import MissingError, ValidationError

from ..errors import EnqueueError, TooDeep
from . import parameters

DEPTH_PARAMETER = "dist_sync_queue.depth_limit"
DEPTH_LIMIT = 100
PRIORITIES = range(10)
"""0 is served first."""


class BadPriority(EnqueueError, ValidationError):
    """A priority nobody serves. Localised, as it may be a person who entered it."""


class SeveralCompanies(EnqueueError, ValidationError):
    """Records of several companies. Localised: a person may have chosen them in a list."""


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


def belongs_to_company(records: Any) -> bool:
    """Whether records of this model may belong to a company. A user does not: it is the one the user works in now."""
    if records._name == "res.users":
        return False
    field = records._fields.get("company_id")
    return field is not None and field.comodel_name == "res.company"


def companies_of(records: Any) -> Any:
    """The companies the records belong to; none where the model or the records know none."""
    if not belongs_to_company(records):
        return records.env["res.company"]
    records = records.sudo()
    try:
        records.fetch(["company_id"])  # of all at once, and nothing else of them
        return records.company_id
    except MissingError:  # that is found out when the job runs
        return records.exists().company_id


def strangers(records: Any) -> Any:
    """Companies of the records that the environment's company does not stand for: not itself, and none above it."""
    others = companies_of(records) - records.env.company
    return others and others - records.env.company.sudo().parent_ids


def company_of(records: Any) -> Any:
    """The company a job on ``records`` works for where none is given: the environment's where that fits, else theirs.

    :raises SeveralCompanies: where they belong to several
    """
    if not strangers(records):
        return records.env.company
    companies = companies_of(records)
    if len(companies) > 1:
        raise SeveralCompanies(
            records.env._(
                "The records of this job (%(model)s) belong to %(companies)s, and a job works for one company. "
                "Choose records of one company at a time. (In code: one job for each company or record, each=1.)",
                model=records._description or records._name,
                companies=", ".join(companies.mapped("display_name")),
            )
        )
    return companies


def check_company(records: Any, company: Any) -> None:
    """:raises EnqueueError: where a record belongs to another company than ``company``, the one the job works for"""
    if not company or not belongs_to_company(records):
        return
    others = records.sudo().company_id - company
    if others:
        stranger = records.sudo().filtered(lambda record: record.company_id in others)[:1]
        raise EnqueueError(
            f"{stranger} belongs to {stranger.company_id.display_name!r}, but the job would work for "
            f"{company.display_name!r}. Give the connection or the company of the records, or none."
        )
