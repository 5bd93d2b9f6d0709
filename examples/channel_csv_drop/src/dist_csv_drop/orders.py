"""``orders.pull``: each file is a page, the cursor is the name of the last file read."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation
from pathlib import Path

from pydantic import ValidationError

from dist_contracts import (
    Address,
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
from dist_relay.errors import RetryLater
from dist_relay.ports import Context, Cursor, Incoming, Malformed, Page, digest

from .folder import folder

TYPE = "order.received.v1"
MOST_BYTES = 20_000_000
ADDRESS = ("name", "company", "street", "street2", "city", "zip", "state", "country", "phone", "email")
EXTRA = ""
"""Name of what stands behind the last column."""

Row = dict[str, str]


class PullOrders:
    """Reads the files of ``orders/``."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def pull(self, cursor: Cursor | None, deadline: datetime) -> Iterator[Page]:
        """One page per file whose name is greater than the cursor's."""
        done = (cursor or {}).get("file", "")
        files = sorted(path for path in (folder(self._ctx) / "orders").glob("*.csv") if path.name > done)
        if not files:
            yield Page((), cursor or {}, more=False)
        for number, path in enumerate(files, start=1):
            yield Page(tuple(_events(path)), {"file": path.name}, more=number < len(files))


def _events(path: Path) -> Iterator[Incoming | Malformed]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"larger than {MOST_BYTES} bytes")
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [
                {key or EXTRA: (value if key else str(value)).strip() for key, value in row.items() if value}
                for row in csv.DictReader(file)
            ]
    except OSError as error:
        raise RetryLater(None, f"{path.name} cannot be read: {error.strerror}", code="folder") from error
    except (ValueError, csv.Error) as error:
        yield Malformed(TYPE, path.name, ("file", path.name), f"{path.name}: {error}", "")
        return
    orders: dict[str, list[Row]] = {}
    for row in rows:
        orders.setdefault(row.get("order_id", ""), []).append(row)
    for order_id, lines in orders.items():
        yield _event(order_id, lines, path.name)


def _event(order_id: str, rows: list[Row], name: str) -> Incoming | Malformed:
    try:
        order = _order(order_id, rows)
    except (KeyError, ValueError, InvalidOperation) as error:
        reason = {KeyError: f"column {error} is missing", InvalidOperation: "a number is not written like 12.50"}
        why = explain(error) if isinstance(error, ValidationError) else reason.get(type(error), str(error))
        raw = repr(rows)
        fact = ("malformed", hashlib.sha256(raw.encode("utf-8", "replace")).hexdigest())
        return Malformed(TYPE, order_id[:255] or name, fact, f"{name}, order {order_id or '?'}: {why}", raw[:100_000])
    return Incoming(TYPE, order.external_id, order.updated_at, order, (order.updated_at.isoformat(), digest(order)))


def _order(order_id: str, rows: list[Row]) -> Order:
    first = rows[0]
    lines = tuple(_line(row) for row in rows)
    goods = sum((line.unit_price.shop.amount * line.quantity for line in lines), Decimal(0))
    shipping = Decimal(first.get("shipping") or "0")
    currency = first["currency"]
    address = {name: first[name] for name in ADDRESS if first.get(name)}
    return Order(
        external_id=order_id,
        number=order_id,
        status=OrderStatus.OPEN,
        payment_status=PaymentStatus.PAID,
        placed_at=_moment(first["placed_at"]),
        updated_at=_moment(first["updated_at"]),
        currency=currency,
        ship_to=Address(**address) if address else None,
        lines=lines,
        shipping=(ShippingLine(title="Shipping", price=_money(shipping, currency)),) if shipping else (),
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
