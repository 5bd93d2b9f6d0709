"""Acknowledgements: from findings to bytes, and from bytes back into the same verdicts."""

from __future__ import annotations

import doctest
import re
from datetime import datetime

import pytest
from ack_samples import clean

from dist_relay.edi import Codec, Profile, WriteError, ack
from dist_relay.edi.ack import (
    Answer,
    Assessment,
    Numbers,
    acknowledge,
    assess,
    covering,
)

AT = datetime(2026, 3, 1, 12, 31)
NUMBERS = Numbers(5, 6, 7)

ISA = "ISA*00*          *00*          *ZZ*RETAILER       *08*WAREHOUSE      *260301*1230*{}*{}*000000042*{}*T*>~"
GS = "GS*PO*RET*WH*20260301*1230*{}*X*{}~"
RIGHT = "BEG*00*SA*4711**20260301~PO1*1*10*EA*9.9**UP*036000291452~"
ERRORS = "BEG*QQ*SA*4711**20261301~PO1*1*10*E*9.9**UP~"
WRONG = "PO1*1*10*EA*9.9**UP*036000291452~W05*N*1~"


def x12(
    *bodies: str, version: str = "004010", count: int | None = None, isa: str = "00401", ask: int = 0, tail: int = 1
) -> bytes:
    text = ISA.format("^" if isa > "00402" else "U", isa, ask) + GS.format(9, version)
    for number, body in enumerate(bodies, 1):
        text += f"ST*850*{number:04d}~{body}SE*{body.count('~') + 2}*{number:04d}~"
    return (text + f"GE*{len(bodies) if count is None else count}*9~IEA*{tail}*000000042~").encode()


def edifact(*bodies: str, syntax: str = "UNOC:3", tail: str = "77", group: str = "", type_: str = "ORDERS") -> bytes:
    date = "20260301" if syntax.endswith("4") else "260301"
    text = f"UNB+{syntax}+BUYER:14+SELLER:14+{date}:1230+77'{group}"
    for number, body in enumerate(bodies, 1):
        text += f"UNH+{number}+{type_}:D:96A:UN'{body}UNT+{body.count(chr(39)) + 2}+{number}'"
    if group:
        text += f"UNE+{len(bodies)}+3'"
    return (text + f"UNZ+{1 if group else len(bodies)}+{tail}'").encode()


GOOD_ORDER = "BGM+220+4711+9'DTM+137:20260301:102'LIN+1'QTY+21:5'UNS+S'"
ODD_ORDER = "BGM+220+4711+9'DTM+137:20260301:102'LIN+1'QTY+21:many'UNS+S'"
BAD_ORDER = "BGM+220+4711+9'LIN+1'QTY+21:5'UNS+S'XYZ+1'"


def seen(data: bytes, profile: Profile | None = None) -> Assessment:
    return assess(next(Codec(profile or Profile()).read(data)))


def answer(data: bytes, **options) -> Answer:
    found = acknowledge(seen(data), NUMBERS, AT, **options)
    assert found is not None
    return found


def segments(data: bytes, *tags: str) -> list[str]:
    text = data.decode()
    return [each for each in re.split("[~']", text) if each.startswith(tags)]


