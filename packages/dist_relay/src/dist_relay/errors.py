"""The exception tree. The type of an exception is the recovery policy: nothing else decides what happens next.

======================  ==========  =======================================================================
exception               verdict     what the engine does
======================  ==========  =======================================================================
``Rejected``            rejected    settled as refused for good, with code and reason; a job tells Odoo
``RetryLater``          retry       counted attempt, tried again later; nothing took effect outside
``Snoozed``             snooze      tried again after ``seconds``; no attempt is spent
``CredentialsRefused``  snooze      as ``Snoozed`` with code ``credentials``: the connection's work is parked
``OutcomeUnknown``      unknown     it may have taken effect: the next attempt reads back first
``Broken``              broken      can never be sent (a defect of ours or of the settings): dead letter
======================  ==========  =======================================================================

Anything that is not a ``RelayError`` counts as ``OutcomeUnknown`` for flows with an effect and ``RetryLater`` for
reads.
"""

from __future__ import annotations

from decimal import ROUND_UP, Decimal
from typing import Any, ClassVar

from dist_contracts import Envelope, Outcome, Verdict

MAX_SECONDS = 86_400.0
"""Longest wait an adapter or a channel may ask for: one day. More is cut to this."""

_MAX_MESSAGE = 2_000


class RelayError(Exception):
    """A named outcome that is not success. ``code`` is short and stable, ``message`` is for people."""

    verdict: ClassVar[Verdict]

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        seconds: float | None = None,
        data: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message[:_MAX_MESSAGE]
        self.code = code
        self.seconds = None if seconds is None else min(max(float(seconds), 0.0), MAX_SECONDS)
        self.data = data or {}

    def outcome(self, event: Envelope) -> Outcome:
        """The outcome this error means for ``event``."""
        return Outcome(
            event_id=event.event_id,
            verdict=self.verdict,
            attempt=event.attempt,
            version=event.version,
            code=self.code,
            message=self.message,
            retry_after=None if self.seconds is None else _seconds(self.seconds),
            data=self.data,
        )


class Rejected(RelayError):
    """The other side understood and refused this one thing for good (unknown SKU, order already cancelled)."""

    verdict = Verdict.REJECTED

    def __init__(self, code: str, message: str, *, data: dict[str, Any] | None = None) -> None:
        super().__init__(message, code=code, data=data)


class RetryLater(RelayError):
    """It failed, certainly without effect, and may work later. A counted attempt; ``None`` lets the engine choose."""

    verdict = Verdict.RETRY

    def __init__(self, seconds: float | None, message: str, *, code: str | None = None) -> None:
        super().__init__(message, seconds=seconds, code=code)


class Snoozed(RelayError):
    """Not now, and nobody's fault (rate limit, open breaker): again after ``seconds``, no attempt spent."""

    verdict = Verdict.SNOOZE

    def __init__(self, seconds: float, message: str, *, code: str | None = None) -> None:
        super().__init__(message, seconds=seconds, code=code)


class CredentialsRefused(Snoozed):
    """The credentials are refused or lack a scope: everything of the connection waits until a person has fixed them."""

    def __init__(self, message: str, *, seconds: float = 300.0) -> None:
        super().__init__(seconds, message, code="credentials")


class OutcomeUnknown(RelayError):
    """Sent, but no answer says whether it took effect. The next attempt reads back before it acts."""

    verdict = Verdict.UNKNOWN

    def __init__(self, message: str, *, seconds: float | None = None, code: str | None = None) -> None:
        super().__init__(message, seconds=seconds, code=code)


class Broken(RelayError):
    """It can never be sent as it is: a defect of ours or of the settings."""

    verdict = Verdict.BROKEN

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message, code=code)


class SettingsError(Exception):
    """The relay cannot start with these settings. The message is one line that says which setting and what to do."""


def delivered(event: Envelope, data: dict[str, Any] | None = None) -> Outcome:
    """The good outcome of ``event``; ``data`` is what Odoo keeps (external ids)."""
    return Outcome(
        event_id=event.event_id,
        verdict=Verdict.DELIVERED,
        attempt=event.attempt,
        version=event.version,
        data=data or {},
    )


def _seconds(value: float) -> Decimal:
    return Decimal(str(value)).quantize(Decimal("0.001"), rounding=ROUND_UP)
