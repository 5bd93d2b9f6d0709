"""The folder channel, in a real folder."""

from __future__ import annotations

import csv
import subprocess
import sys
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from dist_csv_drop import adapter

from dist_contracts import Availability, Capability, ListingRef, Order, Outcome, Package, PackageLine, Shipment, Verdict
from dist_relay.ports import Incoming, Malformed, Page
from dist_relay.testkit.bus import MemoryBus

NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
HEADER = "order_id,line_id,placed_at,updated_at,currency,sku,title,quantity,unit_price,shipping,name,city,country"
GOOD = "A1,1,2026-01-31T12:00:00Z,2026-01-31T12:00:00Z,USD,DESK,Desk,2,12.50,4.00,Deco,Berlin,DE"


@pytest.fixture
def drop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIST_CSV_DROP_ROOT", str(tmp_path))
    (tmp_path / "shop" / "orders").mkdir(parents=True)
    return tmp_path / "shop"


def bus(**settings: Any) -> MemoryBus:
    return MemoryBus(adapter, {"folder": "shop", **settings})


def put(drop: Path, name: str, *rows: str) -> None:
    (drop / "orders" / name).write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")


def pull(cursor: dict[str, Any] | None = None) -> list[Page]:
    return bus().pull(Capability.ORDERS_PULL, cursor)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_orders_are_read_file_by_file(drop: Path) -> None:
    put(drop, "2026-01-31.csv", GOOD, GOOD.replace("A1,1", "A1,2"), GOOD.replace("A1,1", "A2,1"))
    put(drop, "2026-02-01.csv", GOOD.replace("A1,1", "A3,1"))
    (drop / "orders" / "2026-02-02.csv.part").write_text("half")

    pages = pull()

    assert [[event.key for event in page.events] for page in pages] == [["A1", "A2"], ["A3"]]
    assert [page.more for page in pages] == [True, False]
    first = pages[0].events[0]
    assert isinstance(first, Incoming)
    assert isinstance(first.payload, Order)
    assert len(first.payload.lines) == 2
    assert first.payload.totals.total.shop.amount == Decimal("54.00")
    assert first.payload.ship_to
    assert first.payload.ship_to.country == "DE"
    assert pull(pages[-1].cursor) == [Page((), {"file": "2026-02-01.csv"}, more=False)]


def test_the_same_order_in_another_file_is_the_same_event(drop: Path) -> None:
    put(drop, "1.csv", GOOD)
    put(drop, "2.csv", GOOD)
    put(drop, "3.csv", GOOD.replace("Desk,2", "Desk,3"))
    one, two, three = (page.events[0].fact for page in pull())
    assert one == two != three


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (GOOD.replace("12.50", "-12.50"), "line 1: unit_price is negative (-12.50 USD)"),
        (GOOD.replace("12.50", "12,50"), "is a number written with a comma?"),
        (GOOD.replace("12.50", "cheap"), "a number is not written like 12.50"),
        (GOOD.replace("USD", "usd"), "currency: String should match pattern"),
        (GOOD.replace(":00:00Z,USD", ":00:00,USD"), "has no offset from UTC"),
        (GOOD.replace(",DESK,", ",,"), "at least one of product_id"),
        (GOOD.replace(",12.50,", ",,"), "column 'unit_price' is missing"),
        (GOOD.replace("USD", "USD").replace("DE", "Germany"), "country: String should match"),
        (GOOD.replace("A1,", ",", 1), "external_id: String should have at least 1 character"),
    ],
)
def test_a_wrong_order_is_told_and_holds_up_no_other(drop: Path, wrong: str, told: str) -> None:
    put(drop, "1.csv", wrong, GOOD.replace("A1,1", "A2,1"))
    bad, good = pull()[0].events
    assert isinstance(bad, Malformed)
    assert isinstance(good, Incoming)
    assert told in bad.reason
    assert bad.fact[0] == "malformed"
    assert bad.key


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"<html>busy</html>", b"order_id\nA1\n"])
def test_a_wrong_file_is_told_and_passed(drop: Path, content: bytes) -> None:
    (drop / "orders" / "1.csv").write_bytes(content)
    put(drop, "2.csv", GOOD)
    pages = pull()
    assert all(isinstance(event, Malformed) for event in pages[0].events)
    assert isinstance(pages[1].events[0], Incoming)