class TestX12:
    def test_997(self):
        data = answer(x12(RIGHT, ERRORS, WRONG)).data
        assert data.decode().split("~")[:-1] == [
            "ISA*00*          *00*          *08*WAREHOUSE      *ZZ*RETAILER       *260301*1231*U*00401*000000005*0*T*>",
            "GS*FA*WH*RET*20260301*1231*6*X*004010",
            "ST*997*0007",
            "AK1*PO*9",
            "AK2*850*0001",
            "AK5*A",
            "AK2*850*0002",
            "AK3*BEG*2**8",
            "AK4*1*353*7*QQ",
            "AK4*5*373*8*20261301",
            "AK3*PO1*3**8",
            "AK4*3*355*4*E",
            "AK4*7**2",
            "AK5*E*5",
            "AK2*850*0003",
            "AK3*BEG*2**3",
            "AK3*W05*3**6",
            "AK5*R*5",
            "AK9*P*3*3*2",
            "SE*18*0007",
            "GE*1*6",
            "IEA*1*000000005",
        ]
        found = clean(data)
        assert [(each.control, each.outcome) for each in found] == [
            ("9", "partially_accepted"),
            ("0001", "accepted"),
            ("0002", "accepted_with_errors"),
            ("0003", "rejected"),
        ]
        assert [each.text for each in found[2].reasons] == [
            'segment 2 BEG, element 1: invalid code (7), "QQ"',
            'segment 2 BEG, element 5: invalid date (8), "20261301"',
            'segment 3 PO1, element 3: too short (4), "E"',
            "segment 3 PO1, element 7: conditional element missing (2)",
        ]
        assert found[3].reasons[0].text == "segment 2 BEG: mandatory segment missing (3)"

    def test_999(self):
        data = answer(x12(RIGHT, ERRORS, version="005010", isa="00501"), form="999").data
        assert segments(data, "GS", "ST", "AK", "IK", "CTX") == [
            "GS*FA*WH*RET*20260301*1231*6*X*005010X231A1",
            "ST*999*0007*005010X231A1",
            "AK1*PO*9*005010",
            "AK2*850*0001",
            "IK5*A",
            "AK2*850*0002",
            "IK3*BEG*2**8",
            "IK4*1*353*7*QQ",
            "IK4*5*373*8*20261301",
            "IK3*PO1*3*PO1*8",
            "IK4*3*355*4*E",
            "IK4*7**2",
            "CTX*SITUATIONAL TRIGGER*PO1*3*PO1*7",
            "IK5*E*5",
            "AK9*E*2*2*2",
        ]
        assert [each.outcome for each in clean(data)] == ["accepted_with_errors", "accepted", "accepted_with_errors"]

    def test_all_refused_and_all_accepted(self):
        assert segments(answer(x12(WRONG, WRONG)).data, "AK9") == ["AK9*R*2*2*0"]
        assert segments(answer(x12(RIGHT)).data, "AK9") == ["AK9*A*1*1*1"]
        assert segments(answer(x12(RIGHT, RIGHT, WRONG), explicit=False).data, "AK2", "AK9") == [
            "AK2*850*0003",
            "AK9*P*3*3*2",
        ]

    def test_a_wrong_group(self):
        data = answer(x12(RIGHT, count=3)).data
        assert segments(data, "AK5", "AK9") == ["AK5*R", "AK9*R*3*1*0*5"]
        assert [each.text for each in clean(data)[0].reasons] == ["number of messages differs (5)"]

    def test_a_wrong_interchange_has_a_ta1_alone(self):
        data = answer(x12(RIGHT, tail=2)).data
        assert segments(data, "TA1", "GS", "IEA") == ["TA1*000000042*260301*1230*R*021", "IEA*0*000000005"]
        (verdict,) = clean(data)
        assert (verdict.kind, verdict.control, verdict.outcome) == ("TA1", "000000042", "rejected")
        assert verdict.reasons[0].text == "number of groups differs (021)"

    @pytest.mark.parametrize(
        ("when", "asked", "written"),
        [("asked", 1, 1), ("asked", 0, 0), ("always", 0, 1), ("never", 1, 0), ("errors", 1, 0)],
    )
    def test_ta1_when_it_is_wanted(self, when, asked, written):
        found = segments(answer(x12(RIGHT, ask=asked), ta1=when).data, "TA1", "AK9")
        assert found == ["TA1*000000042*260301*1230*A*000"] * written + ["AK9*A*1*1*1"]

    def test_a_tolerated_fault_of_the_header(self):
        data = x12(RIGHT).replace(b"*RETAILER       *", b"*RETAILER *")
        found = clean(answer(data, form="TA1").data)
        assert [(each.outcome, each.reasons[0].code) for each in found] == [("accepted_with_errors", "006")]

    def test_several_groups_with_several_addresses(self):
        one = x12(RIGHT).decode()
        group = one[one.index("GS*") : one.index("IEA")]
        other = group.replace("*RET*WH*", "*RET2*WH*").replace("*9~", "*10~").replace("1230*9*", "1230*10*")
        data = one.replace(
            "IEA*1", f"{group.replace('*9~', '*11~').replace('1230*9*', '1230*11*')}{other}IEA*3"
        ).encode()
        found = acknowledge(seen(data), NUMBERS, AT)
        assert found is not None
        assert (found.groups, found.messages) == (2, 3)
        assert [each.split("*")[2:4] + each.split("*")[6:7] for each in segments(found.data, "GS")] == [
            ["WH", "RET", "6"],
            ["WH", "RET2", "7"],
        ]
        assert [each.control for each in clean(found.data) if each.level == "group"] == ["9", "11", "10"]

    def test_values_that_cannot_be_copied_are_left_out(self):
        body = RIGHT.replace("BEG*00", "BEG*0\xfc").replace("PO1*1*", "PO1*" + "1" * 120 + "*")
        data = x12(RIGHT).decode().replace(RIGHT, body).encode("latin-1")
        assert segments(answer(data).data, "AK4") == ["AK4*1*353*7", "AK4*1*350*5*" + "1" * 99]

    def test_short_control_numbers_are_echoed(self):
        data = x12(RIGHT).replace(b"*0001", b"*1")
        assert segments(answer(data).data, "AK2") == ["AK2*850*1"]

    def test_what_the_profile_notes_is_not_reported(self):
        for treatment in (
            {"code": "note", "element": "off", "condition": "off"},
            {"code": "off", "element": "note", "condition": "note"},
        ):
            found = acknowledge(seen(x12(ERRORS), Profile(treatment=treatment)), NUMBERS, AT)
            assert found is not None
            assert segments(found.data, "AK3", "AK4", "AK5", "AK9") == ["AK5*A", "AK9*A*1*1*1"]
        strict = acknowledge(seen(x12(ERRORS), Profile(treatment={"code": "reject"})), NUMBERS, AT)
        assert strict is not None
        assert segments(strict.data, "AK9") == ["AK9*R*1*1*0"]


