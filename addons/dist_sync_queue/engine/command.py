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
from collections.abc import Sequence
from contextlib import closing
from typing import Any, TextIO

import psycopg2

from . import drain
from .databases import Hindrance, hindrance
from .slots import Side
from .spread import CannotSpread, spread

_logger = logging.getLogger(__name__)

WAIT_SECONDS = 2.0
PR_SET_PDEATHSIG = 1


def main(databases: list[str], options: argparse.Namespace) -> int:
    """Dispatch; the process's exit code. :raises CannotSpread: for processes that cannot do what was asked for"""
    if len(databases) == 1:
        threading.current_thread().dbname = databases[0]
    if options.drain or options.resume:
        return _resume(databases) if options.resume else _drain(databases, options.timeout)
    if options.child or options.until_empty or options.once:
        if options.reserve and not options.child:
            raise CannotSpread("--reserve needs several processes; --until-empty and --once work in one.")
        return work(databases, options)
    from .supervisor import Supervisor

    return Supervisor(
        [sys.executable, *sys.orig_argv[1:], "--child"],
        spread(databases, options.processes, options.reserve),
        options.stop_timeout,
    ).run()


def _resume(databases: list[str]) -> int:
    for dbname in databases:
        with closing(Side(dbname, "dist_drain")) as side:
            _say(databases, dbname, "Workers may go in again." if drain.resume(side) else "Workers were not kept out.")
    return 0


def _drain(databases: list[str], timeout: float | None) -> int:
    """All or none: an upgrade that does not come would leave the workers of the others out for ever."""
    drained: list[str] = []
    for dbname in databases:
        failure = ""
        with closing(Side(dbname, "dist_drain")) as side:
            try:
                if not drain.drain(side, timeout):
                    failure = f"A batch was still running after {timeout:g} s; workers were let in again."
            except psycopg2.Error as error:
                failure = str(error).strip()
        if failure:
            _say(databases, dbname, failure, sys.stderr)
            _resume(drained)
            return 1
        drained.append(dbname)
        text = "Drained: nothing runs. Workers stay out until the registry has changed, or until --resume."
        _say(databases, dbname, text)
    return 0


def _say(databases: list[str], dbname: str, text: str, to: TextIO | None = None) -> None:
    print(f"{dbname}: {text}" if len(databases) > 1 else text, file=to)


def work(databases: list[str], options: argparse.Namespace) -> int:
    """One worker in this process, for one database after the other (a child has only one).

    :return: 1 where none of them could be served, or one does not exist
    """
    stop, workers = threading.Event(), []
    left_out: list[Hindrance] = []

    def leave(*_args: Any) -> None:
        stop.set()
        for worker in workers:
            worker.stop()

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    if options.supervisor and not follow_parent(options.supervisor):
        return 0
    for number in range(len(databases)):
        if not stop.is_set() and (why := _serve(databases, number, options, stop, workers)):
            left_out.append(why)
            _say(databases, databases[number], f"Left out: {why.why}", sys.stderr)
    return int(len(left_out) == len(databases) or any(why.gone for why in left_out))


def _serve(
    databases: list[str], number: int, options: argparse.Namespace, stop: threading.Event, workers: list[Any]
) -> Hindrance | None:
    """Serve one of ``databases``. ``workers`` is where a signal finds whom to stop.

    :return: why it was left out, where it was
    """
    dbname = databases[number]
    threading.current_thread().dbname = dbname
    passing = options.until_empty or options.once
    registry = wait_for_addon(dbname, stop, patient=not passing)
    if registry is None or isinstance(registry, Hindrance):
        return registry
    from .batch import RegistryChanged
    from .worker import Recycle, Worker

    lanes = [lane for lane in options.lanes.split(",") if lane]
    worker = Worker(
        registry,
        lanes,
        memory_limit=0 if options.once else options.memory_limit << 20,  # it leaves anyhow
        budget=options.budget,
        grace=options.grace,
    )
    workers[:] = [worker]
    if stop.is_set():
        worker.stop()
    try:
        if passing:
            done = worker.until_empty(most=1 if options.once else None)
            _say(databases, dbname, str(done))
        else:
            worker.run()
    except (RegistryChanged, Recycle) as reason:
        _logger.info("Starting afresh: %s", str(reason) or "modules changed")
        if not stop.is_set():
            again(databases[number:] if number else ())  # those before are finished
    return None


def again(databases: Sequence[str] = ()) -> None:
    """Become a fresh process with the same arguments, pid and supervisor; for ``databases`` where they are given."""
    named = ["-d", ",".join(databases)] if databases else []
    logging.shutdown()
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:], *named])  # noqa: S606 - our own command line


def follow_parent(parent: int) -> bool:
    """Have the kernel send SIGTERM when the supervisor dies, however it dies. False when it is dead already."""
    try:
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    except (OSError, AttributeError):
        _logger.debug("No prctl here: an orphan would notice its supervisor's death only by its own end")
    return os.getppid() == parent


def wait_for_addon(dbname: str, stop: threading.Event, patient: bool = True) -> Any:
    """The registry, once the addon is installed and no module is waiting; None when told to stop meanwhile.

    :param patient: wait also for what does not pass by itself; else that is returned, a :class:`Hindrance`
    """
    said = ""
    while not stop.is_set():
        found = hindrance(dbname)
        if found and found.lasting and not patient:
            return found
        why = found.why if found else ""
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
