"""``listings.pull``: the product variants of the store, so that they can be mapped before the first order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from dist_contracts import ListingFound, ListingRef, Money, explain
from dist_relay.errors import Broken, RetryLater
from dist_relay.ports import Context, Cursor, Incoming, Malformed, Page, digest

from .client import Client
from .ids import short
from .reading import Node, Unmappable

TYPE = "listing.found.v1"
PAGE = 100
OVERLAP = timedelta(minutes=5)


class PullListings:
    """Reads all variants at first, then those changed since."""

    def __init__(self, ctx: Context) -> None:
        self._client = Client(ctx)
        self._currency: str | None = None

    def pull(self, cursor: Cursor | None, deadline: datetime) -> Iterator[Page]:
        """Yield pages by id; ``high`` of the cursor is the latest change seen in this run."""
        state: dict[str, Any] = dict(cursor or {})
        while True:
            nodes, after = self._page(state)
            high = max([m for m in (state.get("high"), *(_changed(node) for node in nodes)) if m], default=None)
            if after is not None:
                state = {**state, "after": after, "high": high}
            else:
                since = (datetime.fromisoformat(high) - OVERLAP).isoformat() if high else state.get("since")
                state = {"since": since, "high": high}
            yield Page(tuple(self._event(node) for node in nodes), state, more=after is not None)
            if after is None:
                return

    def _page(self, state: dict[str, Any]) -> tuple[list[Node], str | None]:
        since = state.get("since")
        wanted = {"query": f"updated_at:>='{since}'" if since else None, "first": PAGE, "after": state.get("after")}
        try:
            connection = Node.of(self._client.run("Variants", wanted).get("productVariants"), "productVariants")
            page = connection.child("pageInfo")
            return list(connection.children("nodes")), page.text("endCursor") if page.flag("hasNextPage") else None
        except Unmappable as error:
            raise RetryLater(None, f"the list of variants cannot be read: {error}", code="bad_answer") from error
        except Broken:
            if not state.get("after"):
                raise
            return self._page({**state, "after": None})

    def _event(self, node: Node) -> Incoming | Malformed:
        key = short(str(node.tree.get("id") or "?"))
        try:
            found = self._listing(node)
            return Incoming(TYPE, key, node.moment("updatedAt"), found, (digest(found),))
        except (Unmappable, ValidationError) as error:
            why = explain(error) if isinstance(error, ValidationError) else str(error)
            return Malformed(TYPE, key, ("malformed", why), why, str(dict(node.tree))[:10_000])

    def _listing(self, node: Node) -> ListingFound:
        product = node.child("product")
        title, option = product.text("title"), node.text("title", optional=True)
        return ListingFound(
            listing=ListingRef(
                product_id=short(product.text("id")),
                variant_id=short(node.text("id")),
                inventory_id=short(node.child("inventoryItem").text("id")),
                sku=node.text("sku", optional=True),
                barcode=node.text("barcode", optional=True),
                title=f"{title} - {option}" if option and option != "Default Title" else title,
            ),
            price=Money(amount=node.decimal("price"), currency=self._shop_currency()),
        )

    def _shop_currency(self) -> str:
        if self._currency is None:
            shop = Node.of(self._client.run("ShopCurrency", {}).get("shop"), "shop")
            self._currency = shop.text("currencyCode")
        return self._currency


def _changed(node: Node) -> str | None:
    try:
        return node.moment("updatedAt").isoformat(timespec="microseconds")
    except Unmappable:
        return None
