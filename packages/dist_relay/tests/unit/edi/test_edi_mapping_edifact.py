"""What EDIFACT documents mean: the canonical object, value by value; and documents that change their standard."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal

import pytest
from mapping_support import again, body_edifact, body_x12

from dist_contracts import AcknowledgementStatus, Money
from dist_contracts.trade import (
    Asn,
    DateKind,
    Destination,
    Invoice,
    Lot,
    OrderAcknowledgement,
    OrderChange,
    PartyId,
    PartyRole,
    PartyScheme,
    PriceCatalogue,
    PurchaseOrder,
    Receipt,
    Remittance,
    SalesReport,
    StockSnapshot,
    TransportStatus,
    WarehouseShipment,
)
from dist_relay.edi.mapping import MappingProfile, Note, from_canonical, to_canonical


def eur(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


ORDER = """
    BGM+220+PO-1+9
    DTM+137:202601311530:203
    DTM+2:20260205:102
    FTX+DEL+++Ring twice:Gate 4
    RFF+CT:C-9
    DTM+171:20250101:102
    NAD+BY+5412345000013::9
    NAD+DP+5412345678908::9++Big Store:Dock B+Main Street 1:2nd floor+Brussels++1000+BE
    CTA+IC+:Jane Roe
    COM+jane@example.com:EM
    CUX+2:EUR:9
    PAT+1++5:3:D:30
    TOD+3+PP+DAP
    ALC+C++++FC
    MOA+23:25.5
    LIN+1++9521234001010:EN
    PIA+1+B-7:IN+S-9:SA
    IMD+F++:::Lantern
    QTY+21:12:PCE
    PRI+AAA:10::NTP:1:PCE
    LOC+7+5412345678915::9
    QTY+11:4:PCE
    LOC+7+5412345678922::9
    QTY+11:8:PCE
    UNS+S
    CNT+2:1
"""


def test_orders_with_destinations() -> None:
    result = to_canonical(body_edifact("ORDERS", ORDER), MappingProfile(zone="Europe/Brussels"))
    found = result.object
    assert isinstance(found, PurchaseOrder)
    assert (found.number, found.currency, found.kind) == ("PO-1", "EUR", "standard")
    assert found.issued == datetime(2026, 1, 31, 14, 30, tzinfo=timezone.utc)
    assert found.date(DateKind.DELIVER_ON) == date(2026, 2, 5)
    assert found.notes[0].text == "Ring twice\nGate 4"
    assert found.references[0].on == date(2025, 1, 1)
    party = found.party(PartyRole.SHIP_TO)
    assert party is not None
    assert (party.name, party.ids[0].scheme) == ("Big Store\nDock B", PartyScheme.GLN)
    assert party.address is not None
    assert (party.address.street, party.address.street2, party.address.country) == ("Main Street 1", "2nd floor", "BE")
    assert party.contacts[0].email == "jane@example.com"
    assert (found.terms[0].net_days, found.transport[0].terms) == (30, "DAP")
    assert (found.charges[0].kind, found.charges[0].amount) == ("freight", eur("25.5"))
    (line,) = found.lines
    assert [line.id_of(each) for each in ("gtin", "buyer", "supplier")] == ["9521234001010", "B-7", "S-9"]
    assert (line.quantity, line.uom, line.prices[0].amount) == (12, "C62", eur("10"))
    assert line.destinations == tuple(
        Destination(place=PartyId(scheme=PartyScheme.GLN, value=place), quantity=Decimal(quantity))
        for place, quantity in (("5412345678915", 4), ("5412345678922", 8))
    )
    assert result.notes == ()


@pytest.mark.parametrize(
    ("action", "status", "reason"),
    [
        ("5", AcknowledgementStatus.ACCEPTED, None),
        ("6", AcknowledgementStatus.CHANGED, None),
        ("7", AcknowledgementStatus.REJECTED, None),
        ("10", AcknowledgementStatus.REJECTED, "unknown_item"),
    ],
)
def test_ordrsp_says_what_becomes_of_each_line(action: str, status: AcknowledgementStatus, reason: str | None) -> None:
    text = f"""
        BGM+231+A-1+4
        DTM+137:20260201:102
        RFF+ON:PO-1
        DTM+171:20260131:102
        RFF+VN:SO-9
        NAD+SU+4012345000009::9
        LIN+1+{action}+9521234001010:EN
        QTY+21:10:PCE
        QTY+12:6:PCE
        QTY+83:4:PCE
        UNS+S
    """
    found = to_canonical(body_edifact("ORDRSP", text)).object
    assert isinstance(found, OrderAcknowledgement)
    assert (found.number, found.acknowledgement, found.supplier_order) == ("PO-1", "A-1", "SO-9")
    assert found.ordered == date(2026, 1, 31)
    answer, backorder = found.lines[0].answers
    assert (answer.status, answer.reason, answer.quantity) == (status, reason, 6)
    assert (backorder.status, backorder.quantity) == (AcknowledgementStatus.BACKORDERED, 4)


def test_ordchg_names_the_order_it_changes() -> None:
    text = "BGM+230+C-1+4\nDTM+137:20260201:102\nRFF+ON:PO-1\nLIN+1+3+9521234001010:EN\nQTY+21:8:PCE\nUNS+S"
    found = to_canonical(body_edifact("ORDCHG", text)).object
    assert isinstance(found, OrderChange)
    assert (found.number, found.change, found.lines[0].action) == ("PO-1", "C-1", "change")


DESADV = """
    BGM+351+D-1+9
    DTM+137:20260201:102
    RFF+ON:PO-1
    DTM+171:20260131:102
    NAD+DP+5412345678908::9
    CPS+1
    PAC+1++PX
    CPS+2+1
    PAC+1++PX
    PCI+33E
    GIN+BJ+006141410000000012
    CPS+3+2
    PAC+1++CT
    PCI+33E
    GIN+BJ+006141410000000029
    LIN+1++9521234001010:EN
    QTY+12:12:PCE
    RFF+ON:PO-1:10
    PCI+17
    DTM+361:20270131:102
    GIN+BX+L-7
    LIN+2++9521234001027:EN
    QTY+12:4:PCE
    RFF+ON:PO-2:20
    CPS+4+1
    PAC+2++CT
    PCI+33E
    GIN+BJ+006141410000000036+006141410000000043
    CNT+2:2
