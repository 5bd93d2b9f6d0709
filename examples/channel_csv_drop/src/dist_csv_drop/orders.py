"""``orders.pull``: each file is a page, the cursor is the name of the last file read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation
from pathlib import Path

from pydantic import ValidationError

from dist_contracts import (
    Address,
    Cancellation,
    ListingRef,
    Money,
    MoneyPair,
    Order,
    OrderLine,
    OrderStatus,
    OrderTotals,
    PaymentStatus,
    ShippingLine,
    explain,
)
from dist_relay.ports import Context, Cursor, Incoming, Malformed, Page, digest

from .folder import EXTRA, BadFile, Row, folder, read

TYPE = "order.received.v1"
STATUS = {"": OrderStatus.OPEN, "open": OrderStatus.OPEN, "cancelled": OrderStatus.CANCELLED}
ADDRESS = ("name", "company", "street", "street2", "city", "zip", "state", "country", "phone", "email")


class PullOrders:
    """Reads the files of ``orders/``."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def pull(self, cursor: Cursor | None, deadline: datetime) -> Iterator[Page]:
        """One page per file whose name is greater than the cursor's."""
        place = folder(self._ctx)
        done = (cursor or {}).get("file", "")
        files = order_files(place, done)
        if not files:
            yield Page((), cursor or {}, more=False)
        while files:
            for path in files:
                done = path.name
                yield Page(tuple(_events(path)), {"file": done}, more=path != files[-1])
            files = order_files(place, done)


def order_files(place: Path, after: str = "") -> list[Path]:
    """Files of orders whose name is greater than ``after``, in order of name."""
    return sorted(path for path in (place / "orders").glob("*.csv") if path.name > after)


def find(place: Path, order_id: str) -> Order | None:
    """The newest state of an order; it is looked for in the newest files first."""
    for path in reversed(order_files(place)):
        try:
            rows = [row for row in read(path) if row.get("order_id") == order_id]
            if rows:
                return to_order(rows)
        except (KeyError, ValueError, InvalidOperation):
            continue
    return None


def _events(path: Path) -> Iterator[Incoming | Malformed]:
    try:
        rows = read(path)
    except BadFile as error:
        yield Malformed(TYPE, path.name, ("file", path.name), str(error), "")
        return
    orders: dict[str, list[Row]] = {}
    for row in rows:
        orders.setdefault(row.get("order_id", ""), []).append(row)
    for order_id, lines in orders.items():
        yield _event(order_id, lines, path.name)


def _event(order_id: str, rows: Sequence[Row], name: str) -> Incoming | Malformed:
    try:
        order = to_order(rows)
    except (KeyError, ValueError, InvalidOperation) as error:
        raw = repr(rows)
        fact = ("malformed", hashlib.sha256(raw.encode("utf-8", "replace")).hexdigest())
        return Malformed(
            TYPE, order_id[:255] or name, fact, f"{name}, order {order_id or '?'}: {_why(error)}", raw[:100_000]
        )
    return Incoming(TYPE, order.external_id, order.updated_at, order, (order.updated_at.isoformat(), digest(order)))


def _why(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return explain(error)
    if isinstance(error, KeyError):
        return f"column {error} is missing or empty"
    return "a number is not written like 12.50" if isinstance(error, InvalidOperation) else str(error)


def to_order(rows: Sequence[Row]) -> Order:
    """The order its rows tell.

    :raises KeyError, ValueError, InvalidOperation: when they tell none
    """
    first = rows[0]
    currency, updated = first["currency"], _moment(first["updated_at"])
    if first.get("status", "") not in STATUS:
        raise ValueError(f"column 'status' is {first['status'][:40]!r}; open and cancelled are known")
    status = STATUS[first.get("status", "")]
    lines = tuple(_line(row) for row in rows)
    goods = sum((line.unit_price.shop.amount * line.quantity for line in lines), Decimal(0))
    shipping = Decimal(first.get("shipping", "0"))
    address = {name: first[name] for name in ADDRESS if name in first}
    return Order(
        external_id=first.get("order_id", ""),
        number=first.get("order_id", ""),
        status=status,
        payment_status=PaymentStatus.PAID,
        placed_at=_moment(first["placed_at"]),
        updated_at=updated,
        currency=currency,
        ship_to=Address(**address) if address else None,
        lines=lines,
        shipping=(ShippingLine(title="Shipping", price=_money(shipping, currency)),) if shipping else (),
        cancellation=Cancellation(at=updated) if status is OrderStatus.CANCELLED else None,
        totals=OrderTotals(
            lines=_money(goods, currency),
            discount=_money(Decimal(0), currency),
            shipping=_money(shipping, currency),
            tax=_money(Decimal(0), currency),
            total=_money(goods + shipping, currency),
        ),
    )


def _line(row: Row) -> OrderLine:
    if EXTRA in row:
        raise ValueError("a row has more cells than there are columns; is a number written with a comma?")
    quantity = Decimal(row["quantity"])
    return OrderLine(
        external_id=row["line_id"],
        listing=ListingRef(sku=row.get("sku"), title=row.get("title")),
        title=row["title"],
        quantity=quantity,
        ordered_quantity=quantity,
        unit_price=_money(Decimal(row["unit_price"]), row["currency"]),
    )


def _money(amount: Decimal, currency: str) -> MoneyPair:
    return MoneyPair(shop=Money(amount=amount, currency=currency))


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no offset from UTC")
    return moment.astimezone(timezone.utc)
