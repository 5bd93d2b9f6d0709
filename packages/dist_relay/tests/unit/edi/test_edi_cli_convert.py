"""``convert``: documents to canonical JSON and back, across standards, with a partner's settings."""

from __future__ import annotations

import json

import pytest
from overlay_samples import ORDER, ORDERS, changed
from test_edi_cli import Run

from dist_relay.edi import Message, read
from dist_relay.edi.overlay import profile

AT = ("--at", "2026-03-01T12:31")


def first(data: str) -> Message:
    return next(next(read(data.encode())).messages())


def bodies(data: bytes) -> list[list[str]]:
    return [each.raw_segments() for interchange in read(data) for each in interchange.messages()]


def test_a_document_becomes_json_and_the_same_document_again(tmp_path):
    run = Run("convert", "-", stdin=ORDER)
    assert (run.status, run.error) == (0, "")
    found = json.loads(run.out)
    assert found["type"] == "purchase_order.v1"
    assert found["document"]["number"] == "4711"
    assert found["source"]["sender"] == {"id": "SHOP", "qualifier": "ZZ"}
    assert found["notes"] == []
    back = Run("convert", "-", "--to", "x12", *AT, "--control", 7, stdin=run.out.encode())
    assert (back.status, back.error) == (0, "")
    assert bodies(back.out.encode()) == bodies(ORDER)
    assert first(back.out).status == "valid"


def test_json_lines_lists_and_single_objects_are_taken(tmp_path):
    lines = Run("convert", "--json", "-", stdin=ORDER + ORDERS).out
    objects = [json.loads(each) for each in lines.splitlines()]
    assert [each["source"]["type"] for each in objects] == ["850", "ORDERS"]
    for text in (lines, json.dumps(objects), "\ufeff \n" + "\n".join(json.dumps(each, indent=1) for each in objects)):
        again = Run("convert", "--json", "-", stdin=text.encode())
        assert [json.loads(each)["document"] for each in again.out.splitlines()] == [
            each["document"] for each in objects
        ]


def test_across_standards_and_versions():
    small = changed(ORDER, (b"REF*DP*12~", b""), (b"SE*7", b"SE*6"))
    run = Run("convert", "-", "--to", "edifact", "--version", "01B", *AT, stdin=small)
    assert (run.status, run.error) == (0, "")
    message = first(run.out)
    assert (message.type, message.version, message.status) == ("ORDERS", "01B", "valid")
    back = Run("convert", "-", "--to", "x12", "--version", "5010", *AT, stdin=run.out.encode())
    assert (first(back.out).version, first(back.out).status) == ("5010", "valid")
    assert next(read(back.out.encode())).version == "00501"


def test_what_has_no_place_is_refused_or_said(tmp_path):
    data = changed(ORDER, (b"REF*DP*12~", b"REF*DP*12~PER*OC*Ann*EM*ann@shop.example~"), (b"SE*7", b"SE*8"))
    run = Run("convert", "-", "--to", "edifact", stdin=data)
    assert (run.status, run.out) == (2, "")
    assert "has no place for contacts[0]" in run.error
    assert "; with --lossy it is written without them\n" in run.error
    lossy = Run("convert", "-", "--to", "edifact", "--lossy", stdin=data)
    assert lossy.status == 1
    assert "left out: contacts[0].email has no place" in lossy.error
    assert first(lossy.out).status == "valid"


def test_parties_come_from_the_command_line_the_overlay_or_the_document(tmp_path):
    (tmp_path / "acme.toml").write_text(
        '[x12]\nsender = {id = "US", qualifier = "12"}\nversion = "005010VICS"\nline_end = "lf"\ntest = true\n'
    )
    text = Run("convert", "-", stdin=ORDER).out.encode()
    plain = next(read(Run("convert", "-", "--to", "x12", stdin=text).out.encode()))
    assert (plain.sender, plain.receiver, plain.test) == ("SHOP", "DIST", False)
    partner = ("-p", tmp_path / "acme.toml")
    out = Run("convert", "-", "--to", "x12", *partner, stdin=text).out
    agreed = next(read(out.encode())).drain()
    assert (agreed.sender_qualifier, agreed.sender, agreed.receiver, agreed.test) == ("12", "US", "DIST", True)
    assert (agreed.groups[0].version, out.count("~\n")) == ("005010VICS", out.count("~"))
    given = Run("convert", "-", "--to", "x12", *partner, "--sender", "14:ME", "--receiver", "YOU", stdin=text)
    interchange = next(read(given.out.encode()))
    assert (interchange.sender_qualifier, interchange.sender, interchange.receiver) == ("14", "ME", "YOU")
    nobody = json.loads(text)
    del nobody["source"]
    run = Run("convert", "-", "--to", "x12", stdin=json.dumps(nobody).encode())
    assert (run.status, run.out) == (2, "")
    assert "who is the sender of the interchange" in run.error


