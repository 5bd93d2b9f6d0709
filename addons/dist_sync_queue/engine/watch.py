# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The thread beside the one that works: timeouts, cancellation, making way for higher lanes, progress, signs of life.

A call is stopped in three steps. SIGALRM raises :class:`JobTimeout` in Python code at the deadline. What waits for
PostgreSQL does not see that: its statement is cancelled. What does not end even then (a library that never returns)
takes its process with it after :data:`GRACE_SECONDS`; its jobs and the reason stand in the worker's slot, outside the
lost transaction, so the crash is counted and they are run alone next time, or quarantined.

The last step must not depend on Python: a library that never returns may hold the interpreter's lock. So the thread
keeps a timer of ``faulthandler`` ahead of it, which ends the process if the thread does not come round to put it off.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import psycopg2

from ..doorbell import REQUEST
from ..errors import JobCancelled, JobTimeout
from . import claim
from .hand import POLITE_SECONDS, Batch, Call, Hand, Progress
from .settle import storable
from .slots import NOW, Side

_logger = logging.getLogger(__name__)

TICK_SECONDS = 0.25
GRACE_SECONDS = 10.0
"""How long after its deadline a call may go on before its process is ended."""
LOOK_AFTER_SECONDS = 0.02
"""Age of a batch from which it is worth looking whether a higher lane has work, and the time between two looks."""
BEAT_SECONDS = 5.0
"""How often it is said that the process lives while a batch runs; between batches the worker says so itself."""
BUS_SECONDS = 1.0
ARM_SECONDS = 5.0
MOST_STEPS = 2**63 - 1
BUS_TYPE = "dist.job/progress"