def test_availability_is_one_file_a_push_whatever_is_repeated(drop: Path) -> None:
    refs = [ListingRef(sku="DESK"), ListingRef(sku="LAMP"), ListingRef(barcode="1")]
    quantities = [
        Availability(listing=ref, location_id="main", quantity=Decimal(7), version=version, as_of=NOON).to_json()
        for version, ref in enumerate(refs, start=1)
    ]
    for _ in range(2):
        events = [
            bus().event("availability.changed.v1", f"k{version}", payload, version=version)
            for version, payload in enumerate(quantities, start=1)
        ]
        outcomes = bus().deliver(events)
    assert [outcome.verdict for outcome in outcomes] == [Verdict.DELIVERED, Verdict.DELIVERED, Verdict.REJECTED]
    (path,) = (drop / "availability").iterdir()
    assert read(path) == [
        {"sku": sku, "location_id": "main", "quantity": "7", "version": version, "as_of": "2026-01-31T12:00:00Z"}
        for sku, version in (("DESK", "1"), ("LAMP", "2"))
    ]


def test_a_shipment_is_one_file_whatever_is_repeated(drop: Path) -> None:
    put(drop, "1.csv", GOOD.replace("Desk,2", "Desk,3"))
    packages = tuple(
        Package(
            reference=name,
            tracking_number=f"1Z{name}",
            more_tracking_numbers=("2Z",) if name == "P2" else (),
            lines=(PackageLine(line_id="1", quantity=Decimal("1.5")),),
        )
        for name in ("P1", "P2")
    )
    shipment = Shipment(order_id="A1", reference="WH/OUT/1", shipped_at=NOON, packages=packages)
    for _ in range(2):
        (outcome,) = bus().deliver([bus().event("shipment.confirm.v1", "A1", shipment.to_json())])
    assert outcome.verdict is Verdict.DELIVERED
    (path,) = (drop / "shipments").glob("*/*.csv")
    assert [(row["package"], row["tracking_number"], row["quantity"]) for row in read(path)] == [
        ("P1", "1ZP1", "1.5"),
        ("P2", "1ZP2 2Z", "1.5"),
    ]


def check(**settings: Any) -> Outcome:
    (outcome,) = bus(**settings).deliver([bus().event("connection.check.v1", "c", {})])
    return outcome


def test_check_tells_what_is_there(drop: Path) -> None:
    put(drop, "1.csv", GOOD)
    facts = {"name": "shop", "order_files": 1, "locations": [{"id": "berlin", "name": "Berlin"}]}
    assert check(location="berlin").data == facts


def test_check_tells_what_is_missing(drop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(folder="other").message == "the relay finds no folder other"
    monkeypatch.delenv("DIST_CSV_DROP_ROOT")
    assert (check().message or "").startswith("DIST_CSV_DROP_ROOT is not set")


@pytest.mark.parametrize("name", ["..", "../other", "/etc", "a/b", "", "."])
def test_a_folder_setting_leads_nowhere_else(drop: Path, name: str) -> None:
    assert check(folder=name).code == "bad_folder"


def test_installing_it_is_all_the_relay_needs(tmp_path: Path) -> None:
    example = Path(__file__).parents[1]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", str(tmp_path), str(example)], check=True, capture_output=True)
    code = "from dist_relay.adapters import discover; print(*discover())"
    environment = {"PYTHONPATH": ":".join([str(tmp_path), *sys.path])}
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "csv_drop" in found.stdout.split()
