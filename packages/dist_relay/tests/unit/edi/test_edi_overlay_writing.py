"""What an overlay says of writing: delimiters, line breaks, character set, parties, defaults, and its rules."""

from __future__ import annotations

from datetime import datetime

import pytest
from overlay_samples import ORDER, changed

from dist_relay.edi import Document, GroupHeader, Loop, Party, Segment, WriteError, read
from dist_relay.edi.overlay import profile
from dist_relay.edi.overlay.writing import header, writer

AT = datetime(2026, 3, 1, 12, 0)
SEGMENTS = [
    Segment.of("BEG", "00", None, "4711", None, "20260301"),
    Segment.of("N1", "ST", "Store 5"),
    Segment.of("PO1", 1, 10, None, "2.5"),
]
TREE = Loop(
    "", [SEGMENTS[0], Loop("N1", [SEGMENTS[1]]), Loop("PO1", [SEGMENTS[2]]), Loop("CTT", [Segment.of("CTT", "1")])]
)
PARTIES = {"sender": {"id": "DIST", "qualifier": "ZZ"}, "receiver": {"id": "SHOP", "qualifier": "14"}}


def overlay(**x12: object) -> dict[str, object]:
    elements = {"BEG02": {"default": "SA"}, "PO103": {"default": "CA"}, "N103 1=ST": {"default": "92"}}
    elements["N104 1=ST"] = {"default": "0005"}
    return {"name": "acme", "x12": {**PARTIES, **x12}, "documents": {"850": {"elements": elements}}}


def written(using: dict[str, object], body: object = SEGMENTS) -> bytes:
    made = profile(using)
    group = GroupHeader("PO", 1, "004010")
    head = header(made, "x12", 12, AT)
    return writer(made, "x12").interchange(head, [(group, [Document("850", "0001", body)])])


@pytest.mark.parametrize("body", [SEGMENTS, TREE], ids=["segments", "tree"])
def test_defaults_are_filled_in(body):
    message = next(next(read(written(overlay(), body))).messages())
    assert [each.elements for each in message.segments()][:3] == [
        ["00", "SA", "4711", "", "20260301"],
        ["ST", "Store 5", "92", "0005"],
        ["1", "10", "CA", "2.5"],
    ]
    assert SEGMENTS[0].elements[1] == ""


def test_without_the_default_the_document_is_refused():
    with pytest.raises(WriteError, match="BEG02"):
        written({"x12": PARTIES})


def test_parties_test_mark_and_versions():
    interchange = next(read(written(overlay(test=True, acknowledge=True, interchange_version="00403"))))
    assert (interchange.sender, interchange.receiver, interchange.receiver_qualifier) == ("DIST", "SHOP", "14")
    assert (interchange.test, interchange.acknowledgement, interchange.version) == (True, True, "00403")
    with pytest.raises(WriteError, match="who is the sender"):
        header(profile({"x12": {"receiver": {"id": "SHOP"}}}), "x12", 1, AT)
    own = header(profile(overlay()), "x12", 1, AT, sender=Party("OTHER"), version="00501")
    assert (own.sender.id, own.version) == ("OTHER", "00501")


@pytest.mark.parametrize(
    ("x12", "ends"),
    [({"line_end": "crlf"}, b"~\r\n"), ({"line_end": "lf"}, b"~\n"), ({"line_end": "none"}, b"~"), ({}, b"~")],
)
def test_line_breaks(x12, ends):
    data = written(overlay(**x12))
    assert data.count(ends) == 10
    assert data.endswith(ends)


def test_records_of_a_length():
    lines = written(overlay(record=80)).split(b"\r\n")
    assert {len(each) for each in lines[:-2]} == {80}


def test_delimiters():
    data = written(overlay(delimiters={"element": "|", "terminator": "!", "component": "<"}))
    assert data.startswith(b"ISA|00|")
    assert next(next(read(data)).messages()).status == "valid"


def test_the_character_set_that_is_agreed():
    body = [SEGMENTS[0], Segment.of("N1", "ST", "Bäckerei"), SEGMENTS[2]]
    with pytest.raises(WriteError, match="character set"):
        written(overlay(), body)
    assert "Bäckerei".encode("cp1252") in written(overlay(charset="cp1252"), body)


def test_what_the_overlay_forbids_is_not_written():
    forbidden = {**overlay(), "documents": {"850": {"segments": {"REF": "forbidden", "BEG": "required"}}}}
    body = next(next(read(ORDER)).messages()).tree()
    with pytest.raises(WriteError, match="segment REF is not used here with this partner"):
        written(forbidden, body)
    assert next(next(read(written({"x12": PARTIES}, body))).messages()).status == "valid"


def test_what_the_overlay_adds_is_written_and_read_again():
    added = {"x12": PARTIES, "documents": {"850": {"extra": [{"in": "PO1", "segments": "ZA 0..1"}]}}}
    data = changed(ORDER, (b"~CTT*1", b"~ZA*QA*5*EA~CTT*1"), (b"SE*7", b"SE*8"))
    body = next(next(read(data, profile(added))).messages()).tree()
    again = next(next(read(written(added, body), profile(added))).messages())
    assert again.raw_segments() == next(next(read(data)).messages()).raw_segments()
