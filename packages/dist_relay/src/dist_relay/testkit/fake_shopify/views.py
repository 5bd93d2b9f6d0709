"""Records of the store in the shape of the API. A value that is callable is a field with arguments."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from graphql import GraphQLError

from . import inventory, orders
from .store import Record, Store

Tree = dict[str, Any]
CENT = Decimal("0.01")
MAX_PAGE = 250


def gid(kind: str, id_: str) -> str:
    """The global id of a record."""
    return f"gid://shopify/{kind}/{id_}"


def connection(records: Sequence[Record], view: Callable[[Record], Tree]) -> Callable[..., Tree]:
    """A field that pages through ``records`` by position of their ids."""

    def resolve(_info: Any = None, *, first: int | None = None, after: str | None = None, **_: Any) -> Tree:
        if first is None:
            raise GraphQLError("you must provide one of first or last", extensions={"code": "BAD_REQUEST"})
        if not 0 <= first <= MAX_PAGE:
            raise GraphQLError(f"first must be 0 to {MAX_PAGE}", extensions={"code": "MAX_PAGE_SIZE_EXCEEDED"})
        start = _position(records, after) if after else 0
        page = records[start : start + first]
        return {
            "nodes": [view(record) for record in page],
            "pageInfo": {
                "hasNextPage": start + first < len(records),
                "hasPreviousPage": start > 0,
                "startCursor": _cursor(page[0]) if page else None,
                "endCursor": _cursor(page[-1]) if page else None,
            },
        }

    return resolve


def _cursor(record: Record) -> str:
    return base64.b64encode(f"{record.get('sort', '')}|{record['id']}".encode()).decode()


def _position(records: Sequence[Record], after: str) -> int:
    """Behind the record of the cursor; where it moved away, behind what sorts before it."""
    try:
        sort, _, id_ = base64.b64decode(after, validate=True).decode().partition("|")
    except ValueError:
        raise GraphQLError("Invalid cursor for current pagination sort.", extensions={"code": "BAD_REQUEST"}) from None
    for index, record in enumerate(records):
        if record["id"] == id_ and str(record.get("sort", "")) == sort:
            return index + 1
    return sum(1 for record in records if (str(record.get("sort", "")), int(record["id"])) <= (sort, int(id_)))


class Views:
    """Everything the API shows of a store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def order(self, order: Record) -> Tree:
        """An order. Sums are of what stands after edits."""
        money = _Money(order)
        sums = totals(order)
        parts = orders.parts(self.store, order["id"])
        done = list(self.store.where("fulfillment", order_id=order["id"]))
        return {
            "__typename": "Order",
            "id": gid("Order", order["id"]),
            "name": order["name"],
            "createdAt": order["created_at"],
            "updatedAt": order["updated_at"],
            "processedAt": order["processed_at"],
            "cancelledAt": order["cancelled_at"],
            "cancelReason": order["cancel_reason"],
            "closed": order["closed"],
            "test": order["test"],
            "note": order["note"],
            "tags": order["tags"],
            "sourceName": order["source_name"],
            "poNumber": order["po_number"],
            "currencyCode": order["currency"],
            "presentmentCurrencyCode": order["presentment_currency"] or order["currency"],
            "taxesIncluded": order["taxes_included"],
            "displayFinancialStatus": order["financial_status"],
            "email": order["email"],
            "phone": order["phone"],
            "customerLocale": order["locale"],
            "customAttributes": order["attributes"],
            "customer": self._customer(order["customer"]),
            "shippingAddress": _address(order["shipping_address"]),
            "billingAddress": _address(order["billing_address"]),
            "currentSubtotalPriceSet": money(sums["subtotal"]),
            "currentTotalDiscountsSet": money(sums["discounts"]),
            "currentTotalTaxSet": money(sums["tax"]),
            "currentTotalPriceSet": money(sums["total"]),
            "currentTotalDutiesSet": money(order["duties"]) if Decimal(order["duties"]) else None,
            "totalTipReceivedSet": money(order["tip"]),
            "additionalFees": [self._fee(fee, money) for fee in order["fees"]],
            "shippingLines": connection(order["shipping"], lambda line: self._shipping(line, order, money)),
            "lineItems": connection(order["lines"], lambda line: self.line(line, order, money)),
            "fulfillmentOrders": connection(parts, lambda part: self.part(part, order)),
            "fulfillments": lambda _info, first=None, **_: [self.fulfillment(f, order) for f in done[:first]],
        }

    def line(self, line: Record, order: Record, money: _Money | None = None) -> Tree:
        """An order line."""
        money = money or _Money(order)
        variant = self.store.find("variant", line["variant_id"]) if line["variant_id"] else None
        return {
            "__typename": "LineItem",
            "id": gid("LineItem", line["id"]),
            "title": line["title"],
            "variantTitle": line["variant_title"],
            "sku": line["sku"],
            "quantity": line["quantity"],
            "currentQuantity": line["current"],
            "unfulfilledQuantity": line["current"] - line["fulfilled"],
            "requiresShipping": line["requires_shipping"],
            "isGiftCard": line["gift_card"],
            "customAttributes": line["attributes"],
            "variant": self.variant(variant) if variant else None,
            "originalUnitPriceSet": money(line["price"]),
            "discountAllocations": [_discount(each, order, money) for each in line["discounts"]],
            "taxLines": [_tax(each, money) for each in line["taxes"]],
        }

    def part(self, part: Record, order: Record) -> Tree:
        """A fulfillment order."""
        by_id = {line["id"]: line for line in order["lines"]}
        return {
            "__typename": "FulfillmentOrder",
            "id": gid("FulfillmentOrder", part["id"]),
            "status": part["status"],
            "fulfillAt": part["fulfill_at"],
            "fulfillBy": part["fulfill_by"],
            "fulfillmentHolds": [
                {"id": gid("FulfillmentHold", h["id"]), "reason": h["reason"], "reasonNotes": h["notes"]}
                for h in part["holds"]
            ],
            "assignedLocation": {"location": self.location(self.store.get("location", part["location_id"]))},
            "lineItems": connection(
                part["lines"],
                lambda line: {
                    "id": gid("FulfillmentOrderLineItem", line["id"]),
                    "remainingQuantity": line["remaining"],
                    "totalQuantity": line["total"],
                    "lineItem": self.line(by_id[line["line_id"]], order),
                },
            ),
        }

    def fulfillment(self, fulfillment: Record, order: Record) -> Tree:
        """A fulfilment."""
        by_id = {line["id"]: line for line in order["lines"]}
        return {
            "__typename": "Fulfillment",
            "id": gid("Fulfillment", fulfillment["id"]),
            "status": fulfillment["status"],
            "createdAt": fulfillment["created_at"],
            "location": self.location(self.store.get("location", fulfillment["location_id"])),
            "trackingInfo": lambda _info, first=None, **_: fulfillment["tracking"][:first],
            "fulfillmentLineItems": connection(
                fulfillment["lines"],
                lambda line: {
                    "id": gid("FulfillmentLineItem", line["id"]),
                    "quantity": line["quantity"],
                    "lineItem": self.line(by_id[line["line_id"]], order),
                },
            ),
        }

    def variant(self, variant: Record) -> Tree:
        """A product variant."""
        product = self.store.get("product", variant["product_id"])
        return {
            "__typename": "ProductVariant",
            "id": gid("ProductVariant", variant["id"]),
            "title": variant["title"],
            "sku": variant["sku"],
            "barcode": variant["barcode"],
            "price": variant["price"],
            "updatedAt": variant["updated_at"],
            "inventoryItem": self.item(self.store.get("item", variant["item_id"])),
            "product": {"id": gid("Product", product["id"]), "title": product["title"]},
        }

    def item(self, item: Record) -> Tree:
        """An inventory item."""

        def at(_info: Any, locationId: str, **_: Any) -> Tree | None:
            found = inventory.level(self.store, item["id"], locationId.rpartition("/")[2])
            return self.level(found) if found else None

        return {
            "__typename": "InventoryItem",
            "id": gid("InventoryItem", item["id"]),
            "tracked": item.get("tracked", True),
            "inventoryLevel": at,
        }

    def level(self, level: Record) -> Tree:
        """Quantities of an item at a location."""
        on_hand = level["available"] + level["committed"]
        known = {"available": level["available"], "committed": level["committed"], "on_hand": on_hand}
        return {
            "id": gid("InventoryLevel", f"{level['location_id']}?inventory_item_id={level['item_id']}"),
            "quantities": lambda _info, names: [{"name": n, "quantity": known[n]} for n in names],
        }

    def location(self, location: Record) -> Tree:
        """A location."""
        return {
            "__typename": "Location",
            "id": gid("Location", location["id"]),
            "name": location["name"],
            "isActive": location.get("active", True),
            "fulfillsOnlineOrders": True,
        }

    def _customer(self, customer: Record | None) -> Tree | None:
        return {"id": gid("Customer", customer["id"]), "displayName": customer["name"]} if customer else None

    def _shipping(self, line: Record, order: Record, money: _Money) -> Tree:
        return {
            "id": gid("ShippingLine", line["id"]),
            "title": line["title"],
            "code": line.get("code"),
            "carrierIdentifier": line.get("carrier"),
            "originalPriceSet": money(line["price"]),
            "discountAllocations": [_discount(each, order, money) for each in line.get("discounts", ())],
            "taxLines": [_tax(each, money) for each in line.get("taxes", ())],
        }

    def _fee(self, fee: Record, money: _Money) -> Tree:
        return {
            "id": gid("AdditionalFee", fee["id"]),
            "name": fee["name"],
            "price": money(fee["price"]),
            "taxLines": [_tax(each, money) for each in fee.get("taxes", ())],
        }


