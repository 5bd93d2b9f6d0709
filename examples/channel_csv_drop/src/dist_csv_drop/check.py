"""``connection.check``: is the folder there?"""

from __future__ import annotations

from typing import Any

from dist_relay.errors import Rejected
from dist_relay.ports import Context

from .folder import folder, location


class Check:
    """Looks at the folder and changes nothing."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def check(self) -> dict[str, Any]:
        """The name, the files that wait, and the one location."""
        place = folder(self._ctx)
        if not place.is_dir():
            raise Rejected("no_folder", f"the relay finds no folder {place.name}")
        id_ = location(self._ctx)
        waiting = len(list((place / "orders").glob("*.csv")))
        return {"name": place.name, "order_files": waiting, "locations": [{"id": id_, "name": id_.title()}]}
