"""What the codec raises. Bad documents are not exceptions: they give findings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .finding import Finding


class EdiError(Exception):
    """Base of all of the codec's own exceptions; the message is for people."""


class UnreadableError(EdiError):
    """No interchange could be found in the input, or it cannot be decoded."""


class LimitError(EdiError):
    """The input is larger, deeper or longer than the limits allow."""


class GrammarError(EdiError):
    """A grammar, overlay or mapping file says something impossible; names file and line."""


class WriteError(EdiError):
    """A document cannot be written without loss or against its grammar; names the segment and element.

    ``segment``, ``position`` (the ST or UNH segment is 1; 0: not in a message) and ``element`` say the place of the
    first fault; ``findings`` has all that the grammar says against the document.
    """

    def __init__(
        self,
        message: str,
        *,
        segment: str = "",
        position: int = 0,
        element: str = "",
        findings: Sequence[Finding] = (),
    ) -> None:
        super().__init__(message)
        self.segment = segment
        self.position = position
        self.element = element
        self.findings = tuple(findings)


class MappingError(EdiError):
    """A document is no canonical object, or an object no such document; names what is missing."""