class TestContrl:
    def test_syntax_3(self):
        data = answer(edifact(GOOD_ORDER, ODD_ORDER, BAD_ORDER)).data
        assert data.decode().split("'")[:-1] == [
            "UNB+UNOC:3+SELLER:14+BUYER:14+260301:1231+5",
            "UNH+7+CONTRL:D:3:UN",
            "UCI+77+BUYER:14+SELLER:14+7",
            "UCM+1+ORDERS:D:96A:UN+7",
            "UCM+2+ORDERS:D:96A:UN+7",
            "UCS+5",
            "UCD+37+2:2",
            "UCM+3+ORDERS:D:96A:UN+4",
            "UCS+2+13",
            "UCS+6+15",
            "UNT+10+7",
            "UNZ+1+5",
        ]
        found = clean(data)
        assert [(each.level, each.control, each.outcome) for each in found] == [
            ("interchange", "77", "partially_accepted"),
            ("message", "1", "accepted"),
            ("message", "2", "accepted_with_errors"),
            ("message", "3", "rejected"),
        ]
        assert found[2].reasons[0].text.startswith("segment 5, element 1, component 2: ")
        assert found[3].reasons[0].text == "segment 2: missing (13)"

    def test_syntax_4(self):
        data = answer(edifact(ODD_ORDER, syntax="UNOC:4")).data
        assert b"UNB+UNOC:4+SELLER:14+BUYER:14+20260301:1231+5'UNH+7+CONTRL:4:1:UN'" in data
        assert [each.outcome for each in clean(data)] == ["accepted_with_errors"] * 2

    def test_a_refused_interchange_says_nothing_about_its_messages(self):
        data = answer(edifact(GOOD_ORDER, tail="78")).data
        assert segments(data, "UC") == ["UCI+77+BUYER:14+SELLER:14+4+28+UNZ+3"]
        (verdict,) = clean(data)
        assert verdict.outcome == "rejected"
        assert verdict.reasons[0].segment == "UNZ"
        assert verdict.reasons[0].index == 2

    def test_groups(self):
        group = "UNG+ORDERS+A+B+260301:1230+3+UN+D:96A'"
        data = answer(edifact(GOOD_ORDER, BAD_ORDER, group=group)).data
        assert segments(data, "UC") == [
            "UCI+77+BUYER:14+SELLER:14+7",
            "UCF+3+A+B+7",
            "UCM+1+ORDERS:D:96A:UN+7",
            "UCM+2+ORDERS:D:96A:UN+4",
            "UCS+2+13",
            "UCS+6+15",
        ]
        assert [(each.level, each.group, each.outcome) for each in clean(data)] == [
            ("interchange", "", "partially_accepted"),
            ("group", "3", "partially_accepted"),
            ("message", "3", "accepted"),
            ("message", "3", "rejected"),
        ]

    def test_accepted_messages_may_be_left_out(self):
        assert segments(answer(edifact(GOOD_ORDER, BAD_ORDER), explicit=False).data, "UCM") == [
            "UCM+2+ORDERS:D:96A:UN+4"
        ]

    def test_a_receipt(self):
        data = answer(edifact(BAD_ORDER), form="receipt").data
        assert segments(data, "UC") == ["UCI+77+BUYER:14+SELLER:14+8"]
        assert [each.outcome for each in clean(data)] == ["received"]


