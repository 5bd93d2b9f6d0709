"""What an overlay changes in reading: segments, elements, codes, defaults, versions, character sets, severities."""

from __future__ import annotations

import pytest
from overlay_samples import ORDER, ORDERS, changed

from dist_relay.edi import Message, Profile, read, reader
from dist_relay.edi.overlay import profile
from dist_relay.edi.profile import DEFAULT_PROFILE


def first(data: bytes, using: Profile | None) -> Message:
    return next(next(read(data, using)).messages())


def rules(data: bytes, overlay: object) -> list[tuple[str, str, str]]:
    """Severity, rule and element (or segment) of each finding."""
    message = first(data, profile(overlay) if overlay else None)  # type: ignore[arg-type]
    return [(each.severity, each.rule, each.element or each.segment) for each in message.findings]


def of(type_: str = "850", **sections: object) -> dict[str, object]:
    return {"name": "acme", "documents": {type_: sections}}


def test_the_samples_are_right_without_an_overlay():
    assert rules(ORDER, None) == rules(ORDERS, None) == []


@pytest.mark.parametrize(
    ("segments", "found"),
    [
        ({"REF": "forbidden"}, [("reject", "segment.forbidden", "REF")]),
        ({"DTM": "required"}, [("reject", "segment.missing", "DTM")]),
        ({"DTM": "optional", "REF": "0..1"}, []),
        ({"REF 1=DP": "required"}, []),
        ({"REF 1=IA": "required"}, [("reject", "segment.missing", "REF")]),
        ({"REF 1=DP|IA": "forbidden"}, [("reject", "segment.forbidden", "REF01")]),
        ({"N1": "forbidden"}, [("reject", "segment.forbidden", "N1")]),
        ({"N1/N3": "required"}, [("reject", "segment.missing", "N3")]),
        ({"PO1": "1..*", "PO1/PID": "required"}, [("reject", "segment.missing", "PID")]),
        ({"N9": "required"}, [("reject", "segment.missing", "N9")]),
    ],
)
def test_segments(segments, found):
    assert rules(ORDER, of(segments=segments)) == found


def test_a_use_counts_in_a_row_and_by_qualifier():
    twice = changed(ORDER, (b"REF*DP*12~", b"REF*DP*12~REF*DP*13~"), (b"SE*7", b"SE*8"))
    assert rules(twice, None) == []
    assert rules(twice, of(segments={"REF": "0..1"})) == [("reject", "segment.max", "REF")]
    assert rules(twice, of(segments={"REF 1=DP": "0..1"})) == [("reject", "segment.max", "REF")]
    (finding,) = first(twice, profile(of(segments={"REF 1=DP": "0..1"}))).findings
    assert finding.message == (
        "850 0001, segment 4 REF: the segment REF with REF01 DP is there too often; expected at most 1"
    )


@pytest.mark.parametrize(
    ("elements", "found"),
    [
        ({"BEG02": {"codes": ["SA", "NE"]}}, []),
        ({"BEG02": {"codes": ["NE"]}}, [("error", "code.narrowed", "BEG02")]),
        ({"BEG06": "required"}, [("reject", "element.missing", "BEG06")]),
        ({"PO104": "forbidden"}, [("error", "element.forbidden", "PO104")]),
        ({"PO1/PO104": "forbidden"}, [("error", "element.forbidden", "PO104")]),
        ({"BEG03": {"max": 3}}, [("error", "element.long", "BEG03")]),
        ({"BEG03": {"min": 5}}, [("error", "element.short", "BEG03")]),
        ({"N104 1=ST": "required"}, []),
        ({"N104 1=ST": "forbidden"}, [("error", "element.forbidden", "N104")]),
        ({"N103 1=ST": {"codes": ["UL", "9"]}}, [("error", "code.narrowed", "N103")]),
        ({"N103 1=BY": {"codes": ["UL", "9"]}}, []),
        ({"N105 1=ST 3=92": "required"}, [("reject", "element.missing", "N105")]),
        ({"*/N104": "forbidden"}, [("error", "element.forbidden", "N104")]),
    ],
)
def test_elements(elements, found):
    assert rules(ORDER, of(elements=elements)) == found


def test_further_codes_and_lengths_make_right_what_was_wrong():
    data = changed(ORDER, (b"BEG*00*", b"BEG*QQ*"), (b"*4711*", b"*" + b"4" * 30 + b"*"))
    assert [each[2] for each in rules(data, None)] == ["BEG01", "BEG03"]
    assert rules(data, of(elements={"BEG01": {"add": {"QQ": "by our own rules"}}, "BEG03": {"max": 30}})) == []


