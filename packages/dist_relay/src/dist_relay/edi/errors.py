"""What the codec raises. Bad documents are not exceptions: they give findings."""

from __future__ import annotations


class EdiError(Exception):
    """Base of all of the codec's own exceptions; the message is for people."""


class UnreadableError(EdiError):
    """No interchange could be found in the input, or it cannot be decoded."""


class LimitError(EdiError):
    """The input is larger, deeper or longer than the limits allow."""


class GrammarError(EdiError):
    """A grammar, overlay or mapping file says something impossible; names file and line."""


class WriteError(EdiError):
    """A document cannot be written without loss or against its grammar; names the segment and element."""
