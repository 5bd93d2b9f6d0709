"""A Shopify order, as :mod:`.documents` reads it, in our terms. Pure: no request, no clock.

Anything missing, of the wrong type or with a name that is not in a table is an :class:`Unmappable` that names the
field; nothing is guessed and nothing unknown becomes a default.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from pydantic import ValidationError

from dist_contracts import (
    Address,
    Buyer,
    Cancellation,
    Discount,
    Hold,
    HoldReason,
    ListingRef,
    Money,
    MoneyPair,
    Order,
    OrderLine,
    OrderStatus,
    OrderTotals,
    PaymentStatus,
    ShippingLine,
    Tax,
    explain,
)

from .ids import short
from .reading import Node, Unmappable

PAYMENT = {status.name: status for status in PaymentStatus}
"""``displayFinancialStatus`` has the same names as ours."""

HOLDS = {
    "AWAITING_PAYMENT": HoldReason.PAYMENT,
    "AWAITING_RETURN_ITEMS": HoldReason.OTHER,
    "HIGH_RISK_OF_FRAUD": HoldReason.FRAUD,
    "INCORRECT_ADDRESS": HoldReason.ADDRESS,
    "INVENTORY_OUT_OF_STOCK": HoldReason.STOCK,
    "ONLINE_STORE_POST_PURCHASE_CROSS_SELL": HoldReason.OTHER,
    "OTHER": HoldReason.OTHER,
    "UNKNOWN_DELIVERY_DATE": HoldReason.SCHEDULED,
}
FULFILLMENT_STATES = {"OPEN", "IN_PROGRESS", "SCHEDULED", "ON_HOLD", "CLOSED", "CANCELLED", "INCOMPLETE"}
DISCOUNTS = {
    "DiscountCodeApplication": "code",
    "AutomaticDiscountApplication": "title",
    "ManualDiscountApplication": "title",
    "ScriptDiscountApplication": "title",
}
"""Kind of discount → the field that names it."""


def to_order(raw: Any) -> Order:
    """The canonical order.

    :raises Unmappable: with the path of the field and what is wrong with it.
    """
    node = Node.of(raw, "order")
    try:
        return _order(node)
    except ValidationError as error:
        raise Unmappable(f"order {raw.get('name', '?')}: {explain(error)}") from error


def _order(node: Node) -> Order:
    cancelled = node.moment("cancelledAt", optional=True)
    orders = list(node.nodes("fulfillmentOrders"))
    places = _places(orders)
    lines = tuple(_line(line, places) for line in node.nodes("lineItems"))
    shipping = (*(_shipping(each) for each in node.nodes("shippingLines")), *_surcharges(node))
    return Order(
        external_id=short(node.text("id")),
        number=node.text("name"),
        status=_status(node, bool(cancelled)),
        payment_status=node.one_of("displayFinancialStatus", PAYMENT),
        placed_at=node.moment("processedAt"),
        updated_at=node.moment("updatedAt"),
        currency=node.text("currencyCode"),
        presentment_currency=node.text("presentmentCurrencyCode"),
        taxes_included=node.flag("taxesIncluded"),
        buyer=_buyer(node),
        ship_to=_address(node.child("shippingAddress", optional=True)),
        bill_to=_address(node.child("billingAddress", optional=True)),
        lines=lines,
        shipping=shipping,
        totals=_totals(node, shipping),
        holds=tuple(_holds(orders)),
        cancellation=Cancellation(reason=node.text("cancelReason", optional=True), at=cancelled) if cancelled else None,
        requested_ship_by=min((m for o in orders if (m := o.moment("fulfillBy", optional=True))), default=None),
        buyer_reference=node.text("poNumber", optional=True),
        source=node.text("sourceName", optional=True),
        note=node.text("note", optional=True),
        tags=tuple(node.texts("tags")),
        test=node.flag("test"),
    )


def _status(node: Node, cancelled: bool) -> OrderStatus:
    closed = node.flag("closed")
    if cancelled:
        return OrderStatus.CANCELLED
    return OrderStatus.CLOSED if closed else OrderStatus.OPEN


def _line(node: Node, places: dict[str, str]) -> OrderLine:
    id_ = short(node.text("id"))
    ordered, current = node.whole("quantity"), node.whole("currentQuantity")
    variant = node.child("variant", optional=True)
    title = node.text("title")
    share = None if ordered == current else Decimal(current) / Decimal(ordered or 1)
    return OrderLine(
        external_id=id_,
        listing=_listing(node, variant, title),
        title=title,
        quantity=Decimal(current),
        ordered_quantity=Decimal(ordered),
        fulfillable_quantity=Decimal(min(node.whole("unfulfilledQuantity"), current)),
        unit_price=_money(node.child("originalUnitPriceSet")),
        discounts=tuple(_discounts(node, share)),
        taxes=tuple(_taxes(node, share)),
        requires_shipping=node.flag("requiresShipping") and not node.flag("isGiftCard"),
        location_id=places.get(id_),
        properties={a.text("key"): a.text("value", optional=True) or "" for a in node.children("customAttributes")},
    )


def _listing(node: Node, variant: Node | None, title: str) -> ListingRef:
    """A deleted product leaves a line without variant; a custom line has no SKU either and goes by its title."""
    option = node.text("variantTitle", optional=True)
    shown = f"{title} - {option}" if option and option != "Default Title" else title
    sku = node.text("sku", optional=True)
    if variant is None:
        return ListingRef(sku=sku or f"custom:{title}"[:255], title=shown)
    return ListingRef(
        product_id=short(variant.child("product").text("id")),
        variant_id=short(variant.text("id")),
        inventory_id=short(variant.child("inventoryItem").text("id")),
        sku=sku,
        barcode=variant.text("barcode", optional=True),
        title=shown,
    )


def _shipping(node: Node) -> ShippingLine:
    id_ = node.text("id", optional=True)
    return ShippingLine(
        external_id=short(id_) if id_ else None,
        title=node.text("title"),
        code=node.text("code", optional=True),
        carrier=node.text("carrierIdentifier", optional=True),
        price=_money(node.child("originalPriceSet")),
        discounts=tuple(_discounts(node, None)),
        taxes=tuple(_taxes(node, None)),
    )


def _surcharges(node: Node) -> Iterator[ShippingLine]:
    """What the buyer pays besides goods and freight: duties, tips and fees, as charges of their own."""
    for code, title, name in (("duties", "Duties", "currentTotalDutiesSet"), ("tip", "Tip", "totalTipReceivedSet")):
        pair = node.child(name, optional=True)
        if pair is not None and (price := _money(pair)).shop.amount:
            yield ShippingLine(title=title, code=code, price=price)
    for fee in node.children("additionalFees"):
        yield ShippingLine(
            external_id=short(fee.text("id")),
            title=fee.text("name"),
            code="fee",
            price=_money(fee.child("price")),
            taxes=tuple(_taxes(fee, None)),
        )


def _discounts(node: Node, share: Decimal | None) -> Iterator[Discount]:
    for each in node.children("discountAllocations"):
        how = each.child("discountApplication")
        kind = how.text("__typename")
        if kind not in DISCOUNTS:
            raise Unmappable(f"{how.path}: unknown kind of discount {kind!r}")
        name = how.text(DISCOUNTS[kind], optional=True)
        amount = _money(each.child("allocatedAmountSet"), share)
        if amount.shop.amount:
            code = name if kind == "DiscountCodeApplication" else None
            yield Discount(title=name or "Discount", code=code, amount=amount)


def _taxes(node: Node, share: Decimal | None) -> Iterator[Tax]:
    for each in node.children("taxLines"):
        yield Tax(
            title=each.text("title"),
            rate=each.decimal("rate", optional=True),
            amount=_money(each.child("priceSet"), share),
            marketplace_facilitated=bool(each.flag("channelLiable", optional=True)),
        )


def _totals(node: Node, shipping: tuple[ShippingLine, ...]) -> OrderTotals:
    """The store's sums. ``lines`` is before discounts, so: total = lines − discount + shipping + tax not included."""
    discount = _money(node.child("currentTotalDiscountsSet"))
    subtotal = _money(node.child("currentSubtotalPriceSet"))
    freight = [d.amount for line in shipping for d in line.discounts]
    lines = _add(subtotal, [discount], [*freight])
    return OrderTotals(
        lines=lines,
        discount=discount,
        shipping=_add(_zero(discount), [line.price for line in shipping], []),
        tax=_money(node.child("currentTotalTaxSet")),
        total=_money(node.child("currentTotalPriceSet")),
    )


