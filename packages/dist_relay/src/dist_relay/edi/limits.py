"""How much the reader takes from outside before it stops."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds on one input. Sizes in bytes (of the input) or characters (of a segment)."""

    total: int = 1 << 30
    """Bytes of one input, all interchanges together."""
    segment: int = 1 << 20
    """Characters of one segment; a missing terminator must not make the rest of a file one segment."""
    binary: int = 64 << 20
    """Characters of the binary part of one BIN or BDS segment."""
    elements: int = 2_000
    """Elements and components of one segment: beyond, it is not looked at more closely."""
    findings: int = 1_000
    """Findings kept per message and per interchange; more are counted, not kept."""
    leading: int = 1 << 16
    """Bytes of text before the first envelope."""
    message_segments: int = 5_000_000
    """Segments of one message."""
    interchanges: int = 100_000
    """Interchanges of one input."""
    groups: int = 100_000
    """Groups of one interchange: their headers and trailers are kept until it ends."""
    messages: int = 10_000_000
    """Messages of one input."""
    kinds: int = 200
    """Types, versions and delimiters of messages in one input: an automaton is built for each."""
    envelope: int = 2_000
    """Characters of one segment of the envelope."""


DEFAULT = Limits()