class TestNeverAcknowledged:
    def test_997_999_and_contrl(self):
        assert acknowledge(seen(answer(x12(RIGHT)).data), NUMBERS, AT) is None
        assert (
            acknowledge(
                seen(answer(x12(RIGHT, version="005010", isa="00501"), form="999").data), NUMBERS, AT, form="999"
            )
            is None
        )
        assert acknowledge(seen(answer(edifact(BAD_ORDER)).data), NUMBERS, AT) is None

    def test_ta1(self):
        assert acknowledge(seen(answer(x12(RIGHT), form="TA1").data), NUMBERS, AT, ta1="always") is None

    def test_nor_when_they_are_wrong(self):
        wrong = answer(x12(RIGHT)).data.replace(b"AK9*A", b"AK9*Q")
        assert seen(wrong).groups[0].messages[0].own == "accepted_with_errors"
        assert acknowledge(seen(wrong), NUMBERS, AT) is None

    def test_an_acknowledgement_beside_an_order_is_passed_over(self):
        both = edifact(GOOD_ORDER).replace(b"UNZ+1", b"UNH+2+CONTRL:D:3:UN'UCI+1+A+B+7'UNT+3+2'UNZ+2")
        assert segments(answer(both).data, "UC") == ["UCI+77+BUYER:14+SELLER:14+7", "UCM+1+ORDERS:D:96A:UN+7"]


def test_what_only_the_caller_knows_refuses_the_interchange():
    judged = seen(x12(RIGHT))
    judged.refuse("envelope.duplicate", "it came before", "ISA", "ISA13", 13)
    found = acknowledge(judged, NUMBERS, AT)
    assert found is not None
    assert segments(found.data, "TA1", "GS", "AK") == ["TA1*000000042*260301*1230*R*025"]
    never = acknowledge(judged, NUMBERS, AT, ta1="never")
    assert never is not None
    assert segments(never.data, "AK5", "AK9") == ["AK5*R", "AK9*R*1*1*0"]
    judged = seen(edifact(GOOD_ORDER))
    judged.refuse("envelope.duplicate", "it came before", "UNB", "UNB05", 5)
    found = acknowledge(judged, NUMBERS, AT)
    assert found is not None
    assert segments(found.data, "UC") == ["UCI+77+BUYER:14+SELLER:14+4+26+UNB+6"]


def test_a_flood_of_findings_is_bounded(monkeypatch):
    monkeypatch.setattr("dist_relay.edi.ack.assessment.MAX_FINDINGS", 5)
    judged = seen(x12(ERRORS, ERRORS, ERRORS))
    assert [len(each.findings) for each in judged.groups[0].messages] == [4, 1, 0]
    found = acknowledge(judged, NUMBERS, AT)
    assert found is not None
    assert [each.outcome for each in clean(found.data)] == ["accepted_with_errors"] * 4


def test_without_a_header_nobody_can_be_answered():
    with pytest.raises(WriteError, match="without a header"):
        acknowledge(seen(b"ST*850*0001~" + RIGHT.encode() + b"SE*4*0001~"), NUMBERS, AT)


def test_forms_of_the_other_standard():
    with pytest.raises(WriteError, match="997, 999 or TA1"):
        answer(x12(RIGHT), form="CONTRL")
    with pytest.raises(WriteError, match="with CONTRL"):
        answer(edifact(GOOD_ORDER), form="997")


def test_the_verdict_that_covers_a_message():
    found = clean(answer(x12(RIGHT, WRONG), explicit=False).data)
    assert covering(found, group_type="PO", group="9", type="850", control="0002").outcome == "rejected"
    assert covering(found, group_type="PO", group="9", type="850", control="0001").level == "group"
    assert covering(found, group_type="PO", group="000009", type="850", control="2").outcome == "rejected"
    assert covering(found, group_type="IN", group="9", type="850", control="0002") is None
    refused = clean(answer(edifact(GOOD_ORDER, tail="78")).data)
    assert covering(refused, interchange="77", control="1").outcome == "rejected"
    assert covering(refused, interchange="76", control="1") is None


def test_the_example_holds():
    failed, tried = doctest.testmod(ack)
    assert tried
    assert not failed


def test_a_ta1_is_not_answered_even_if_its_envelope_is_at_fault():
    data = (ISA + "TA1*000000905*260301*1200*A*000~IEA*0*000000042~").format("U", "00401", 1)
    for text in (data, data.replace("RETAILER  ", "RETAILER "), data.replace("IEA*0", "IEA*1")):
        (seen,) = (assess(each) for each in Codec().read(text.encode()))
        assert acknowledge(seen, NUMBERS, AT) is None