def _places(orders: list[Node]) -> dict[str, str]:
    """Line → the location that is to ship most of what remains of it."""
    most: dict[str, tuple[int, str]] = {}
    for order in orders:
        location = order.child("assignedLocation").child("location", optional=True)
        if location is None:
            continue
        place = short(location.text("id"))
        for line in order.nodes("lineItems"):
            id_, left = short(line.child("lineItem").text("id")), line.whole("remainingQuantity")
            if left >= most.get(id_, (0, ""))[0]:
                most[id_] = (left, place)
    return {id_: place for id_, (_, place) in most.items()}


def _holds(orders: list[Node]) -> Iterator[Hold]:
    for order in orders:
        state = order.text("status")
        if state not in FULFILLMENT_STATES:
            raise Unmappable(f"{order.path}.status: unknown value {state!r}")
        if state == "SCHEDULED":
            yield Hold(reason=HoldReason.SCHEDULED, until=order.moment("fulfillAt", optional=True))
        if state == "ON_HOLD":
            reasons = list(order.children("fulfillmentHolds"))
            for hold in reasons:
                yield Hold(reason=hold.one_of("reason", HOLDS), note=hold.text("reasonNotes", optional=True))
            if not reasons:
                yield Hold(reason=HoldReason.OTHER)


def _buyer(node: Node) -> Buyer | None:
    customer = node.child("customer", optional=True)
    email, phone = node.text("email", optional=True), node.text("phone", optional=True)
    if customer is None and not email and not phone:
        return None
    return Buyer(
        external_id=short(customer.text("id")) if customer else None,
        name=customer.text("displayName", optional=True) if customer else None,
        email=email,
        phone=phone,
        locale=node.text("customerLocale", optional=True),
    )


