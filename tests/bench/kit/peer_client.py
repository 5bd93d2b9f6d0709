# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Makes jobs of ``queue_job`` in a process of its own: ``peer_client.py CONFIG DATABASE ARGUMENTS``.

ARGUMENTS is JSON. ``jobs``: how many, in one transaction. ``pauses``: instead, one job in a transaction of its own
after each of these pauses (seconds). ``duration``: seconds that each job takes; ``priority``: 0 first. ``warm_up``:
jobs made and taken back before. Prints JSON: ``seconds`` the enqueueing and its commit took; with ``pauses`` also
``jobs``, a list of [uuid, moment of the commit as seconds since the epoch].
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any


def main(config_file: str, database: str, arguments: dict[str, Any]) -> dict[str, Any]:
    from odoo.modules import initialize_sys_path
    from odoo.tools import config

    config.parse_config(["-c", config_file, "-d", database, "--no-http", "--log-level=warn"])
    initialize_sys_path()
    from odoo import SUPERUSER_ID, api
    from odoo.modules.registry import Registry

    registry = Registry(database)
    options = {name: arguments[name] for name in ("priority",) if name in arguments}
    duration = arguments.get("duration", 0)

    def delay(cr: Any, count: int) -> list[str]:
        records = api.Environment(cr, SUPERUSER_ID, {})["queue.job"].browse(range(1, count + 1))
        return [record.with_delay(**options)._test_job(job_duration=duration).uuid for record in records]

    with registry.cursor() as cr:
        delay(cr, arguments.get("warm_up", 0))
        cr.rollback()
    started = time.perf_counter()
    if "pauses" not in arguments:
        with registry.cursor() as cr:
            delay(cr, arguments["jobs"])
        return {"seconds": time.perf_counter() - started}
    made = []
    for pause in arguments["pauses"]:
        time.sleep(pause)
        with registry.cursor() as cr:
            (uuid,) = delay(cr, 1)
        made.append((uuid, time.time()))
    return {"seconds": time.perf_counter() - started, "jobs": made}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))))
