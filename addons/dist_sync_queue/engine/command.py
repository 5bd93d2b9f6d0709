# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What ``odoo dist_worker`` does, once Odoo's configuration is read."""

from __future__ import annotations

import argparse
import ctypes
import logging
import os
import signal
import sys
import threading
from typing import Any

import psycopg2

from . import drain
from .slots import Side

_logger = logging.getLogger(__name__)

WAIT_SECONDS = 2.0
PR_SET_PDEATHSIG = 1


def main(dbname: str, options: argparse.Namespace) -> int:
    """Dispatch; the process's exit code."""
    threading.current_thread().dbname = dbname
    if options.drain or options.resume:
        return _drain(dbname, options)
    if options.child or options.until_empty or options.once:
        return work(dbname, options)
    from .supervisor import Supervisor

    return Supervisor([sys.executable, *sys.orig_argv[1:], "--child"], options.processes, options.stop_timeout).run()


def _drain(dbname: str, options: argparse.Namespace) -> int:
    side = Side(dbname, "dist_drain")
    try:
        if options.resume:
            print("Workers may go in again." if drain.resume(side) else "Workers were not kept out.")
            return 0
        if drain.drain(side, options.timeout):
            print("Drained: nothing runs. Workers stay out until the registry has changed, or until --resume.")
            return 0
        print(f"A batch was still running after {options.timeout:g} s; workers were let in again.", file=sys.stderr)
        return 1
    finally:
        side.close()


def work(dbname: str, options: argparse.Namespace) -> int:
    """One worker in this process."""
    stop = threading.Event()
    worker: Any = None

    def leave(*_args: Any) -> None:
        stop.set()
        if worker:
            worker.stop()

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    if options.supervisor and not follow_parent(options.supervisor):
        return 0
    registry = wait_for_addon(dbname, stop)
    if registry is None:
        return 0
    from .batch import RegistryChanged
    from .worker import Recycle, Worker

    lanes = [lane for lane in options.lanes.split(",") if lane]
    worker = Worker(
        registry, lanes, memory_limit=options.memory_limit << 20, budget=options.budget, grace=options.grace
    )
    if stop.is_set():
        worker.stop()
    try:
        if options.until_empty or options.once:
            print(worker.until_empty(most=1 if options.once else None))
        else:
            worker.run()
    except (RegistryChanged, Recycle) as reason:
        _logger.info("Starting afresh: %s", str(reason) or "modules changed")
        if not stop.is_set():
            again()
    return 0


def again() -> None:
    """Become a fresh process with the same arguments, pid and supervisor."""
    logging.shutdown()
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - our own command line


def follow_parent(parent: int) -> bool:
    """Have the kernel send SIGTERM when the supervisor dies, however it dies. False when it is dead already."""
    try:
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    except (OSError, AttributeError):
        _logger.debug("No prctl here: an orphan would notice its supervisor's death only by its own end")
    return os.getppid() == parent


def wait_for_addon(dbname: str, stop: threading.Event) -> Any:
    """The registry, once the addon is installed and no module is waiting; None when told to stop meanwhile."""
    said = ""
    while not stop.is_set():
        why = missing(dbname)
        if not why:
            from odoo.modules.registry import Registry

            try:
                registry = Registry(dbname)
                if "dist.job" in registry:
                    return registry
                again()
            except psycopg2.Error as error:
                why = str(error).strip()
        if why != said:
            _logger.info("Waiting: %s", why)
            said = why
        stop.wait(WAIT_SECONDS)
    return None


def missing(dbname: str) -> str:
    """Why the database cannot be served yet; empty when it can."""
    side = Side(dbname)
    try:
        if not side.execute("SELECT to_regclass('ir_module_module')")[0][0]:
            return f"database {dbname} is not set up"
        states = side.execute("SELECT state FROM ir_module_module WHERE name = 'dist_sync_queue'")
        if not states or states[0][0] not in ("installed", "to upgrade"):
            return "dist_sync_queue is not installed"
        if not drain.lift_if_upgraded(side):
            return "drained for an upgrade"
        if side.execute(
            "SELECT 1 FROM ir_module_module WHERE state IN ('to upgrade', 'to install', 'to remove') LIMIT 1"
        ):
            return "modules are being installed or upgraded"
        return ""
    except psycopg2.Error as error:
        return str(error).strip()
    finally:
        side.close()
