"""Read, then write: the same bytes but for line breaks and what was reported as wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dist_relay.edi import Codec, Finding, Layout, WriteError, read, rewrite
from dist_relay.edi.delimiters import EDIFACT, X12

FIXTURES = sorted((Path(__file__).parents[2] / "fixtures" / "edi").glob("*/*/*/*/*.edi"))
CORPUS = sorted((Path(__file__).parents[6] / "shared" / "edi_corpus").glob("*/*/*"))
REPAIRED = {"envelope.count", "envelope.reference", "envelope.missing", "envelope.stray"}
"""Faults that are put right, or whose text is left out, so that the bytes must differ."""
DROPPED = {"envelope.bom", "envelope.leading", "envelope.trailing", "envelope.blanks", "envelope.empty"}
"""What the reader notes and does not keep."""

ISA = "ISA*00*          *00*          *ZZ*S              *ZZ*R              *260301*1230*{}*{}*000000042*0*P*>~"


def written(data: bytes, **options) -> tuple[bytes, list[Finding], str]:
    """What is written again, all findings and notes, and the terminator."""
    out: list[bytes] = []
    found: list[Finding] = []
    terminator = ""

    def watched(messages):
        for message in messages:
            found.extend(message.findings + message.notes)
            yield message

    for interchange in Codec().read(data):
        terminator = interchange.delimiters.terminator
        interchange.stream = watched(interchange.messages())
        out.append(b"".join(rewrite(interchange, **options)))
        found += interchange.findings + interchange.notes
    return b"".join(out), found, terminator


def joined(data: bytes, terminator: str) -> bytes:
    for each in (b"\r", b"\n"):
        if each.decode() != terminator:
            data = data.replace(each, b"")
    return data.rstrip(b" \r\n\x1a\x00")


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: str(path.relative_to(path.parents[4])))
def test_our_documents_come_out_as_they_went_in(path):
    data = path.read_bytes()
    again, found, terminator = written(data)
    if {each.rule for each in found} & (REPAIRED | DROPPED):
        assert path.parent.name == "fail"
    else:
        assert joined(again, terminator) == joined(data, terminator)


@pytest.mark.skipif(not CORPUS, reason="the corpus of real files is not here")
@pytest.mark.parametrize("path", CORPUS, ids=lambda path: "/".join(path.parts[-3:]))
def test_real_files_come_out_as_they_went_in(path):
    data = path.read_bytes()
    again, found, terminator = written(data)
    rules = {each.rule for each in found}
    if joined(again, terminator) != joined(data, terminator):
        assert rules & (REPAIRED | DROPPED)
        repaired, later, terminator = written(again)
        assert not {each.rule for each in later} & {"envelope.count", "envelope.reference"}
        assert joined(repaired, terminator) == joined(again, terminator), "it does not change any more"


def x12(body: str, version: str = "00401", repetition: str = "U", groups: int = 1) -> bytes:
    return (ISA.format(repetition, version) + body + f"IEA*{groups}*000000042~").encode()


GROUP = "GS*QQ*S*R*20260301*1230*1*X*005010~ST*321*0001~{}SE*3*0001~GE*1*1~"


@pytest.mark.parametrize(
    "data",
    [
        x12(GROUP.format("ZZZ*A**B>C>>D**~")),
        x12(GROUP.format("ZZZ*A^B>C^D*E~"), "00501", "^"),
        x12(
            "GS*QQ*S*R*20260301*1230*1*X*004010~GE*0*1~"
            + GROUP.replace("*1*X", "*2*X").replace("1*1~", "1*2~").format("ZZZ*1~"),
            groups=2,
        ),
        x12("TA1*000000001*260301*1200*A*000~", groups=0),
        x12(GROUP.format("ZZZ*1~").replace("SE*3", "SE*03")),
        x12(GROUP.format("BIN*5*\xff*~>\n~").replace("SE*3", "SE*3")).decode("utf-8").encode("latin-1"),
        b"UNB+UNOC:3+S+R+260301:1230+1'UNH+1+QQQQQQ:D:96A:UN'ZZZ+a:b?+c??+??'UNT+3+1'UNZ+1+1'",
        b"UNA:+,? 'UNB+UNOC:3+S+R+260301:1230+1'UNG+Q+S+R+260301:1230+7+UN+D:96A'UNH+1+QQQQQQ:D:96A:UN'"
        b"ZZZ+\xe9:::'UNT+3+1'UNE+1+7'UNZ+1+1'",
        b"UNA:+.?*'UNB+UNOY:4+S+R+20260301:1230+1'UNH+1+QQQQQQ:D:96A:UN'ZZZ+a*b:c?*d*'UNT+3+1'UNZ+1+1'",
        "UNB+UNOC:3+S+R+260301:1230+1'UNH+1+QQQQQQ:D:96A:UN'ZZZ+Łódź'UNT+3+1'UNZ+1+1'".encode(),
        b"UNB+UNOC:3+S+R+260301:1230+1'UNH+1+QQQQQQ:D:96A:UN'ZZZ+\x93quoted\x94'UNT+3+1'UNZ+1+1'",
    ],
    ids=range(11),
)
def test_nothing_is_lost(data):
    again, found, _ = written(data)
    assert again == data
    assert not {each.rule for each in found} & REPAIRED


@pytest.mark.parametrize("terminator", [b"\xa7", "§".encode(), b"\x85", b"\n", b"\x1c"])
def test_any_terminator(terminator):
    data = x12(GROUP.format("ZZZ*1~")).replace(b"~", terminator)
    assert written(data)[0] == data


def test_wrong_trailers_are_put_right_and_missing_ones_added():
    data = x12("GS*QQ*S*R*20260301*1230*1*X*004010~ST*321*0001~ZZZ*1~SE*9*0002~ST*321*0002~ZZZ*1~GE*1*5~", groups=7)
    again, found, _ = written(data)
    assert {each.rule for each in found} >= REPAIRED - {"envelope.stray"}
    assert again.decode().endswith("ZZZ*1~SE*3*0001~ST*321*0002~ZZZ*1~SE*3*0002~GE*2*1~IEA*1*000000042~")
    assert not {each.rule for each in written(again)[1]} & REPAIRED


def test_messages_without_an_interchange():
    data = b"UNH+1+QQQQQQ:D:96A:UN'ZZZ+1'UNT+3+1'"
    assert written(data)[0] == data
    assert written(b"UNA:+.? '" + data)[0] == b"UNA:+.? '" + data
    data = b"ST*321*0001~ZZZ*1~SE*3*0001~"
    assert written(data)[0] == data


def test_other_delimiters_and_line_breaks():
    data = x12(GROUP.format("ZZZ*A|B>C~"))
    wanted = replace(X12, element="!", component=":", terminator="\x1c", repetition="")
    again, _, _ = written(data, delimiters=wanted, layout=Layout("\r\n"))
    assert again.startswith(b"ISA!00!")
    assert b"!P!:\x1c\r\nGS!" in again
    assert b"\x1c\r\nZZZ!A|B:C\x1c\r\nSE!3!0001\x1c\r\n" in again
    back, _, _ = written(again, delimiters=replace(X12, repetition=""))
    assert back == data
    with pytest.raises(WriteError, match='holds "\\|"'):
        written(data, delimiters=replace(X12, element="|", repetition=""))


def test_other_delimiters_in_edifact_escape_what_they_must():
    data = b"UNB+UNOC:3+S:14+R+260301:1230+1'UNH+1+QQQQQQ:D:96A:UN'ZZZ+a|b:it?'s'UNT+3+1'UNZ+1+1'"
    again, _, _ = written(data, delimiters=replace(EDIFACT, element="|", terminator="~"))
    assert again.startswith(b"UNA:|.? ~UNB|UNOC:3|S:14|")
    assert b"~ZZZ|a?|b:it's~" in again
    assert written(again, delimiters=EDIFACT)[0] == data


def test_it_streams():
    """The header is out before the second message is read."""
    interchange = next(read(x12(GROUP.format("ZZZ*1~"))))
    pieces = rewrite(interchange)
    assert next(pieces).startswith(b"ISA")
    assert interchange.trailer is None
    assert b"".join(pieces).endswith(b"IEA*1*000000042~")


def test_without_segments_there_is_nothing_to_write():
    interchange = next(Codec().read(x12(GROUP.format("ZZZ*1~")), keep=False))
    with pytest.raises(ValueError, match="without keeping"):
        b"".join(rewrite(interchange))
