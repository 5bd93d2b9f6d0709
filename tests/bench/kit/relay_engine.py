# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The process of ``outbox_throughput`` that computes the values of dirty keys, as ``odoo dist_worker`` would."""

from __future__ import annotations

import signal
import sys
from typing import Any

EVENT = "availability.changed.v1"


def serve(config_file: str, database: str) -> None:
    """Compute marks until SIGTERM."""
    from odoo.modules import initialize_sys_path
    from odoo.tools import config

    config.parse_config(["-c", config_file, "-d", database, "--no-http", "--log-level=warn"])
    initialize_sys_path()
    from odoo.modules.registry import Registry

    from odoo.addons.dist_sync_queue.api import HandlerSpec
    from odoo.addons.dist_sync_queue.engine import handlers
    from odoo.addons.dist_sync_queue.engine.worker import Worker

    name = f"{EVENT}#dirty"
    handlers._overrides[name] = handlers.Handler(name, HandlerSpec("dirty", name, batch=500), (_values,))
    worker = Worker(Registry(database))
    signal.signal(signal.SIGTERM, worker.stop)
    worker.run()


def _values(_env: Any, _connection: Any, keys: list[str]) -> dict[str, dict[str, Any]]:
    """What an addon would compute from stock; here it costs nothing."""
    return {
        key: {
            "listing": {"sku": key},
            "location_id": "L",
            "quantity": "3",
            "version": 1,
            "as_of": "2026-01-01T00:00:00Z",
        }
        for key in keys
    }


if __name__ == "__main__":
    serve(*sys.argv[1:])