def test_optional_and_default_elements_may_be_missing_and_the_default_is_filled_in():
    data = changed(ORDER, (b"BEG*00*SA", b"BEG*00*"), (b"PO1*1*10*EA", b"PO1*1*10*"))
    assert ("reject", "element.missing", "BEG02") in rules(data, None)
    assert rules(data, of(elements={"BEG02": "optional"})) == []
    defaults = profile(of(elements={"BEG02": {"default": "SA"}, "PO103": {"default": "CA"}}))
    message = first(data, defaults)
    assert message.findings == []
    assert message.tree().first("BEG").get(2) == "SA"
    assert message.tree().loops("PO1")[0].first("PO1").get(3) == "CA"
    assert [each.get(2) for each in message.segments() if each.tag == "BEG"] == [""]  # what came stays as it came
    assert first(ORDER, defaults).tree().loops("PO1")[0].first("PO1").get(3) == "EA"


def test_a_default_is_for_its_place_and_qualifier_only():
    data = changed(ORDER, (b"N1*ST*Store 5*92*05~", b"N1*ST*Store 5~N1*BY*Shop~"), (b"SE*7", b"SE*8"))
    using = profile(of(elements={"N104 1=BY": {"default": "77"}, "N103 1=BY": {"default": "92"}}))
    parties = [each.first("N1").elements for each in first(data, using).tree().loops("N1")]
    assert parties == [["ST", "Store 5"], ["BY", "Shop", "92", "77"]]


def test_extra_segments_and_loops_stand_where_the_overlay_puts_them():
    data = changed(ORDER, (b"~CTT*1", b"~ZA*QA*5*EA~ZA*QS*3*EA~CTT*1"), (b"SE*7", b"SE*9"))
    assert rules(data, None) == [("reject", "segment.unexpected", "ZA")] * 2
    assert rules(data, of(extra=[{"after": "PO1/PO1", "segments": "ZA 0..5"}])) == []
    assert rules(data, of(extra=[{"in": "PO1", "segments": "ZA 0..1"}])) == [("reject", "segment.max", "ZA")]
    looped = profile(of(extra=[{"in": "PO1", "segments": "loop ZA 0..*\n  ZA 1..1 1=QA|QS"}]))
    assert first(data, looped).findings == []
    assert [
        each.name for each in first(data, looped).tree().loops("PO1")[0].items if each.__class__.__name__ == "Loop"
    ] == [
        "ZA",
        "ZA",
    ]
    wrong = of(extra=[{"in": "PO1", "segments": "ZA 0..* 1=QA"}])
    assert rules(data, wrong) == [("error", "code.narrowed", "ZA01")]
    assert rules(data, of(extra=[{"after": "PO1", "segments": "ZA 0..*"}])) == []
    assert rules(data, of(extra=[{"after": "N1", "segments": "ZA 0..*"}])) == [("reject", "segment.order", "ZA")] * 2


def test_segments_and_elements_of_the_partner_s_own():
    own = {
        "define": {
            "x12": {"segments": "ZZ1 Shelf label : 9001! 380", "elements": "9001 ID 2/2 Label : RD red; BL blue"}
        },
        "documents": {"850": {"extra": [{"in": "PO1", "segments": "ZZ1 0..1"}]}},
    }
    right = changed(ORDER, (b"~CTT*1", b"~ZZ1*RD*5~CTT*1"), (b"SE*7", b"SE*8"))
    assert rules(right, own) == []
    assert rules(changed(right, (b"RD*5", b"XX*5")), own) == [("error", "code.unknown", "ZZ101")]


def test_edifact_places_components_and_loops():
    overlay = of(
        "ORDERS",
        segments={"RFF": "required", "LIN/PRI": "required"},
        elements={"NAD02-03": {"codes": ["92"]}, "LIN/QTY01-03": "required", "BGM.3": "forbidden"},
    )
    assert sorted(rules(ORDERS, overlay)) == [
        ("error", "code.narrowed", "C082.3055"),
        ("error", "element.forbidden", "1225"),
        ("reject", "element.missing", "C186.6411"),
        ("reject", "segment.missing", "PRI"),
        ("reject", "segment.missing", "RFF"),
    ]
    defaults = profile(of("ORDERS", elements={"LIN/QTY01-03": {"default": "PCE"}}))
    assert first(ORDERS, defaults).tree().loops("LIN")[0].first("QTY").elements == [["21", "10", "PCE"]]