"""


def test_desadv_gives_units_with_items_of_their_orders() -> None:
    result = to_canonical(body_edifact("DESADV", DESADV))
    asn = result.object
    assert isinstance(asn, Asn)
    assert (asn.orders[0].number, asn.orders[0].issued) == ("PO-1", date(2026, 1, 31))
    assert (asn.packaging, asn.package_count) == ("PX", 1)
    pallet, *loose = asn.units
    assert (pallet.sscc, pallet.kind, pallet.packaging) == ("006141410000000012", "pallet", "PX")
    (carton,) = pallet.units
    assert [(each.order, each.order_line, each.quantity) for each in carton.items] == [
        ("PO-1", "10", 12),
        ("PO-2", "20", 4),
    ]
    assert carton.items[0].lots == (Lot(lot="L-7", best_before=date(2027, 1, 31)),)
    assert [(each.sscc, each.kind, each.items) for each in loose] == [
        ("006141410000000036", "package", ()),
        ("006141410000000043", "package", ()),
    ]
    assert result.notes == ()


def test_a_partner_may_send_desadv_for_what_a_warehouse_shipped() -> None:
    profile = MappingProfile(objects={"DESADV": "WarehouseShipment"})
    text = DESADV.replace("RFF+ON:PO-1\n    DTM+171:20260131:102\n", "RFF+ON:PO-1\n    RFF+AAJ:D-9\n", 1)
    found = to_canonical(body_edifact("DESADV", text), profile).object
    assert isinstance(found, WarehouseShipment)
    assert (found.number, found.ship_order, found.purchase_order) == ("D-1", "D-9", "PO-1")


def test_a_circle_of_packaging_levels_ends() -> None:
    text = "BGM+351+D-1+9\nCPS+1+2\nLIN+1\nQTY+12:1\nCPS+2+1\nLIN+2\nQTY+12:2\nCPS+3+3\nLIN+3\nQTY+12:3"
    message = body_edifact("DESADV", "BGM+351+D-1+9\nCPS+1")
    lines = [each.strip() for each in text.splitlines()]

    class Circular:
        standard, type, version = "edifact", "DESADV", "96A"

        def tree(self) -> object:
            from dist_relay.edi import Loop, Segment

            root = message.tree()
            root.items = [each for each in root.items if not isinstance(each, Loop)]
            level = Loop("CPS")
            for line in lines[1:]:
                tag, *values = line.split("+")
                elements = [value.split(":") if ":" in value else value for value in values]
                if tag == "CPS":
                    level = Loop("CPS")
                    root.items.append(level)
                if tag == "LIN":
                    level.items.append(Loop("LIN", [Segment(tag, [*elements])]))
                elif tag == "QTY":
                    level.items[-1].items.append(Segment(tag, [*elements]))  # type: ignore[union-attr]
                else:
                    level.items.append(Segment(tag, [*elements]))
            return root

    asn = to_canonical(Circular()).object  # type: ignore[arg-type]
    assert isinstance(asn, Asn)
    assert sorted(each.line or "" for each in asn.items) == ["1", "2", "3"]


def test_invoic_totals_taxes_and_terms() -> None:
    text = """
        BGM+381+INV-1+9
        DTM+137:20260201:102
        RFF+ON:PO-1
        NAD+SU+4012345000009::9
        CUX+2:EUR:4
        PAT+1
        DTM+13:20260301:102
        PAT+22++5:3:D:10
        PCD+12:2
        LIN+1++9521234001010:EN
        QTY+47:3:PCE
        MOA+203:30
        PRI+AAA:10
        TAX+7+VAT+++:::20+S
        UNS+S
        MOA+77:36
        MOA+79:30
        MOA+125:30
        MOA+176:6
        TAX+7+VAT+++:::20+S
        MOA+124:6
    """
    found = to_canonical(body_edifact("INVOIC", text)).object
    assert isinstance(found, Invoice)
    assert (found.kind, found.order) == ("credit_note", "PO-1")
    totals = found.totals
    assert (totals.total, totals.lines, totals.taxable, totals.tax) == (eur("36"), eur("30"), eur("30"), eur("6"))
    assert [(each.discount_percent, each.discount_days, each.net_due) for each in found.terms] == [
        (2, 10, None),
        (None, None, date(2026, 3, 1)),
    ]
    assert (found.taxes[0].rate, found.taxes[0].amount, found.lines[0].amount) == (20, eur("6"), eur("30"))


def test_remadv_deductions_are_negative() -> None:
    text = """
        BGM+481+R-1+9
        DTM+137:20260201:102
        NAD+PR+5412345000013::9
        CUX+2:EUR:11
        DOC+380+INV-1
        MOA+77:1000
        MOA+12:950
        AJT+35
        MOA+5:50
        DOC+380+INV-2
        MOA+77:100
        MOA+12:110
        AJT+57
        MOA+5:10
        UNS+S
        MOA+12:1060
    """
    found = to_canonical(body_edifact("REMADV", text)).object
    assert isinstance(found, Remittance)
    assert found.amount == eur("1060")
    reasons = [(each.adjustments[0].amount, each.adjustments[0].reason) for each in found.documents]
    assert reasons == [(eur("-50"), "return"), (eur("10"), "price")]
    body = from_canonical(found, standard="edifact", type="REMADV", version="96A")
    assert to_canonical(again("edifact", "REMADV", "96A", body)).object == found


def test_recadv_says_what_is_missing_and_broken() -> None:
    text = """
        BGM+632+R-1+9
        DTM+137:20260203:102
        RFF+ON:PO-1
        RFF+AAK:D-1
        NAD+DP+5412345678908::9
        CPS+1
        PAC+1++CT
        PCI+33E
        GIN+BJ+006141410000000012
        LIN+1++9521234001010:EN
        QTY+194:10:PCE
        QVR+2:21+AF
        CNT+2:1
    """
    found = to_canonical(body_edifact("RECADV", text)).object
    assert isinstance(found, Receipt)
    assert (found.order, found.despatch, found.units[0].sscc) == ("PO-1", "D-1", "006141410000000012")
    (line,) = found.units[0].lines
    assert (line.quantity, line.accepted, line.discrepancies[0].kind) == (10, 10, "damage")


def test_inventories_sales_and_catalogues() -> None:
    text = "BGM+35+S-1+9\nDTM+137:20260201:102\nNAD+WH+4012345000009::9\nLIN+1++9521234001010:EN\nQTY+145:7:PCE"
    stock = to_canonical(body_edifact("INVRPT", text)).object
    assert isinstance(stock, StockSnapshot)
    assert (stock.lines[0].quantities[0].kind, stock.lines[0].quantities[0].quantity) == ("on_hand", 7)
    text = """
        BGM+73E+V-1+9
        DTM+137:20260201:102
        NAD+SU+4012345000009::9
        LOC+162+5412345678915::9
        LIN+1++9521234001010:EN
        QTY+153:3:PCE
    """
    sales = to_canonical(body_edifact("SLSRPT", text)).object
    assert isinstance(sales, SalesReport)
    place = sales.lines[0].place
    assert place is not None
    assert (place.value, sales.lines[0].quantities[0].kind) == ("5412345678915", "sold")
    text = """
        BGM+9+P-1+9
        DTM+137:20260201:102
        NAD+SU+4012345000009::9
        CUX+2:EUR:8
        PGI+11
        LIN+1+1+9521234001010:EN
        IMD+F++:::Lantern
        QTY+53:6:PCE
        PRI+AAB:9.5
    """
    catalogue = to_canonical(body_edifact("PRICAT", text)).object
    assert isinstance(catalogue, PriceCatalogue)
    (line,) = catalogue.lines
    assert (line.action, line.minimum, line.prices[0].kind, line.prices[0].amount) == ("add", 6, "gross", eur("9.5"))


def test_iftsta_keeps_the_carriers_codes() -> None:
    text = """
        BGM+44+T-1+9
        DTM+137:20260201:102
        NAD+CA+UPS::182
        CNI+1+1Z999
        STS+1+21
        DTM+334:202602011015:203
        LOC+5+BEANR::6
    """
    found = to_canonical(body_edifact("IFTSTA", text)).object
    assert isinstance(found, TransportStatus)
    (event,) = found.consignments[0].events
    assert (found.consignments[0].number, event.status, event.places[0].code) == ("1Z999", "edifact:21", "BEANR")
    assert event.dates[0].kind == "edifact:334"


def test_an_order_changes_its_standard() -> None:
    order = to_canonical(body_edifact("ORDERS", ORDER)).object
    notes: list[Note] = []
    body = from_canonical(order, standard="x12", type="850", version="5010", notes=notes)
    written = to_canonical(again("x12", "850", "5010", body)).object
    assert isinstance(order, PurchaseOrder)
    assert isinstance(written, PurchaseOrder)
    assert {note.element.rpartition(".")[2] for note in notes} == {"on", "function", "basis", "per"}
    assert written.parties[0] == order.parties[0]
    assert written.charges == order.charges
    assert [each.destinations for each in written.lines] == [each.destinations for each in order.lines]
    assert written.lines[0].ids == order.lines[0].ids
    assert written.date(DateKind.DELIVER_ON) == order.date(DateKind.DELIVER_ON)


def test_a_ship_notice_changes_its_standard() -> None:
    asn = to_canonical(body_edifact("DESADV", DESADV)).object
    notes: list[Note] = []
    body = from_canonical(asn, standard="x12", type="856", version="4010", notes=notes)
    assert isinstance(asn, Asn)
    tags = [f"{each.get(3)}" for each in body.walk() if each.tag == "HL"]
    assert tags == ["S", "O", "T", "P", "I", "O", "T", "P", "I", "P", "P"]
    x12 = to_canonical(again("x12", "856", "4010", body)).object
    assert isinstance(x12, Asn)
    assert [each.sscc for each in x12.units] == [each.sscc for each in asn.units]
    assert {each.order for each in x12.units[0].units[0].items} == {"PO-1", "PO-2"}
    assert [each.id_of("gtin") for each in x12.units[0].units[0].items] == ["9521234001010", "9521234001027"]
    assert next(each.get(2) for each in body.walk() if each.tag == "LIN") == "EN"
    assert [str(each) for each in notes] == ["levels[0].dates[0].on has no place"], "X12 has no best-before date"


def test_every_document_of_x12_that_edifact_has_is_written_there() -> None:
    order = body_x12("850", "BEG*00*SA*PO-1**20260131\nPO1*1*1*EA*2.5**UP*614141000036")
    body = from_canonical(to_canonical(order).object, standard="edifact", type="ORDERS", version="01B")
    line = next(each for each in body.walk() if each.tag == "LIN")
    assert line.elements == ["1", "", ["614141000036", "SRV"]]
