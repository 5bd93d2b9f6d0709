"""Acknowledgements of others, and application advice, as verdicts."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dist_relay.edi import read
from dist_relay.edi.ack import Verdict, covering, verdicts

CORPUS = Path(__file__).parents[6] / "shared" / "edi_corpus"
REAL = sorted(
    path
    for type_ in ("x12/997", "x12/999", "x12/TA1", "x12/824", "edifact/CONTRL")
    for path in CORPUS.glob(f"{type_}/*")
)


def x12(*segments: str, type_: str = "997", group: str = "FA") -> list[Verdict]:
    body = "".join(f"{each}~" for each in segments)
    data = (
        "ISA*00*          *00*          *ZZ*R              *ZZ*S              *260301*1230*U*00401*000000042*0*P*>~"
        f"GS*{group}*R*S*20260301*1230*1*X*004010~ST*{type_}*0001~{body}SE*{len(segments) + 2}*0001~"
        "GE*1*1~IEA*1*000000042~"
    )
    return verdicts(next(read(data.encode())))


def edifact(*segments: str, type_: str = "CONTRL:D:3:UN") -> list[Verdict]:
    body = "".join(f"{each}'" for each in segments)
    data = f"UNB+UNOC:3+R+S+260301:1230+1'UNH+1+{type_}'{body}UNT+{len(segments) + 2}+1'UNZ+1+1'"
    return verdicts(next(read(data.encode())))


@pytest.mark.parametrize(
    ("letter", "outcome"),
    [
        ("A", "accepted"),
        ("E", "accepted_with_errors"),
        ("P", "partially_accepted"),
        ("R", "rejected"),
        ("M", "rejected"),
        ("X", "rejected"),
        ("?", "rejected"),
    ],
)
def test_letters(letter, outcome):
    group, message = x12("AK1*PO*214", "AK2*850*000000390", f"AK5*{letter}", f"AK9*{letter}*1*1*0")
    assert (group.outcome, message.outcome) == (outcome, outcome)
    assert (message.group_type, message.group, message.type, message.control) == ("PO", "214", "850", "000000390")
    assert message.accepted is (outcome != "rejected")


def test_a_group_verdict_alone():
    found = x12("AK1*PO*214", "AK9*A*2*2*2")
    assert [each.level for each in found] == ["group"]
    assert covering(found, group_type="PO", group="214", control="0001") is found[0]


def test_an_incomplete_997_refuses_rather_than_accepts():
    assert [each.outcome for each in x12("AK1*PO*214", "AK2*850*0001")] == ["rejected", "rejected"]
    assert [each.outcome for each in x12("AK5*A")] == ["rejected"]


def test_reasons_name_place_code_and_value():
    _, message = x12(
        "AK1*PO*1",
        "AK2*850*0001",
        "AK3*PO1*7*PO1*8",
        "AK4*2>1*330*5*12345",
        "AK3*CTT*9**3",
        "AK4*",
        "AK5*R*5*4*ZZZ",
        "AK9*R*1*1*0*5",
    )
    assert [each.text for each in message.reasons] == [
        "number of segments differs (4)",
        'code "ZZZ", which is not known (ZZZ)',
        'segment 7 PO1, loop PO1, element 2, component 1: too long (5), "12345"',
        "segment 9 CTT: mandatory segment missing (3)",
        'segment 9 CTT: code "", which is not known',
    ]
    assert message.reasons[2].position == 7


def test_824():
    found = x12(
        "BGN*11*1*20260301",
        "OTI*TR*IV*INV-9***20260301**12*0001*810",
        "TED*024*PRICE DOES NOT MATCH*IT1*5*4**9.90",
        "NTE**SEE ORDER 4711",
        "TED*ZZZ",
        "OTI*TA*IV*INV-10*****12*0002*810",
        "OTI*GP*GC*12*****12",
        "OTI*IE*IV*INV-11",
        type_="824",
        group="AG",
    )
    assert [(each.level, each.outcome, each.reference, each.group, each.control, each.type) for each in found] == [
        ("message", "rejected", "INV-9", "12", "0001", "810"),
        ("message", "accepted", "INV-10", "12", "0002", "810"),
        ("group", "partially_accepted", "12", "12", "12", ""),
        ("message", "accepted_with_errors", "INV-11", "", "", ""),
    ]
    first, second = found[0].reasons
    assert first.text.startswith("segment 5 IT1, element 4: ")
    assert "PRICE DOES NOT MATCH" in first.text
    assert first.text.endswith('"9.90"; SEE ORDER 4711')
    assert "ZZZ" in second.text


def test_aperak():
    (verdict,) = edifact(
        "BGM+305+A1+9+RE",
        "RFF+ACW:77",
        "RFF+ON:4711",
        "ERC+42",
        "FTX+AAO+++PRICE UNKNOWN:SEE CATALOGUE",
        "RFF+LI:3",
        type_="APERAK:D:96A:UN",
    )
    assert (verdict.kind, verdict.outcome, verdict.control, verdict.reference) == ("APERAK", "rejected", "77", "4711")
    assert [each.text for each in verdict.reasons] == ["PRICE UNKNOWN SEE CATALOGUE (42) (LI 3)"]


@pytest.mark.parametrize(
    ("begin", "errors", "outcome"),
    [
        ("BGM+305+A1+9+AP", (), "accepted"),
        ("BGM+305+A1+29", (), "accepted"),
        ("BGM+305+A1+27", (), "rejected"),
        ("BGM+305+A1+9+CA", (), "accepted_with_errors"),
        ("BGM+305+A1+9+AP", ("ERC+1",), "accepted_with_errors"),
        ("BGM+305+A1+9", ("ERC+1",), "rejected"),
        ("BGM+305+A1+9", (), "accepted"),
    ],
)
def test_what_an_aperak_says(begin, errors, outcome):
    assert [each.outcome for each in edifact(begin, *errors, type_="APERAK:D:96A:UN")] == [outcome]


def test_contrl_without_the_accepted_messages():
    found = edifact("UCI+77+B+S+7", "UCM+2+ORDERS:D:96A:UN+4+29+UNT+2")
    assert [(each.level, each.outcome) for each in found] == [
        ("interchange", "partially_accepted"),
        ("message", "rejected"),
    ]
    assert found[1].reasons[0].text.startswith("segment UNT, element 1: ")
    assert covering(found, interchange="77", control="2", type="ORDERS") is found[1]
    assert covering(found, interchange="77", control="1", type="ORDERS") is found[0]


@pytest.mark.parametrize(
    ("action", "outcome"),
    [
        ("4", "rejected"),
        ("7", "accepted"),
        ("8", "received"),
        ("1", "accepted"),
        ("2", "accepted_with_errors"),
        ("9", "rejected"),
    ],
)
def test_actions(action, outcome):
    assert [each.outcome for each in edifact(f"UCI+77+B+S+{action}")] == [outcome]


def test_other_messages_have_no_verdicts():
    assert edifact("BGM+220+1+9", type_="ORDERS:D:96A:UN") == []


odd = st.text(st.sampled_from("0189AERXPTG:>+ \u00e9"), max_size=4)


def lines(tags: str):
    return st.lists(st.tuples(st.sampled_from(tags.split()), st.lists(odd, max_size=6)), max_size=12)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["997", "999", "824"]), lines("AK1 AK2 AK3 AK4 AK5 AK9 IK3 IK4 IK5 CTX OTI TED NTE RED"))
def test_nonsense_in_x12_never_accepts_what_it_does_not_name(type_, found):
    made = x12(*("*".join([tag, *values]) for tag, values in found), type_=type_)
    letters = {value[-1:] for _, values in found for value in values[:1]}
    assert not any(each.accepted for each in made) or letters & set("AEPC")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["CONTRL:D:3:UN", "APERAK:D:96A:UN"]), lines("UCI UCF UCM UCS UCD BGM RFF ERC FTX"))
def test_nonsense_in_edifact_is_read(type_, found):
    made = edifact(*("+".join([tag, *values]) for tag, values in found), type_=type_)
    assert made
    assert all(each.kind in type_ for each in made)


@pytest.mark.skipif(not REAL, reason="the corpus of real files is not here")
@pytest.mark.parametrize("path", REAL, ids=lambda path: "/".join(path.parts[-2:]))
def test_real_acknowledgements(path):
    found = [verdict for interchange in read(path.read_bytes()) for verdict in verdicts(interchange)]
    assert found
    assert all(each.control or each.reference for each in found)
    text = path.name
    if "accept-with-errors" in text:
        assert [each.outcome for each in found] == ["accepted_with_errors", "accepted_with_errors"]
    elif "accept" in text:
        assert {each.outcome for each in found} == {"accepted"}
    elif "reject-control" in text:
        assert [(each.outcome, each.reasons[0].code) for each in found] == [("rejected", "001")]
