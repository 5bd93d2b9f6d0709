"""What is wrong with a document, at which place, in one sentence."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["envelope", "grammar", "element", "code", "condition", "balance"]
Severity = Literal["reject", "error", "note"]

LEVELS: tuple[Level, ...] = ("envelope", "grammar", "element", "code", "condition", "balance")


@dataclass(frozen=True)
class Finding:
    """One deviation. Positions count from 1: the ST or UNH segment of a message is position 1.

    ``element`` names the place as people write it: ``BEG02`` in X12, ``C507.2380`` or ``1004`` in EDIFACT;
    ``index``, ``component`` and ``repeat`` say the same in numbers (0 where it does not apply), for acknowledgements.
    ``severity``: ``reject`` refuses the message, ``error`` lets it pass with errors, ``note`` is no fault at all.
    """

    level: Level
    rule: str
    text: str
    severity: Severity = "error"
    interchange: str = ""
    group: str = ""
    control: str = ""
    document: str = ""
    segment: str = ""
    position: int = 0
    element: str = ""
    index: int = 0
    component: int = 0
    repeat: int = 0
    reference: str = ""
    """Number of the data element (``92``, ``1004``), where the grammar knows it."""
    value: str = ""
    expected: str = ""
    loop: str = ""

    @property
    def message(self) -> str:
        """The whole sentence: where, what was found, what was expected."""
        where = []
        if self.document or self.control:
            where.append(f"{self.document or 'message'} {self.control}".strip())
        if self.segment:
            where.append(f"segment {self.position} {self.segment}" if self.position else self.segment)
        if self.element and self.element != self.segment:
            where.append(f"element {self.element}")
        place = ", ".join(where)
        sentence = f"{place}: {self.text}" if place else self.text
        return f"{sentence}; expected {self.expected}" if self.expected else sentence

    def as_json(self) -> dict[str, Any]:
        """The form that the command line prints and Odoo stores."""
        data = {key: value for key, value in asdict(self).items() if value not in ("", 0) and key != "text"}
        data["message"] = self.message
        for key in ("segment", "element", "value"):
            data.setdefault(key, "")
        data.setdefault("position", 0)
        return data


def shown(value: str, limit: int = 60) -> str:
    """``value`` in quotes for a sentence, shortened, with control characters visible."""
    text = value if len(value) <= limit else value[: limit - 1] + "…"
    return '"' + "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text) + '"'
