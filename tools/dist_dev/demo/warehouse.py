"""The scripted warehouse: packs what is reserved, gives it a tracking number and validates the delivery.

It speaks to Odoo as any outside program would, through the API. Some orders leave in two parts and some in two
packages, so that partial and multi-package shipments are seen too. Deciding by the picking's id keeps a run repeatable.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import time
from typing import Any

import requests

from .odoo_rpc import OdooError, OdooRpc

_logger = logging.getLogger("warehouse")

PART_EVERY = 9
"""Every ninth delivery with more than one piece leaves in two parts."""

TWO_PACKAGES_EVERY = 7
"""Every seventh delivery gets two tracking numbers."""


class Warehouse:
    """Ships all deliveries that are reserved, one after the other."""

    def __init__(self, odoo: OdooRpc) -> None:
        self._odoo = odoo

    def ship_ready(self, limit: int = 20) -> int:
        """Validate up to ``limit`` reserved deliveries; returns how many left."""
        ready = self._odoo.search_read(
            "stock.picking",
            [("picking_type_code", "=", "outgoing"), ("state", "=", "assigned")],
            ["name", "backorder_id", "move_ids"],
            limit=limit,
            order="id",
        )
        return sum(self._ship(picking) for picking in ready)

    def _ship(self, picking: dict[str, Any]) -> bool:
        try:
            self._pack(picking)
            done = self._odoo.call(
                "stock.picking",
                "button_validate",
                [picking["id"]],
                context={"skip_backorder": True, "skip_sms": True},
                repeatable=False,
            )
        except (OdooError, requests.RequestException) as error:
            # Cancelled meanwhile, a concurrent write, or the server was killed: the next round looks again.
            _logger.info("%s not shipped now: %s", picking["name"], error)
            return False
        if done is not True:
            _logger.warning("%s asks for a decision: %s", picking["name"], done)
            return False
        return True

    def _pack(self, picking: dict[str, Any]) -> None:
        moves = self._odoo.search_read(
            "stock.move",
            [("id", "in", picking["move_ids"]), ("state", "!=", "cancel")],
            ["quantity", "product_uom_qty"],
        )
        pieces = sum(move["quantity"] for move in moves)
        first_part = picking["id"] % PART_EVERY == 0 and pieces > 1 and not picking["backorder_id"]
        for move in moves:
            values: dict[str, Any] = {"picked": True}
            if first_part and move["quantity"] > 1:
                values["quantity"] = float(move["quantity"] // 2)
            self._odoo.call("stock.move", "write", [move["id"]], vals=values)
        self._odoo.call(
            "stock.picking", "write", [picking["id"]], vals={"carrier_tracking_ref": _tracking(picking["id"])}
        )


def _tracking(picking_id: int) -> str:
    count = 2 if picking_id % TWO_PACKAGES_EVERY == 0 else 1
    return ",".join(f"1Z{picking_id:08d}{part}" for part in range(1, count + 1))


def main() -> None:
    """Run until told to stop. Address and key come from the environment: ``DEMO_ODOO_URL``, ``_DB``, ``_KEY``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pause", type=float, default=1.0, help="seconds to wait when nothing is ready")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stopping.append(number))
    odoo = OdooRpc(os.environ["DEMO_ODOO_URL"], os.environ["DEMO_ODOO_DB"], os.environ["DEMO_ODOO_KEY"])
    warehouse = Warehouse(odoo)
    while not stopping:
        try:
            shipped = warehouse.ship_ready()
        except (OdooError, requests.RequestException) as error:
            _logger.info("Odoo is away: %s", error)
            shipped = 0
        if not shipped:
            time.sleep(arguments.pause)


if __name__ == "__main__":
    main()
