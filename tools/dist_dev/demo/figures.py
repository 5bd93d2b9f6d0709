"""The numbers of the live view, read from PostgreSQL and the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg

from .store_side import Store

_ORDERS = """
SELECT count(*),
       count(*) FILTER (WHERE sale.state = 'sale'),
       count(*) FILTER (WHERE orders.state = 'cancelled'),
       count(*) FILTER (WHERE orders.state IN ('exception', 'hold')),
       count(*) FILTER (WHERE sale.state = 'sale' AND NOT EXISTS (
           SELECT 1 FROM stock_move move JOIN stock_picking picking ON picking.id = move.picking_id
            WHERE picking.sale_id = sale.id AND move.state IN ('confirmed', 'waiting', 'partially_available'))),
       count(*) FILTER (WHERE sale.delivery_status = 'full'),
       count(*) FILTER (WHERE orders.state IN ('shipped', 'closed'))
  FROM dist_channel_order orders LEFT JOIN sale_order sale ON sale.id = orders.sale_order_id
"""
_WORK = """
SELECT (SELECT count(*) FROM dist_outbox_event WHERE state IN ('pending', 'published', 'unknown')),
       (SELECT COALESCE(EXTRACT(EPOCH FROM (clock_timestamp() AT TIME ZONE 'UTC') - min(occurred_at)), 0)
          FROM dist_outbox_event WHERE state IN ('pending', 'published', 'unknown')),
       (SELECT count(*) FROM dist_outbox_event WHERE state = 'dead')
         + (SELECT count(*) FROM dist_job WHERE state IN ('dead', 'parked'))
         + (SELECT count(*) FROM dist_dead_letter WHERE state = 'open'),
       (SELECT count(*) FROM dist_job WHERE state = 'pending'),
       (SELECT count(*) FROM dist_dirty_mark),
       (SELECT count(*) FROM dist_outbox_event WHERE type = 'availability.changed.v1' AND state = 'delivered'),
       (SELECT count(*) FROM dist_exception WHERE state = 'open')
"""


@dataclass(frozen=True)
class Figures:
    """One look at the run; counts of orders unless the name says otherwise."""

    placed: int = 0
    imported: int = 0
    confirmed: int = 0
    cancelled: int = 0
    held: int = 0
    reserved: int = 0
    delivered: int = 0
    told: int = 0
    fulfilled: int = 0
    store_cancelled: int = 0
    empty: int = 0
    events_open: int = 0
    lag_seconds: float = 0.0
    dead: int = 0
    jobs: int = 0
    marks: int = 0
    stock_updates: int = 0
    exceptions: int = 0
    effects: dict[str, int] = field(default_factory=dict)

    @property
    def quiet(self) -> bool:
        """Whether nothing is under way any more and every order has reached its end in the store."""
        return (
            self.placed > 0
            and self.fulfilled + self.store_cancelled + self.empty == self.placed
            and self.imported == self.placed
            and not (self.events_open or self.jobs or self.marks)
        )


def _end(order: dict[str, Any]) -> str:
    """Where an order stands in the store; ``empty`` when edits left nothing to deliver."""
    wanted = any(line["quantity"] for line in order["lines"] if line["requires_shipping"])
    return str(order["status"]) if wanted or order["cancelled"] else "empty"


def _row(connection: psycopg.Connection[Any], query: str) -> tuple[Any, ...]:
    return connection.execute(query.encode()).fetchone() or ()


def reader(dsn: str, store: Store) -> Callable[[], Figures | None]:
    """A function that takes a look; ``None`` while the database is away."""
    connection: list[psycopg.Connection[Any]] = []

    def read() -> Figures | None:
        try:
            if not connection:
                connection.append(psycopg.connect(dsn, autocommit=True, connect_timeout=5))
            orders = _row(connection[0], _ORDERS)
            work = _row(connection[0], _WORK)
        except psycopg.OperationalError:
            connection.clear()
            return None
        state = store.tell("state")
        ended = [_end(order) for order in state["orders"]]
        return Figures(
            placed=len(ended),
            imported=orders[0],
            confirmed=orders[1],
            cancelled=orders[2],
            held=orders[3],
            reserved=orders[4],
            delivered=orders[5],
            told=orders[6],
            fulfilled=ended.count("fulfilled"),
            store_cancelled=ended.count("cancelled"),
            empty=ended.count("empty"),
            events_open=work[0],
            lag_seconds=float(work[1]),
            dead=work[2],
            jobs=work[3],
            marks=work[4],
            stock_updates=work[5],
            exceptions=work[6],
            effects=state["effects"],
        )

    return read
