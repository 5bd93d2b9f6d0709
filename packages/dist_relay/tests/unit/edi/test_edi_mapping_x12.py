"""What X12 documents mean: the canonical object, value by value."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal

import pytest
from mapping_support import again, body_x12

from dist_contracts import AcknowledgementStatus, Money
from dist_contracts.trade import (
    Adjustment,
    Answer,
    Asn,
    ChargeDirection,
    DateKind,
    DespatchItem,
    Destination,
    InboundAdvice,
    Invoice,
    LineAction,
    LogisticUnit,
    Lot,
    OrderAcknowledgement,
    OrderAnswer,
    OrderChange,
    PartyId,
    PartyRole,
    PartyScheme,
    PriceCatalogue,
    PurchaseOrder,
    Purpose,
    QuantityKind,
    Receipt,
    Reference,
    ReferenceKind,
    Remittance,
    ReturnAuthorization,
    ReturnKind,
    SalesReport,
    ShipOrder,
    StockSnapshot,
    UnitKind,
    WarehouseShipment,
)
from dist_relay.edi import WriteError
from dist_relay.edi.mapping import MappingProfile, from_canonical, to_canonical

USD = MappingProfile(currency="USD")


def usd(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="USD")


def test_850_with_destinations_allowances_and_terms() -> None:
    order = to_canonical(
        body_x12(
            "850",
            """
            BEG*00*SA*PO-1**20260131
            CUR*BY*USD
            REF*DP*042*Garden
            REF*Q7*ODD
            SAC*A*F800***1250*Z*2.5*****02***Spring promotion
            ITD*01*3*2**10**30
            DTM*037*20260210
            DTM*001*20260220*1830*ET
            N9*L1*DEL
            MSG*Ring twice
            N1*ST*Store 7*UL*0614141000012
            N2*Garden centre
            N3*1 Main St*Unit 2
            N4*Springfield*IL*62701*US
            PER*DC*Jo*TE*5550100*EM*jo@example.com
            PO1*1*24*CA*18.5*PE*UP*614141000036*IN*B-7
            CTP**RTL*29.99
            PID*F*08***Lantern
            PO4*12*1*EA
            SDQ*CA*92*S1*10*S2*14
            CTT*1*24
            AMT*TT*444
            """,
        )
    )
    found = order.object
    assert isinstance(found, PurchaseOrder)
    assert (found.number, found.purpose, found.issued) == ("PO-1", Purpose.ORIGINAL, date(2026, 1, 31))
    assert found.references[0] == Reference(kind=ReferenceKind.DEPARTMENT, value="042", description="Garden")
    assert found.references[1].kind == "x12:Q7"
    (charge,) = found.charges
    assert charge.direction is ChargeDirection.ALLOWANCE
    assert charge.amount == usd("12.5")
    assert (charge.percent, charge.settlement, charge.description) == (Decimal("2.5"), "x12:02", "Spring promotion")
    (terms,) = found.terms
    assert (terms.discount_percent, terms.discount_days, terms.net_days) == (Decimal(2), 10, 30)
    assert found.date(DateKind.SHIP_NOT_BEFORE) == date(2026, 2, 10)
    assert found.date(DateKind.CANCEL_AFTER) == datetime(2026, 2, 20, 23, 30, tzinfo=timezone.utc)
    assert found.notes[0].text == "Ring twice"
    party = found.party(PartyRole.SHIP_TO)
    assert party is not None
    assert party.ids == (PartyId(scheme=PartyScheme.GLN, value="0614141000012"),)
    assert party.name == "Store 7\nGarden centre"
    assert party.address is not None
    assert (party.address.street, party.address.street2, party.address.state) == ("1 Main St", "Unit 2", "IL")
    assert (party.contacts[0].phone, party.contacts[0].email) == ("5550100", "jo@example.com")
    (line,) = found.lines
    assert (line.quantity, line.uom, line.id_of("gtin"), line.id_of("buyer")) == (24, "XCS", "614141000036", "B-7")
    assert [(each.kind.value, each.amount) for each in line.prices] == [("net", usd("18.5")), ("retail", usd("29.99"))]
    assert line.packs[0].units == 12
    assert line.destinations == (
        Destination(place=PartyId(scheme=PartyScheme.BUYER, value="S1"), quantity=Decimal(10), uom="XCS"),
        Destination(place=PartyId(scheme=PartyScheme.BUYER, value="S2"), quantity=Decimal(14), uom="XCS"),
    )
    assert found.total == usd("444")
    assert order.notes == ()


def test_a_currency_nobody_says_is_none_and_the_partner_may_say_it() -> None:
    message = body_x12("850", "BEG*00*SA*PO-1**20260131\nPO1*1*1*EA*2.5**UP*614141000036")
    unsaid = to_canonical(message).object
    assert unsaid.currency is None
    assert unsaid.to_json()["lines"][0]["prices"][0]["amount"]["currency"] == 3 * "X"
    said = to_canonical(message, USD).object
    assert isinstance(said, PurchaseOrder)
    assert said.lines[0].prices[0].amount == usd("2.5")
    body = from_canonical(unsaid, standard="x12", type="850", version="4010")
    assert body.first("CUR") is None


def test_sdq_takes_ten_places_a_segment() -> None:
    pairs = "*".join(f"S{n:02d}*{n}" for n in range(1, 11))
    message = body_x12(
        "850", f"BEG*00*SA*PO-1**20260131\nPO1*1*68*EA***UP*614141000036\nSDQ*EA*92*{pairs}\nSDQ*EA*92*S11*11*S12*2"
    )
    order = to_canonical(message).object
    assert isinstance(order, PurchaseOrder)
    assert len(order.lines[0].destinations) == 12
    body = from_canonical(order, standard="x12", type="850", version="4010")
    assert [len(each.elements) for each in body.walk() if each.tag == "SDQ"] == [22, 6]


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("IA", AcknowledgementStatus.ACCEPTED, None),
        ("IQ", AcknowledgementStatus.CHANGED, "quantity"),
        ("IP", AcknowledgementStatus.CHANGED, "price"),
        ("IS", AcknowledgementStatus.CHANGED, "substituted"),
        ("IB", AcknowledgementStatus.BACKORDERED, None),
        ("R2", AcknowledgementStatus.REJECTED, "unknown_item"),
    ],
)
def test_855_says_what_becomes_of_each_line(code: str, status: AcknowledgementStatus, reason: str | None) -> None:
    text = f"""
        BAK*00*AC*PO-1*20260131****SO-9*20260201
        PO1*1*10*EA*2**UP*614141000036
        ACK*{code}*6*EA*069*20260301**VN*V-7
        ACK*IB*4*EA
    """
    found = to_canonical(body_x12("855", text)).object
    assert isinstance(found, OrderAcknowledgement)
    assert (found.status, found.supplier_order, found.ordered) == (OrderAnswer.CHANGED, "SO-9", date(2026, 1, 31))
    first, second = found.lines[0].answers
    assert (first.status, first.reason, first.quantity) == (status, reason, 6)
    assert first.dates[0].kind is DateKind.PROMISED_DELIVERY
    assert first.ids[0].value == "V-7"
    assert second == Answer(status=AcknowledgementStatus.BACKORDERED, quantity=Decimal(4))


def test_860_and_865_say_what_changes() -> None:
    text = "BCH*04*SA*PO-1**3*20260131*****20260205\nPOC*1*QI*12*2*EA*2.5**UP*614141000036\nPOC*2*DI*5*0*EA"
    change = to_canonical(body_x12("860", text)).object
    assert isinstance(change, OrderChange)
    assert (change.number, change.change, change.purpose) == ("PO-1", "3", Purpose.CHANGE)
    assert (change.ordered, change.issued) == (date(2026, 1, 31), date(2026, 2, 5))
    assert [each.action for each in change.lines] == ["x12:QI", LineAction.DELETE]
    assert (change.lines[0].quantity, change.lines[0].open_quantity) == (12, 2)
    text = "BCA*04*AC*PO-1**3*20260131**SO-9*20260206\nPOC*1*CA*12*2*EA*2.5**UP*614141000036\nACK*DR*12*EA"
    answer = to_canonical(body_x12("865", text)).object
    assert isinstance(answer, OrderAcknowledgement)
    assert (answer.change, answer.lines[0].answers[0].reason) == ("3", "date")


ASN = """
    BSN*00*SHP1*20260201*1015*0001
    HL*1**S
    TD1*PLT*1****G*210*KG
    TD5*B*2*UPSF*M*Ground
    REF*BM*BOL-1
    DTM*011*20260201
    N1*ST*DC*92*0042
    HL*2*1*O
    PRF*PO-1***20260120
    HL*3*2*T
    MAN*GM*00006141410000000012
    HL*4*3*P
    MAN*GM*006141410000000029
    HL*5*4*I
    LIN*1*UP*614141000036*LT*L-7
    SN1*1*12*EA**24*EA
    DTM*036*20270131
    HL*6*1*O
    PRF*PO-2
    HL*7*6*T
    MAN*GM*006141410000000012
    HL*8*7*I
    LIN**UP*614141000043
    SN1**5*EA
    CTT*8