def test_groups_are_by_type(tmp_path):
    text = Run("convert", "--json", "-", stdin=ORDER + ORDER).out.encode()
    interchange = next(read(Run("convert", "-", "--to", "x12", stdin=text).out.encode())).drain()
    assert [(each.type, each.messages) for each in interchange.groups] == [("PO", 2)]
    assert interchange.status == "valid"


def test_what_the_mapping_is_told_by_the_overlay(tmp_path):
    using = tmp_path / "acme.json"
    using.write_text(json.dumps({"mapping": {"currency": "CHF", "codes": {"item": {"UP": "supplier"}}}}))
    found = json.loads(Run("convert", "-", "-p", using, stdin=ORDER).out)
    assert found["document"]["currency"] == "CHF"
    assert found["document"]["lines"][0]["ids"][0]["scheme"] == "supplier"


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"currency": "Franc"}, "mapping.currency: a text of at most 3"),
        ({"currency": "chf"}, "mapping.currency: a currency has three letters"),
        ({"zone": "Mars/Olympus"}, "mapping.zone: this zone of times is not known"),
        ({"zone": "../../etc/passwd"}, "mapping.zone: this zone of times is not known"),
        ({"codes": {"itms": {}}}, "mapping.codes.itms: there is no such table; there is"),
        ({"objects": {"850": "Invoice"}}, "mapping.objects.850: this document is none; it may be PurchaseOrder"),
        ({"money": "CHF"}, 'mapping: the key "money" is not known'),
    ],
)
def test_impossible_settings_of_the_mapping(mapping, message):
    with pytest.raises(Exception, match="overlay") as caught:
        profile({"mapping": mapping})
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"type": "purchase_order.v1"', "this is no JSON"),
        (b"[" * 10_000, "this is no JSON"),
        (b'{"type": "letter.v1", "document": {}}', "the type is one of purchase_order.v1"),
        (b"[1]", "a document is"),
        (b'{"type": ["a"], "document": {}}', "a document is"),
        (b'{"type": "purchase_order.v1", "document": {"number": 5}}', "purchase_order.v1: number"),
        (b"{\xff}", "this is no JSON"),
        (b"hello", "no interchange found"),
    ],
)
def test_what_cannot_be_converted_is_said_in_a_sentence(data, message):
    run = Run("convert", "-", "--to", "x12", stdin=data)
    assert (run.status, run.out) == (2, "")
    assert message in run.error
    assert "Traceback" not in run.error


def test_documents_that_are_refused_or_unknown():
    run = Run("convert", "-", stdin=changed(ORDER, (b"BEG*00*SA", b"BEG*00*")))
    assert run.status == 1
    assert "850 0001 is refused: 850 0001, segment 2 BEG, element BEG02" in run.error
    assert json.loads(run.out)["source"]["status"] == "rejected"
    unknown = Run("convert", "-", stdin=ORDER.replace(b"ST*850", b"ST*990"))
    assert (unknown.status, unknown.out) == (2, "")
    assert "there is no mapping of x12 990" in unknown.error
    half = Run("convert", "-", "--to", "x12", stdin=ORDER + ORDER.replace(b"ST*850", b"ST*990"))
    assert (half.status, half.out) == (2, "")
    wrong = Run("convert", "-", "--to", "x12", "--type", "856", stdin=ORDER)
    assert (wrong.status, wrong.out) == (2, "")
    assert "there is no mapping of PurchaseOrder to x12 856" in wrong.error
    version = Run("convert", "-", "--to", "x12", "--version", "D96A", stdin=ORDER)
    assert "a version of x12 is written as in 4010" in version.error


def test_what_an_address_is_is_said_in_the_words_of_the_standard():
    small = changed(ORDER, (b"REF*DP*12~", b""), (b"SE*7", b"SE*6"), (b"*ZZ*SHOP ", b"*01*SHOP "))
    there = Run("convert", "-", "--to", "edifact", stdin=small)
    wire = next(read(there.out.encode()))
    assert (wire.sender_qualifier, wire.receiver_qualifier) == ("1", "ZZZ")
    back = next(read(Run("convert", "-", "--to", "x12", stdin=there.out.encode()).out.encode()))
    assert (back.sender_qualifier, back.receiver_qualifier) == ("01", "ZZ")
