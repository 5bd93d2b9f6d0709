# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Tell SQL what the decorators say: lane and attempts of the jobs that ``dist_relay.intake`` makes."""

from __future__ import annotations

from typing import Any

from .handlers import handlers


def refresh(env: Any) -> int:
    """Write the routes that differ from the decorators; the number written. Reads only where all is right."""
    cr = env.cr
    cr.execute("SELECT handler, lane, max_attempts FROM dist_event_route")
    known = {name: (lane, attempts) for name, lane, attempts in cr.fetchall()}
    wanted = {
        name: (handler.spec.lane, handler.spec.max_attempts)
        for name, handler in handlers(env.registry).items()
        if handler.kind in ("event", "outcome")
    }
    changed = [(name, *values) for name, values in wanted.items() if known.get(name) != values]
    if changed:
        cr.execute_values(
            """INSERT INTO dist_event_route (handler, lane, max_attempts) VALUES %s
               ON CONFLICT (handler) DO UPDATE SET lane = excluded.lane, max_attempts = excluded.max_attempts""",
            changed,
        )
    return len(changed)
