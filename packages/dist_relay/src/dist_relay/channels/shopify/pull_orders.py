"""``orders.pull``: orders in the order of their last change.

The heads (id, time of change) of a page come first, cheaply; only orders whose head is new are read whole. After a
finished run the next one begins ``overlap_minutes`` before the last change seen, for changes become visible late and
out of order; ``seen`` in the cursor keeps that from costing much, and equal content has an equal event id in any case.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from dist_relay.errors import Broken, RetryLater
from dist_relay.ports import Context, Cursor, Incoming, Malformed, Page, digest

from .client import Client, TooCostly
from .ids import short
from .mapping import to_order
from .reading import Node, Unmappable

TYPE = "order.received.v1"
HEADS = 100
DETAILS = 3
"""Whole orders read in one request, to begin with; halved when that costs too much."""

LINES = 25
SEEN = 1_000
RAW = 100_000

Events = tuple[Incoming | Malformed, ...]


class PullOrders:
    """Reads orders; see the module."""

    def __init__(self, ctx: Context) -> None:
        self._client = Client(ctx)
        self._overlap = timedelta(minutes=int(ctx.settings.get("overlap_minutes") or 5))
        since = ctx.settings.get("orders_since")
        self._since = _moment(str(since)) if since else None  # what is no moment cannot end up in the query
        self._details = DETAILS
        self._log, self._clock = ctx.log, ctx.clock

    def pull(self, cursor: Cursor | None, deadline: datetime) -> Iterator[Page]:
        """Yield a page for each request of whole orders, the last of them with the place of the next page of heads.

        What is read is kept, even if the store's budget or the time ends before a whole page of heads is read: it would
        be read anew, with as little budget, for ever.

        The cursor holds ``since`` (lower bound of the query), ``after`` (the store's position within it, while a run is
        unfinished), ``high`` (latest change seen) and ``seen`` (order id → change, within the overlap).
        """
        state = dict(cursor or {"since": self._since})
        while True:
            heads, after = self._heads(state)
            changes, known = dict(heads), state.get("seen", {})
            left = [id_ for id_, changed in changes.items() if known.get(short(id_)) != changed]
            events: Events = ()
            while left:
                some, events = self._read(left)
                left = left[len(some) :]
                if left:
                    state = {**state, "seen": _bounded({**state.get("seen", {}), **_marks(some, changes)})}
                    yield Page(events, state, more=True)
            state = self._advance(state, heads, after)
            yield Page(events, state, more=after is not None)
            if after is None:
                return

    def _heads(self, state: dict[str, Any]) -> tuple[list[tuple[str, str]], str | None]:
        since = state.get("since")
        wanted = {"query": f"updated_at:>='{since}'" if since else None, "first": HEADS, "after": state.get("after")}
        try:
            orders = self._client.run("OrderHeads", wanted).get("orders")
            connection = Node.of(orders, "orders")
            heads = [(head.text("id"), _moment(head.moment("updatedAt"))) for head in connection.children("nodes")]
            page = connection.child("pageInfo")
            return heads, page.text("endCursor") if page.flag("hasNextPage") else None
        except Unmappable as error:
            raise RetryLater(None, f"the list of orders cannot be read: {error}", code="bad_answer") from error
        except Broken:
            if not state.get("after"):
                raise
            self._log.warning("the position within the list of orders is refused; starting it again")
            return self._heads({**state, "after": None})

    def _advance(self, state: dict[str, Any], heads: list[tuple[str, str]], after: str | None) -> dict[str, Any]:
        latest = [changed for changed in (state.get("high"), *(changed for _, changed in heads)) if changed]
        high = max(latest, default=None)
        if high:  # an order dated in the future, by whoever's clock, must not hide the ones before it
            clocks = (self._client.server_time, self._clock.now())
            high = min(high, *(_moment(now) for now in clocks if now))
        seen = {**state.get("seen", {}), **_marks(dict(heads), dict(heads))}
        if after is not None:
            return {"since": state.get("since"), "after": after, "high": high, "seen": _bounded(seen)}
        since = state.get("since")
        if high:
            overlap = _moment(datetime.fromisoformat(high) - self._overlap)
            since = max(overlap, _moment(since)) if since else overlap
            seen = {id_: changed for id_, changed in seen.items() if changed >= since}
        return {"since": since, "high": high, "seen": _bounded(seen)}

    def _read(self, ids: Sequence[str]) -> tuple[Sequence[str], Events]:
        """The first of these orders whole, as many as one request can bear: (their ids, what was read)."""
        while True:
            some = ids[: self._details]
            try:
                found = self._client.run("OrderDetails", {"ids": list(some)}).get("nodes")
            except TooCostly:
                if self._details == 1:
                    raise
                self._details = max(1, self._details // 2)
                continue
            nodes = found if isinstance(found, list) and len(found) == len(some) else [None] * len(some)
            there = ((id_, raw) for id_, raw in zip(some, nodes, strict=True) if raw is not None)  # deleted meanwhile
            return some, tuple(self._event(id_, raw) for id_, raw in there)

    def _event(self, id_: str, raw: Any) -> Incoming | Malformed:
        try:
            self._all_lines(id_, raw)
            order = to_order(raw)
        except Unmappable as error:
            text = json.dumps(raw, ensure_ascii=False)
            return Malformed(TYPE, short(id_), ("malformed", _print(text)), str(error), text[:RAW])
        when = order.updated_at.isoformat()
        return Incoming(TYPE, order.external_id, order.updated_at, order, (when, digest(order)))

    def _all_lines(self, id_: str, raw: Any) -> None:
        """Read the rest of the lines of an order that has more than the first page of them."""
        lines = Node.of(raw, "order").child("lineItems")
        page = lines.child("pageInfo")
        nodes = [node.tree for node in lines.children("nodes")]
        while page.flag("hasNextPage"):
            wanted = {"id": id_, "first": LINES, "after": page.text("endCursor")}
            more = Node.of(self._client.run("OrderLines", wanted).get("order"), "order").child("lineItems")
            nodes.extend(node.tree for node in more.children("nodes"))
            page = more.child("pageInfo")
        raw["lineItems"] = {"nodes": [dict(node) for node in nodes]}


def _moment(value: datetime | str) -> str:
    """A moment in the one form that compares as text: UTC, to the second and below.

    >>> _moment("2026-01-31T12:00:00+02:00")
    '2026-01-31T10:00:00.000000+00:00'
    """
    if isinstance(value, str):
        value = datetime.fromisoformat(value.replace("Z", "+00:00"))
    return value.astimezone(timezone.utc).isoformat(timespec="microseconds")


def _marks(ids: Iterable[str], changes: Mapping[str, str]) -> dict[str, str]:
    """What the cursor remembers of orders that were read: short id → time of change."""
    return {short(id_): changes[id_] for id_ in ids}


def _bounded(seen: dict[str, str]) -> dict[str, str]:
    """The latest of ``seen``; what falls out is read again and has the same event id."""
    return dict(sorted(seen.items(), key=lambda item: item[1])[-SEEN:])


def _print(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