def totals(order: Record) -> dict[str, Decimal]:
    """The sums of an order after its edits, in the shop's currency."""
    lines = order["lines"]
    gross = sum((Decimal(line["price"]) * line["current"] for line in lines), Decimal(0))
    off = sum((_standing(each, line) for line in lines for each in line["discounts"]), Decimal(0))
    charges = [*order["shipping"], *order["fees"]]
    off_shipping = sum((Decimal(d["amount"]) for c in charges for d in c.get("discounts", ())), Decimal(0))
    tax = sum((_standing(each, line) for line in lines for each in line["taxes"]), Decimal(0))
    tax += sum((Decimal(t["amount"]) for c in charges for t in c.get("taxes", ())), Decimal(0))
    freight = sum((Decimal(c["price"]) for c in charges), Decimal(order["tip"]) + Decimal(order["duties"]))
    total = gross - off + freight - off_shipping + (Decimal(0) if order["taxes_included"] else tax)
    return {"subtotal": gross - off, "discounts": off + off_shipping, "tax": tax, "total": total}


def _standing(each: Record, line: Record) -> Decimal:
    amount = Decimal(each["amount"])
    if line["current"] == line["quantity"]:
        return amount
    return (amount * int(line["current"]) / int(line["quantity"])).quantize(CENT, ROUND_HALF_UP)


