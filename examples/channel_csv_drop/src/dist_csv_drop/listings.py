"""``listings.pull``: the partner's ``products.csv``, whole each time it has changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation
from pathlib import Path

from pydantic import ValidationError

from dist_contracts import ListingFound, ListingRef, Money, explain
from dist_relay.ports import Context, Cursor, Incoming, Malformed, Page, digest

from .folder import BadFile, Row, folder, read

TYPE = "listing.found.v1"


class PullListings:
    """Reads ``products.csv``; one that is not there means that any SKU is welcome."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def pull(self, cursor: Cursor | None, deadline: datetime) -> Iterator[Page]:
        """One page, empty while the file is as it was."""
        path = products(folder(self._ctx))
        stamp = str(path.stat().st_mtime_ns) if path.exists() else ""
        unchanged = not stamp or stamp == (cursor or {}).get("stamp")
        yield Page(() if unchanged else tuple(_events(path)), {"stamp": stamp}, more=False)


def products(place: Path) -> Path:
    """The partner's list of products."""
    return place / "products.csv"


def _events(path: Path) -> Iterator[Incoming | Malformed]:
    try:
        rows = read(path)
    except BadFile as error:
        yield Malformed(TYPE, path.name, ("file", str(error)), str(error), "")
        return
    changed = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
    for row in rows:
        try:
            found = _listing(row)
        except (ValidationError, InvalidOperation, KeyError) as error:
            why = explain(error) if isinstance(error, ValidationError) else f"column 'sku' or 'price' is wrong: {error}"
            yield Malformed(TYPE, row.get("sku", path.name)[:255], ("malformed", repr(row)), why, repr(row)[:10_000])
        else:
            yield Incoming(TYPE, row["sku"], changed, found, (row["sku"], digest(found)))


def _listing(row: Row) -> ListingFound:
    ref = ListingRef(sku=row["sku"], barcode=row.get("barcode"), title=row.get("title"))
    price = Money(amount=Decimal(row["price"]), currency=row["currency"]) if "price" in row else None
    return ListingFound(listing=ref, price=price)