class Watcher:
    """Watches one hand; start and stop it with the process's work.

    :param higher: whether work of the first lane should not wait for a batch of the second
    :param lane_of: the lane of a handler
    :param slot: where progress is written; None: nowhere
    :param grace: seconds before the process is ended; None: never (where it is not ours to end)
    """

    def __init__(
        self,
        hand: Hand,
        registry: Any,
        *,
        higher: Callable[[str, str], bool] = lambda lane, than: False,
        lane_of: Callable[[str], str] = lambda handler: "",
        slot: Any = None,
        grace: float | None = None,
        tick: float = TICK_SECONDS,
    ) -> None:
        self.hand, self.registry, self.slot, self.grace, self.tick = hand, registry, slot, grace, tick
        self._higher, self._lane_of = higher, lane_of
        self.side = Side(registry.db_name, "dist_watcher")
        self._wake_r, self._wake_w = os.pipe()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="dist.watcher", daemon=True)
        self._look_at, self._looked_at = float("inf"), float("-inf")
        self._asked_at = self._bus_at = self._armed_at = self._beat_at = float("-inf")
        self._arm = min(ARM_SECONDS, max(tick, grace or 0.0))
        self._cancelled: tuple[int, float] = (0, 0.0)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread and its connection."""
        if self._stopping:
            return
        self._stopping = True
        with contextlib.suppress(OSError):
            os.write(self._wake_w, b"x")
        if self._thread.is_alive():
            self._thread.join()
        self.side.close()
        os.close(self._wake_r)
        os.close(self._wake_w)

    def _run(self) -> None:
        threading.current_thread().dbname = self.registry.db_name  # type: ignore[attr-defined]
        listening = False
        while not self._stopping:
            try:
                if not listening:
                    self.side.listen("dist_job")
                    listening = True
                wait = min(self.tick, max(0.0, self._look_at - time.monotonic()))
                self.look(self.side.wait(wait, self._wake_r))
            except psycopg2.Error as error:
                _logger.debug("The watcher lost its connection: %s", str(error).strip())
                if self.hand.batch is None:  # nothing can hang: a worker outlasts PostgreSQL's absence
                    self._put_off(time.monotonic())
                time.sleep(self.tick)
            except Exception:
                _logger.exception("The watcher goes on after an error")
                time.sleep(self.tick)
        if self.grace is not None:
            faulthandler.cancel_dump_traceback_later()

    def look(self, rung: set[str]) -> None:
        """One look at what is in hand. ``rung``: payloads of the doorbell since the last one."""
        now = time.monotonic()
        self._put_off(now)
        batch = self.hand.batch
        if batch is None:
            self._look_at = float("inf")
            return
        if REQUEST in rung or now - max(self._asked_at, batch.started) > self.tick:
            self._asked_at = now
            self._requests(batch)
        if call := self.hand.call():
            self._deadline(call, now)
        self._make_way(batch, rung, now)
        self._beat(now)
        self._progress(now)  # last: what a job says of itself keeps nobody from stopping it

    # -- stopping ------------------------------------------------------------------------------------------------------
    def _requests(self, batch: Batch) -> None:
        if not batch.ids:
            return
        asked = self.side.execute(
            "SELECT job_id FROM dist_job_request WHERE state = 'new' AND action = 'cancel' AND job_id = ANY(%s)",
            (list(batch.ids),),
        )
        if asked and self.hand.batch is batch:
            self.hand.stop_ids = {job_id for (job_id,) in asked}

    def _deadline(self, call: Call, now: float) -> None:
        if self.hand.stop_ids.intersection(call.ids):
            serial, since = self._cancelled
            if serial != call.serial:
                serial, since = self._cancelled = call.serial, now
            self._end(call, JobCancelled, now - since, gently=now - since < POLITE_SECONDS)
        elif now >= call.deadline:
            self._end(call, JobTimeout, now - call.deadline)

    def _end(self, call: Call, reason: type[Exception], late: float, *, gently: bool = False) -> None:
        if self.grace is not None and late > self.grace:
            self.hand.hold(call, lambda: self._kill(call, reason))
        else:
            self.hand.stop(call, reason, self._cancel, gently=gently)

    def _cancel(self, pid: int) -> None:
        self.side.execute("SELECT pg_cancel_backend(%s)", (pid,))

    def _kill(self, call: Call, reason: type[Exception]) -> None:
        """The end of this process: it is said why. Of what it has in hand only the hanging call is suspect."""
        end = {"type": reason.__name__, "message": str(self.hand.why(reason))}
        frame = sys._current_frames().get(self.hand._thread)
        _logger.critical(
            "%s: jobs %s could not be stopped; this process ends.\n%s",
            reason.__name__,
            list(call.ids or call.keys),
            "".join(traceback.format_stack(frame)),
        )
        if self.slot is not None and (call.ids or call.keys):
            with contextlib.suppress(psycopg2.Error):
                self.side.execute(
                    "UPDATE dist_worker_slot SET job_ids = %s, keys = %s, end_reason = %s WHERE id = %s",
                    (json.dumps(call.ids), json.dumps(call.keys), json.dumps(end), self.slot.id),
                )
        os.kill(os.getpid(), signal.SIGKILL)

    def _put_off(self, now: float) -> None:
        """Push the end that needs no Python ahead of us, beyond whatever is allowed to run."""
        if self.grace is None or now - self._armed_at < self._arm:
            return
        ahead = self.hand.longest + self.grace + 2 * self._arm
        with contextlib.suppress(ValueError, OSError, AttributeError, RuntimeError):  # no usable stderr: do without
            faulthandler.dump_traceback_later(ahead, exit=True)
        self._armed_at = now

    # -- making way ----------------------------------------------------------------------------------------------------
    def _make_way(self, batch: Batch, rung: set[str], now: float) -> None:
        """A batch of a lower lane takes no further job when a higher one has work."""
        if self.hand.enough:
            self._look_at = float("inf")
            return
        if any(self._higher(lane, batch.lane) for lane in rung - {REQUEST, ""}):
            self._enough(batch)
        elif "" in rung:  # somebody who does not know the lane
            since = max(batch.started, self._looked_at)
            self._look_at = min(self._look_at, max(now, since + LOOK_AFTER_SECONDS))
        if now >= self._look_at:
            self._look_at = float("inf")
            with self.side.cursor() as cr:
                groups = claim.ready_groups(cr)
            self._looked_at = time.monotonic()  # after it: the dearer a look, the rarer
            if any(self._higher(self._lane_of(group.handler), batch.lane) for group in groups):
                self._enough(batch)

    def _enough(self, batch: Batch) -> None:
        if self.hand.batch is batch:
            self.hand.enough = True

    # -- signs of life -------------------------------------------------------------------------------------------------
    def _beat(self, now: float) -> None:
        """A job may take hours and report no progress: that it is healthy is said for it."""
        if self.slot is not None and now - self._beat_at >= BEAT_SECONDS:
            self._beat_at = now
            self.side.execute(f"UPDATE dist_worker_slot SET seen_at = {NOW} WHERE id = %s", (self.slot.id,))  # noqa: S608

    # -- progress ------------------------------------------------------------------------------------------------------
    def _progress(self, now: float) -> None:
        if self.slot is None:
            return
        sent: list[tuple[Progress, tuple[int, ...]]] = []
        self.hand.publish(lambda progress, ids: (self._write(progress), sent.append((progress, ids))))
        if sent and now - self._bus_at >= BUS_SECONDS:
            self._bus_at = now
            self._send(*sent[0])

    def _write(self, progress: Progress) -> None:
        self.side.execute(
            f"""UPDATE dist_worker_slot SET progress_done = %s, progress_total = %s, progress_text = %s,
                       seen_at = {NOW} WHERE id = %s""",  # noqa: S608 - a constant of ours
            (_stored(progress.done), _stored(progress.total), storable(str(progress.text)), self.slot.id),
        )

    def _send(self, progress: Progress, ids: tuple[int, ...]) -> None:
        """Tell the managers' screens, in a transaction of our own."""
        from odoo import SUPERUSER_ID, api

        message = {"job_ids": list(ids), "worker": self.slot.worker, **progress._asdict()}
        with self.registry.cursor() as cr:
            listeners(api.Environment(cr, SUPERUSER_ID, {}), ids)._bus_send(BUS_TYPE, message)


def _stored(steps: int) -> int:
    """A number of steps as its column can hold it."""
    return max(-MOST_STEPS, min(MOST_STEPS, steps))


def listeners(env: Any, job_ids: Sequence[int]) -> Any:
    """Whom to tell of these jobs: the group of the managers, or of them those who may work in the jobs' companies."""
    managers = env.ref("dist_sync_queue.group_dist_manager")
    if env["res.company"].search_count([], limit=2) < 2:
        return managers
    env.cr.execute("SELECT DISTINCT company_id FROM dist_job WHERE id = ANY(%s)", (list(job_ids),))
    companies = {company for (company,) in env.cr.fetchall() if company}
    return managers.all_user_ids.filtered(lambda user: companies <= set(user.company_ids.ids))