def _address(node: Node | None) -> Address | None:
    if node is None:
        return None
    country = node.text("countryCodeV2", optional=True)
    return Address(
        name=node.text("name", optional=True),
        company=node.text("company", optional=True),
        street=node.text("address1", optional=True),
        street2=node.text("address2", optional=True),
        city=node.text("city", optional=True),
        zip=node.text("zip", optional=True),
        state=node.text("provinceCode", optional=True),
        country=None if country == "ZZ" else country,
        phone=node.text("phone", optional=True),
    )


def _money(node: Node, share: Decimal | None = None) -> MoneyPair:
    shop, shown = (_side(node.child(name), share) for name in ("shopMoney", "presentmentMoney"))
    return MoneyPair(shop=shop, presentment=None if shown == shop else shown)


def _side(node: Node, share: Decimal | None) -> Money:
    amount = node.decimal("amount")
    if share is not None:
        places = max(2, -int(amount.as_tuple().exponent))
        amount = (amount * share).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return Money(amount=amount, currency=node.text("currencyCode"))


def _zero(like: MoneyPair) -> MoneyPair:
    return _add(like, [], [like])


def _add(start: MoneyPair, plus: list[MoneyPair], minus: list[MoneyPair]) -> MoneyPair:
    sides: list[Money | None] = []
    for side in ("shop", "presentment"):
        own = getattr(start, side)
        if side == "presentment" and not any(p.presentment for p in (start, *plus, *minus)):
            sides.append(None)
            continue
        first = own or start.shop
        amounts = [(1, start), *((1, p) for p in plus), *((-1, p) for p in minus)]
        total = sum((sign * (getattr(p, side) or p.shop).amount for sign, p in amounts), Decimal(0))
        sides.append(Money(amount=total, currency=first.currency))
    shop, shown = sides
    assert shop is not None
    return MoneyPair(shop=shop, presentment=None if shown == shop else shown)
