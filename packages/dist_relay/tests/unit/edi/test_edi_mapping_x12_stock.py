"""What X12 documents of money, stock and warehouses mean: the canonical object, value by value."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from mapping_support import again, body_x12

from dist_contracts import Money
from dist_contracts.trade import (
    Adjustment,
    DateKind,
    InboundAdvice,
    Invoice,
    Lot,
    PriceCatalogue,
    QuantityKind,
    Receipt,
    Remittance,
    ReturnAuthorization,
    ReturnKind,
    SalesReport,
    ShipOrder,
    StockSnapshot,
    WarehouseShipment,
)
from dist_relay.edi import WriteError
from dist_relay.edi.mapping import MappingProfile, from_canonical, to_canonical

USD = MappingProfile(currency="USD")


def usd(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="USD")


def test_810_amounts_of_tds_and_sac_have_implied_decimals() -> None:
    text = """
        BIG*20260201*INV-1*20260131*PO-1***CR
        IT1*1*3*CA*10.005**UP*614141000036
        SAC*C*D240***450***2.25*CA*2
        TDS*3452*3000*2940*60
        TXI*ST*1.5*5
        SAC*A*C310***-10
        CTT*1
    """
    found = to_canonical(body_x12("810", text), USD).object
    assert isinstance(found, Invoice)
    assert (found.number, found.order, found.kind) == ("INV-1", "PO-1", "credit_note")
    assert found.totals.total == usd("34.52")
    assert (found.totals.discountable, found.totals.discounted, found.totals.discount) == (
        usd("30"),
        usd("29.4"),
        usd("0.6"),
    )
    (charge,) = found.lines[0].charges
    assert charge.amount == usd("4.5")
    assert found.charges[0].amount == usd("-0.1")
    assert (found.taxes[0].kind, found.taxes[0].amount, found.taxes[0].rate) == ("state_sales", usd("1.5"), 5)
    body = from_canonical(found, standard="x12", type="810", version="4010")
    tds = body.first("TDS")
    assert tds is not None
    assert tds.elements == ["3452", "3000", "2940", "60"]


def test_an_amount_with_too_many_decimals_is_not_written() -> None:
    invoice = Invoice(number="1", currency="USD", totals={"total": usd("1.005")})  # type: ignore[arg-type]
    with pytest.raises(WriteError, match=r"totals\.total\.amount"):
        from_canonical(invoice, standard="x12", type="810", version="4010")


def test_820_pays_and_deducts_document_by_document() -> None:
    text = """
        BPR*C*970*C*ACH*CTX*01*021000021*DA*123*1999999999**01*031000503*DA*456*20260215
        TRN*1*T-77
        N1*PR*Payer
        ENT*1
        RMR*IV*INV-1*PO*970*1000*20*01*-10
        DTM*003*20260115
        ADX*-30*11*CM*CM-5
    """
    found = to_canonical(body_x12("820", text), USD).object
    assert isinstance(found, Remittance)
    assert (found.number, found.amount, found.method, found.credit) == ("T-77", usd("970"), "ach", True)
    assert found.payee_account is not None
    assert (found.payee_account.bank, found.payee_account.account) == ("031000503", "456")
    (paid,) = found.documents
    assert (paid.document.kind, paid.document.value) == ("invoice", "INV-1")
    assert (paid.billed, paid.paid, paid.discount) == (usd("1000"), usd("970"), usd("20"))
    assert [(each.amount, each.reason) for each in paid.adjustments] == [(usd("-10"), "price"), (usd("-30"), "damage")]
    reference = paid.adjustments[1].reference
    assert reference is not None
    assert reference.value == "CM-5"


def test_846_and_852_count_by_kind_and_place() -> None:
    text = "BIA*00*SI*R-1*20260201\nLIN**UP*614141000036\nQTY*33*40*EA\nQTY*98*12*EA\nDTM*018*20260210\nCTT*1"
    stock = to_canonical(body_x12("846", text)).object
    assert isinstance(stock, StockSnapshot)
    counted = stock.lines[0].quantities
    assert [(each.kind, each.quantity) for each in counted] == [
        (QuantityKind.AVAILABLE, 40),
        (QuantityKind.IN_TRANSIT, 12),
    ]
    assert counted[1].dates[0].on == date(2026, 2, 10)
    text = "XQ*H*20260101*20260107\nLIN**UP*614141000036\nZA*QS\nSDQ*EA*92*S1*3*S2*4\nZA*QA*50*EA\nCTT*1"
    sales = to_canonical(body_x12("852", text)).object
    assert isinstance(sales, SalesReport)
    assert (sales.number, sales.starts, sales.ends) == ("2026-01-01/2026-01-07", date(2026, 1, 1), date(2026, 1, 7))
    places = [(e.kind, e.quantity, e.place.value if e.place else None) for e in sales.lines[0].quantities]
    assert places == [
        (QuantityKind.SOLD, 3, "S1"),
        (QuantityKind.SOLD, 4, "S2"),
        (QuantityKind.ON_HAND, 50, None),
    ]


def test_832_prices_have_their_time() -> None:
    text = "BCT*PS*CAT-1*7\nLIN*1*UP*614141000036\nPID*F*08***Lantern\nCTP**CAT*9.5*10*EA\nDTM*007*20260301\nCTT*1"
    found = to_canonical(body_x12("832", text), USD).object
    assert isinstance(found, PriceCatalogue)
    assert (found.number, found.version) == ("CAT-1", "7")
    (price,) = found.lines[0].prices
    assert (price.amount, price.minimum, price.starts) == (usd("9.5"), 10, date(2026, 3, 1))


WAREHOUSE = {
    "940": """
        W05*N*D-1*PO-1
        N1*ST*Shop*92*0042
        N9*DP*042
        G62*10*20260210
        NTE*WHI*Fragile
        W66*PP*M***Ground*****UPSF
        LX*1
        W01*12*CA**VN*V-7*UP*614141000036******B-7
        G69*Lantern
        W76*12*100*LB
    """,
    "945": """
        W06*F*D-1*20260201*SHP-1**PO-1
        N1*ST*Shop*92*0042
        W27*M*UPSF
        LX*1
        MAN*GM*006141410000000012
        W12*CC*12*10*2*CA**VN*V-7*B-7
        W03*10*100*LB
    """,
    "943": """
        W06*N*D-2*20260201*SHP-2
        N1*WH*Depot*92*D1
        W27*M*UPSF
        W04*48*CA**VN*V-7
        N9*LT*B-8
        W03*48
    """,
    "944": """
        W17*F*20260203*R-1*D-2*SHP-2
        N1*WH*Depot*92*D1
        W07*48*CA**VN*V-7***B-8
        W13*2*CA*01**02
        W13*1*CA*05
        W14*48
    """,
    "947": """
        W15*20260204*A-1*D-3
        N1*WH*Depot*92*D1
        W19*03*-2*CA**VN*V-7***B-8
        W19*06*5*EA**VN*V-8
    """,
}


def test_940_orders_a_shipment() -> None:
    result = to_canonical(body_x12("940", WAREHOUSE["940"]))
    found = result.object
    assert isinstance(found, ShipOrder)
    assert (found.number, found.purchase_order, found.notes[0].text) == ("D-1", "PO-1", "Fragile")
    assert found.date(DateKind.SHIP_ON) == date(2026, 2, 10)
    assert (found.transport[0].carrier, found.transport[0].routing) == ("UPSF", "Ground")
    (line,) = found.lines
    assert (line.quantity, line.uom, line.description, line.id_of("gtin")) == (12, "XCS", "Lantern", "614141000036")
    assert line.lots == (Lot(lot="B-7"),)
    assert (found.measures[0].value, found.measures[0].uom) == (100, "LBR")
    assert result.notes == ()


def test_945_and_943_say_what_left_and_what_will_come() -> None:
    shipped = to_canonical(body_x12("945", WAREHOUSE["945"])).object
    assert isinstance(shipped, WarehouseShipment)
    assert (shipped.number, shipped.ship_order, shipped.purchase_order) == ("SHP-1", "D-1", "PO-1")
    (unit,) = shipped.units
    (item,) = unit.items
    assert unit.sscc == "006141410000000012"
    assert (item.ordered_quantity, item.quantity, item.difference, item.status) == (12, 10, 2, "shipped")
    assert item.lots == (Lot(lot="B-7"),)
    coming = to_canonical(body_x12("943", WAREHOUSE["943"])).object
    assert isinstance(coming, InboundAdvice)
    assert (coming.ship_order, coming.items[0].quantity, coming.items[0].lots[0].lot) == ("D-2", 48, "B-8")


def test_944_and_947_say_what_arrived_and_what_changed() -> None:
    receipt = to_canonical(body_x12("944", WAREHOUSE["944"])).object
    assert isinstance(receipt, Receipt)
    assert (receipt.number, receipt.order, receipt.despatch) == ("R-1", "D-2", "SHP-2")
    (line,) = receipt.lines
    assert line.quantity == 48
    assert [(each.kind, each.quantity, each.reason) for each in line.discrepancies] == [
        ("damage", 2, "x12:02"),
        ("shortage", 1, None),
    ]
    adjusted = to_canonical(body_x12("947", WAREHOUSE["947"])).object
    assert isinstance(adjusted, Adjustment)
    assert [(each.quantity, each.reason) for each in adjusted.lines] == [(-2, "damage"), (5, "count")]


def test_180_asks_and_allows_returns() -> None:
    text = """
        BGN*00*RR-1*20260201
        RDR*CR*02*01
        PRF*PO-1
        N9*RZ*RA-9
        N1*BY*Shop*92*0042
        BLI*UP*614141000036*3*EA
        RDR*CR*06
    """
    found = to_canonical(body_x12("180", text)).object
    assert isinstance(found, ReturnAuthorization)
    assert (found.kind, found.authorization, found.order) == (ReturnKind.AUTHORIZATION, "RA-9", "PO-1")
    assert (found.reason, found.lines[0].reason, found.lines[0].quantity) == ("damaged", "expired", 3)
    body = from_canonical(found, standard="x12", type="180", version="4010")
    assert to_canonical(again("x12", "180", "4010", body)).object == found