"""


def test_856_gives_units_with_items_of_their_orders() -> None:
    asn = to_canonical(body_x12("856", ASN)).object
    assert isinstance(asn, Asn)
    assert (asn.number, asn.kind, asn.issued) == ("SHP1", "x12:0001", datetime(2026, 2, 1, 10, 15, tzinfo=timezone.utc))
    assert [(each.number, each.issued) for each in asn.orders] == [("PO-1", date(2026, 1, 20)), ("PO-2", None)]
    assert asn.measures[0].value == 210
    assert (asn.transport[0].carrier, asn.reference(ReferenceKind.BILL_OF_LADING)) == ("UPSF", "BOL-1")
    (pallet,) = asn.units
    assert (pallet.kind, pallet.sscc) == (UnitKind.PALLET, "006141410000000012")
    assert [(each.order, each.quantity) for each in pallet.items] == [("PO-2", 5)]
    (carton,) = pallet.units
    (item,) = carton.items
    assert (item.order, item.quantity, item.ordered_quantity) == ("PO-1", 12, 24)
    assert item.lots == (Lot(lot="L-7", expires=date(2027, 1, 31)),)


def test_a_pallet_of_two_orders_is_written_under_both_and_read_as_one() -> None:
    items = [DespatchItem(order=order, quantity=Decimal(1)) for order in ("A", "B")]
    asn = Asn(number="S", units=(LogisticUnit(kind=UnitKind.PALLET, sscc="006141410000000012", items=tuple(items)),))
    body = from_canonical(asn, standard="x12", type="856", version="5010")
    levels = [each.get(3) for each in body.walk() if each.tag == "HL"]
    assert levels == ["S", "O", "T", "I", "O", "T", "I"]
    back = to_canonical(again_unchecked(body)).object
    assert isinstance(back, Asn)
    assert len(back.units) == 1
    assert [each.order for each in back.units[0].items] == ["A", "B"]


def again_unchecked(body: object) -> object:
    """The body as a message without a grammar's check (items without product numbers are not valid X12)."""

    class Message:
        standard, type, version = "x12", "856", "5010"

        def tree(self) -> object:
            return body

    return Message()


def test_856_items_that_hold_their_packages() -> None:
    text = """
        BSN*00*SHP1*20260201*1015*0002
        HL*1**S
        HL*2*1*O
        PRF*PO-1
        HL*3*2*I
        LIN**UP*614141000036
        SN1**12*EA
        HL*4*3*P
        MAN*GM*006141410000000012
        HL*5*2*I
        LIN**UP*614141000043
        SN1**8*EA
        HL*6*5*P
        MAN*GM*006141410000000029
        HL*7*5*P
        MAN*GM*006141410000000036
    """
    asn = to_canonical(body_x12("856", text)).object
    assert isinstance(asn, Asn)
    one, several = asn.units
    assert (one.sscc, one.items[0].quantity) == ("006141410000000012", 12)
    assert (several.sscc, several.items[0].quantity) == (None, 8)
    assert [each.sscc for each in several.units] == ["006141410000000029", "006141410000000036"]


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
