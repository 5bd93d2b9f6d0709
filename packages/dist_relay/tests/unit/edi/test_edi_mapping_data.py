"""The mapping files and tables as data: all parse, their words are those of the canonical vocabulary, their codes those
of the grammars."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import pytest

from dist_contracts import AcknowledgementStatus, trade
from dist_contracts.trade import billing, goods, order, reports
from dist_relay.edi.errors import GrammarError
from dist_relay.edi.grammar.registry import default
from dist_relay.edi.mapping import notation, tables
from dist_relay.edi.mapping.convert import CONVERTERS
from dist_relay.edi.mapping.functions import FUNCTIONS
from dist_relay.edi.mapping.model import Field, Mapping, Node
from dist_relay.edi.mapping.shapes import SHAPES

STANDARDS = ("x12", "edifact")
WORDS: dict[str, type[Enum]] = {
    "purpose": trade.Purpose,
    "order_status": trade.Purpose,
    "order_kind": order.OrderKind,
    "party": trade.PartyRole,
    "party_id": trade.PartyScheme,
    "reference": trade.ReferenceKind,
    "document": trade.ReferenceKind,
    "date": trade.DateKind,
    "date_g62": trade.DateKind,
    "item": trade.ItemScheme,
    "price": trade.PriceKind,
    "direction": trade.ChargeDirection,
    "charge": trade.ChargeKind,
    "freight": trade.FreightPayment,
    "note": trade.NoteKind,
    "quantity": trade.QuantityKind,
    "activity": trade.QuantityKind,
    "measure": trade.MeasureKind,
    "line_action": trade.LineAction,
    "answer_reason": order.AnswerReason,
    "order_answer": order.OrderAnswer,
    "item_status": goods.ItemStatus,
    "line_status": goods.ItemStatus,
    "invoice_kind": billing.InvoiceKind,
    "method": billing.PaymentMethod,
    "adjustment": billing.AdjustmentReason,
    "discrepancy": goods.DiscrepancyKind,
    "stock_reason": reports.StockReason,
    "return_kind": reports.ReturnKind,
    "return_reason": reports.ReturnReason,
}
ELEMENTS = {
    "x12": {
        "purpose": "353", "order_kind": "92", "party": "98", "party_id": "66", "reference": "128", "date": "374",
        "date_g62": "432", "item": "235", "price": "236", "charge": "1300", "freight": "146", "quantity": "673",
        "activity": "859", "measure": "738", "line_action": "670", "answer": "668", "line_status": "668",
        "order_answer": "587", "item_status": "368", "invoice_kind": "640", "method": "591", "adjustment": "426",
        "stock_reason": "181", "uom": "355", "weight_unit": "188",
    },
    "edifact": {
        "purpose": "1225", "order_kind": "1001", "party": "3035", "party_id": "3055", "reference": "1153",
        "date": "2005", "item": "7143", "price": "5125", "charge": "7161", "note": "4451", "quantity": "6063",
        "measure": "6313", "answer": "1229", "answer_reason": "4221", "discrepancy": "4221", "order_answer": "4343",
        "invoice_kind": "1001", "document": "1001", "method": "4461", "adjustment": "4465", "stock_reason": "4499",
        "return_kind": "1225",
    },
}  # fmt: skip


BESIDE = {"12"}
"""Codes of the standard that the grammars leave out: 2005 terms discount due."""


def mappings() -> Iterator[Mapping]:
    for standard in STANDARDS:
        for names in notation.available(standard).values():
            for name in names:
                yield notation.load(standard, name)


def nodes(found: list[Node]) -> Iterator[Node]:
    for node in found:
        yield node
        yield from nodes(node.children)


def fields() -> Iterator[tuple[Mapping, Node, Field]]:
    for mapping in mappings():
        for node in nodes(mapping.nodes):
            for field in node.fields:
                yield mapping, node, field


def test_mappings_name_what_there_is() -> None:
    count = 0
    for mapping in mappings():
        count += 1
        assert issubclass(getattr(trade, mapping.model), trade.TradeDocument)
        assert not mapping.shape or mapping.shape in SHAPES
        assert default().find(mapping.standard, mapping.type, "5010" if mapping.standard == "x12" else "01B")
        for node in nodes(mapping.nodes):
            assert not node.function or node.function in FUNCTIONS
    assert count >= 32


def test_fields_name_converters_and_tables_that_there_are() -> None:
    for mapping, node, field in fields():
        where = f"{mapping.standard} {mapping.name} line {field.line} ({node.tag})"
        known = tables.load(mapping.standard)
        if field.kind in ("pairs", "comps"):
            assert field.converter in known, where
        elif field.kind == "take":
            assert field.converter in CONVERTERS, where
            if field.converter in ("word", "dated"):
                assert field.arguments[0] in known, where


def test_every_segment_is_in_the_grammar_with_the_elements_that_are_mapped() -> None:
    for mapping, node, field in fields():
        segments = default().dictionary(mapping.standard)
        versions = ("5010", "4010") if mapping.standard == "x12" else ("01B", "96A")
        types = [found for each in versions if (found := segments.segment(node.tag, each))]
        assert types, f"{mapping.name}: {node.tag}"
        last = max((element for element, _ in field.places), default=0)
        assert last <= max(len(each.uses) for each in types), f"{mapping.name} {node.tag} line {field.line}"


@pytest.mark.parametrize("standard", STANDARDS)
def test_words_of_tables_are_canonical(standard: str) -> None:
    found = tables.load(standard)
    for name, table in found.items():
        for word in table.codes:
            if name == "answer":
                status, _, reason = word.partition("/")
                assert AcknowledgementStatus(status)
                assert not reason or order.AnswerReason(reason)
            elif name in ("uom", "weight_unit"):
                assert re.fullmatch(r"[A-Z0-9]{2,3}", word)
            elif name == "packaging":
                assert re.fullmatch(r"[A-Z0-9]{2}", word)
            elif name not in ("tax", "gtin") and word != "-":
                assert WORDS[name](word), f"{standard} {name}"


@pytest.mark.parametrize("standard", STANDARDS)
def test_codes_of_tables_are_in_the_grammar(standard: str) -> None:
    known = tables.load(standard)
    for name, number in ELEMENTS[standard].items():
        listed = {code for version in ("4010", "5010", "96A", "01B") for code in codes(standard, number, version)}
        missing = [code for code in known[name].words if code and code not in listed | BESIDE]
        assert missing == [], f"{standard} {name}"


def codes(standard: str, number: str, version: str) -> set[str]:
    element = default().dictionary(standard).element(number, version)
    return set(element.codes) if element else set()


def test_units_are_the_same_in_both_standards() -> None:
    x12, edifact = (tables.load(each)["uom"] for each in STANDARDS)
    shared = {"C62", "XCS", "XCT", "XBX", "XPK", "XPX", "XBG", "XRO"}
    assert shared <= set(x12.codes)
    assert shared <= set(edifact.codes)
    assert x12.codes["C62"] == "EA"
    assert edifact.codes["C62"] == "PCE"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("850 PurchaseOrder\nBEG\n  1 purpose\n   2 kind\n", "indentation"),
        ("850 PurchaseOrder\nBEG\n  x purpose\n", "'x' is no element"),
        ("850 PurchaseOrder\nBEG sometimes\n  1 purpose\n", "'sometimes' is not understood"),
        ("850 PurchaseOrder\nBEG\n  REF\n    1 purpose\n", "a loop holds segments"),
        ("850 PurchaseOrder\nloop N1 each parties\n  1 name\n", "a loop holds segments"),
        ("850 PurchaseOrder\ninclude nothing\n", "'nothing' cannot be included"),
        ("850 PurchaseOrder\nBEG\n  1 Purpose\n", "'Purpose' is no path"),
        ("850 PurchaseOrder\nBEG\n  1 purpose\n    2 kind\n", "an element holds nothing"),
    ],
)
def test_mistakes_in_mapping_files_are_said(
    text: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x12").mkdir()
    (tmp_path / "x12" / "850.txt").write_text(text)
    monkeypatch.setattr(notation, "HERE", tmp_path)
    with pytest.raises(GrammarError, match=problem):
        notation.load.__wrapped__("x12", "850")


@pytest.mark.parametrize("name", ["999", "../x12/850", "", "party"])
def test_what_is_no_mapping_is_not_loaded(name: str) -> None:
    with pytest.raises(GrammarError):
        notation.load.__wrapped__("x12", name)
