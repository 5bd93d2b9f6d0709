"""What an acknowledgement says: accepted or not, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["accepted", "accepted_with_errors", "partially_accepted", "rejected", "received"]
"""``received``: it arrived; what became of it is said later (CONTRL action 8)."""
Kind = Literal["TA1", "997", "999", "CONTRL", "824", "APERAK"]
Scope = Literal["interchange", "group", "message"]


@dataclass(frozen=True)
class Reason:
    """One fault that an acknowledgement names. Positions count from 1 (ST or UNH); 0 where it says none."""

    text: str
    """A readable sentence with the place."""
    code: str = ""
    segment: str = ""
    position: int = 0
    index: int = 0
    component: int = 0
    repeat: int = 0
    value: str = ""
    loop: str = ""


@dataclass(frozen=True)
class Verdict:
    """What became of one interchange, group or message that was sent. Control numbers are those of what was sent."""

    kind: Kind
    level: Scope
    outcome: Outcome
    interchange: str = ""
    """Control number of the interchange, where the acknowledgement names it (TA1, CONTRL)."""
    group_type: str = ""
    """GS01 of the group."""
    group: str = ""
    type: str = ""
    """Type of the message."""
    control: str = ""
    """Control number of what ``level`` says."""
    reference: str = ""
    """Number of the business document, where an application advice names it."""
    reasons: tuple[Reason, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether the receiver works with it, or with a part of it."""
        return self.outcome in ("accepted", "accepted_with_errors", "partially_accepted")
