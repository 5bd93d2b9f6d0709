# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
# ruff: noqa: S608 - the statements are put together from constants of this file; values are parameters
"""Jobs behind a dead one of their key are parked: visible as such, and out of the way of the claim.

This is for speed and for people; that nothing overtakes a dead head is decided by the claim itself. Every worker looks
four times a second, so a look costs by the number of keys that are held, not by the number of jobs behind them: keys
are enumerated with a loose index scan, and parking goes on behind the last parked job of a key.
"""

from __future__ import annotations

from typing import Any

from .claim import BLOCKING

CHUNK = 1000


def _held_keys(state: str) -> str:
    """The keys with a job in ``state`` (``dead``, ``parked``), each with the first such job."""
    return f"""
    held AS (
        (SELECT order_key, id FROM dist_job WHERE state = '{state}' AND order_key IS NOT NULL
          ORDER BY order_key, id LIMIT 1)
        UNION ALL
        SELECT n.* FROM held, LATERAL (
            SELECT order_key, id FROM dist_job WHERE state = '{state}' AND order_key > held.order_key
             ORDER BY order_key, id LIMIT 1) n
    )"""


_PARK = f"""
WITH RECURSIVE {_held_keys("dead")}
UPDATE dist_job SET state = 'parked' WHERE id IN (
    SELECT j.id
      FROM held
     CROSS JOIN LATERAL (
            SELECT id FROM dist_job
             WHERE order_key = held.order_key AND {BLOCKING} AND state = 'pending'
               AND id > greatest(held.id, (SELECT p.id FROM dist_job p
                                            WHERE p.state = 'parked' AND p.order_key = held.order_key AND NOT %(all)s
                                            ORDER BY p.order_key DESC, p.id DESC LIMIT 1))
             ORDER BY id LIMIT %(most)s) f
      JOIN dist_job j ON j.id = f.id
     WHERE j.state = 'pending' LIMIT %(most)s FOR NO KEY UPDATE OF j SKIP LOCKED)
"""

_RELEASE = f"""
WITH RECURSIVE {_held_keys("parked")}
UPDATE dist_job SET state = 'pending' WHERE id IN (
    SELECT j.id
      FROM held
     CROSS JOIN LATERAL (
            SELECT id FROM dist_job p
             WHERE p.state = 'parked' AND p.order_key = held.order_key
               AND p.id < COALESCE((SELECT d.id FROM dist_job d WHERE d.state = 'dead' AND d.order_key = held.order_key
                                     ORDER BY d.order_key, d.id LIMIT 1), 2147483647)
             ORDER BY p.order_key, p.id LIMIT %(most)s) f
      JOIN dist_job j ON j.id = f.id
     WHERE j.state = 'parked' LIMIT %(most)s FOR NO KEY UPDATE OF j SKIP LOCKED)
"""


def park_followers(cr: Any, everywhere: bool = False, most: int = CHUNK) -> int:
    """Park what waits behind a dead job, ``most`` at a time; the number parked.

    :param everywhere: look between the parked jobs, too: one may have been asked to run again, or the key's head may
        have died again before all were parked or released
    """
    cr.execute(_PARK, {"all": everywhere, "most": most})
    return cr.rowcount


def release_followers(cr: Any, most: int = CHUNK) -> int:
    """Parked jobs whose key has no dead job before them are pending again, ``most`` at a time; the number released."""
    cr.execute(_RELEASE, {"most": most})
    return cr.rowcount
