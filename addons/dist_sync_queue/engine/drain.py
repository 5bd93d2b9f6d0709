# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Keep all workers out while modules are upgraded.

``--drain`` writes a row into ``dist_worker_drain`` and then waits for the exclusive lock: every batch holds it shared
until its transaction ends, so whoever gets it exclusively knows that nothing runs; and as each batch looks at the row
first, nothing starts. The row stays when the command ends. It goes when the registry has changed since (the upgrade is
done) and no module is waiting to be installed, upgraded or removed; or by ``--resume``.
"""

from __future__ import annotations

import socket
import time
from typing import Any

import psycopg2

from .slots import LOCK_CLASS, LOCK_DRAIN, Side


def drain(side: Side, timeout: float | None = None, poll: float = 0.05) -> bool:
    """Ask all workers to keep out and wait until nothing runs. False (and no request left) when the time was up."""
    side.execute("DELETE FROM dist_worker_drain")
    side.execute(
        """INSERT INTO dist_worker_drain (asked_by, registry_sequence)
           SELECT %s, max(id) FROM orm_signaling_registry""",
        (socket.gethostname(),),
    )
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        # try, do not queue: a waiting exclusive lock would hold up whatever asks for the shared one
        if side.execute("SELECT pg_try_advisory_lock(%s, %s)", (LOCK_CLASS, LOCK_DRAIN))[0][0]:
            side.execute("SELECT pg_advisory_unlock(%s, %s)", (LOCK_CLASS, LOCK_DRAIN))
            return True
        if deadline is not None and time.monotonic() >= deadline:
            resume(side)
            return False
        time.sleep(poll)


def resume(side: Side) -> bool:
    """Let the workers in again. Whether they were kept out."""
    return bool(side.execute("DELETE FROM dist_worker_drain RETURNING 1"))


def lift_if_upgraded(side: Any) -> bool:
    """End a drain whose upgrade is over. Whether workers may go in."""
    try:
        side.execute(
            """DELETE FROM dist_worker_drain
                WHERE registry_sequence < (SELECT max(id) FROM orm_signaling_registry)
                  AND NOT EXISTS (SELECT 1 FROM ir_module_module WHERE state LIKE 'to %%')""",
            (),
        )
        return not side.execute("SELECT 1 FROM dist_worker_drain LIMIT 1")
    except psycopg2.errors.UndefinedTable:
        return False