def test_a_version_holds_whatever_the_document_says():
    wide = changed(ORDER, (b"REF*DP*12", b"REF*DP*" + b"1" * 40))
    assert [each[1] for each in rules(wide, None)] == ["element.long"]
    message = first(wide, profile(of(version="5010")))
    assert (message.version, message.grammar_version, message.findings) == ("4010", "5010", [])


def test_severities_by_rule_and_level():
    data = changed(ORDER, (b"CTT*1", b"CTT*2"), (b"BEG*00*SA", b"BEG*00*"))
    usual = [("reject", "element.missing", "BEG02"), ("error", "balance.count", "CTT01")]
    assert rules(data, None) == usual
    assert rules(data, {"severities": {"balance": "reject"}})[1][0] == "reject"
    assert rules(data, {"severities": {"balance": "off", "element.missing": "error"}}) == [
        ("error", "element.missing", "BEG02")
    ]
    assert first(data, profile({"severities": {"element": "note", "balance": "note"}})).status == "valid"


def test_balances_off_leaves_the_partner_s_own_rules():
    overlay = {**of(segments={"REF 1=IA": "required"}), "severities": {"balance": "off"}}
    assert rules(changed(ORDER, (b"CTT*1", b"CTT*2")), overlay) == [("reject", "segment.missing", "REF")]


def test_a_level_does_not_make_faults_of_notes():
    bom = b"\xef\xbb\xbf" + ORDER
    interchange = next(read(bom, profile({"severities": {"envelope": "reject"}}))).drain()
    assert (interchange.findings, [each.rule for each in interchange.notes]) == ([], ["envelope.bom"])


def test_lenient_refuses_nothing_that_can_be_read_and_strict_everything():
    data = changed(ORDER, (b"SE*7*0001", b"SE*9*0002"), (b"BEG*00*SA*4711", b"BEG*00**"), (b"N1*ST", b"XX*1~N1*ST"))
    assert first(data, None).status == "rejected"
    lenient = first(data, profile("lenient"))
    assert lenient.status == "accepted_with_errors"
    assert [each.rule for each in lenient.findings] == [each.rule for each in first(data, None).findings]
    assert {each.severity for each in lenient.findings} == {"error"}
    small = changed(ORDER, (b"CTT*1", b"CTT*2"))
    assert [first(small, profile(each)).status for each in ("strict", "standard")] == [
        "rejected",
        "accepted_with_errors",
    ]
    bom = next(read(b"\xef\xbb\xbf" + ORDER, profile("strict"))).drain()
    assert [(each.severity, each.rule) for each in bom.findings] == [("error", "envelope.bom")]
    same = changed(ORDER, (b"*ZZ*DIST   ", b"*ZZ*DIST *>"))
    assert next(read(same, profile("lenient"))).drain().status != "valid"


def test_a_character_set_that_is_agreed_is_used_whatever_is_declared():
    data = changed(ORDERS, (b"NAD+BY+4012345000009::9", b"NAD+BY+4012345000009::9++M\xfcller \xe9"))
    assert first(data, profile({"edifact": {"charset": "cp850"}})).raw_segments()[2].endswith("M³ller Ú")
    assert first(data, None).raw_segments()[2].endswith("Müller é")


def test_delimiters_that_are_agreed_hold_where_the_interchange_does_not_say_them():
    data = ORDERS.replace(b"'", b"~")
    agreed = profile({"edifact": {"delimiters": {"terminator": "~"}}})
    interchange = next(read(data, agreed))
    assert [each.status for each in interchange.messages()] == ["valid"]
    assert interchange.findings == []
    assert next(read(ORDER, profile({"x12": {"delimiters": {"element": "|"}}}))).drain().status == "valid"


def test_limits():
    with pytest.raises(Exception, match="longer than 100 bytes"):
        list(read(ORDER, profile({"limits": {"total": 100}})))


def test_the_same_overlay_is_the_same_profile_and_stays_warm():
    text = '{"documents": {"850": {"segments": {"REF": "forbidden"}}}}'
    assert profile(text) is profile(text.encode())
    assert profile(text) is not profile(text.replace("forbidden", "required"))
    assert reader.codec(profile(text)) is reader.codec(profile(text))
    assert reader.codec(profile(text)) is not reader.codec()
    first(ORDER, profile(text))
    compiled = first(ORDER, profile(text)).compiled
    assert compiled is first(ORDER, profile(text)).compiled
    assert DEFAULT_PROFILE.overlay is None


def test_the_grammars_themselves_stay_as_they_are():
    first(ORDER, profile(of(segments={"REF": "forbidden", "DTM": "required"}, elements={"BEG02": "forbidden"})))
    assert rules(ORDER, None) == []
