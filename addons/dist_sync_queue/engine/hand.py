# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What a process has in hand at this moment: one batch, and in it one call at a time. Pure.

Shared by two threads. The running one begins and ends batches and goes through the guard with every call. The watching
one (see ``watch.py``) asks a call to stop. It does so under the lock that the running thread needs to leave the guard:
a cancellation that PostgreSQL was sent has then hit this call or nothing, never the next one. (A backend that waits for
a command drops a cancellation, and the signal is pending before the next command can be sent.)
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from types import FrameType
from typing import Any, NamedTuple

from ..errors import JobCancelled, JobTimeout

REPEAT_SECONDS = 1.0
"""A job that swallows the exception gets it again after so long."""
POLITE_SECONDS = 5.0
"""A job that passes safe points is given so long to reach the next one before it is interrupted where it stands."""

_hands: dict[int, Hand] = {}
"""By thread: what its job code works under."""


def current() -> Hand | None:
    """The hand the calling thread works for; None in tests and in ordinary transactions."""
    return _hands.get(threading.get_ident())


class Batch(NamedTuple):
    """One batch: the backend that runs it, and what is in it."""

    pid: int
    lane: str
    ids: tuple[int, ...]
    started: float


class Call(NamedTuple):
    """One call of job code, as the watcher sees it. ``deadline``: of the monotonic clock. ``keys``: of dirty marks."""

    serial: int
    deadline: float
    ids: tuple[int, ...]
    keys: tuple[str, ...] = ()


class Progress(NamedTuple):
    """How far a job is. ``total``: 0 where nobody knows."""

    done: int
    total: int
    text: str


