# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""``records.delayed(…).method(…)`` and ``records.later(…).method(…)`` on every model."""

from __future__ import annotations

from typing import Any

from odoo import api, models

from ..engine.delay import Delayed, Later


class Base(models.AbstractModel):
    _inherit = "base"

    @api.private
    def delayed(
        self,
        *,
        key: Any = None,
        identity: Any = None,
        priority: int = 5,
        eta: Any = None,
        correlation_id: str | None = None,
        connection: Any = None,
        company: Any = None,
        max_attempts: int | None = None,
        each: int | None = None,
    ) -> Delayed:
        """Call a method decorated with ``@job`` later, in a transaction of its own; the job is made in this one.

        :param key: jobs of equal key run one after the other, in order; by default what ``@job(key=…)`` says,
            ``False``: none
        :param identity: requests of equal identity that wait are run once, with the arguments and at the time of the
            newest; one made while it runs causes one more run.
            Each connection has its own identities, and without one each company
        :param priority: 0 first, 9 last
        :param eta: not before: naive UTC datetime, timedelta or seconds from now
        :param correlation_id: of the journey; by default the one in the context
        :param connection: ``dist.connection`` the work is for (fairness, pause, company)
        :param company: ``res.company`` to work for; by default the connection's, else the records', else the
            environment's
        :param max_attempts: overrides the method's
        :param each: make one job per so many records instead of one for all; ``key``, ``identity`` and
            ``correlation_id`` may then be functions of the records of each job
        :return: a stand-in for the records; calling the method on it returns the ``dist.job`` records
        :raises EnqueueError: by that call, where the request is wrong in itself (``BadPriority`` is localised as well)
        """
        return Delayed(
            self,
            key=key,
            identity=identity,
            priority=priority,
            eta=eta,
            correlation_id=correlation_id,
            connection=connection,
            company=company,
            max_attempts=max_attempts,
            each=each,
        )

    @api.private
    def later(
        self,
        *,
        key: Any = None,
        priority: int = 5,
        eta: Any = None,
        correlation_id: str | None = None,
        connection: Any = None,
        company: Any = None,
        max_attempts: int | None = None,
        each: int | None = None,
    ) -> Later:
        """Like :meth:`delayed`, for a graph: nothing is made until ``enqueue()`` is called on what comes of it.

        ``chain(order.later()._reserve(), group(order.later()._invoice(), order.later()._label())).enqueue()``

        There is no ``identity``: a job of a graph stands for itself and is never merged with another one.

        :return: a stand-in for the records; calling the method on it returns a part for ``chain`` and ``group`` (with
            ``each``: a group)
        """
        return Later(
            self,
            key=key,
            priority=priority,
            eta=eta,
            correlation_id=correlation_id,
            connection=connection,
            company=company,
            max_attempts=max_attempts,
            each=each,
        )
