"""The reader on what senders really do to envelopes, and on input that is made to hurt it."""

from __future__ import annotations

import codecs
import time

import pytest

from dist_relay.edi import Codec, LimitError, Limits, Profile, UnreadableError, read
from dist_relay.edi.finding import Finding

BODY = "BEG*00*SA*4711**20260301~PO1*1*10*EA*9.9**UP*036000291452~CTT*1"
ORDER = "BGM+220+4711+9'DTM+137:20260301:102'NAD+BY+5412345000013::9'LIN+1++5410738000152:EN'QTY+21:12'UNS+S'CNT+2:1'"


def x12(
    body: str = BODY,
    *,
    element: str = "*",
    component: str = ">",
    terminator: str = "~",
    line: str = "",
    version: str = "00401",
    eleventh: str = "U",
    group: str = "004010",
    type_: str = "850",
    functional: str = "PO",
    control: str = "000000042",
    trailer: str = "",
) -> bytes:
    values = ["ISA", "00", " " * 10, "00", " " * 10, "ZZ", f"{'RETAILER':15}", "08", f"{'WAREHOUSE':15}", "260301"]
    header = [*values, "1230", eleventh, version, control, "0", "P", component]
    segments = [segment.split("*") for segment in body.split("~") if segment]
    everything = [
        header,
        ["GS", functional, "RET", "WH", "20260301", "1230", "9", "X", group],
        ["ST", type_, "0001"],
        *segments,
        ["SE", str(len(segments) + 2), "0001"],
        ["GE", "1", "9"],
        ["IEA", "1", trailer or control],
    ]
    return "".join(element.join(each) + terminator + line for each in everything).encode("latin-1")


def edifact(body: str = ORDER, *, una: str = "", syntax: str = "UNOC:3", type_: str = "ORDERS:D:96A:UN") -> bytes:
    count = body.count("'") + 2
    return (
        f"{una}UNB+{syntax}+4012345000009:14+5412345000013:14+260301:1230+42'UNH+1+{type_}'{body}UNT+{count}+1'UNZ+1+42'"
    ).encode("latin-1")


def wrapped(data: bytes, width: int = 80, *, pad: bool = False) -> bytes:
    records = [data[at : at + width] for at in range(0, len(data), width)]
    return b"\r\n".join(each.ljust(width) if pad else each for each in records) + b"\r\n"


def findings(data: bytes, codec: Codec | None = None, piece: int = 1 << 18) -> list[Finding]:
    found: list[Finding] = []
    for interchange in (codec or Codec()).read(data, piece=piece):
        for message in interchange.messages():
            found += message.findings
        found += interchange.findings
    return found


def rules(data: bytes) -> list[str]:
    return [each.rule for each in findings(data)]


CLEAN = {
    "as it should be": x12(),
    "UTF-8 mark": b"\xef\xbb\xbf" + x12(),
    "UTF-16": codecs.BOM_UTF16_LE + x12().decode().encode("utf-16-le"),
    "UTF-16, big": codecs.BOM_UTF16_BE + x12().decode().encode("utf-16-be"),
    "a line each": x12(line="\r\n"),
    "CR LF ends segments": x12(terminator="\r\n"),
    "CR ends segments": x12(terminator="\r"),
    "LF ends segments": x12(terminator="\n"),
    "separators of the control characters": x12(element="\x1d", component="\x1f", terminator="\x1e"),
    "a terminator of two bytes": x12().replace(b"~", "§".encode()),
    "a terminator of Latin-1": x12(terminator="\xa7"),
    "80 columns": wrapped(x12()),
    "80 columns, filled up": wrapped(x12(), pad=True),
    "a mail around it": b"Subject: order\r\n\r\n" + x12() + b"\r\n-- \r\nJohn",
    "zeros behind it": x12() + b"\x00" * 500 + b"\x1a",
    "a newer group": x12(group="005010"),
    "a repetition separator": x12(version="00501", eleventh="^", group="005010"),
    "a U where one is expected": x12(version="00501", group="005010"),
    "only a TA1": x12()[:106] + b"TA1*000000905*260301*1200*A*000~IEA*0*000000042~",
    "nothing in it": x12()[:106] + b"IEA*0*000000042~",
    "EDIFACT": edifact(),
    "UNA": edifact(una="UNA:+.? '\r\n"),
    "other separators": edifact().replace(b"+", b"|").replace(b":", b"^").replace(b"UNB|", b"UNA^|.? 'UNB|", 1),
    "a name with an apostrophe": edifact().replace(b"4012345000009:14", b"O?'NEIL"),
    "a question mark before the separator": edifact().replace(b"260301:1230+42'", b"260301:1230+42+A??'", 1),
    "syntax version 4": edifact(syntax="UNOC:4"),
    "different ones": x12() + x12(element="|", terminator="\n", control="000000043") + edifact() + wrapped(x12()),
}


@pytest.mark.parametrize("name", CLEAN)
def test_what_senders_do_to_good_documents_is_no_fault(name):
    assert findings(CLEAN[name]) == []


@pytest.mark.parametrize("name", CLEAN)
def test_where_pieces_end_changes_nothing(name):
    whole = seen(CLEAN[name], 1 << 18)
    for piece in (1, 2, 3, 7, 64, 105, 106, 107):
        assert seen(CLEAN[name], piece) == whole, piece


def seen(data: bytes, piece: int) -> list[object]:
    found: list[object] = []
    for interchange in Codec().read(data, piece=piece):
        messages = [(message.type, message.raw_segments(), message.status) for message in interchange.messages()]
        found.append((interchange.control, interchange.delimiters, messages, [each.rule for each in interchange.notes]))
    return found


