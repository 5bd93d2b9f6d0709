"""What X12 orders and ship notices mean: the canonical object, value by value."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal

import pytest
from mapping_support import body_x12

from dist_contracts import AcknowledgementStatus, Money
from dist_contracts.trade import (
    Answer,
    Asn,
    ChargeDirection,
    DateKind,
    DespatchItem,
    Destination,
    LineAction,
    LogisticUnit,
    Lot,
    OrderAcknowledgement,
    OrderAnswer,
    OrderChange,
    PartyId,
    PartyRole,
    PartyScheme,
    PurchaseOrder,
    Purpose,
    Reference,
    ReferenceKind,
    UnitKind,
)
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
