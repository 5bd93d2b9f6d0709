"""What a partner may do: which deviations refuse a message, which are only reported, and the partner's own grammar."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from .limits import DEFAULT, Limits

if TYPE_CHECKING:
    from .overlay.model import Overlay, Wire

Treatment = Literal["reject", "error", "note", "off"]

_NONE: Mapping[str, Treatment] = MappingProxyType({})

STANDARD: Mapping[str, Treatment] = MappingProxyType(
    {
        "envelope": "reject",
        "envelope.width": "error",
        "envelope.date": "error",
        "envelope.group": "error",
        "envelope.blanks": "note",
        "envelope.bom": "note",
        "envelope.charset": "note",
        "envelope.terminator": "note",
        "envelope.breaks": "note",
        "envelope.empty": "note",
        "envelope.leading": "note",
        "envelope.trailing": "note",
        "envelope.syntax": "note",
        "grammar": "reject",
        "grammar.nearest": "note",
        "grammar.unknown": "note",
        "element": "error",
        "element.missing": "reject",
        "element.trailing": "note",
        "code": "error",
        "code.unlisted": "off",
        "condition": "error",
        "balance": "error",
    }
)
"""How deviations are treated by rule, or by level where the rule is not named."""


@dataclass(frozen=True)
class Profile:
    """How one partner's documents are read.

    ``treatment`` overrides :data:`STANDARD` by rule (``element.long``) or level (``balance``). With a grammar that is
    only the nearest one, nothing but the envelope refuses a message.
    """

    name: str = ""
    treatment: Mapping[str, Treatment] = field(default_factory=lambda: _NONE)
    limits: Limits = DEFAULT
    overlay: Overlay | None = None
    """The partner's own grammar and wire format; see :mod:`dist_relay.edi.overlay`."""

    @property
    def key(self) -> Hashable:
        """The same for profiles that treat everything the same."""
        overlay = self.overlay.key if self.overlay else ""
        return (self.name, tuple(sorted(self.treatment.items())), self.limits, overlay)

    def wire(self, standard: str) -> Wire | None:
        """What is agreed about interchanges of a standard, None where nothing is."""
        return self.overlay.wires.get(standard) if self.overlay else None

    def treat(self, level: str, rule: str, exact: bool = True) -> Treatment:
        """What happens to a deviation."""
        own = self.treatment.get(rule) or self.treatment.get(level)
        if own:
            return own
        found = STANDARD.get(rule) or STANDARD[level]
        if found == "reject" and not exact and level != "envelope":
            return "error"
        return found

    @property
    def listed_codes(self) -> bool:
        """Whether codes must be in our lists even where these are only a part of the standard's."""
        return self.treat("code", "code.unlisted") != "off"

    @property
    def content(self) -> bool:
        """Whether elements are looked at at all."""
        return any(self.treatment.get(level) != "off" for level in ("element", "code", "condition"))


DEFAULT_PROFILE = Profile()
