"""Partner overlays: data merged over the grammars, and how a partner's documents are treated and written.

``profile(source)`` takes a dict, JSON, TOML or a file of it and gives the :class:`~dist_relay.edi.Profile` that reader,
writer and command line take. The same overlay gives the same profile, whose automata stay warm. See docs/edi.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .load import MAX_BYTES, parse, profile
    from .model import Address, DocumentRules, Overlay, Wire
    from .presets import PRESETS

_WHERE = {
    "Address": "model",
    "DocumentRules": "model",
    "MAX_BYTES": "load",
    "Overlay": "model",
    "PRESETS": "presets",
    "Wire": "model",
    "parse": "load",
    "profile": "load",
}

__all__ = ["MAX_BYTES", "PRESETS", "Address", "DocumentRules", "Overlay", "Wire", "parse", "profile"]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_WHERE[name]}", __name__), name)