class _Money:
    """Amounts of an order as pairs of shop and presentment money."""

    def __init__(self, order: Record) -> None:
        self._shop, self._shown = order["currency"], order["presentment_currency"] or order["currency"]
        self._rate = Decimal(order["rate"])

    def __call__(self, amount: str | Decimal) -> Tree:
        value = Decimal(amount)
        shown = value if self._shown == self._shop else (value * self._rate).quantize(CENT, ROUND_HALF_UP)
        return {
            "shopMoney": {"amount": str(value), "currencyCode": self._shop},
            "presentmentMoney": {"amount": str(shown), "currencyCode": self._shown},
        }


def _discount(each: Record, order: Record, money: _Money) -> Tree:
    applied = order["discounts"][each["of"]]
    how = {"index": each["of"], "__typename": f"{applied['kind']}DiscountApplication"}
    if applied["kind"] == "DiscountCode":
        how["__typename"], how["code"] = "DiscountCodeApplication", applied["name"]
    else:
        how["title"] = applied["name"]
    return {"allocatedAmountSet": money(each["amount"]), "discountApplication": how}


def _tax(each: Record, money: _Money) -> Tree:
    return {
        "title": each["title"],
        "rate": float(each["rate"]) if each.get("rate") else None,
        "channelLiable": each.get("channel_liable", False),
        "priceSet": money(each["amount"]),
    }


def _address(address: Record | None) -> Tree | None:
    names = ("name", "company", "address1", "address2", "city", "zip", "provinceCode", "countryCodeV2", "phone")
    return {name: address.get(name) for name in names} if address else None