class Hand:
    """A guard for calls: ``with hand(seconds, rows): …``.

    ``enough``: the batch is to take no further job; ``stop_ids``: jobs somebody cancelled; ``longest``: the longest
    timeout seen, in seconds.

    :param signals: whether SIGALRM may interrupt the running thread, which has to be the main one
    """

    def __init__(self, signals: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._signals, self._clock, self._lock = signals, clock, threading.Lock()
        self.batch: Batch | None = None
        self.enough = False
        self.stop_ids: set[int] = set()
        self.progress: Progress | None = None
        self._serial, self._seconds, self._deadline = 0, 0.0, 0.0
        self._rows: Sequence[Any] = ()
        self._active = self._armed = False
        self._reason: type[Exception] | None = None
        self._polite = False
        self._thread = 0
        self.longest = 300.0

    def install(self) -> None:
        """Take SIGALRM; from the main thread."""
        if self._signals:
            signal.signal(signal.SIGALRM, self._alarm)

    # -- the running thread --------------------------------------------------------------------------------------------
    def begin(self, pid: int, lane: str, ids: Iterable[int]) -> None:
        """A batch starts on the PostgreSQL backend ``pid``."""
        self._thread = threading.get_ident()
        _hands[self._thread] = self
        with self._lock:
            self.batch = Batch(pid, lane, tuple(ids), self._clock())
            self.enough, self.progress = False, None
            self.stop_ids = set()

    def end(self) -> None:
        """The batch is over; whatever is asked now is about another one."""
        if self.batch is not None:
            with self._lock:
                self.batch = self.progress = None
            _hands.pop(self._thread, None)

    def __call__(self, seconds: float, rows: Sequence[Any]) -> Hand:
        self._seconds, self._rows = seconds, rows
        if seconds > self.longest:
            self.longest = seconds
        return self

    def __enter__(self) -> None:
        self._reason = None
        if self.stop_ids and self.stop_ids.intersection(ids_of(self._rows)):
            self._reason = JobCancelled
            raise JobCancelled()
        with self._lock:
            self._serial += 1
            self._deadline = self._clock() + self._seconds
            self._polite, self._active = False, True
        if self._signals:
            signal.setitimer(signal.ITIMER_REAL, self._seconds, REPEAT_SECONDS)
            self._armed = True  # last: an exception from here would leave the call open, with its timer running on

    def __exit__(self, _kind: Any, error: BaseException | None, _trace: Any) -> None:
        self._armed = False  # first: a signal that still comes changes nothing any more
        if self._signals:
            signal.setitimer(signal.ITIMER_REAL, 0)
        with self._lock:
            self._active = False
        if error is None:
            self._reason = None

    def blame(self, error: Exception) -> Exception:
        """What to write down for an error of the last call: that it was stopped, where it was."""
        if self._reason is None or isinstance(error, self._reason):
            return error
        why = self.why(self._reason)
        why.__cause__ = error
        return why

    def check(self) -> None:
        """A safe point of the job. :raises JobCancelled, JobTimeout: when it is to stop here"""
        if not self._active:
            return
        self._polite = True
        if self._reason is not None:
            raise self.why(self._reason)
        if self.stop_ids and self.stop_ids.intersection(ids_of(self._rows)):
            self._reason = JobCancelled
            raise JobCancelled()
        if self._clock() >= self._deadline:
            self._reason = JobTimeout
            raise self.why(JobTimeout)

    def report(self, done: int, total: int, text: str) -> None:
        """Remember how far the job is; the watcher publishes it."""
        if self._active:
            self.progress = Progress(done, total, text)

    def _alarm(self, _signal: int, frame: FrameType | None) -> None:
        # between the last step of a call and the first of the guard's end nobody would stop the timer: it would ring
        # while the batch is settled
        if self._armed and (frame is None or frame.f_code not in _GUARD):
            self._reason = self._reason or JobTimeout
            raise self.why(self._reason)

    def why(self, reason: type[Exception]) -> Exception:
        """What to say of a call that is stopped for ``reason``."""
        return JobTimeout.after(self._seconds) if reason is JobTimeout else reason()

    # -- the watching thread -------------------------------------------------------------------------------------------
    def call(self) -> Call | None:
        """The call that runs."""
        with self._lock:
            if not self._active:
                return None
            return Call(self._serial, self._deadline, ids_of(self._rows), keys_of(self._rows))

    def stop(self, call: Call, reason: type[Exception], cancel: Callable[[int], Any], *, gently: bool = False) -> bool:
        """Ask ``call`` to stop, also in the middle of a statement: ``cancel(backend pid)``. Whether it still runs.

        :param gently: leave a job that passes safe points alone; it stops at the next one
        """
        with self._lock:
            if not self._active or self._serial != call.serial or self.batch is None:
                return False
            if gently and self._polite:
                return True
            self._reason = self._reason or reason
            if self._signals:
                signal.pthread_kill(self._thread, signal.SIGALRM)
            cancel(self.batch.pid)
        return True

    def hold(self, call: Call, action: Callable[[], Any]) -> bool:
        """Do ``action`` while ``call`` cannot end. Whether it still ran."""
        with self._lock:
            if not self._active or self._serial != call.serial:
                return False
            action()
        return True

    def publish(self, write: Callable[[Progress, tuple[int, ...]], Any]) -> None:
        """Hand over progress that is new, while the batch cannot end."""
        if self.progress is None:
            return
        with self._lock:
            progress, self.progress = self.progress, None
            if progress is not None and self.batch is not None:
                write(progress, ids_of(self._rows))


_GUARD = (Hand.__enter__.__code__, Hand.__exit__.__code__)


class Unguarded:
    """Where nobody watches: tests, and work outside a worker."""

    enough = False

    def __call__(self, _seconds: float, _rows: Sequence[Any]) -> Unguarded:
        return self

    def __enter__(self) -> None:
        """No limit."""

    def __exit__(self, *_error: Any) -> None:
        """Nothing to undo."""

    def begin(self, pid: int, lane: str, ids: Iterable[int]) -> None:
        """Nothing is watched."""

    def end(self) -> None:
        """Nothing was watched."""

    def blame(self, error: Exception) -> Exception:
        return error


def ids_of(rows: Sequence[Any]) -> tuple[int, ...]:
    """The jobs among the rows of a call; keys of dirty marks are none."""
    return tuple(row.id for row in rows if hasattr(row, "id"))


def keys_of(rows: Sequence[Any]) -> tuple[str, ...]:
    """The keys of dirty marks among the rows of a call."""
    return tuple(row.order_key for row in rows if not hasattr(row, "id"))
