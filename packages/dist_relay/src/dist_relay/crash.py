"""Named points at which a test lets the process die: ``DIST_CRASH_AT=name`` (or ``name:3``, the third time).

Inert unless the variable is set. The points:

====================================  =========================================================================
name                                  between
====================================  =========================================================================
``pump.claimed``                      PostgreSQL has marked events published; nothing is in Redis yet
``pump.published``                    events are in Redis; the lock is still held
``pump.pull_claimed``                 a schedule is claimed; its request is not in Redis yet
``pump.results_read``                 results are read; nothing is stored
``pump.intake_done``                  results are stored; they are not acknowledged in Redis
``worker.read``                       entries are read; no call was made
``worker.before_call``                an adapter is about to be called
``worker.after_call``                 the call took effect; its result is nowhere
``worker.finished``                   results are written and the entries acknowledged
``worker.page``                       a page of a pull is in the results; the pull is not done
====================================  =========================================================================
"""

from __future__ import annotations

import os
from collections import Counter

POINTS = frozenset(
    {
        "pump.claimed",
        "pump.published",
        "pump.pull_claimed",
        "pump.results_read",
        "pump.intake_done",
        "worker.read",
        "worker.before_call",
        "worker.after_call",
        "worker.finished",
        "worker.page",
    }
)
EXIT_CODE = 137
_wanted = os.environ.get("DIST_CRASH_AT", "")
_passed: Counter[str] = Counter()


def point(name: str) -> None:
    """Die here, without any clean-up, when ``DIST_CRASH_AT`` says so."""
    if not _wanted:
        return
    wanted, _, times = _wanted.partition(":")
    if wanted == name:
        _passed[name] += 1
        if _passed[name] >= int(times or 1):
            os._exit(EXIT_CODE)
