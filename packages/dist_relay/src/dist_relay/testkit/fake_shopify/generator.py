"""A random, repeatable catalog, and orders like a real store's: discounts, taxes, odd addresses, two currencies."""

from __future__ import annotations

import json
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from random import Random
from typing import Any

from . import inventory, orders
from .schema import contracts_dir
from .store import Record, Store

CENT = Decimal("0.01")
PLACES = ("Main Warehouse", "West Warehouse", "Outlet", "Overflow")
NOUNS = ("Pallet Jack", "Tape Gun", "Stretch Wrap", "Label Roll", "Hand Truck", "Box Cutter", "Strapping Kit", "Glove")
SIZES = ("Small", "Medium", "Large", "XL")
NAMES = (
    "Ana Ruiz",
    "Jürgen Groß",
    "Seán Ó Briain",
    "Li Wei",
    "O'Neil & Sons",
    "Zoë van der Berg",
    "Madonna",
    "محمد علي",
)
ADDRESSES = (
    "12 Harbor Rd||Oakland|94607|CA|US",
    "PO Box 77||Fargo|58102|ND|US",
    "500 Congress Ave|Fl 9 / Dock 3|Austin|78701|TX|US",
    "Straße des 17. Juni 135||Berlin|10623||DE",
    "1 Chome-1-2 Oshiage||墨田区|131-8634|JP-13|JP",
    "Unit 4, Quay St||Galway|||IE",
    "27 rue de la Paix|Bât. C, esc. 2, code 45B9|Paris|75002||FR",
)
"""Street, second line, city, zip, province, country."""


def catalog(store: Store, *, skus: int, stock: int, locations: int, seed: int) -> dict[str, Any]:
    """Fill the store; the SKUs are ``SKU-0001`` …"""
    random = Random(seed)
    for index in range(len(store.all("location")), locations):
        id_ = store.next_id()
        store.put("location", id_, {"id": id_, "name": PLACES[index % len(PLACES)], "active": True})
    first = len(store.all("variant")) + 1
    for number in range(first, first + skus):
        _product(store, number, random, stock)
    return {"locations": list(store.all("location")), "variants": len(store.all("variant"))}


def place_orders(store: Store, count: int, *, seed: int, edits: float, cancellations: float) -> list[str]:
    """Place ``count`` orders; their ids."""
    random = Random(seed)
    ids = []
    for _ in range(count):
        order = orders.place(store, _spec(store, random))
        ids.append(order["id"])
        fate = random.random()
        if fate < cancellations:
            orders.cancel(store, order["id"])
        elif fate < cancellations + edits:
            line = random.choice(order["lines"])
            orders.edit(store, order["id"], line_id=line["id"], quantity=random.randint(0, line["quantity"]))
    return ids


def place_example(store: Store) -> Record | None:
    """The order of the vendor's example payload, its lines as custom ones where the store has no such SKU."""
    example = _example()
    if example is None:
        return None
    spec = {
        "email": example["email"],
        "note": example["note"],
        "tags": [tag.strip() for tag in example["tags"].split(",")],
        "shipping_address": _vendor_address(example["shipping_address"]),
        "billing_address": _vendor_address(example["billing_address"]),
        "lines": [
            {"title": l["title"], "sku": l["sku"], "quantity": l["quantity"], "price": l["price"]}
            for l in example["line_items"]  # noqa: E741
        ],
        "shipping": [{"title": l["title"], "price": l["price"]} for l in example["shipping_lines"]],  # noqa: E741
    }
    return orders.place(store, spec)


def _product(store: Store, number: int, random: Random, stock: int) -> None:
    product_id, variant_id, item_id = store.next_id(), store.next_id(), store.next_id()
    title = f"{random.choice(NOUNS)} {number}"
    store.put("product", product_id, {"id": product_id, "title": title})
    store.put("item", item_id, {"id": item_id, "tracked": True, "mutable": True})
    variant = {
        "id": variant_id,
        "product_id": product_id,
        "item_id": item_id,
        "sku": f"SKU-{number:04}",
        "barcode": f"20{number:010}"[:12] + "0",
        "title": random.choice((*SIZES, "Default Title")),
        "price": str(Decimal(random.randint(199, 19_999)) / 100),
        "updated_at": store.stamp(),
    }
    store.put("variant", variant_id, variant)
    for location in store.all("location"):
        inventory.stock(store, item_id, location, stock)


