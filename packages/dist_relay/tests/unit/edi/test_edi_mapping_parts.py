"""The small parts of mappings: times, numbers, texts, units, codes of a partner, and what is noted."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime, timezone
from decimal import Decimal

import pytest
from mapping_support import body_edifact, body_x12

from dist_contracts.trade import Dated, DateKind, InvoiceLine, Note, PurchaseOrder
from dist_relay.edi import WriteError
from dist_relay.edi.errors import MappingError
from dist_relay.edi.mapping import MappingProfile, from_canonical, to_canonical
from dist_relay.edi.mapping import Note as MappingNote
from dist_relay.edi.mapping.context import DEFAULT, Context, Problem
from dist_relay.edi.mapping.convert import CONVERTERS, lines_of

BEG = "BEG*00*SA*PO-1**20260131"
LINE = "PO1*1*1*EA***UP*614141000036"


def converted(name: str, *texts: str, arguments: tuple[str, ...] = (), standard: str = "x12") -> list[object]:
    return CONVERTERS[name].read(texts, arguments, Context(standard, "5010", DEFAULT))


@pytest.mark.parametrize(
    ("texts", "moment"),
    [
        (("20260131", "", ""), "2026-01-31"),
        (("260131", "", ""), "2026-01-31"),
        (("991231", "", ""), "1999-12-31"),
        (("20260131", "1530", ""), "2026-01-31T15:30:00Z"),
        (("20260131", "153045", "ES"), "2026-01-31T20:30:45Z"),
        (("20260731", "1530", "ET"), "2026-07-31T19:30:00Z"),
        (("20260131", "1530", "02"), "2026-01-31T13:30:00Z"),
        (("20260131", "1530", "20"), "2026-01-31T20:30:00Z"),
    ],
)
def test_x12_times(texts: tuple[str, ...], moment: str) -> None:
    assert converted("stamp", *texts) == [moment]


@pytest.mark.parametrize(
    ("text", "form", "begin", "end"),
    [
        ("20260131", "102", "2026-01-31", None),
        ("260131", "101", "2026-01-31", None),
        ("310126", "2", "2026-01-31", None),
        ("202601311530", "203", "2026-01-31T15:30:00Z", None),
        ("20260131153045", "204", "2026-01-31T15:30:45Z", None),
        ("202601311530CET", "303", "2026-01-31T14:30:00Z", None),
        ("2026013120260228", "718", "2026-01-31", "2026-02-28"),
        ("20260131-20260228", "718", "2026-01-31", "2026-02-28"),
        ("20260131", "", "2026-01-31", None),
    ],
)
def test_edifact_times(text: str, form: str, begin: str, end: str | None) -> None:
    assert converted("dtm", text, form, standard="edifact") == [begin, end]


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("day", ("20260230",)),
        ("day", ("00040713",)),
        ("stamp", ("20260131", "2560")),
        ("stamp", ("20260131", "12", "")),
        ("stamp", ("20260131", "1200", "QQ")),
        ("dtm", ("202605", "610")),
        ("dtm", ("2026013", "102")),
        ("dtm", ("٢٠٢٦٠١٣١", "102")),
        ("number", ("1.2.3",)),
        ("number", ("1E400",)),
        ("number", ("99999999999999999",)),
        ("number", ("0.12345678",)),
        ("number", ("NaN",)),
        ("country", ("Belgium",)),
        ("sscc", ("123",)),
        ("code", ("a b",)),
    ],
)
def test_what_is_none_is_a_problem_and_nothing_else(name: str, texts: tuple[str, ...]) -> None:
    with pytest.raises(Problem):
        converted(name, *texts)


@pytest.mark.parametrize(
    ("text", "number"), [("10,50", "10.5"), ("007", "7"), ("-3", "-3"), (".5", "0.5"), ("1E2", "100"), ("-0", "0")]
)
def test_numbers_become_plain(text: str, number: str) -> None:
    assert converted("number", text) == [number]


def test_implied_decimals() -> None:
    assert converted("implied", "1250", arguments=("2",)) == ["12.5"]
    assert converted("implied", "-5", arguments=("2",)) == ["-0.05"]


def test_lines_break_at_blanks() -> None:
    assert lines_of("one two\nthree", 5) == ["one", "two", "three"]
    assert lines_of("abcdefgh", 3) == ["abc", "def", "gh"]
    assert lines_of("  \n", 3) == []


def test_a_period_of_x12() -> None:
    order = to_canonical(body_x12("850", f"{BEG}\nDTM*582****RD8*20260101-20260131\n{LINE}")).object
    assert order.dates == (Dated(kind=DateKind.PERIOD, on=date(2026, 1, 1), until=date(2026, 1, 31)),)
    body = from_canonical(order, standard="x12", type="850", version="4010")
    dtm = body.first("DTM")
    assert dtm is not None
    assert dtm.elements == ["582", "", "", "", "RD8", "20260101-20260131"]


def test_what_is_not_understood_is_noted_with_its_place() -> None:
    text = f"BEG*00*SA*PO-1**20260131**AC\nREF*IA*7\nREF*ZZ**only text\nCSH*N\n{LINE}\nQTY*01*5*EA"
    notes = to_canonical(body_x12("850", text)).notes
    assert [(each.rule, each.segment, each.position, each.value) for each in notes] == [
        ("mapping.element", "BEG", 2, "AC"),
        ("mapping.segment", "REF", 4, "REF*ZZ**only text"),
        ("mapping.segment", "CSH", 5, "CSH*N"),
        ("mapping.segment", "QTY", 7, "QTY*01*5*EA"),
    ]
    assert str(notes[0]) == "segment 2 BEG: BEG07 'AC': is not mapped"


def test_a_value_that_cannot_be_read_is_noted_and_its_unit_is_not_guessed() -> None:
    text = f"{BEG}\nPO1*1*1*XX*1.12345678**UP*614141000036"
    result = to_canonical(body_x12("850", text))
    assert isinstance(result.object, PurchaseOrder)
    assert result.object.lines[0].uom == "ZZ"
    assert [(each.rule, each.segment, each.element) for each in result.notes] == [
        ("mapping.code", "PO1", "PO103"),
        ("mapping.value", "PO1", "PO104"),
    ]


def test_a_document_without_what_every_object_needs_is_an_error() -> None:
    message = body_edifact("ORDERS", "BGM+220+PO-1+9\nDTM+137:20260131:102\nUNS+S")
    for item in message.tree().items:
        assert item
    message.record = [each for each in message.record or [] if not each[0].startswith("BGM")]
    with pytest.raises(MappingError, match="ORDERS is no PurchaseOrder: number"):
        to_canonical(message)


def test_what_has_no_place_is_an_error_or_a_note() -> None:
    order = PurchaseOrder(number="1", notes=(Note(text="Hello", kind="edifact:QQD"),))
    with pytest.raises(WriteError, match=r"850 has no place for notes\[0\]\.kind"):
        from_canonical(order, standard="x12", type="850", version="4010")
    notes: list[MappingNote] = []
    from_canonical(order, standard="x12", type="850", version="4010", notes=notes)
    assert [(each.rule, each.element) for each in notes] == [("mapping.unwritten", "notes[0].kind")]


def test_documents_without_a_mapping_are_refused() -> None:
    order = PurchaseOrder(number="1")
    with pytest.raises(MappingError, match="no mapping of PurchaseOrder to x12 810"):
        from_canonical(order, standard="x12", type="810", version="4010")
    message = body_x12("850", f"{BEG}\n{LINE}")
    with pytest.raises(MappingError, match="no mapping of x12 850 to Invoice"):
        to_canonical(message, MappingProfile(objects={"850": "Invoice"}))


def test_a_partner_uses_codes_and_a_zone_of_his_own() -> None:
    partner = MappingProfile(zone="America/Chicago", codes={"item": {"SK": "supplier"}})
    text = f"{BEG}\nDTM*010*20260131*1200\nPO1*1*1*EA***SK*V-7"
    order = to_canonical(body_x12("850", text), partner).object
    assert isinstance(order, PurchaseOrder)
    assert order.lines[0].id_of("supplier") == "V-7"
    assert order.dates[0].on == datetime(2026, 1, 31, 18, 0, tzinfo=timezone.utc)
    body = from_canonical(order, standard="x12", type="850", version="4010", profile=partner)
    line = next(each for each in body.walk() if each.tag == "PO1")
    assert line.elements[5:] == ["SK", "V-7"]
    late = order.model_copy(update={"issued": datetime(2026, 2, 1, 3, 0, tzinfo=timezone.utc)})
    beg = from_canonical(late, standard="x12", type="850", version="4010", profile=partner).first("BEG")
    assert beg is not None
    assert beg.get(5) == "20260131"


def test_a_long_note_takes_several_segments() -> None:
    order = PurchaseOrder(number="1", notes=(Note(text="word " * 100),))
    body = from_canonical(order, standard="edifact", type="ORDERS", version="96A")
    texts = [each for each in body.walk() if each.tag == "FTX"]
    assert len(texts) == 2
    assert all(len(line) <= 70 for each in texts for line in each.elements[3])


def test_gtins_are_written_by_their_length() -> None:
    message = body_x12("850", f"{BEG}\nPO1*1*1*EA***EN*4006381333931\nPO1*2*1*EA***UK*10614141000033")
    order = to_canonical(message).object
    body = from_canonical(order, standard="x12", type="850", version="4010")
    assert [each.get(6) for each in body.walk() if each.tag == "PO1"] == ["EN", "UK"]


def test_an_invoice_line_may_be_negative() -> None:
    assert InvoiceLine(quantity=Decimal(-2)).quantity == -2


def test_the_codec_does_not_load_the_objects() -> None:
    code = "import sys, dist_relay.edi, dist_relay.edi.mapping; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
