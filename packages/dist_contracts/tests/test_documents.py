"""Trading documents: every valid one survives the wire, and what is inconsistent is refused."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal

import jsonschema
import pytest
from documents import documents
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dist_contracts import Contract, Money, explain
from dist_contracts.documents import DOCUMENTS
from dist_contracts.schema import schema_of
from dist_contracts.trade import (
    Asn,
    Dated,
    DateKind,
    DespatchItem,
    ItemId,
    ItemScheme,
    LogisticUnit,
    Lot,
    Party,
    PartyRole,
    Price,
    PurchaseLine,
    PurchaseOrder,
    Reference,
    ReferenceKind,
    TradeDocument,
    UnitKind,
)


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_every_document_survives_the_wire_and_satisfies_its_schema(name: str) -> None:
    model = DOCUMENTS[name]
    validator = jsonschema.Draft202012Validator(schema_of(name))

    @settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(documents(model, depth=3))
    def run(whole: Contract) -> None:
        data = whole.to_json()
        assert model.from_json(data) == whole
        assert model.read(data | {"of_a_newer_release": 1}) == (whole, ("of_a_newer_release",))
        validator.validate(data)

    run()


def test_all_documents_share_one_vocabulary() -> None:
    for model in DOCUMENTS.values():
        assert issubclass(model, TradeDocument)
        assert model.model_fields["parties"].annotation == tuple[Party, ...]
        assert model.model_fields["references"].annotation == tuple[Reference, ...]


def refused(build: type[Contract], **fields: object) -> str:
    with pytest.raises(ValidationError) as caught:
        build(**fields)
    return explain(caught.value)


def test_a_date_stays_a_day_and_a_moment_becomes_utc() -> None:
    tree = {"kind": "ship_by", "on": "2026-01-31"}
    day = Dated.from_json(tree)
    assert day.on == date(2026, 1, 31)
    assert day.to_json() == tree
    moment = Dated.from_json({"kind": "ship_by", "on": "2026-01-31T14:00:00+02:00"})
    assert moment.on == datetime(2026, 1, 31, 12, 0, tzinfo=timezone.utc)
    with pytest.raises(ValidationError):
        Dated.from_json({"kind": "ship_by", "on": "2026-01-31T14:00:00"})
    assert "timezone" in refused(Dated, kind=DateKind.SHIP_BY, on=datetime(2026, 1, 31))


def test_an_open_vocabulary_takes_the_standards_own_code_and_nothing_else() -> None:
    assert Party(role="edifact:AB").role == "edifact:AB"
    assert Party.from_json({"role": "ship_to"}).role is PartyRole.SHIP_TO
    for wrong in ("shipto", "x12:", "ubl:Z", "x12:A B"):
        assert "role" in refused(Party, role=wrong)


def test_a_document_speaks_one_currency() -> None:
    def line(currency: str) -> PurchaseLine:
        return PurchaseLine(quantity=Decimal(1), prices=(Price(amount=Money(amount=Decimal(2), currency=currency)),))

    assert PurchaseOrder(number="1", currency="EUR", lines=(line("EUR"),)).lines[0].prices[0].amount.currency == "EUR"
    assert "lines[1].prices[0].amount is in USD, the document in EUR" in refused(
        PurchaseOrder, number="1", currency="EUR", lines=(line("EUR"), line("USD"))
    )


def test_units_nest_and_items_say_their_order() -> None:
    item = DespatchItem(order="4500", quantity=Decimal(12), lots=(Lot(lot="L1"),))
    carton = LogisticUnit(sscc="006141411234567890", items=(item,))
    pallet = LogisticUnit(kind=UnitKind.PALLET, units=(carton, carton))
    asn = Asn(number="A1", units=(pallet,))
    assert asn.units[0].units[1].items[0].order == "4500"
    assert "sscc" in refused(LogisticUnit, sscc="123")
    assert "a lot needs" in refused(Lot, quantity=Decimal(1))


@given(st.sampled_from([None, "A", "B"]))
def test_lookups_give_the_first_or_nothing(value: str | None) -> None:
    references = (Reference(kind=ReferenceKind.CONTRACT, value=value),) if value else ()
    order = PurchaseOrder(
        number="1",
        references=references,
        parties=(Party(role=PartyRole.SHIP_TO, name="Dock"),),
        dates=(Dated(kind=DateKind.SHIP_BY, on=date(2026, 1, 1)), Dated(kind=DateKind.SHIP_BY, on=date(2026, 2, 1))),
    )
    assert order.reference(ReferenceKind.CONTRACT) == value
    found = order.party(PartyRole.SHIP_TO)
    assert found is not None
    assert found.name == "Dock"
    assert order.party("supplier") is None
    assert order.date(DateKind.SHIP_BY) == date(2026, 1, 1)
    line = PurchaseLine(ids=(ItemId(scheme=ItemScheme.BUYER, value="77"),))
    assert line.id_of(ItemScheme.BUYER) == "77"
    assert line.id_of("gtin") is None
