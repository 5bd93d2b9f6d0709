# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What a handler may raise. The type of the exception is the recovery policy.

``RetryLater``  the attempt counts; again after ``seconds``, or after an exponential backoff with full jitter
``Snooze``      the attempt does not count; again after ``seconds`` (a limit was reached, a door is closed)
``Permanent``   it can never succeed as it is: a dead letter at once, with an exception in "Needs attention"
anything else   the attempt counts; backoff as for ``RetryLater``; a dead letter after ``max_attempts``

Serialization failures and deadlocks are no failures of the job: its whole batch is run again and no attempt counts.
A lock the job asked for without waiting, and did not get, is a snooze: again soon, then later and later.
"""

from __future__ import annotations


class SyncError(Exception):
    """Base of the errors a handler raises on purpose."""


class RetryLater(SyncError):
    """Not now, but later. ``seconds`` overrides the backoff."""

    def __init__(self, seconds: float | str | None = None, message: str = "") -> None:
        if isinstance(seconds, str):
            seconds, message = None, seconds
        self.seconds = seconds
        super().__init__(message or "Asked to be tried again later.")


class Snooze(SyncError):
    """Later, and the attempt does not count. ``seconds`` is required: a snooze has an end."""

    def __init__(self, seconds: float, message: str = "") -> None:
        if not seconds > 0:
            raise ValueError("Snooze needs a positive number of seconds.")
        self.seconds = float(seconds)
        super().__init__(message or f"Snoozed for {seconds:g} s.")


class Permanent(SyncError):
    """Never. The message tells a user what is wrong and what to do."""


class JobTimeout(SyncError):
    """The job ran longer than its ``timeout``; its work was rolled back and the attempt counts."""

    @classmethod
    def after(cls, seconds: float) -> JobTimeout:
        return cls(f"The job ran past its timeout of {seconds:g} s.")


class JobCancelled(SyncError):
    """Somebody cancelled the job while it ran; its work was rolled back."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or "Cancelled while it ran.")


class UnknownHandler(Permanent):
    """No installed addon handles this."""


class EnqueueError(ValueError):
    """The request for a job is wrong in itself: arguments that are not JSON, an undecorated method, unsaved records."""


class TooDeep(EnqueueError, Permanent):
    """Jobs that make jobs that make jobs, without an end."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"This job is the {limit}th of a row of jobs and dirty marks in which each made the next: probably it "
            "makes itself again without end. Let it raise RetryLater or Snooze to be run again, or use a schedule. If "
            "the row is meant, raise the system parameter dist_sync_queue.depth_limit, then run this job again."
        )
