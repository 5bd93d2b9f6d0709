"""Documents of both standards ↔ the canonical objects of ``dist_contracts.trade``, by mappings that are data.

``to_canonical(message)`` gives the object and notes about what was not understood; ``from_canonical(object, …)`` the
body of a message. A mapping is a text file in ``x12/`` or ``edifact/``; codes and words are in ``tables.txt`` there.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import CanonicalResult, from_canonical, objects_of, to_canonical
    from .context import MappingProfile, Note

_WHERE = {
    "CanonicalResult": "api",
    "MappingProfile": "context",
    "Note": "context",
    "from_canonical": "api",
    "objects_of": "api",
    "to_canonical": "api",
}

__all__ = ["CanonicalResult", "MappingProfile", "Note", "from_canonical", "objects_of", "to_canonical"]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_WHERE[name]}", __name__), name)