FAULTY = {
    "no ISA": (x12()[106:], "envelope.missing"),
    "no IEA": (x12().replace(b"IEA*1*000000042~", b""), "envelope.missing"),
    "no UNB": (edifact()[edifact().index(b"UNH") :], "envelope.missing"),
    "no UNZ": (edifact().replace(b"UNZ+1+42'", b""), "envelope.missing"),
    "another IEA02": (x12(trailer="000000043"), "envelope.reference"),
    "a group of invoices": (x12(functional="IN"), "envelope.group"),
    "something behind SE": (x12().replace(b"GE*1", b"REF*DP*1~GE*1"), "envelope.stray"),
    "a huge count": (x12().replace(b"SE*5", b"SE*" + b"9" * 30), "envelope.count"),
    "short ISA06": (x12().replace(b"RETAILER       ", b"RETAILER"), "envelope.width"),
    "the same separator twice": (x12(component="*"), "envelope.delimiters"),
    "a message twice": (
        x12().replace(b"GE*1", x12()[x12().index(b"ST*") : x12().index(b"GE*")] + b"GE*2"),
        "envelope.duplicate",
    ),
    "an empty message": (x12(""), "segment.missing"),
}


@pytest.mark.parametrize("name", FAULTY)
def test_what_is_wrong_with_an_envelope_is_said(name):
    data, rule = FAULTY[name]
    assert rule in rules(data)


BINARY = b"BIN*20*ab~cd~IEA*0*1~SE*3~~"


@pytest.mark.parametrize("line", ["", "\n", "\r\n"])
@pytest.mark.parametrize("piece", [1, 50, 200, 1 << 18])
def test_binary_data_may_hold_terminators_and_trailers(line, piece):
    data = x12("EFI*1", type_="841", line=line).replace(b"SE*3", BINARY + b"~" + line.encode() + b"SE*4", 1)
    interchange = next(Codec().read(data, piece=piece))
    (message,) = interchange.messages()
    assert message.raw_segments() == ["EFI*1", BINARY.decode()]
    assert (message.findings, interchange.drain().findings) == ([], [])


def test_binary_data_may_be_longer_than_a_segment():
    data = b"x" * (2 * Limits().segment)
    made = x12("EFI*1", type_="841").replace(b"SE*3", b"BIN*%d*%s~SE*4" % (len(data), data), 1)
    assert findings(made) == []
    assert findings(made.replace(b"BIN*", b"~\r\n BIN*"), piece=1_000) == []


@pytest.mark.parametrize("tail", [b"BIN*x*abc", b"BIN*30*abc", b"BIN", b"BIN*"])
def test_binary_data_that_is_cut_off_ends_the_reading(tail):
    data = x12("EFI*1", type_="841")
    assert "envelope.missing" in rules(data[: data.index(b"SE*")] + tail)


def test_many_binary_segments_cost_no_more_than_others():
    head = x12("EFI*1", type_="841")
    head = head[: head.index(b"SE*")]
    begin = time.process_time()
    findings(head + b"BIN*1*x~REF*ZZ*1~" * 60_000)
    assert time.process_time() - begin < 15  # about 1 second; what is read ahead copied for each: a minute


GS = b"GS*PO*RET*WH*20260301*1230*9*X*004010~"
HOSTILE = {
    "groups": (x12()[:106] + GS * 30, Limits(groups=20), "more than 20 groups"),
    "messages": (x12()[:106] + GS + b"ST*850*1~" * 30, Limits(messages=20), "more than 20 messages"),
    "versions": (
        x12()[:106] + b"".join(GS.replace(b"004010", b"%06d" % at) + b"ST*850*1~" for at in range(30)),
        Limits(kinds=20),
        "more than 20 types, versions and delimiters",
    ),
    "delimiters": (
        b"".join(x12(element=chr(33 + at)) for at in range(12)),
        Limits(kinds=10),
        "more than 10 types, versions and delimiters",
    ),
    "a long header": (x12()[:106] + GS[:-1] + b"*" + b"x" * 3_000 + b"~", Limits(), "the segment GS has 30"),
    "a long trailer": (x12().replace(b"SE*5", b"SE*5" + b"5" * 3_000), Limits(), "the segment SE has 30"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_would_be_kept_or_built_without_end_is_refused(name):
    data, limits, text = HOSTILE[name]
    with pytest.raises(LimitError, match=text):
        findings(data, Codec(Profile(limits=limits)))


def test_a_segment_of_countless_elements_is_one_finding():
    for segment in ("PO1" + "*" * 3_000 + "1", "PO1*1*1*EA*" + ">1" * 3_000):
        (found,) = findings(x12(f"BEG*00*SA*4711**20260301~{segment}~CTT*1"))
        assert (found.rule, found.segment, found.expected) == ("element.extra", "PO1", "at most 2000")


def test_findings_of_groups_are_bounded_together():
    data = x12()[:106] + b"GS*PO~" * 1_000 + b"IEA*1000*000000042~"
    (interchange,) = (each.drain() for each in Codec(Profile(limits=Limits(findings=50))).read(data))
    kept = [finding for group in interchange.groups for finding in group.findings]
    assert (len(interchange.groups), interchange.status) == (1_000, "rejected")
    assert 50 <= len(kept) <= 100
    assert sum(group.report.more for group in interchange.groups) > 6_000


def test_a_long_wrong_value_is_not_kept_whole():
    (found,) = findings(x12(BODY.replace("4711", "4" * 100_000)))
    assert found.rule == "element.long"
    assert len(found.value) == 256
    assert "100000 characters" in found.message


@pytest.mark.parametrize("data", [b"", b" \r\n", b"hello ST", x12()[:60], x12().decode().encode("utf-16-le")])
def test_what_is_no_interchange_is_unreadable(data):
    with pytest.raises(UnreadableError):
        list(read(data))
