"""Documents for people: as a tree of text, as JSON, and as an HTML table, with labels and findings at their place.

>>> from dist_relay.edi import read
>>> from dist_relay.edi.render import text, view
>>> data = (b"UNB+UNOC:3+SHOP:14+DIST:14+260301:1200+9'UNH+1+ORDERS:D:96A:UN'BGM+220+4711+9'"
...         b"DTM+137:20260301:102'LIN+1++4000862141404:EN'QTY+21:ten'UNS+S'UNT+7+1'UNZ+1+9'")
>>> message = next(next(read(data)).messages())
>>> for line in list(text(view(message)))[-6:-1]:
...     print(line[:80])
    5 QTY Quantity
        C186.6063 Quantity qualifier  21 = ordered quantity
        C186.6060 Quantity            ten
        ! error element.type: ORDERS 1, segment 5 QTY, element C186.6060: Quanti
  6 UNS Section control
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .data import as_json
    from .lines import text
    from .page import html
    from .views import Bounds, Cell, Row, View, envelope, view

_WHERE = {
    "Bounds": "views",
    "Cell": "views",
    "Row": "views",
    "View": "views",
    "as_json": "data",
    "envelope": "views",
    "html": "page",
    "text": "lines",
    "view": "views",
}

__all__ = ["Bounds", "Cell", "Row", "View", "as_json", "envelope", "html", "text", "view"]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_WHERE[name]}", __name__), name)