def _spec(store: Store, random: Random) -> dict[str, Any]:
    included = random.random() < 0.15
    chosen = _in_stock(store, random, random.choice((1, 1, 2, 2, 3, 4, 6)))
    discounts, shipping = [], []
    lines: list[dict[str, Any]] = [{"sku": sku, "quantity": count, "price": price} for sku, count, price in chosen]
    if random.random() < 0.25:
        percent = Decimal(random.choice((5, 10, 15)))
        discounts.append({"kind": random.choice(("DiscountCode", "Automatic", "Manual")), "name": f"SAVE{percent}"})
        for line in lines:
            line["discounts"] = [{"of": 0, "amount": str(_cents(_net(line) * percent / 100))}]
    rate, title, liable = random.choice(((Decimal("0.0825"), "State Tax", False), (Decimal("0.06"), "State Tax", True)))
    if included:
        rate, title, liable = Decimal("0.19"), "VAT", False
    for line in lines:
        base = _net(line) - sum((Decimal(d["amount"]) for d in line.get("discounts", ())), Decimal(0))
        amount = base * rate / (1 + rate) if included else base * rate
        line["taxes"] = [{"title": title, "rate": str(rate), "amount": str(_cents(amount)), "channel_liable": liable}]
    if random.random() < 0.8:
        price = random.choice(("4.99", "9.95", "0.00", "24.50"))
        shipping.append({"title": "Standard", "code": "STD", "price": price})
    return {
        **_people(store, random),
        "lines": lines,
        "discounts": discounts,
        "shipping": shipping,
        "taxes_included": included,
        **({"presentment_currency": "EUR", "rate": "0.92"} if random.random() < 0.1 else {}),
        "note": random.choice((None, None, None, "Leave at the dock", "Gift! Bitte nicht knicken 🎁")),
        "tags": random.choice(([], [], ["wholesale"], ["wholesale", "net30"])),
    }


def _in_stock(store: Store, random: Random, count: int) -> list[tuple[str, int, str]]:
    """Some SKUs of which a location has enough; fewer when the shelves are empty."""
    found = []
    variants = list(store.all("variant").values())
    for variant in random.sample(variants, min(len(variants), count * 4)):
        most = max(level["available"] for level in store.where("level", item_id=variant["item_id"]))
        quantity = random.choice((1, 1, 1, 2, 3, 5))
        if most >= quantity:
            found.append((variant["sku"], quantity, variant["price"]))
        if len(found) == count:
            break
    if not found:
        raise ValueError("nothing is in stock; seed the catalog with more")
    return found


def _people(store: Store, random: Random) -> dict[str, Any]:
    number = random.randint(1, 80)
    name = NAMES[number % len(NAMES)]
    fields = ("address1", "address2", "city", "zip", "provinceCode", "countryCodeV2")
    values = (value or None for value in ADDRESSES[number % len(ADDRESSES)].split("|"))
    address = {"name": name, "phone": random.choice((None, "+15550100")), **dict(zip(fields, values, strict=True))}
    if number % 9 == 0:
        address["company"] = f"Depot {number} Ltd."
    return {
        "customer": {"id": str(500_000 + number), "name": name},
        "email": f"buyer{number}@example.com",
        "shipping_address": address,
        "billing_address": address if number % 3 else {**address, "address1": "Accounts Payable, 1 Ledger Sq"},
    }


def _net(line: dict[str, Any]) -> Decimal:
    return Decimal(line["price"]) * int(line["quantity"])


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


@cache
def _example() -> dict[str, Any] | None:
    folder = contracts_dir()
    path = folder / "webhooks" / "orders" / "create.json" if folder else None
    if path is None or not path.is_file():
        return None
    example: dict[str, Any] = json.loads(path.read_text("utf-8"))["response"]
    return example


def _vendor_address(address: dict[str, Any]) -> dict[str, Any]:
    names = {"provinceCode": "province_code", "countryCodeV2": "country_code"}
    wanted = ("name", "company", "address1", "address2", "city", "zip", "provinceCode", "countryCodeV2", "phone")
    return {name: address.get(names.get(name, name)) for name in wanted}
