"""Faults the fake can be told to have: the next n times, or with a probability, for one operation or for all."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

BEFORE = {
    "throttled": "HTTP 200 with THROTTLED, nothing done",
    "rate_limited": "HTTP 429 with Retry-After, nothing done",
    "server_error": "HTTP 500, nothing done",
    "unavailable": "HTTP 503, nothing done",
    "lost": "the connection breaks before the request is looked at",
    "html": "a web page with HTTP 200, nothing done",
    "expired": "HTTP 401: the token has expired",
    "denied": "ACCESS_DENIED: the scope was revoked",
    "internal": "HTTP 200 with INTERNAL_SERVER_ERROR, nothing done",
    "slow": "the answer takes `seconds`",
    "duplicate": "lists name an element twice",
    "out_of_order": "lists come in another order",
    "moved": "somebody changes the quantity right before it is set",
}
AFTER = {
    "lost_answer": "the request takes effect, then the connection breaks",
    "error_after": "the request takes effect, then HTTP 500",
    "html_after": "the request takes effect, then a web page",
}
KINDS = BEFORE | AFTER


@dataclass
class Fault:
    """One instruction. ``times`` counts down; ``probability`` is per matching request."""

    kind: str
    operation: str | None = None
    times: int | None = None
    probability: float = 1.0
    seconds: float = 0.0
    skip: int = 0


class Faults:
    """The instructions in force; seeded, so that a run can be repeated."""

    def __init__(self, seed: int = 1) -> None:
        self._random = Random(seed)
        self._faults: list[Fault] = []
        self.happened: Counter[str] = Counter()

    def add(self, kind: str, **options: Any) -> Fault:
        """Have a fault from now on; ``skip`` lets that many matching requests pass first."""
        if kind not in KINDS:
            raise ValueError(f"no fault {kind!r}; there are {', '.join(KINDS)}")
        if "times" not in options and "probability" not in options:
            options["times"] = 1
        fault = Fault(kind, **options)
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Have none."""
        self._faults.clear()

    def pick(self, operation: str) -> Fault | None:
        """The fault this request meets."""
        for fault in self._faults:
            if fault.operation not in (None, operation):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if fault.times == 0 or self._random.random() >= fault.probability:
                continue
            if fault.times is not None:
                fault.times -= 1
            self.happened[fault.kind] += 1
            return fault
        return None

    def list(self) -> list[dict[str, Any]]:
        """The instructions, as JSON."""
        return [asdict(fault) for fault in self._faults]
