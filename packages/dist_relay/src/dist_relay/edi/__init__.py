"""The EDI codec: reads, checks and writes X12 and EDIFACT. Pure Python; knows no transport and no Odoo.

Nothing heavy is imported here: the parts load when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .delimiters import Delimiters
    from .errors import EdiError, GrammarError, LimitError, UnreadableError, WriteError
    from .finding import Finding
    from .interchange import Group, Interchange, Message
    from .limits import Limits
    from .profile import Profile
    from .reader import Codec, read
    from .segment import Loop, Repeats, Segment
    from .writer import Document, GroupHeader, InterchangeHeader, Layout, Party, Writer, rewrite

_WHERE = {
    "Codec": "reader",
    "Delimiters": "delimiters",
    "EdiError": "errors",
    "Finding": "finding",
    "GrammarError": "errors",
    "Group": "interchange",
    "Interchange": "interchange",
    "LimitError": "errors",
    "Limits": "limits",
    "Loop": "segment",
    "Message": "interchange",
    "Profile": "profile",
    "Repeats": "segment",
    "Segment": "segment",
    "UnreadableError": "errors",
    "WriteError": "errors",
    "Document": "writer",
    "GroupHeader": "writer",
    "InterchangeHeader": "writer",
    "Layout": "writer",
    "Party": "writer",
    "Writer": "writer",
    "rewrite": "writer",
    "read": "reader",
}

__all__ = [
    "Codec",
    "Delimiters",
    "Document",
    "EdiError",
    "Finding",
    "GrammarError",
    "Group",
    "GroupHeader",
    "Interchange",
    "InterchangeHeader",
    "Layout",
    "LimitError",
    "Limits",
    "Loop",
    "Message",
    "Party",
    "Profile",
    "Repeats",
    "Segment",
    "UnreadableError",
    "WriteError",
    "Writer",
    "read",
    "rewrite",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_WHERE[name]}", __name__), name)
